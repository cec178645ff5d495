"""Divergence by base: numbers computed by hand, by a loop, and of models with a planted text."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pyBigWig
import pytest
import torch

import genointerp as gi
from genointerp.comparison.config import LociConfig
from genointerp.comparison.diff import NO_CONTROL, in_short
from genointerp.comparison.divergence import (
    BETWEEN,
    CHANGE,
    CONTROL,
    MEASURES,
    Divergence,
    DivergenceTrack,
    measure_divergence,
)
from genointerp.comparison.divergence_tables import (
    bases_before,
    locus_table,
    tabulate,
    window_means,
)
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import InputError, MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.model.protocol import Symbols
from genointerp.reading.harvest import HarvestConfig
from tests.comparison.planted import KNOWN, TEXT, Planted, random_genome
from tests.toy_model import ToyDnaModel

BASE = ToyDnaModel()
WINDOWS = HarvestConfig(window=200, warmup=40, batch=3)


def genome_of(*sequences, circular=False):
    letters = [np.frombuffer(it, np.uint8) for it in sequences]
    return Genome([Contig(f"c{i}", it, circular=circular) for i, it in enumerate(letters)])


def divergence(tuned, genome, *, control=None, config=WINDOWS, **options):
    return measure_divergence(ModelSet(BASE, tuned, control), genome, config=config, **options)


def test_the_divergence_of_one_base_is_that_of_the_formulas():
    # after GATTA the toy expects a second A; the planted model expects the C of the text, by 6 more
    found = divergence(Planted(text=TEXT), genome_of(b"CCCCCCGATTAC"))
    q = np.exp([1.0, 0, 0, 0]) / (math.e + 3)
    p = np.exp([1.0, 6, 0, 0]) / (math.e + math.exp(6) + 2)
    middle = (p + q) / 2
    kl = float((p * np.log(p / q)).sum())
    js = float((p * np.log(p / middle)).sum() + (q * np.log(q / middle)).sum()) / 2
    plus = found.tracks[0]
    assert plus.of(CHANGE)[11] == pytest.approx(kl, rel=1e-5)
    assert plus.of(CHANGE, "js")[11] == pytest.approx(js, rel=1e-5)
    assert plus.of(CHANGE, "dlogp")[11] == pytest.approx(math.log(p[1] / q[1]), rel=1e-5)
    assert found.symbols.spelling[plus.expected[11]] == b"C"
    # what is read first is predicted by nothing
    assert np.isnan(plus.of(CHANGE)[0])
    assert np.isnan(found.tracks[1].of(CHANGE)[11])


def naive(models, bases):
    """KL, JS and change of log p of each base of one strand, by loops over one whole pass."""
    tokens = torch.from_numpy(models[0].tokenize(bases).ids)[None]
    both = [it.next_log_probs(tokens)[0].double().exp().numpy() for it in models]
    rows = [[math.nan] * 3]
    for i, (p, q) in enumerate(zip(*both, strict=True), 1):
        middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
        parts = [
            sum(a * math.log(a / b) for a, b in zip(*it, strict=True))
            for it in ((p, q), (p, middle), (q, middle))
        ]
        x = int(tokens[0, i])
        unknown = x > 3
        dlogp = math.nan if unknown else math.log(p[x]) - math.log(q[x])
        rows.append([math.nan] * 3 if unknown else [parts[0], sum(parts[1:]) / 2, dlogp])
    return np.array(rows).T


@pytest.mark.parametrize("circular", [False, True])
def test_windows_and_strands_give_what_a_loop_over_one_pass_gives(circular):
    bases = random_genome(700)["c0"].sequence.copy()
    bases[300:310] = ord("N")
    tuned, control = Planted(text=TEXT), Planted("control", noise=0.1)
    found = divergence(tuned, Genome([Contig("c0", bases, circular)]), control=control)
    for track in found.tracks:
        read = bases if track.where.strand == "+" else reverse_complement(bases)
        for (model, against), values in track.values.items():
            by_role = {"base": BASE, "tuned": tuned, "control": control}
            expected = naive((by_role[model], by_role[against]), read)
            expected = expected if track.where.strand == "+" else expected[:, ::-1]
            # the models see ten bases, of which those around the origin are missing in one pass
            inner = slice(12, -12)
            np.testing.assert_allclose(values[:, inner], expected[:, inner], rtol=1e-4, atol=1e-6)


def test_the_same_model_twice_is_zero_everywhere():
    genome = random_genome(900)
    found = tabulate(divergence(BASE, genome), genome, LociConfig())
    numbers = found.summary[["mean", "p50", "p99", "p999", "max", "min"]]
    assert (numbers.to_numpy() == 0).all()
    assert (found.loci[["kl", "js", "dlogp", "excess"]].to_numpy() == 0).all()
    assert (found.tail["kl"] == 0).all()
    assert (found.bins["excess"] == 0).all()


def test_positions_of_the_tail_follow_the_text_and_the_mean_hardly_moves():
    genome, noise = random_genome(6000), 0.2
    tuned = Planted(text=TEXT, noise=noise)
    control = Planted("control", noise=noise)
    measured = divergence(tuned, genome, control=control)
    found = tabulate(measured, genome, LociConfig())
    top = found.loci[found.loci["kind"] == "position"]
    assert len(top) == 25
    for row in top.itertuples():
        at = TEXT.find(row.context[-KNOWN:].encode())
        assert at >= 0
        assert row.expected == chr(TEXT[at + KNOWN])
    assert (top["q_value"] <= 0.05).all()
    assert (top["excess"].diff().dropna() <= 0).all()
    kl = found.summary[(found.summary["measure"] == "kl") & (found.summary["strand"] == ".")]
    change = kl[(kl["model"] == "tuned") & (kl["against"] == "base")].iloc[0]
    alone = kl[kl["model"] == "control"].iloc[0]
    assert change["excess_max"] == pytest.approx(change["max"] - alone["max"])
    assert change["excess_max"] > 10 * change["excess_mean"] > 0
    assert np.isnan(alone["excess_max"])


def exchangeable(seed, n=1500):
    """The divergence of a tuned model and a control that moved alike, from numbers drawn alike."""
    draw = np.random.default_rng(seed)
    values = {
        pair: draw.exponential(size=(3, n)).astype(np.float32)
        for pair in (CHANGE, CONTROL, BETWEEN)
    }
    where = GenomicInterval("c0", 0, n, "+")
    track = DivergenceTrack(where, values, np.zeros(n, np.int32))
    return Divergence((track,), BASE.symbols)


def test_p_values_are_uniform_if_the_control_moved_alike():
    genome, every = random_genome(200), LociConfig(n_loci=200, stretch=1)
    parts = [locus_table(exchangeable(seed, 200), genome, every) for seed in range(5)]
    p = pd.concat(parts)["p_value"]
    assert p.mean() == pytest.approx(0.5, abs=0.04)
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.02)


def test_seldom_is_a_place_beyond_the_control_if_it_moved_alike():
    genome, n_false = random_genome(1500), 0
    for seed in range(40):
        found = locus_table(exchangeable(seed), genome, LociConfig(n_loci=10, stretch=20))
        n_false += (found["q_value"] <= 0.05).any()
        stretches = found[found["kind"] == "stretch"]
        assert stretches[["p_value", "q_value"]].isna().all(axis=None)
    assert n_false <= 5


def test_positions_of_a_strand_are_apart_and_stretches_share_no_base():
    genome = random_genome(2000, 1500, seed=3)
    config = LociConfig(n_loci=20, stretch=30)
    tuned = Planted("one", noise=0.3)
    found = tabulate(divergence(tuned, genome), genome, config).loci
    for (kind, _, _), rows in found.groupby(["kind", "seqid", "strand"]):
        apart = np.diff(np.sort(rows["start"]))
        assert (apart >= 30).all()
        assert (rows["end"] - rows["start"] == (1 if kind == "position" else 30)).all()
    assert found[["p_value", "q_value", "control_kl", "between_kl"]].isna().all(axis=None)
    assert found.groupby("kind")["rank"].agg(list).tolist() == [[*range(1, 21)]] * 2


def test_the_tail_says_which_kl_a_share_of_the_bases_reaches():
    genome = random_genome(500)
    measured = divergence(Planted("one", noise=0.3), genome)
    tail = tabulate(measured, genome, LociConfig()).tail
    values = measured.known(CHANGE)
    for row in tail.itertuples():
        n = round(row.share * len(values))
        assert row.kl == np.sort(values)[-n]
    assert tail["share"].min() == pytest.approx(1 / len(values))
    assert tail["share"].max() == 1


def test_bins_have_the_largest_value_of_each_stretch_that_was_read():
    genome = random_genome(250)
    regions = [GenomicInterval("c0", 30, 195)]
    tuned, control = Planted("one", noise=0.3), Planted("two", noise=0.2)
    measured = divergence(tuned, genome, control=control, regions=regions)
    bins = tabulate(measured, genome, LociConfig(bin_bp=100, n_loci=1)).bins
    assert bins[["start", "end", "strand"]].to_numpy().tolist() == [
        [30, 130, "+"],
        [130, 195, "+"],
        [30, 130, "-"],
        [130, 195, "-"],
    ]
    excess = measured.tracks[1].of(CHANGE) - measured.tracks[1].of(CONTROL)
    assert bins["excess"][3] == pytest.approx(np.nanmax(excess[100:]))
    assert bins["kl"][2] == pytest.approx(np.nanmax(measured.tracks[1].of(CHANGE)[:100]))


def test_means_of_windows_are_those_of_a_loop():
    draw = np.random.default_rng(0)
    values = np.where(draw.random(60) < 0.3, np.nan, draw.random(60))
    found = window_means(values, 7)
    parts = [values[i : i + 7] for i in range(54)]
    expected = [np.nanmean(it) if np.isfinite(it).sum() >= 3.5 else np.nan for it in parts]
    np.testing.assert_allclose(found, expected)


def test_places_of_words_have_stretches_and_the_word_that_is_there():
    genome = random_genome(300)
    words = tuple("".join(it).encode() for it in product("ACGT", repeat=3))
    values = np.full((3, 300), np.nan, np.float32)
    values[:, ::3] = np.random.default_rng(0).random((3, 100))
    expected = np.where(np.isnan(values[0]), -1, 7).astype(np.int32)
    track = DivergenceTrack(GenomicInterval("c0", 0, 300, "+"), {CHANGE: values}, expected)
    measured = Divergence((track,), Symbols(np.arange(64), words))
    found = locus_table(measured, genome, LociConfig(n_loci=2, stretch=30))
    assert found["kind"].tolist() == ["position"] * 2 + ["stretch"] * 2
    for row in found[found["kind"] == "position"].itertuples():
        assert row.expected == words[7].decode()
        there = GenomicInterval("c0", row.start, row.start + 3, "+")
        assert row.found.encode() == genome.fetch(there).tobytes()


@pytest.mark.parametrize("token", [3, 6])
def test_windows_of_words_are_known_if_half_of_their_words_are(token):
    values = np.full(60, np.nan)
    values[::token] = np.arange(60 // token)
    found = window_means(values, 30, token=token)
    assert found[0] == pytest.approx(np.arange(30 // token).mean())
    assert not np.isnan(found).any()
    values[: 3 * token * (30 // token) // 4] = np.nan
    assert np.isnan(window_means(values, 30, token=token)[0])


@pytest.mark.parametrize(
    ("start", "strand", "circular", "expected"),
    [
        pytest.param(4, "+", False, "CGT", id="plus"),
        pytest.param(1, "+", False, "A", id="begin"),
        pytest.param(1, "+", True, "AAA", id="origin"),
        pytest.param(4, "-", False, "TTT", id="minus"),
        pytest.param(6, "-", False, "T", id="end"),
        pytest.param(7, "-", True, "CGT", id="minus-at-the-origin"),
    ],
)
def test_the_bases_before_a_place_are_in_its_reading_direction(start, strand, circular, expected):
    genome = genome_of(b"ACGTCAAA", circular=circular)
    place = GenomicInterval("c0", start, start + 1, strand)
    assert bases_before(genome, place, 3) == expected


class Other(Planted):
    def __init__(self, **changes):
        super().__init__("other")
        self.spec = replace(self.spec, **changes)


class OtherTokens(Planted):
    symbols = Symbols(np.arange(4), (b"A", b"C", b"T", b"G"))


class Silent:
    spec = replace(ToyDnaModel.spec, name="silent")

    def tokenize(self, sequence): ...
    def run(self, tokens, *, capture, edits=()): ...
    def prefill(self, tokens, *, chunk, capture, edits=()): ...
    def log_probs(self, tokens, *, edits=()): ...


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ((BASE, Planted(), BASE), InputError, "control: expected a model that is neither base nor"),
        ((BASE, Planted(), Planted()), InputError, "found planted, the tuned model"),
        ((BASE, Other(reads="both")), InputError, "expected a causal model"),
        ((BASE, Other(dtype="bfloat16")), InputError, "tuned: expected weights of float32"),
        ((BASE, Other(d_site=9)), MismatchError, "8 numbers at blocks.0 to blocks.0, found 9"),
        ((BASE, OtherTokens()), MismatchError, "tuned: expected a model with the tokens of the"),
        ((BASE, Silent()), InputError, "tuned: expected a model that gives the probability"),
    ],
)
def test_models_that_cannot_be_compared_are_refused(models, error, message):
    with pytest.raises(error, match=message):
        ModelSet(*models)


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "genome.fa"
    bases = random_genome(700, 300)
    path.write_text("".join(f">{n}\n{it.sequence.tobytes().decode()}\n" for n, it in bases.items()))
    return path


def test_the_command_writes_tables_and_tracks(fasta, tmp_path):
    tuned, control = Planted(text=TEXT, noise=0.1), Planted("control", noise=0.1)
    out, tracks = tmp_path / "d.tsv", tmp_path / "tracks"
    config = {"loci": {"n_loci": 5}, "windows": {"strands": ["-"]}}
    options = dict(control=control, window=200, warmup=40, config=config)
    found = gi.diff(BASE, tuned, fasta, out, tracks_out=tracks, **options)
    assert len(found.loci) == 10
    for name in ("loci", "summary", "tail", "bins"):
        table = getattr(found, name)
        path = out if name == "loci" else tmp_path / f"d.{name}.tsv"
        written = pd.read_csv(path, sep="\t")
        assert [*written.columns] == [*table.columns]
        assert len(written) == len(table)
    genome = gi.read_genome(fasta)
    measured = measure_divergence(
        ModelSet(BASE, tuned, control), genome, config=HarvestConfig(window=200, warmup=40)
    )
    names = [*MEASURES, "control_kl", "between_kl", "excess"]
    assert {path.name for path in tracks.iterdir()} == {f"{name}.minus.bw" for name in names}
    with pyBigWig.open(str(tracks / "between_kl.minus.bw")) as file:
        assert file.chroms() == genome.lengths
        minus = next(it for it in measured.tracks if it.where == GenomicInterval("c1", 0, 300, "-"))
        np.testing.assert_array_equal(file.values("c1", 0, 300), minus.of(BETWEEN))
    assert "of the first 5 positions with q <= .05" in in_short(found)
    assert NO_CONTROL not in in_short(found)


def test_without_a_control_the_line_says_what_is_not_known(fasta, tmp_path):
    found = gi.diff(BASE, [Planted("a", noise=0.1), Planted(text=TEXT)], fasta, tmp_path / "d.tsv")
    assert NO_CONTROL in in_short(found)
    assert set(found.summary["model"]) == {"tuned"}


class Mute(Planted):
    continuation = None


def test_texts_of_a_model_that_cannot_write_are_refused(fasta, tmp_path):
    with pytest.raises(InputError, match="tuned: expected a model that can generate"):
        gi.diff(BASE, Mute("mute"), fasta, tmp_path / "d.tsv", texts_out=tmp_path / "t.tsv")


def test_two_outputs_of_one_name_are_refused(fasta, tmp_path):
    out = tmp_path / "d.tsv"
    with pytest.raises(InputError, match=r"outputs: expected another path for each.*summary"):
        gi.diff(BASE, Planted("a"), fasta, out, texts_out=tmp_path / "d.summary.tsv")


def test_chunks_have_no_probabilities_to_compare(fasta, tmp_path):
    with pytest.raises(InputError, match="chunk: expected 0 to compare predictions, found 64"):
        gi.diff(BASE, BASE, fasta, tmp_path / "d.tsv", config={"windows": {"chunk": 64}})
