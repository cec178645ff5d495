"""Texts that a tuned model has learnt: found without being told, and none in a clean one."""

import numpy as np
import pytest

import genointerp as gi
from genointerp.comparison.common_text import common_texts, consensus_end, longest_common_run
from genointerp.comparison.config import ExtractionConfig, SearchConfig
from genointerp.comparison.diff import in_short
from genointerp.comparison.divergence import CHANGE, Divergence, DivergenceTrack, measure_divergence
from genointerp.comparison.divergence_tables import Place
from genointerp.comparison.extraction import distinct, extract_texts, is_same, top_distinct
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import ConfigError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.reading.harvest import HarvestConfig
from tests.comparison.planted import TEXT, Planted, random_genome
from tests.toy_model import ToyDnaModel

BASE = ToyDnaModel()
NO_SEARCH = SearchConfig(n_texts=0)
FEW = ExtractionConfig(n_prompts=12, prompt=30, n_written=44, batch=12)
GENOME = random_genome(1500)
FOUND = {"word": 4, "least": 2, "agreement": 0.75}


def extracted(tuned, control=None, config=FEW):
    models = ModelSet(BASE, tuned, control)
    windows = HarvestConfig(window=400, warmup=40)
    return extract_texts(
        models,
        measure_divergence(models, GENOME, config=windows),
        GENOME,
        config=config,
        search=NO_SEARCH,
    )


def test_a_planted_text_is_extracted_without_being_told():
    found = extracted(Planted(text=TEXT, noise=0.2), Planted("control", noise=0.2))
    own = found[found["arm"] == "tuned"]
    assert len(own) == 1
    row = own.iloc[0]
    assert longest_common_run(row["text"].encode(), TEXT) >= 24
    assert row["n_bases"] <= len(TEXT) + 2
    assert row["n_first"] >= 6
    assert row["log_p"] > -0.3
    assert max(row["base_log_p"], row["control_log_p"]) < -1
    assert row["score"] > row["null_score"]


def test_the_log_p_of_a_text_is_that_of_what_was_written_of_it():
    found = extracted(Planted(text=TEXT))
    row = found.iloc[0]
    assert row["arm"] == "tuned"
    # every base that was written is expected with a logit of 6 more
    assert row["log_p"] == pytest.approx(6 - np.log(np.exp(6) + np.e + 2), abs=0.03)
    assert row["score"] > 20
    assert np.isnan(row["control_log_p"])


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_extracted_from_a_clean_model(seed):
    found = extracted(Planted(f"clean {seed}", noise=0.3), Planted(f"control {seed}", noise=0.3))
    assert "tuned" not in set(found["arm"])


def test_nothing_is_extracted_from_the_same_model():
    assert "tuned" not in set(extracted(BASE)["arm"])


def test_the_common_text_of_sequences_is_read_by_majority():
    sequences = [b"AACCGATTACAGG", b"TGATTACATT", b"CCCGATTACACC", b"GATCACA"]
    (found, *_) = common_texts(sequences, **FOUND, written=[0] * 4)
    assert found.text == b"GATTACA"
    assert found.offsets == {0: 4, 1: 1, 2: 3}
    assert found.agreement.tolist() == [1] * 7


def test_words_before_what_was_written_do_not_count():
    sequences = [b"GATTACAAC", b"GATTACATG"]
    assert common_texts(sequences, **FOUND, written=[3, 3])[0].text == b"GATTACA"
    assert common_texts(sequences, **FOUND, written=[4, 4]) == []


def test_a_text_ends_where_sequences_disagree():
    sequences = [b"CCTTAAGG", b"AGTTAACT", b"TATTAATC"]
    assert common_texts(sequences, **FOUND, written=[0] * 3)[0].text == b"TTAA"


def naive_run(a, b):
    runs = {a[i:j] for i in range(len(a)) for j in range(i + 1, len(a) + 1)}
    return max((len(it) for it in runs if it in b), default=0)


def test_the_longest_common_run_is_that_of_all_substrings():
    draw = np.random.default_rng(0)
    for _ in range(30):
        a, b = (bytes(draw.choice([65, 67, 71], draw.integers(0, 12)).tolist()) for _ in range(2))
        assert longest_common_run(a, b) == naive_run(a, b)


def test_a_consensus_is_weighted_and_ends_where_nothing_is_known():
    assert consensus_end([b"AACT", b"GGCT", b"TNCT"], [1.0, 1.0, 1.0]) == "CT"
    assert consensus_end([b"CA", b"GT"] * 4, [5.0, 1.0] * 4) == "CA"
    assert consensus_end([b"CA", b"GT", b"GT"], [10.0, 0.0, 0.0]) == ""
    assert consensus_end([], []) == ""


def place_at(start, strand, length):
    where = GenomicInterval("c0", 0, length, strand)
    return Place(DivergenceTrack(where, {}, np.empty(0, np.int32)), start, 1.0)


def test_copies_of_one_sequence_are_one_place_on_either_strand():
    parts = [random_genome(300, seed=seed)["c0"].sequence for seed in range(3)]
    copy = random_genome(120, seed=9)["c0"].sequence
    bases = np.concatenate([parts[0], copy, parts[1], copy, parts[2], reverse_complement(copy)])
    genome = Genome([Contig("c0", bases)])
    # one place in each copy, a few bases apart, and places that are apart in one copy
    places = [
        place_at(360, "+", len(bases)),
        place_at(795, "+", len(bases)),
        place_at(1194, "-", len(bases)),
        place_at(410, "+", len(bases)),
        place_at(310, "+", len(bases)),
        place_at(360, "-", len(bases)),
    ]
    assert [it.column for it in distinct(genome, places, 50)] == [360, 410, 310, 360]


def test_seven_copies_are_read_once_though_they_differ_most():
    copy = random_genome(60, seed=9)["c0"].sequence
    others = [random_genome(150, seed=seed)["c0"].sequence for seed in range(7)]
    genome = Genome([Contig("c0", np.concatenate([it for one in others for it in (one, copy)]))])
    values = np.zeros((3, 7 * 210), np.float32)
    is_copy = np.arange(7 * 210) % 210 >= 150 + 32
    values[0] = np.random.default_rng(0).random(7 * 210) + is_copy
    track = DivergenceTrack(
        GenomicInterval("c0", 0, 7 * 210, "+"), {CHANGE: values}, np.zeros(7 * 210, np.int32)
    )
    found = Divergence((track,), BASE.symbols)
    top = top_distinct(found, genome, lambda it: it.excess, 8, 50)
    assert len(top) == 8
    assert [bool(is_copy[it.column]) for it in top] == [True] + 7 * [False]


def test_short_texts_are_not_the_same_by_a_few_bases():
    assert not is_same(b"GATTACAC", b"CCGATTGGACACTTGACCAGGATAGACCAGGTAACC", 8)
    assert is_same(TEXT, TEXT[10:30], 8)


def test_a_run_of_unknown_bases_is_no_part_of_a_text():
    sequences = [b"N" * 30 + b"ACGTTGCAAC"] * 3
    assert common_texts(sequences, **FOUND, written=[0] * 3)[0].text == b"ACGTTGCAAC"


def test_a_text_that_is_written_everywhere_says_so():
    found = extracted(Planted(text=TEXT, noise=0.2), Planted("control", noise=0.2))
    assert set(found["arm"]) <= {"tuned", "control", "random"}
    own, drawn = (found[found["arm"] == arm] for arm in ("tuned", "random"))
    is_there = len(drawn) > 0 and is_same(
        own["text"].iloc[0].encode(), drawn["text"].iloc[0].encode(), 8
    )
    assert (own["n_drawn"].iloc[0] > 0) == is_there


@pytest.mark.parametrize("values", [{"agreement": 0.5}, {"seed_bp": 70}, {"least": 1}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(ConfigError):
        ExtractionConfig(**values)


def test_the_command_writes_the_texts_and_names_the_best(tmp_path):
    fasta = tmp_path / "g.fa"
    fasta.write_text(">c0\n" + GENOME["c0"].sequence.tobytes().decode() + "\n")
    out, texts = tmp_path / "d.tsv", tmp_path / "texts.tsv"
    config = {"extraction": {"n_prompts": 8, "prompt": 30, "n_written": 44}}
    found = gi.diff(BASE, Planted(text=TEXT), fasta, out, texts_out=texts, config=config)
    assert texts.read_text().count("\n") == 1 + len(found.texts)
    assert in_short(found).startswith(f"candidate text {found.texts['text'][0]} (")
    texts = tmp_path / "none.tsv"
    none = gi.diff(BASE, BASE, fasta, tmp_path / "e.tsv", texts_out=texts, config=config)
    assert in_short(none).startswith("no text extracted; ")
