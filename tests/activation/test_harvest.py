import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genointerp.activation.harvest import HarvestConfig, batches, harvest
from genointerp.activation.loss import genome_loss
from genointerp.core.errors import ConfigError, MismatchError, UnknownNameError
from genointerp.genome.genome import Contig, Genome, normalise_sequence, reverse_complement
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window
from tests.toy_model import ToyDnaModel

CONFIG = HarvestConfig(window=20, warmup=5, batch=3)


def genome_of(length, *, circular=False, seed=0):
    letters = np.random.default_rng(seed).choice(list(b"ACGT"), length).astype(np.uint8)
    return Genome([Contig("c1", letters, circular), Contig("c2", letters[::-1].copy())])


def harvested(tmp_path, genome, config=CONFIG, **options):
    return harvest(
        ToyDnaModel(), genome, site="blocks.0", out=tmp_path / "a.h5", config=config, **options
    )


def one_hot_bases(store, strand):
    """Bases that the stored one-hot says, put back on the forward strand."""
    found = {contig.seqid: np.zeros(contig.length, np.uint8) for contig in store.header.contigs}
    for i, window in enumerate(store.windows):
        if window.strand == strand:
            read = np.frombuffer(b"ACGT", np.uint8)[store.window(i)[:, :4].argmax(1)]
            forward = reverse_complement(read) if strand == "-" else read
            found[window.seqid][window.start : window.end] = forward
    return found


@pytest.mark.parametrize("circular", [True, False])
def test_rows_of_both_strands_map_back_to_their_forward_bases(tmp_path, circular):
    genome = genome_of(97, circular=circular)
    store = harvested(tmp_path, genome)
    assert store.n_tokens == 2 * 2 * 97
    for strand in "+-":
        bases = one_hot_bases(store, strand)
        for name, contig in genome.items():
            assert np.array_equal(bases[name], contig.sequence)


def test_the_warm_up_wraps_around_the_origin_of_a_circular_contig(tmp_path):
    genome = genome_of(97, circular=True)
    store = harvested(tmp_path, genome)
    first = store.windows.index(GenomicInterval("c1", 0, 15, "+"))
    # channel 6 counts the bases read, in thousands: five before the first that is kept
    assert store.window(first)[0, 6] == pytest.approx(0.006, abs=1e-5)
    linear = store.windows.index(GenomicInterval("c2", 0, 15, "+"))
    assert store.window(linear)[0, 6] == pytest.approx(0.001, abs=1e-5)


def test_only_regions_are_read_where_regions_are_given(tmp_path):
    region = GenomicInterval("c2", 10, 50)
    store = harvested(tmp_path, genome_of(97), regions=[region])
    assert store.n_tokens == 2 * 40
    assert {(w.start, w.end) for w in store.windows if w.strand == "-"} == {
        (35, 50),
        (20, 35),
        (10, 20),
    }


class Killed(BaseException):
    pass


class MortalModel(ToyDnaModel):
    """Dies at its n-th pass, as a killed process does: no handler of ours sees it coming."""

    def __init__(self, passes):
        self.passes = passes

    def run(self, tokens, *, capture, edits=()):
        if self.passes == 0:
            raise Killed
        self.passes -= 1
        return super().run(tokens, capture=capture, edits=edits)


def test_killed_anywhere_and_started_again_the_data_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("genointerp.store.activations.SHARD_BYTES", 2 * 8 * 60)
    genome = genome_of(211)
    whole = harvested(tmp_path, genome)
    (tmp_path / "b").mkdir()
    out = tmp_path / "b" / "a.h5"
    deaths = 0
    while not out.exists():
        try:
            harvest(MortalModel(4), genome, site="blocks.0", out=out, config=CONFIG)
        except Killed:
            deaths += 1
            assert not out.exists()
    assert deaths > 3
    assert out.read_bytes()[:8] == whole.path.read_bytes()[:8]
    again = harvest(MortalModel(0), genome, site="blocks.0", out=out, config=CONFIG)
    assert again.rows(0, again.n_tokens).tobytes() == whole.rows(0, whole.n_tokens).tobytes()


def test_a_finished_file_is_not_computed_again(tmp_path):
    genome = genome_of(60)
    harvested(tmp_path, genome)
    store = harvest(MortalModel(0), genome, site="blocks.0", out=tmp_path / "a.h5", config=CONFIG)
    assert store.n_tokens == 4 * 60


def test_a_file_of_another_configuration_is_not_overwritten(tmp_path):
    genome = genome_of(60)
    before = harvested(tmp_path, genome).path.read_bytes()
    other = dataclasses.replace(CONFIG, warmup=6)
    with pytest.raises(MismatchError, match=r"a\.h5: expected activations of this model"):
        harvested(tmp_path, genome, config=other)
    assert (tmp_path / "a.h5").read_bytes() == before


def test_an_unknown_site_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownNameError, match=r"blocks\.7"):
        harvest(ToyDnaModel(), genome_of(60), site="blocks.7", out=tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"batch": 0}, "batch: expected at least 1, found 0", id="batch"),
        pytest.param({"strands": ("*",)}, r"strands: expected '\+', '-' or both", id="strands"),
    ],
)
def test_harvest_config_refuses(values, message):
    with pytest.raises(ConfigError, match=message):
        HarvestConfig(**values)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), max_size=20), st.integers(1, 4))
def test_batches_hold_every_window_once_in_order_and_are_of_one_length(shapes, size):
    windows = [Window(GenomicInterval("c", 0, kept, "+"), warmup) for kept, warmup in shapes]
    groups = list(batches(windows, size))
    assert [i for group in groups for i in group] == list(range(len(windows)))
    for group in groups:
        assert len(group) <= size
        assert len({windows[i].warmup + windows[i].kept.length for i in group}) == 1


def test_genome_loss_counts_each_kept_base_once_and_equals_a_naive_sum():
    bases = normalise_sequence(b"AACGTNNTTGCATTTACG", where="test")
    genome = Genome([Contig("c", bases)])
    config = HarvestConfig(window=7, warmup=3, strands=("+",), batch=2)
    model = ToyDnaModel()
    loss = genome_loss(model, genome, config=config)
    tokens = torch.from_numpy(model.tokenize(bases).ids)[None]
    # the toy model looks one base back, so windows change nothing but the very first base
    naive = model.log_probs(tokens)[0]
    known = ~naive.isnan()
    assert loss.n_bases == int(known.sum())
    assert loss.nats_per_base == pytest.approx(-float(naive[known].mean()))
