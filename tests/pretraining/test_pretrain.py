import dataclasses
import itertools
import json
import time

import numpy as np
import pytest
import torch

from genointerp.core.errors import MismatchError, SchemaError
from genointerp.core.seed import derive_seed
from genointerp.genome.letters import reverse_complement_codes
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.pretraining.corpus import (
    REPEAT_WEIGHT,
    Corpus,
    read_corpus,
)
from genointerp.pretraining.pretrain import (
    SLOWEST_POLE,
    Clock,
    PretrainConfig,
    Pretraining,
    Stage,
    bits_per_base,
    pretrain,
    stream_size,
)

NETWORK = HyenaConfig(
    vocab_size=8, d_model=8, d_mlp=8, mixers=("SE", "LI", "ATT"), n_heads=2, n_filter_groups=2
)
CONFIG = PretrainConfig(
    NETWORK, (Stage(steps=4, length=16, batch=2), Stage(steps=2, length=32, batch=1)), save_every=2
)


LONGER = (Stage(steps=4, length=16, batch=2), Stage(steps=4, length=32, batch=1))


def corpus_of(tokens, *, rna=()):
    tokens = np.array(tokens, dtype=np.uint8)
    rna = np.array(rna, dtype=np.int64).reshape(-1, 2)
    return Corpus(
        tokens,
        np.array([0]),
        np.array([len(tokens)]),
        np.array([1.0]),
        np.zeros(len(rna), dtype=np.int64),
        rna[:, 0],
        rna[:, 1],
        np.full(len(rna), 1 / max(1, len(rna))),
        np.zeros(len(tokens), dtype=bool),
    )


@pytest.fixture
def corpus():
    return corpus_of(np.random.default_rng(0).integers(0, 4, 400))


def weights(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_killed_and_resumed_equals_never_killed(corpus, tmp_path):
    whole = weights(pretrain(corpus, CONFIG, tmp_path / "whole"))

    def die(done, _total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(corpus, CONFIG, tmp_path / "killed", progress=die)
    resumed = weights(pretrain(corpus, CONFIG, tmp_path / "killed"))
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name
    lines = [
        [json.loads(line) for line in (tmp_path / run / "metrics.jsonl").read_text().splitlines()]
        for run in ("whole", "killed")
    ]
    for first, second in zip(*lines, strict=True):
        assert first | {"time": 0} == second | {"time": 0}


def test_a_checkpoint_of_another_network_is_refused(corpus, tmp_path):
    pretrain(corpus, CONFIG, tmp_path)
    other = dataclasses.replace(CONFIG, network=dataclasses.replace(NETWORK, d_mlp=12))
    with pytest.raises(MismatchError, match=r'checkpoint\.pt: expected .*"d_mlp": 12'):
        pretrain(corpus, other, tmp_path)


def test_training_learns_a_periodic_sequence(tmp_path):
    corpus = corpus_of([0, 1, 1, 2] * 100)
    config = dataclasses.replace(
        CONFIG, stages=(Stage(steps=60, length=32, batch=4),), warmup_steps=5, save_every=20
    )
    pretrain(corpus, config, tmp_path)
    curve = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert curve[-1]["bits_per_base"] < 0.7 * curve[0]["bits_per_base"]


def test_poles_stay_below_the_slowest(corpus, tmp_path):
    fast = dataclasses.replace(CONFIG, learning_rate=1.0, warmup_steps=1)
    network = pretrain(corpus, fast, tmp_path)
    assert float(network.blocks[1].mixer.filter.log_poles.detach().max()) <= SLOWEST_POLE


def test_the_rate_rises_stays_and_falls():
    config = dataclasses.replace(
        CONFIG, stages=(Stage(steps=100, length=8, batch=1),), warmup_steps=10, decay_share=0.4
    )
    assert config.rate(0) == pytest.approx(0.1)
    assert config.rate(30) == 1.0
    assert config.rate(80) == pytest.approx(0.5)
    assert config.rate(99) == pytest.approx(0.025)


def test_stages_follow_each_other():
    assert [CONFIG.stage(step).length for step in range(6)] == [16, 16, 16, 16, 32, 32]


def test_bits_per_base_of_even_odds_is_two_and_unknown_bases_do_not_count():
    logits = torch.full((1, 3, 8), -1e9)
    logits[..., :4] = 0.0
    assert float(bits_per_base(logits, torch.tensor([[0, 3, 4]]))) == pytest.approx(2.0)


def test_stream_size_is_the_root_mean_square():
    assert float(stream_size(torch.tensor([[[3.0, 4.0]]]))) == pytest.approx(12.5**0.5)


def test_windows_are_stretches_of_the_corpus_on_either_strand(corpus):
    forward = corpus.sequence.tobytes()
    other = reverse_complement_codes(corpus.sequence).tobytes()
    batch = corpus.batch(Stage(1, 20, 40), np.random.default_rng(1), rna_share=0.0)
    on_forward = [row.tobytes() in forward for row in batch.tokens]
    on_other = [row.tobytes() in other for row in batch.tokens]
    assert all(a or b for a, b in zip(on_forward, on_other, strict=True))
    assert any(on_forward)
    assert any(on_other)


def test_rna_windows_hold_a_base_of_their_gene():
    tokens = np.zeros(300, dtype=np.uint8)
    tokens[140:145] = 1
    corpus = corpus_of(tokens, rna=[(140, 145)])
    batch = corpus.batch(Stage(1, 20, 60), np.random.default_rng(2), rna_share=1.0)
    # C on the forward strand, G on the other
    assert all(((row == 1) | (row == 2)).any() for row in batch.tokens)


def test_repeated_bases_count_less_on_either_strand():
    tokens = np.random.default_rng(0).integers(0, 4, 300).astype(np.uint8)
    tokens[100:110] = 4  # nowhere else: tells where the repeat is
    corpus = dataclasses.replace(corpus_of(tokens), repeated=tokens == 4)
    batch = corpus.batch(Stage(1, 99, 40), np.random.default_rng(1), rna_share=0.0)
    assert (batch.tokens == 4).any()
    np.testing.assert_allclose(batch.weight, np.where(batch.tokens == 4, REPEAT_WEIGHT, 1.0))


def test_weighted_bits_per_base_are_a_weighted_mean():
    logits = torch.full((1, 3, 8), -1e9)
    logits[..., :4] = 0.0
    logits[0, 0, 1] = 2.0
    targets = torch.tensor([[1, 2, 4]])
    each = -torch.log_softmax(torch.tensor([2.0, 0, 0, 0]), 0)[0] / np.log(2)
    found = bits_per_base(logits, targets, torch.tensor([[0.5, 0.25, 9.0]]))
    assert float(found) == pytest.approx((0.5 * float(each) + 0.25 * 2.0) / 0.75)


def test_a_contig_shorter_than_a_window_ends_in_unknown_bases():
    corpus = corpus_of([0, 1, 2])
    batch = corpus.batch(Stage(1, 5, 4), np.random.default_rng(0), rna_share=0.0)
    assert all(
        sorted(row.tolist()) in ([0, 1, 2, 4, 4, 4], [1, 2, 3, 4, 4, 4]) for row in batch.tokens
    )


def write_corpus(path, **changes):
    arrays = {
        "sequence": np.zeros(30, dtype=np.uint8),
        "contig_start": np.array([0, 10, 20]),
        "contig_length": np.array([10, 10, 10]),
        "contig_genome": np.array([0, 1, 1], dtype=np.int32),
        "genome_name": np.array(["a", "b"]),
        "genome_weight": np.array([3.0, 1.0]),
        "genome_split": np.array(["train", "train"]),
        "rna_contig": np.array([1], dtype=np.int32),
        "rna_start": np.array([2]),
        "rna_end": np.array([4]),
    }
    np.savez(path, **(arrays | changes))
    return path


def test_contigs_share_the_weight_of_their_genome(tmp_path):
    corpus = read_corpus(write_corpus(tmp_path / "corpus.npz"))
    assert corpus.weight.tolist() == pytest.approx([0.75, 0.125, 0.125])


def test_longer_rna_genes_are_drawn_more_often(tmp_path):
    changes = {
        "rna_contig": np.array([1, 1, 0]),
        "rna_start": np.array([0, 2, 0]),
        "rna_end": np.array([1, 6, 9]),
    }
    corpus = read_corpus(write_corpus(tmp_path / "corpus.npz", **changes))
    # genome b weighs 1 of 4, its genes as the roots of 1 and 4
    assert corpus.rna_weight.tolist() == pytest.approx([0.25 / 3, 0.5 / 3, 0.75])


def test_repeats_of_a_genome_are_marked_but_for_its_rna_genes(tmp_path):
    word = np.random.default_rng(0).integers(0, 4, 40).astype(np.uint8)
    sequence = np.concatenate([word, word, 3 - word[::-1]])
    changes = {
        "sequence": sequence,
        "contig_start": np.array([0, 40, 80]),
        "contig_length": np.array([40, 40, 40]),
        "rna_start": np.array([5]),
        "rna_end": np.array([9]),
    }
    corpus = read_corpus(write_corpus(tmp_path / "corpus.npz", **changes))
    # contig 0 is alone in genome a; contigs 1 and 2 of genome b are one another's other strand
    expected = np.r_[np.zeros(40), np.ones(80)].astype(bool)
    expected[45:49] = False
    np.testing.assert_array_equal(corpus.repeated, expected)


def test_only_the_split_is_read_and_its_genes_follow(tmp_path):
    splits = np.array(["validation", "train"])
    corpus = read_corpus(write_corpus(tmp_path / "corpus.npz", genome_split=splits))
    assert corpus.start.tolist() == [10, 20]
    assert corpus.rna_contig.tolist() == [0]


def test_a_corpus_without_the_split_is_refused(tmp_path):
    with pytest.raises(SchemaError, match="genomes of the split 'test', found none"):
        read_corpus(write_corpus(tmp_path / "corpus.npz"), "test")


def test_a_corpus_is_read_from_what_was_kept_until_it_changes(tmp_path, monkeypatch):
    path = write_corpus(tmp_path / "corpus.npz")
    first = read_corpus(path)
    with monkeypatch.context() as patch:
        patch.setattr("genointerp.pretraining.corpus.repeated_bases", None)
        again = read_corpus(path)
    for field in dataclasses.fields(Corpus):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(again, field.name))
    write_corpus(path, sequence=np.full(30, 2, dtype=np.uint8))
    assert set(read_corpus(path).sequence) == {2}


def test_a_resumed_training_takes_the_rates_of_its_configuration(corpus, tmp_path):
    pretrain(corpus, CONFIG, tmp_path)
    changed = dataclasses.replace(
        CONFIG, matrix_learning_rate=0.0, learning_rate=0.0, stages=LONGER
    )
    before = weights(pretrain(corpus, CONFIG, tmp_path))
    after = weights(pretrain(corpus, changed, tmp_path))
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]), name


def test_the_average_is_that_of_all_weights_by_their_age(corpus, tmp_path):
    config = dataclasses.replace(CONFIG, average=0.5, save_every=1, stages=(Stage(3, 16, 2),))
    expected = None
    for step in range(3):
        # training to one more step each time shows the weights after each
        shown = dataclasses.replace(config, average=0.0)
        steps = []

        def stop(done, _total, steps=steps, step=step):
            steps.append(done)
            if done > step:
                raise KeyboardInterrupt

        folder = tmp_path / f"last_{step}"
        with pytest.raises(KeyboardInterrupt):
            pretrain(corpus, shown, folder, progress=stop)
        last = torch.load(folder / "checkpoint.pt", weights_only=True)["network"]
        keep = min(0.5, (step + 1) / (step + 10))
        if expected is None:
            expected = {name: first_weights(config)[name] for name in last}
        expected = {name: keep * expected[name] + (1 - keep) * last[name] for name in last}
    found = weights(pretrain(corpus, config, tmp_path / "averaged"))
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor)


def first_weights(config):
    network = StripedHyena(config.network)
    seed = derive_seed(config.seed, "initial weights")
    initialise(network, torch.Generator().manual_seed(seed))
    return weights(network)


def test_the_checkpoint_before_the_rate_falls_is_kept(corpus, tmp_path):
    config = dataclasses.replace(
        CONFIG, stages=(Stage(10, 16, 2),), decay_share=0.4, save_every=2, warmup_steps=1
    )
    pretrain(corpus, config, tmp_path)
    assert torch.load(tmp_path / "plateau.pt", weights_only=True)["step"] == 6
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 10


def test_a_deadline_ends_the_training_with_the_schedule_at_its_end(corpus, tmp_path, monkeypatch):
    # a fiftieth of a second passes between two looks at the clock, however busy the machine is
    times = itertools.count(1_000)
    monkeypatch.setattr("genointerp.pretraining.pretrain.time.time", lambda: next(times) / 50)
    config = dataclasses.replace(
        CONFIG,
        stages=(Stage(40_000, 16, 2), Stage(10_000, 32, 2)),
        decay_share=0.5,
        warmup_steps=1,
        save_every=1,
    )
    pretrain(corpus, config, tmp_path, deadline=22.0)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines[0]["rate"] == 1.0
    assert lines[-1]["rate"] < 0.2
    # the last fifth of the schedule has windows of 32 bases
    assert lines[-1]["n_bases"] - lines[-2]["n_bases"] in (0, 64)


def test_a_clock_without_a_deadline_counts_steps_and_with_one_time():
    assert Clock(0.0, 10.0, None).position(3) == 3
    past = Clock(2.0, 10.0, deadline=50.0, started=40.0)
    assert past.position(3) == 10.0
    halfway = Clock(2.0, 10.0, deadline=2 * time.time(), started=0.0)
    assert halfway.position(3) == pytest.approx(6.0, abs=1e-3)


def test_the_rate_that_was_taken_is_written(corpus, tmp_path):
    run = Pretraining(StripedHyena(NETWORK), corpus, CONFIG, tmp_path)
    run.advance(0.125)
    run.save()
    assert json.loads((tmp_path / "metrics.jsonl").read_text())["rate"] == 0.125


def test_half_precision_learns_as_full_precision_does(corpus, tmp_path):
    found = {}
    for precision in ("float32", "bfloat16"):
        config = dataclasses.replace(CONFIG, precision=precision, save_every=6)
        pretrain(corpus, config, tmp_path / precision)
        lines = (tmp_path / precision / "metrics.jsonl").read_text().splitlines()
        found[precision] = json.loads(lines[-1])["bits_per_base"]
    assert found["bfloat16"] != found["float32"]
    assert found["bfloat16"] == pytest.approx(found["float32"], abs=0.02)


def test_every_block_may_be_compiled_for_every_length_of_windows(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    monkeypatch.setattr(torch._dynamo.config, "recompile_limit", 8)
    lengths = tuple(Stage(steps=1, length=16 * (1 + i % 4), batch=2) for i in range(8))
    config = dataclasses.replace(CONFIG, stages=lengths, compile=True)
    Pretraining(StripedHyena(NETWORK), corpus, config, tmp_path)
    # four lengths, of three blocks and what is around them
    assert torch._dynamo.config.recompile_limit == 16
