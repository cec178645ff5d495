"""Texts that a model expects more than others do, sought without places of a genome."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from genointerp.comparison import search
from genointerp.comparison.common_text import longest_common_run
from genointerp.comparison.config import ExtractionConfig, LociConfig, SearchConfig
from genointerp.comparison.diff import Diff, in_short
from genointerp.comparison.divergence import measure_divergence
from genointerp.comparison.divergence_tables import tabulate
from genointerp.comparison.extraction import extract_texts
from genointerp.comparison.models import ModelSet
from genointerp.comparison.search import SearchedText, search_texts, searched_rows
from genointerp.core.errors import ConfigError
from genointerp.genome.interval import GenomicInterval
from genointerp.reading.harvest import HarvestConfig
from tests.comparison.planted import TEXT, Planted, random_genome
from tests.toy_model import ToyDnaModel

GENOME = random_genome(1500)
REGIONS = GENOME.regions(GENOME)
# the toy model says nothing of a text before it has read five of its bases
WIDE = SearchConfig(
    n_texts=2,
    n_contexts=2,
    context=6,
    n_held_out=6,
    n_beams=1024,
    n_broad=5,
    n_bases=36,
    n_narrow=4,
)
NOISY = ModelSet(
    ToyDnaModel(), Planted(text=TEXT, noise=0.1, strength=3.0), Planted("control", noise=0.1)
)


@pytest.fixture(scope="module")
def found():
    return search_texts(NOISY, "tuned", GENOME, REGIONS, config=WIDE, above=5.0)


def test_a_text_that_no_place_begins_is_found_without_being_told(found):
    assert longest_common_run(found[0].text, TEXT) >= 30
    assert found[0].n_above == found[0].n_held_out == 6
    assert found[0].log_p["tuned"] > found[0].log_p["control"] + 1


def test_a_further_text_shares_no_long_word_and_the_last_exceeds_nothing(found):
    assert len(found) == 2
    assert longest_common_run(found[0].text, found[1].text) < WIDE.apart
    assert found[1].score < found[0].score / 2


def test_the_control_has_nothing_alike():
    (null,) = search_texts(NOISY, "control", GENOME, REGIONS, config=replace(WIDE, n_texts=1))
    (own, *_) = search_texts(NOISY, "tuned", GENOME, REGIONS, config=replace(WIDE, n_texts=1))
    assert own.score > 5 * abs(null.score)


def test_the_score_is_that_of_whole_passes_after_contexts_that_were_held_out(found):
    text = np.frombuffer(found[0].text, np.uint8)
    length = WIDE.context
    n = 2 * WIDE.n_held_out
    # stretches in the middle of equal shares of the genome, every other one held out
    starts = [(2 * i + 1) * 1500 // (2 * n) - length // 2 for i in range(n)][1::2]
    bases = GENOME["c0"].sequence
    rows = np.stack([np.concatenate([bases[at : at + length], text]) for at in starts])
    tokens = torch.from_numpy(np.stack([NOISY.base.tokenize(row).ids for row in rows]))
    log_p = {
        role: model.log_probs(tokens)[:, length - 1 :].double().sum(1)
        for role, model in NOISY.by_role.items()
    }
    least = min(float((log_p["tuned"] - log_p[it]).mean()) for it in ("base", "control"))
    assert found[0].score == pytest.approx(least, rel=1e-5)
    assert found[0].log_p["tuned"] == pytest.approx(float(log_p["tuned"].mean()) / len(text))


def test_no_text_has_a_word_of_one_before_though_all_others_are_worse():
    # with eight texts that go on, all of them may be about to repeat the one that was found
    config = replace(WIDE, n_texts=3, n_narrow=8, n_beams=8, n_bases=16)
    found = search_texts(NOISY, "tuned", GENOME, REGIONS, config=config, above=-99.0)
    assert len(found) == 3
    for number, one in enumerate(found):
        for other in found[:number]:
            assert longest_common_run(one.text, other.text) < config.apart


def test_a_search_ends_where_every_way_on_repeats_a_text():
    # every two bases in a row stand in it
    everything = b"AACAGATCCGCTGGTTA"
    found = search._Search.of(NOISY, "tuned", GENOME, REGIONS, replace(WIDE, apart=2))
    assert len(found.best([everything], lambda step: None)) == 1
    assert len(found.best([], lambda step: None)) == WIDE.n_bases


def test_what_is_hardly_there_is_not_listed_because_the_null_is_less(monkeypatch):
    few = {"text": b"ACGT", "n_above": 3, "n_held_out": 6}
    of = dict.fromkeys(("base", "tuned", "control"), -1.0)
    config = SearchConfig()
    floor = config.margin * config.least
    scores = {"tuned": floor - 0.1, "control": -0.2}

    def found(models, writer, *given, **more):
        return [SearchedText(score=scores[writer], log_p=of, **few)]

    monkeypatch.setattr(search, "search_texts", found)
    rows = searched_rows(NOISY, GENOME, REGIONS, config)
    assert [row["arm"] for row in rows] == ["searched_control"]
    scores["tuned"] = floor + 0.1
    rows = searched_rows(NOISY, GENOME, REGIONS, config)
    assert [row["arm"] for row in rows] == ["searched", "searched_control"]
    assert rows[0]["null_score"] == config.least


def test_contexts_of_small_regions_are_pieces_of_them():
    regions = [GenomicInterval("c0", start, start + 40) for start in range(0, 400, 100)]
    narrow = replace(WIDE, n_texts=1, n_beams=4, n_bases=6, n_held_out=32)
    (found,) = search_texts(NOISY, "tuned", GENOME, regions, config=narrow)
    # six pieces of six bases in each of four regions, half of them held out
    assert found.n_held_out == 12


def test_what_was_chosen_does_not_depend_on_held_out_contexts():
    narrow = replace(WIDE, n_texts=1, n_beams=16, n_bases=12)
    whole = search_texts(NOISY, "tuned", GENOME, REGIONS, config=narrow)[0]
    n = 2 * narrow.n_held_out
    other = random_genome(1500)
    for i in range(1, n, 2):
        at = (2 * i + 1) * 1500 // (2 * n) - narrow.context // 2
        other["c0"].sequence[at : at + narrow.context] = ord("A")
    changed = search_texts(NOISY, "tuned", other, REGIONS, config=narrow)[0]
    assert changed.text == whole.text
    assert changed.score != whole.score


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_no_text_of_a_clean_model_is_listed(noise):
    models = ModelSet(ToyDnaModel(), Planted("clean", noise=noise), Planted("control", noise=noise))
    windows = HarvestConfig(window=400, warmup=40)
    few = ExtractionConfig(n_prompts=4, prompt=20, n_written=16, batch=4)
    measured = measure_divergence(models, GENOME, config=windows)
    search = replace(WIDE, n_beams=16, n_bases=24)
    table = extract_texts(models, measured, GENOME, config=few, search=search)
    arms = table["arm"].tolist()
    assert "searched" not in arms
    assert arms.count("searched_control") == 1


def test_a_searched_text_is_listed_with_its_null_and_named_in_short():
    windows = HarvestConfig(window=400, warmup=40)
    few = ExtractionConfig(n_prompts=4, prompt=20, n_written=16, batch=4)
    measured = measure_divergence(NOISY, GENOME, config=windows)
    table = extract_texts(NOISY, measured, GENOME, config=few, search=WIDE)
    own = table[table["arm"] == "searched"]
    assert own["rank"].tolist() == [1]
    assert longest_common_run(own["text"].iloc[0].encode(), TEXT) >= 30
    assert own["score"].iloc[0] > WIDE.margin * own["null_score"].iloc[0]
    said = in_short(Diff(*tabulate(measured, GENOME, LociConfig()), texts=table))
    assert f"candidate text, searched: {own['text'].iloc[0]} (" in said


def test_without_a_control_nothing_is_searched():
    models = ModelSet(ToyDnaModel(), Planted(text=TEXT))
    windows = HarvestConfig(window=400, warmup=40)
    few = ExtractionConfig(n_prompts=4, prompt=20, n_written=16, batch=4)
    measured = measure_divergence(models, GENOME, config=windows)
    arms = set(extract_texts(models, measured, GENOME, config=few, search=WIDE)["arm"])
    assert not arms & {"searched", "searched_control"}


def test_a_genome_without_room_for_contexts_has_no_text_and_the_log_says_so(caplog):
    short = random_genome(40)
    assert search_texts(NOISY, "tuned", short, short.regions(short), config=WIDE) == []
    assert "no text is searched: expected 8 contexts, found 6 of 6 bp" in caplog.text


@pytest.mark.parametrize("values", [{"margin": 0.5}, {"n_beams": 0}, {"apart": 1}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(ConfigError):
        SearchConfig(**values)
