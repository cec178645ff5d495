"""Steering against whole passes of the model, and by hand on one that can be computed."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from genointerp.annotation.concepts import Concept, ConceptElements
from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.intervention.canvas import Canvas, Stroke
from genointerp.intervention.control import all_conditions, matched_sets, random_directions
from genointerp.intervention.steer import SteerConfig, steer_genome
from genointerp.intervention.subject import Subject
from genointerp.model.protocol import Edit
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.tokens import genome_passages, tokenised
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import DictionaryHeader
from genointerp.store.contigs import ContigInfo
from tests.model_kinds import make_hyena
from tests.reading.word_model import kmer_model
from tests.stores import dense_features, write_features
from tests.toy_model import ToyDnaModel

N = 900
CONFIG = SteerConfig(window=300, warmup=60, n_matched=0, n_random=1, labelled=0, batch=3)


def dictionary_of(model, site, *, eye=False):
    d = model.spec.d_site
    config = SaeConfig("relu", n_features=d, k=d)
    sae = make_sae(config, d, seed=0)
    if eye:
        with torch.no_grad():
            sae.W_dec.copy_(torch.eye(d))
            sae.W_enc.copy_(torch.eye(d))
    spec = model.spec
    header = DictionaryHeader(Path("sae"), spec.name, spec.sha256, site, d, config, sha256="c" * 64)
    return Dictionary(header, sae)


@pytest.fixture(scope="module")
def genome():
    letters = np.random.default_rng(0).choice(list(b"ACGT"), N).astype(np.uint8)
    letters[333] = ord("N")
    return Genome([Contig("c", letters)])


@pytest.fixture(scope="module")
def hyena(genome):
    model = make_hyena(None)
    with torch.no_grad():
        for name, weight in model.network.named_parameters():
            if name.endswith(("l3.weight", "out_filter_dense.weight", "out_proj.weight")):
                weight.mul_(20)
    return Subject(model, genome, dictionary_of(model, "blocks.3"))


@pytest.fixture(scope="module")
def toy(genome):
    model = ToyDnaModel()
    return Subject(model, genome, dictionary_of(model, "blocks.0", eye=True))


def stroke_of(start, end, feature=2, value=3.0, **more):
    more = {"strand": "+", "mode": "set", "unit": 1.0, **more}
    return Stroke("c", start, end, feature=feature, value=value, **more)


def rows_of(table, condition="canvas", dose=1.0):
    chosen = table[(table["condition"] == condition) & (table["dose"] == dose)]
    return chosen.set_index("place")


def test_the_change_of_each_base_is_what_its_deciding_state_says(toy):
    stroke = stroke_of(400, 403)
    found = steer_genome(toy, Canvas((stroke,)), config=CONFIG, bases=True)
    bases = found.bases[found.bases["place"] == "inside"]
    assert bases["start"].tolist() == [400, 401, 402]
    sequence = toy.genome["c"].sequence
    for row in bases.to_dict("records"):
        before, here = (b"ACGT".index(sequence[row["start"] - i]) for i in (1, 0))
        clean = torch.zeros(4, dtype=torch.float64)
        clean[before] = 1.0
        painted = clean.clone()
        painted[2] = 3.0
        p, q = clean.log_softmax(0), painted.log_softmax(0)
        assert row["log_p"] == pytest.approx(float(p[here]), abs=1e-6)
        assert row["log_p_painted"] == pytest.approx(float(q[here]), abs=1e-6)
        assert row["kl"] == pytest.approx(float((p.exp() * (p - q)).sum()), abs=1e-6)
    inside = rows_of(found.table).loc["inside"]
    assert inside["n_bases"] == 3
    change = (bases["log_p_painted"] - bases["log_p"]).mean()
    assert inside["delta_log_p"] == pytest.approx(change)
    assert inside["kl"] == pytest.approx(bases["kl"].mean())
    assert inside["kl_max"] == pytest.approx(bases["kl"].max())
    assert inside["features"] == "f/2"


def naive(subject, schedule, directions=None):
    """Change and divergence of each base of a strand, by whole passes; NaN where none is known."""
    model, site = subject.model, subject.site
    change, kl = (np.full((2, N), np.nan) for _ in range(2))
    reading = HarvestConfig(CONFIG.window, CONFIG.warmup)
    for window in reading.windows(model.spec, subject.genome):
        (passage,) = genome_passages(subject.genome, [window])
        read = tokenised(model, passage)
        tokens = torch.from_numpy(read.spans.ids)[None]
        edit = schedule.edit(subject.dictionary, [read])
        if directions is not None:
            edit = Edit(site, replace(edit.function, directions=directions))
        p, q = (model.next_log_probs(tokens, edits=it)[0].double() for it in ([], [edit]))
        for token in range(max(1, window.warmup), window.length):
            base = "ACGT".find(chr(passage.bases[token]))
            forward = token - window.warmup
            plus = window.kept.strand == "+"
            place = window.kept.start + forward if plus else window.kept.end - 1 - forward
            if base >= 0:
                change[int(not plus), place] = q[token - 1, base] - p[token - 1, base]
                kl[int(not plus), place] = (
                    p[token - 1].exp() * (p[token - 1] - q[token - 1])
                ).sum()
    return change, kl


@pytest.mark.parametrize("kind", ["toy", "hyena"])
def test_means_are_those_of_whole_passes_of_the_model(kind, request):
    subject = request.getfixturevalue(kind)
    canvas = Canvas(
        (
            stroke_of(100, 160, 2, phase=0),
            stroke_of(100, 160, 3, phase=1, value=6.0),
            stroke_of(700, 720, 1, 2.0, strand="-", mode="add", state="reads"),
        )
    )
    found = steer_genome(subject, canvas, config=CONFIG, bases=True)
    own = subject.bound(canvas)
    directions = random_directions(own, subject.dictionary, 1, CONFIG.seed)
    naives = {
        "canvas": naive(subject, own),
        "random 1": naive(subject, own, directions),
        "shifted": naive(subject, own.shifted(1)),
        "shuffled": naive(subject, own.shuffled(CONFIG.seed)),
        "flat": naive(subject, subject.bound(canvas.flat())),
    }
    assert set(found.table["condition"]) == set(naives)
    inside = np.zeros((2, N), bool)
    inside[0, 100:160] = True
    # the state after each of bases 719 to 700 was read decides the base after it
    inside[1, 699:719] = True
    for name, (change, kl) in naives.items():
        row, at = rows_of(found.table, name).loc["inside"], inside & ~np.isnan(kl)
        assert row["n_bases"] == at.sum()
        assert row["delta_log_p"] == pytest.approx(change[at].mean(), rel=1e-4, abs=1e-7)
        assert row["kl"] == pytest.approx(kl[at].mean(), rel=1e-4, abs=1e-7)
        assert row["kl_max"] == pytest.approx(kl[at].max(), rel=1e-4, abs=1e-7)
        every = rows_of(found.table, name)
        assert every["n_bases"].sum() == (~np.isnan(kl)).sum()
        total = (every["delta_log_p"] * every["n_bases"]).sum()
        assert total == pytest.approx(np.nansum(change), rel=1e-4, abs=1e-4)
    change, kl = naives["canvas"]
    for row in found.bases.to_dict("records"):
        at = int(row["strand"] == "-"), row["start"]
        difference = row["log_p_painted"] - row["log_p"]
        assert difference == pytest.approx(change[at], rel=1e-4, abs=1e-5)
        assert row["kl"] == pytest.approx(kl[at], rel=1e-4, abs=1e-6)


def test_nothing_changes_before_a_stroke_and_distances_count_from_its_last_base(hyena):
    found = steer_genome(hyena, Canvas((stroke_of(100, 110),)), config=CONFIG, bases=True)
    outside = rows_of(found.table).loc["outside"]
    assert outside[["delta_log_p", "kl", "kl_max"]].tolist() == [0.0, 0.0, 0.0]
    places = found.bases.groupby("place")["start"].agg(["min", "max"])
    assert places.loc["inside"].tolist() == [100, 109]
    assert places.loc["downstream 1-8"].tolist() == [110, 117]
    assert places.loc["downstream 9-32"].tolist() == [118, 141]
    # in float64 no rounding is below 0: every base behind the stroke changes
    assert (found.bases["kl"] > 1e-9).all()
    assert (found.bases["kl"] > 1e-7).mean() >= 0.9


def test_a_canvas_without_strokes_changes_nothing(hyena):
    table = steer_genome(hyena, Canvas(()), config=CONFIG).table
    (row,) = table.to_dict("records")
    # on either strand but for an unknown base and the first that is read
    assert (row["place"], row["n_bases"], row["kl"]) == ("outside", 2 * (N - 2), 0.0)


def test_only_painted_strands_and_given_regions_are_read(toy):
    canvas = Canvas((stroke_of(100, 110),))
    region = GenomicInterval("c", 95, 130)
    found = steer_genome(toy, canvas, regions=[region], config=CONFIG, bases=True)
    whole = steer_genome(toy, canvas, config=CONFIG, bases=True)
    assert rows_of(found.table)["n_bases"].sum() == 35
    near = whole.bases[whole.bases["start"] < 130].reset_index(drop=True)
    assert near["strand"].unique().tolist() == ["+"]
    pd.testing.assert_frame_equal(found.bases, near)


def test_each_dose_multiplies_the_doses_of_the_canvas(toy):
    canvas = Canvas((stroke_of(400, 440),))
    config = replace(CONFIG, doses=(0.5, 2.0), controls=False)
    table = steer_genome(toy, canvas, config=config).table
    assert set(table["condition"]) == {"canvas"}
    for dose in config.doses:
        alone = steer_genome(toy, canvas.times(dose), config=replace(CONFIG, controls=False)).table
        pd.testing.assert_frame_equal(
            rows_of(table, dose=dose).drop(columns="dose"), rows_of(alone).drop(columns="dose")
        )


def test_bases_of_a_concept_count_where_a_stroke_can_reach_them(toy):
    columns = ["concept", "seqid", "start", "end", "strand", "element", "id", "part", "frame"]
    rows = [("x", "c", 390, 410, "+", 0, "a", 0, -1), ("x", "c", 405, 415, "-", 1, "b", 0, -1)]
    elements = ConceptElements(pd.DataFrame(rows, columns=columns), {"x": Concept("", ("x",))})
    subject = replace(toy, elements=elements)
    table = rows_of(steer_genome(subject, Canvas((stroke_of(400, 404),)), config=CONFIG).table)
    assert table.loc["x sense"]["n_bases"] == 10
    assert table.loc["x antisense"]["n_bases"] == 10
    inside = table.loc["inside"]
    total = table.loc["x sense"]["kl"] * 10
    assert total == pytest.approx(inside["kl"] * 4, rel=1e-6)
    assert table.loc["x antisense"]["kl"] == 0


def test_a_dose_that_gives_no_probabilities_is_refused(hyena):
    canvas = Canvas((stroke_of(100, 110, value=1e38, unit=10.0),))
    with pytest.raises(InputError, match="painting: expected amounts and factors below 1e"):
        steer_genome(hyena, canvas, config=CONFIG)


def test_too_many_bases_for_a_table_are_refused(toy):
    config = replace(CONFIG, max_bases=10)
    with pytest.raises(InputError, match="at most 10 bases that the canvas can reach: name a reg"):
        steer_genome(toy, Canvas((stroke_of(100, 110),)), config=config, bases=True)


def test_what_cannot_be_steered_is_refused(genome, tmp_path):
    model = kmer_model(3)
    dictionary = dictionary_of(model, "blocks.0")
    with pytest.raises(InputError, match="the probability of each symbol, found words"):
        Subject(model, genome, dictionary)
    with pytest.raises(InputError, match="a causal model"):
        Subject(kmer_model(3, reads="both"), genome, dictionary)
    toy = ToyDnaModel()
    store = write_features(tmp_path / "f.h5", dense_features())
    with pytest.raises(MismatchError, match="expected dictionary"):
        Subject(toy, genome, dictionary_of(toy, "blocks.0"), features=store)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 0}, "batch: expected at least 1"),
        ({"warmup": 2048}, "warmup: expected 0 <= warmup < window=2048"),
        ({"doses": ()}, "doses: expected one finite number or more"),
        ({"doses": (math.nan,)}, "doses: expected one finite number or more"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        SteerConfig(**changes)


@pytest.fixture(scope="module")
def firing(tmp_path_factory):
    """Features that fire as often as feature 0, and what each has to do with it."""
    generator = np.random.default_rng(0)
    n = 3000
    own = {strand: generator.random(n) < 0.1 for strand in "+-"}
    alone = [{strand: generator.random(n) < 0.1 for strand in "+-"} for _ in range(6)]
    related = {
        "same": own,
        "next": {"+": np.roll(own["+"], 1), "-": np.roll(own["-"], -1)},
        "antisense": {"+": own["-"], "-": own["+"]},
        "antisense two bases on": {"+": np.roll(own["-"], 2), "-": np.roll(own["+"], -2)},
    }
    rare = {strand: generator.random(n) < 0.01 for strand in "+-"}
    columns = [own, *related.values(), *alone, rare]
    dense = {s: np.stack([it[s] for it in columns], 1).astype(np.float32) for s in "+-"}
    folder = tmp_path_factory.mktemp("firing")
    return write_features(folder / "f.h5", dense, contigs=(ContigInfo("c", n, circular=False),))


def test_matched_features_fire_as_often_and_have_nothing_to_do_with_what_is_painted(firing):
    found = matched_sets(firing, [0], 6)
    assert sorted(other for one in found for other in one.values()) == [5, 6, 7, 8, 9, 10]
    assert matched_sets(firing, [0], 6) == found
    assert matched_sets(firing, [0], 6, seed=1) != found


def test_no_matched_feature_is_in_two_places(firing):
    found = matched_sets(firing, [5, 6], 2)
    others = [other for one in found for other in one.values()]
    assert len(found) == 2
    assert len(set(others)) == 4
    assert not {5, 6} & set(others)


def test_fewer_sets_than_asked_for_are_a_warning(firing, caplog):
    # four are unrelated to feature 0 and to both of the others
    assert len(matched_sets(firing, [0, 5, 6], 2)) == 1
    assert "1 of 2 controls by matched features: no more that are unrelated" in caplog.text


def test_random_directions_have_the_norm_of_those_they_stand_for(hyena):
    canvas = Canvas((stroke_of(100, 110, 2), stroke_of(100, 110, 3, when=1)))
    schedule = hyena.bound(canvas)
    first, second = (random_directions(schedule, hyena.dictionary, i, 0) for i in (1, 2))
    torch.testing.assert_close(first.norm(dim=1), torch.ones(2))
    assert float((first @ second.T).abs().max()) < 0.9


def test_strokes_that_share_a_stretch_by_phases_have_no_flat_control(toy):
    strokes = [stroke_of(400, 430, phase=0), stroke_of(402, 432, phase=0)]
    conditions = [it.name for it in all_conditions(toy, Canvas(tuple(strokes)), CONFIG)]
    assert conditions == ["canvas", "random 1", "shifted", "shuffled"]
    alone = [it.name for it in all_conditions(toy, Canvas((strokes[0],)), CONFIG)]
    assert alone == [*conditions, "flat"]
