"""Explanations of models whose tokens are words of bases: their places, and that they add up."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from genointerp.explanation.attribution import AttributionConfig, attribute
from genointerp.explanation.explain import ExplainConfig
from genointerp.explanation.variant import explain_variant
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.variant import Variant
from genointerp.reading.question import ask_bases
from tests.explanation.test_attribution import dictionary_of
from tests.model_kinds import make_transformers
from tests.tiny_transformers import CAUSAL


@pytest.fixture(scope="module", params=CAUSAL)
def model(request, tmp_path_factory):
    return make_transformers(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def genome():
    letters = np.random.default_rng(3).choice(list(b"ACGT"), 120).astype(np.uint8)
    return Genome([Contig("c", letters)])


@pytest.mark.parametrize("strand", ["+", "-"])
def test_attributions_of_words_add_up_and_know_their_bases(model, genome, strand):
    dictionary = dictionary_of(model, model.spec.sites[0])
    place = GenomicInterval("c", 60, 72, strand)
    question = ask_bases(model, genome, place, context=36)
    found = attribute(model, dictionary, question, AttributionConfig(steps=10))
    assert found.is_complete
    total = float(found.features.sum() + found.errors.sum())
    assert total == pytest.approx(found.change, abs=found.gap + 1e-4)
    assert abs(found.change) > 0
    nodes = range(question.nodes.start, question.nodes.stop)
    places = [question.bases_of(token, 120) for token in nodes]
    # words tile the bases, in reading order
    for one, following in pairwise(places):
        assert one.start == following.end if strand == "-" else one.end == following.start
    letters = np.concatenate([genome.fetch(it) for it in places])
    first = question.read.spans.start[question.nodes.start]
    np.testing.assert_array_equal(letters, question.passage.bases[first : first + len(letters)])


def test_a_variant_is_decomposed_where_the_words_match(model, genome):
    dictionary = dictionary_of(model, model.spec.sites[0])
    ref = chr(genome["c"].sequence[60])
    config = ExplainConfig(context=36, n_next=24, n_nodes=10, n_exact=3)
    found = explain_variant(
        model, dictionary, genome, Variant("c", 60, ref, "ACGT".replace(ref, "")[0]), "+", config
    )
    assert np.isfinite([found.own_change, found.change]).all()
    assert 0 < found.n_next <= 24
    if found.explanation is not None:
        # a token is compared with that of the same bases
        own = found.explanation.attribution
        total = float(own.features.sum() + own.errors.sum())
        assert total == pytest.approx(found.change, abs=own.gap + 1e-4)


@pytest.mark.parametrize("start", [55, 57, 60])
@pytest.mark.parametrize("added", ["", "G", "TTACGA"])
def test_both_alleles_are_read_of_the_same_bases(model, genome, start, added):
    bases = genome["c"].sequence
    ref = chr(bases[start])
    variant = Variant("c", start, ref, added + "ACGT".replace(ref, "")[1])
    found = explain_variant(
        model,
        dictionary_of(model, model.spec.sites[0]),
        genome,
        variant,
        "+",
        ExplainConfig(context=60, n_next=40, n_nodes=3, n_exact=0),
    )
    first = start
    read = bases[: start + 41]
    spelled = [ref, variant.alt]
    spans, log_p = [], []
    for own in spelled:
        letters = np.frombuffer(own.encode(), np.uint8)
        whole = np.concatenate([read[:first], letters, read[first + 1 :]])
        spans.append(model.tokenize(whole))
        log_p.append(model.log_probs(torch.from_numpy(spans[-1].ids)[None])[0].tolist())
    known = set(model.symbols.ids.tolist())
    behind = [
        {
            (int(start) - len(own), int(end) - len(own)): log_p[i][token - 1]
            for token, (start, end) in enumerate(zip(it.start, it.end, strict=True))
            if start >= first + len(own) and int(it.ids[token]) in known
        }
        for i, (it, own) in enumerate(zip(spans, spelled, strict=True))
    ]
    shared = behind[0].keys() & behind[1].keys()
    assert found.n_next == sum(end - start for start, end in shared)
    expected = [sum(one[place] for place in shared) for one in behind]
    assert [found.baseline_value, found.value] == pytest.approx(expected, abs=1e-4)
    if found.explanation is not None:
        np.testing.assert_array_equal(spans[0].start, spans[1].start)
