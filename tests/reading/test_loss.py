import math

import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.letters import normalise_sequence
from genointerp.model.protocol import Edit
from genointerp.reading.fidelity import load_matching
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.loss import genome_divergence, genome_loss
from tests.reading.word_model import UNKNOWN, kmer_model, merge_model
from tests.toy_model import ToyDnaModel


def genome_of(text):
    return Genome([Contig("c", normalise_sequence(text, where="test"))])


def random_genome(length=400):
    letters = np.random.default_rng(2).choice(list(b"ACGT"), length).astype(np.uint8)
    return genome_of(letters.tobytes() + b"NN" + letters[:50].tobytes())


def test_each_kept_base_counts_once_and_the_loss_equals_a_naive_sum():
    genome = genome_of(b"AACGTNNTTGCATTTACG")
    config = HarvestConfig(window=7, warmup=3, strands=("+",), batch=2)
    model = ToyDnaModel()
    loss = genome_loss(model, genome, config=config)
    tokens = torch.from_numpy(model.tokenize(genome["c"].sequence).ids)[None]
    # the toy model looks one base back, so windows change nothing but the very first base
    naive = model.log_probs(tokens)[0]
    known = ~naive.isnan()
    assert loss.n_bases == int(known.sum())
    assert loss.nats_per_base == pytest.approx(-float(naive[known].mean()))


@pytest.mark.parametrize("make", [kmer_model, merge_model], ids=["3-mers", "merges"])
def test_the_loss_of_words_is_their_nats_over_the_bases_they_cover(make):
    genome, model = random_genome(), make()
    config = HarvestConfig(window=90, warmup=30, strands=("+",), batch=2)
    loss = genome_loss(model, genome, config=config)
    # the toy model looks one token back, so windows change nothing where words are the same in all
    spans = model.tokenize(genome["c"].sequence)
    known = spans.ids > UNKNOWN
    nats = (spans.ids[known] + 1).sum() / 10
    n_bases = (spans.end - spans.start)[known].sum()
    assert n_bases == 450
    assert loss.n_bases == n_bases
    assert loss.nats_per_base == pytest.approx(nats / n_bases)
    assert loss.bits_per_base == pytest.approx(nats / n_bases / math.log(2))


def test_the_first_word_of_a_window_is_not_predicted_without_a_token_before_it():
    genome, model = genome_of(b"ACGTTTGGA"), kmer_model(ends=False)
    config = HarvestConfig(window=9, warmup=0, strands=("+",))
    loss = genome_loss(model, genome, config=config)
    expected = (model.ids["TTT"] + model.ids["GGA"] + 2) / 10
    assert (loss.n_bases, loss.nats_per_base) == (6, pytest.approx(expected / 6))


def test_edits_leave_special_tokens_as_they_are():
    genome, model = genome_of(b"ACGTTTGGA"), kmer_model()
    config = HarvestConfig(window=9, warmup=0, strands=("+",))
    shapes = []

    def silence(x):
        shapes.append(tuple(x.shape))
        return torch.zeros_like(x)

    loss = genome_loss(model, genome, config=config, edits=[Edit("blocks.0", silence)])
    # the constant behind each word but the first, which follows <s>, is gone
    ids = sum(model.ids[word] for word in ("ACG", "TTT", "GGA"))
    assert shapes == [(1, 3, 8)]
    assert loss.nats_per_base == pytest.approx((ids + 1) / 10 / 9)
    genome_loss(model, genome, config=config, edits=[Edit("blocks.0", silence, 0, 2)])
    assert shapes[1:] == [(1, 1, 8)]


def test_a_masked_model_has_no_loss_from_left_to_right(tmp_path):
    model = kmer_model(reads="both")
    with pytest.raises(
        InputError, match=r"expected a causal model: .*, found words, which reads both"
    ):
        genome_loss(model, genome_of(b"ACGT"))
    with pytest.raises(InputError, match="words, which reads both ways"):
        load_matching(tmp_path, model)


def test_divergence_equals_a_naive_sum_over_tokens_and_bases():
    genome = genome_of(b"AACGTNNTTGCATTTACG")
    config = HarvestConfig(window=30, warmup=0, strands=("+",))
    model, edit = ToyDnaModel(), Edit("blocks.0", lambda x: x / 2)
    found = genome_divergence(model, genome, [edit], config=config)
    tokens = torch.from_numpy(model.tokenize(genome["c"].sequence).ids)[None]
    p, q = (model.next_log_probs(tokens, edits=edits)[0].double() for edits in ((), (edit,)))
    naive = [
        sum(math.exp(p[i, base]) * float(p[i, base] - q[i, base]) for base in range(4))
        for i in range(len(p))
    ]
    # where the toy model knows nothing, at N, both are uniform
    assert found.kl == pytest.approx(np.mean(naive))
    assert found.kl > 0
    assert found.clean == genome_loss(model, genome, config=config)
    assert found.edited == genome_loss(model, genome, config=config, edits=[edit])


def test_divergence_counts_kept_tokens_alone_and_is_0_where_nothing_changes():
    genome = random_genome()
    config = HarvestConfig(window=60, warmup=10, batch=2)
    assert genome_divergence(ToyDnaModel(), genome, [], config=config).kl == 0
    only_warmup = Edit("blocks.0", torch.zeros_like, start=0, end=9)
    assert genome_divergence(ToyDnaModel(), genome, [only_warmup], config=config).kl < 0.01


def test_a_model_that_does_not_tell_its_distribution_has_no_divergence():
    found = genome_divergence(kmer_model(), random_genome(), [])
    assert math.isnan(found.kl)
    assert found.clean == found.edited == genome_loss(kmer_model(), random_genome())
