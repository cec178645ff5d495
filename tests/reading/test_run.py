"""The engine against the model itself: activations, probabilities, gradients; words and bases."""

import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError, SequenceError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.letters import reverse_complement
from genointerp.model.edits import add
from genointerp.model.protocol import EMBEDDING, Edit, SiteActivations
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted, by_symbol, gradients, run_batch, run_passages
from genointerp.reading.tokens import (
    TokenBatch,
    genome_passages,
    sequence_passages,
    token_batches,
    tokenised,
)
from tests.reading.word_model import kmer_model, merge_model
from tests.tiny_transformers import save_tiny
from tests.toy_model import ToyDnaModel

SITE = "blocks.0"
TEXT = "ACGTTGCAACGGTTACATTTG"
EVERYTHING = Wanted((SITE,), log_probs=True, distribution=True)


def batch_of(model, *texts):
    passages = sequence_passages(texts)
    return TokenBatch.of([tokenised(model, passage) for passage in passages])


@pytest.fixture(scope="module")
def nano():
    return load_model("nano")


@pytest.mark.parametrize("make", [ToyDnaModel, kmer_model, merge_model])
@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_given_sequence_is_read_as_a_contig_of_the_same_bases(make, strand):
    model, letters = make(), np.frombuffer(TEXT.encode(), np.uint8)
    genome = Genome([Contig("c", letters)])
    config = HarvestConfig(window=len(TEXT), warmup=0, halo=0, strands=(strand,))
    windows, wanted = config.windows(model.spec, genome), Wanted((SITE,), log_probs=True)
    (of_genome,) = run_passages(model, genome_passages(genome, windows), wanted, size=1)
    for given in (TEXT, TEXT.lower(), letters):
        passages = sequence_passages([given], strands=(strand,))
        (found,) = run_passages(model, passages, wanted, size=1)
        assert torch.equal(found.activations[SITE], of_genome.activations[SITE])
        assert list(found.losses()) == list(of_genome.losses())
        for ours, theirs in zip(found.kept(SITE), of_genome.kept(SITE), strict=True):
            assert torch.equal(ours.rows, theirs.rows)
            assert ours.n_kept.tolist() == theirs.n_kept.tolist()
            assert ours.n_kept.sum() == len(TEXT)


def test_each_strand_of_each_sequence_is_a_passage_of_its_own():
    found = list(sequence_passages(["ACC", "GT"], strands=("+", "-")))
    assert [passage.bases.tobytes() for passage in found] == [b"ACC", b"GGT", b"GT", b"AC"]
    places = [(it.window.kept.seqid, it.window.kept.strand) for it in found]
    names = ["sequence 1"] * 2 + ["sequence 2"] * 2
    assert places == list(zip(names, "+-+-", strict=True))
    assert (reverse_complement(found[0].bases) == found[1].bases).all()


@pytest.mark.parametrize("given", ["", np.empty(0, np.uint8)])
def test_a_sequence_has_bases(given):
    with pytest.raises(InputError, match="sequence 2: expected at least one base, found none"):
        list(sequence_passages(["A", given]))
    with pytest.raises(SequenceError, match="sequence 1: base 3: expected an IUPAC"):
        list(sequence_passages(["AC!"]))


def test_one_pass_gives_what_each_call_of_the_model_gives(nano):
    batch = batch_of(nano, TEXT, TEXT[::-1])
    site, last = nano.spec.default_site, nano.spec.sites[-1]
    edits = [add(site, torch.ones(nano.spec.d_site), start=3, end=7)]
    wanted = Wanted((EMBEDDING, site, last), log_probs=True, distribution=True)
    found = run_batch(nano, batch, wanted, edits=edits)
    captured = nano.run(batch.ids, capture=wanted.sites, edits=edits)
    assert found.activations.keys() == captured.keys()
    for name, x in captured.items():
        assert torch.equal(found.activations[name], x)
    assert torch.equal(found.log_probs, nano.log_probs(batch.ids, edits=edits))
    assert torch.equal(found.distribution, nano.next_log_probs(batch.ids, edits=edits))
    alone = run_batch(nano, batch, Wanted(log_probs=True), edits=edits)
    assert torch.equal(alone.log_probs, found.log_probs)
    assert (alone.activations, alone.distribution) == ({}, None)


def test_tokens_that_are_no_symbols_have_no_probability():
    found = run_batch(ToyDnaModel(), batch_of(ToyDnaModel(), "ACNNGT"), EVERYTHING)
    assert found.log_probs[0].isnan().tolist() == [False, True, True, False, False]
    (loss,) = found.losses()
    assert loss.n_bases == 3
    assert loss.nats == pytest.approx(-float(found.log_probs[0, [0, 3, 4]].double().sum()))


@pytest.mark.parametrize("make", [ToyDnaModel, kmer_model, merge_model])
@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_give_the_same_kept_rows_under_edits(make, chunk):
    model, sites = make(), Wanted((SITE,))
    texts = [TEXT, TEXT[:13], TEXT[:13]]
    shift = Edit(SITE, lambda x: x + 100, 0, 9)

    def rows(**options):
        passages = sequence_passages(texts, strands=("+", "-"))
        parts = {}
        for found in run_passages(model, passages, sites, edits=[shift], **options):
            for kept in found.kept(SITE):
                parts.setdefault(kept.tokens.window, []).append(kept.rows)
        return {window: torch.cat(found) for window, found in parts.items()}

    whole, pieces = rows(size=2), rows(size=2, chunk=chunk)
    assert len(whole) == 6
    for window, x in whole.items():
        assert torch.equal(x, pieces[window])


@pytest.mark.parametrize("make", [kmer_model, merge_model])
def test_edits_leave_special_tokens_as_they_are(make):
    model = make()
    shift = Edit(SITE, lambda x: x + 100)
    batch = batch_of(model, TEXT)
    plain, edited = (
        run_batch(model, batch, Wanted((SITE,)), edits=edits).activations[SITE][0]
        for edits in ([], [shift])
    )
    moved = (edited - plain)[:, 7]
    assert moved.tolist() == [0.0, *[100.0] * (len(moved) - 2), 0.0]


def test_activations_may_be_put_in_at_a_site_with_or_without_what_lies_below(nano):
    batch, site = batch_of(nano, TEXT), nano.spec.default_site
    x = run_batch(nano, batch, Wanted((site,))).activations[site]
    begin = SiteActivations(site, x.flip(1))
    suffix = run_batch(nano, batch, Wanted(log_probs=True), begin=begin)
    last = nano.spec.sites[-1]
    whole = run_batch(nano, batch, Wanted((last,), log_probs=True), begin=begin)
    torch.testing.assert_close(suffix.log_probs, whole.log_probs)
    assert whole.activations.keys() == {last}
    copies = batch.repeated(3)
    several = x.repeat(3, 1, 1)
    several[1:, 12:] += 1
    begin = SiteActivations(site, several)
    found = run_batch(nano, copies, Wanted(log_probs=True), begin=begin, shared=12)
    plain = run_batch(nano, copies, Wanted(log_probs=True), begin=begin)
    torch.testing.assert_close(found.log_probs, plain.log_probs)
    assert not torch.allclose(found.log_probs[0], found.log_probs[1])


def test_gradients_are_those_of_each_row_and_hold_no_graph(nano):
    batch, site = batch_of(nano, TEXT, TEXT[::-1]), nano.spec.default_site
    edits = [Edit("blocks.6.mlp", lambda x: 0.5 * x)]

    def contrast(traced):
        return traced.logits[:, -1, 0] - traced.logits[:, -1, 1:].mean(-1)

    found = gradients(nano, batch, contrast, sites=[EMBEDDING, site], edits=edits)
    assert found.value.shape == (2,)
    for row in range(2):
        alone = gradients(nano, batch.only(row), contrast, sites=[EMBEDDING, site], edits=edits)
        torch.testing.assert_close(found.value[row], alone.value[0])
        for name in (EMBEDDING, site):
            x, slope = alone.activations[name][0], alone.gradient[name][0]
            torch.testing.assert_close(found.activations[name][row], x, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(found.gradient[name][row], slope, rtol=1e-3, atol=1e-5)
    for tensor in (found.value, *found.activations.values(), *found.gradient.values()):
        assert not tensor.requires_grad
    # from the site on it is the same
    begin = SiteActivations(site, found.activations[site])
    again = gradients(nano, batch, contrast, sites=[site], edits=edits, begin=begin)
    torch.testing.assert_close(again.gradient[site], found.gradient[site])


def test_gradients_along_a_line_of_activations_sum_to_the_change(nano):
    """Integrated gradients between two sequences, at midpoints: the sum is the difference."""
    first, second = (batch_of(nano, text) for text in (TEXT, TEXT[:10] + "CCGTA" + TEXT[15:]))
    site = nano.spec.default_site

    def confidence(traced):
        return traced.logits[:, -1, 3]

    ends = [run_batch(nano, it, Wanted((site,))).activations[site] for it in (first, second)]
    steps = 20
    share = ((torch.arange(steps) + 0.5) / steps)[:, None, None]
    line = SiteActivations(site, ends[0] + share * (ends[1] - ends[0]))
    found = gradients(nano, second.repeated(steps), confidence, sites=[site], begin=line)
    total = float(((ends[1] - ends[0]) * found.gradient[site].mean(0)).sum())
    found = [
        gradients(nano, second, confidence, sites=[site], begin=SiteActivations(site, x))
        for x in ends
    ]
    values = [float(it.value) for it in found]
    assert total == pytest.approx(values[1] - values[0], abs=1e-3)
    assert abs(values[1] - values[0]) > 0.01


def test_the_gradient_by_the_code_of_a_base_is_by_hand():
    model = ToyDnaModel()
    batch = batch_of(model, "ACGT")
    # logits are the one-hot code of the present base; the embedding is this code
    found = gradients(model, batch, lambda it: 3 * it.logits[:, 2, 2], sites=[EMBEDDING])
    slope = by_symbol(model, found.gradient[EMBEDDING])
    expected = torch.zeros(1, 4, 4)
    expected[0, 2, 2] = 3
    assert torch.equal(slope, expected)
    assert found.value.tolist() == [3.0]


def test_the_gradient_by_the_code_of_a_word_is_the_change_where_all_is_linear(tmp_path):
    pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
    model = load_model(str(save_tiny("llama", tmp_path)))
    batch = batch_of(model, "ACGTTGCAA", "ACGCATCAA")
    weight = torch.randn(model.spec.d_site, generator=torch.Generator().manual_seed(0))

    def along(traced):
        return (traced.activations[EMBEDDING] @ weight).sum(1)

    found = gradients(model, batch, along, sites=[EMBEDDING], logits=False)
    slope = by_symbol(model, found.gradient[EMBEDDING])
    column = {int(word): i for i, word in enumerate(model.symbols.ids)}
    (place,) = (batch.ids[0] != batch.ids[1]).nonzero()[:, 0].tolist()
    first, second = (column[int(ids[place])] for ids in batch.ids)
    change = slope[0, place, second] - slope[0, place, first]
    assert float(change) == pytest.approx(float(found.value[1] - found.value[0]), rel=1e-4)


def test_what_a_model_cannot_give_is_refused(nano):
    words = kmer_model()
    batch = batch_of(words, TEXT)
    with pytest.raises(InputError, match="distribution: expected a model that gives the prob"):
        run_batch(words, batch, Wanted(distribution=True))
    with pytest.raises(InputError, match=r"gradients: expected a model that can be diff.*words"):
        gradients(words, batch, lambda it: it.logits[:, 0, 0], sites=[SITE])
    with pytest.raises(InputError, match=r"gradients: expected a model that can be diff.*words"):
        by_symbol(words, torch.zeros(1, 2, 8))
    with pytest.raises(InputError, match=r"target: .* depends on what is computed, found a const"):
        gradients(nano, batch_of(nano, TEXT), lambda _: torch.ones(1), sites=["blocks.1"])
    passages = sequence_passages([TEXT])
    with pytest.raises(InputError, match="chunk: expected 0 if probabilities are wanted"):
        next(run_passages(nano, passages, Wanted(log_probs=True), size=1, chunk=4))


def test_passages_are_tokenised_when_their_turn_comes():
    asked = []

    def texts():
        for text in ("AC", "ACG", "ACGT"):
            asked.append(text)
            yield text

    batches = token_batches(ToyDnaModel(), sequence_passages(texts()), 2)
    assert asked == []
    next(batches)
    assert asked == ["AC", "ACG"]
