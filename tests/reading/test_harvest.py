import dataclasses
import json
import weakref

import h5py
import numpy as np
import pytest

from genointerp.command.build.harvest import harvest as harvest_file
from genointerp.core.errors import ConfigError, InputError, MismatchError, UnknownNameError
from genointerp.core.files import replacing
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.model.protocol import Chunk
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.reading.parallel import ModelCopies
from tests.reading.word_model import kmer_model, merge_model
from tests.toy_model import ToyDnaModel

CONFIG = HarvestConfig(window=20, warmup=5, batch=3)


def genome_of(length, *, circular=False, seed=0):
    letters = np.random.default_rng(seed).choice(list(b"ACGT"), length).astype(np.uint8)
    return Genome([Contig("c1", letters, circular), Contig("c2", letters[::-1].copy())])


def harvested(tmp_path, genome, config=CONFIG, **options):
    return harvest(
        ToyDnaModel(), genome, site="blocks.0", out=tmp_path / "a.h5", config=config, **options
    )


def data_of(path):
    """Every dataset of a file."""
    with h5py.File(path) as file:
        found = {}
        file.visititems(
            lambda name, it: found.update({name: it[()].tolist()}) if hasattr(it, "shape") else None
        )
        return found


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
    monkeypatch.setattr("genointerp.store.activation.shards.SHARD_BYTES", 2 * 8 * 60)
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


def test_a_file_of_another_configuration_gives_way_by_force(tmp_path):
    genome = genome_of(60)
    before = harvested(tmp_path, genome).path.read_bytes()
    other = dataclasses.replace(CONFIG, warmup=6)
    with replacing():
        harvested(tmp_path, genome, config=other)
    assert (tmp_path / "a.h5").read_bytes() != before
    assert harvested(tmp_path, genome, config=other).n_tokens == 4 * 60


def test_shards_of_another_configuration_give_way_by_force(tmp_path):
    genome, out = genome_of(60), tmp_path / "a.h5"
    with pytest.raises(Killed):
        harvest(MortalModel(1), genome, site="blocks.0", out=out, config=CONFIG)
    other = dataclasses.replace(CONFIG, warmup=6)
    with pytest.raises(MismatchError, match="--force starts anew"):
        harvested(tmp_path, genome, config=other)
    with replacing():
        harvested(tmp_path, genome, config=other)
    assert harvested(tmp_path, genome, config=other).n_tokens == 4 * 60


def test_an_unknown_site_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownNameError, match=r"blocks\.7"):
        harvest(ToyDnaModel(), genome_of(60), site="blocks.7", out=tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"batch": 0}, "batch: expected at least 1, found 0", id="batch"),
        pytest.param({"chunk": -1}, "chunk: expected at least 0, found -1", id="chunk"),
        pytest.param({"halo": -1}, "halo: expected at least 0, found -1", id="halo"),
        pytest.param({"strands": ("*",)}, r"strands: expected '\+', '-' or both", id="strands"),
    ],
)
def test_harvest_config_refuses(values, message):
    with pytest.raises(ConfigError, match=message):
        HarvestConfig(**values)


@pytest.mark.parametrize("chunk", [1, 7, 1000], ids="chunk-of-{}".format)
@pytest.mark.parametrize("model", [ToyDnaModel, kmer_model, merge_model], ids=lambda m: m.__name__)
def test_what_is_read_in_chunks_is_what_is_read_at_once(tmp_path, model, chunk):
    genome, other = genome_of(97, circular=True), tmp_path / "chunks.h5"
    config = dataclasses.replace(CONFIG, window=70, warmup=20)
    whole = harvest(model(), genome, site="blocks.0", out=tmp_path / "a.h5", config=config)
    config = dataclasses.replace(config, chunk=chunk)
    harvest(model(), genome, site="blocks.0", out=other, config=config)
    assert data_of(other) == data_of(whole.path)


class CountingModel(ToyDnaModel):
    """Counts the chunks that were handed out and are still in memory."""

    def __init__(self):
        self.held, self.most = [], 0

    def prefill(self, tokens, *, chunk, capture, edits=()):
        whole = self.run(tokens, capture=capture, edits=edits)["blocks.0"]
        for start in range(0, tokens.shape[1], chunk):
            piece = whole[:, start : start + chunk].clone()
            self.held = [it for it in self.held if it() is not None] + [weakref.ref(piece)]
            self.most = max(self.most, len(self.held))
            yield Chunk(start, {"blocks.0": piece})
            del piece


def test_a_window_may_be_a_contig_and_few_of_its_chunks_are_held(tmp_path, monkeypatch):
    # a shard is full after 60 bases, and a window of 400 is a shard nevertheless
    monkeypatch.setattr("genointerp.store.activation.shards.SHARD_BYTES", 2 * 8 * 60)
    config = HarvestConfig(window=10_000, warmup=64, chunk=16)
    model, genome = CountingModel(), genome_of(400, circular=True)
    store = harvest(model, genome, site="blocks.0", out=tmp_path / "a.h5", config=config)
    assert store.n_windows == 4
    for strand in "+-":
        for name, bases in one_hot_bases(store, strand).items():
            assert np.array_equal(bases, genome[name].sequence)
    assert model.most <= 4


def test_a_harvest_in_chunks_that_was_killed_goes_on_to_the_same_data(tmp_path, monkeypatch):
    class Mortal(ToyDnaModel):
        chunks = 9

        def prefill(self, tokens, *, chunk, capture, edits=()):
            for piece in super().prefill(tokens, chunk=chunk, capture=capture, edits=edits):
                if self.chunks == 0:
                    raise Killed
                self.chunks -= 1
                yield piece

    monkeypatch.setattr("genointerp.store.activation.shards.SHARD_BYTES", 2 * 8 * 60)
    genome, config = genome_of(150), HarvestConfig(window=60, warmup=10, chunk=8)
    whole = harvested(tmp_path, genome, config)
    out, deaths = tmp_path / "b.h5", 0
    while not out.exists():
        try:
            harvest(Mortal(), genome, site="blocks.0", out=out, config=config)
        except Killed:
            deaths += 1
    assert deaths > 3
    assert data_of(out) == data_of(whole.path)


def test_a_killed_harvest_of_words_goes_on_to_the_same_data(tmp_path, monkeypatch):
    monkeypatch.setattr("genointerp.store.activation.shards.SHARD_BYTES", 2 * 8 * 60)
    genome = genome_of(150)
    options = {"site": "blocks.0", "config": HarvestConfig(window=40, warmup=10)}
    whole = harvest(merge_model(), genome, out=tmp_path / "a.h5", **options)
    out, deaths = tmp_path / "b.h5", 0
    while not out.exists():
        model, left = merge_model(), 5
        run = model.run

        def mortal(*arguments, run=run, **kept):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return run(*arguments, **kept)

        model.run = mortal
        try:
            harvest(model, genome, out=out, **options)
        except Killed:
            deaths += 1
    assert deaths > 1
    assert data_of(out) == data_of(whole.path)


@pytest.mark.parametrize(
    ("reads", "reason"),
    [("both", "reads both ways"), ("left", "carries no state")],
    ids=["masked", "causal"],
)
def test_chunks_are_refused_where_the_model_cannot_read_them(tmp_path, reads, reason):
    model = kmer_model()
    model.spec = dataclasses.replace(model.spec, chunked=False, reads=reads)
    config = dataclasses.replace(CONFIG, chunk=8)
    with pytest.raises(InputError, match=rf"chunk: expected 0, .* found words, which {reason}"):
        harvest(model, genome_of(60), site="blocks.0", out=tmp_path / "a.h5", config=config)
    assert list(tmp_path.iterdir()) == []


def test_windows_longer_than_the_model_was_trained_on_are_warned_of_once(tmp_path, caplog):
    harvested(tmp_path, genome_of(97), HarvestConfig(window=70, warmup=35))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message == (
        "toy was trained on windows of at most 64 bases; here it reads 70 at once"
    )
    caplog.clear()
    harvest(
        *(ToyDnaModel(), genome_of(97)),
        site="blocks.0",
        out=tmp_path / "b.h5",
        config=HarvestConfig(window=64, warmup=32),
    )
    assert not caplog.records


def test_what_is_new_in_the_settings_is_recorded_only_where_it_is_used(tmp_path):
    def settings_of(name, model, config):
        store = harvest(model, genome_of(60), site="blocks.0", out=tmp_path / name, config=config)
        with h5py.File(store.path) as file:
            return json.loads(file.attrs["provenance"])["config"]

    old = {"window", "warmup", "strands", "batch", "encoding", "attention_backend", "regions"}
    assert settings_of("a.h5", ToyDnaModel(), CONFIG).keys() == old
    half = ToyDnaModel()
    half.spec = dataclasses.replace(half.spec, dtype="bfloat16", revision="abc")
    config = dataclasses.replace(CONFIG, chunk=8, halo=3)
    found = settings_of("b.h5", half, config)
    assert found.keys() == old | {"chunk", "halo", "dtype", "revision"}
    assert (found["chunk"], found["halo"], found["dtype"]) == (8, 3, "bfloat16")
    assert found["revision"] == "abc"
    masked = settings_of("c.h5", kmer_model(reads="both"), CONFIG)
    assert masked["halo"] == CONFIG.warmup


def test_activations_of_an_edited_model_name_its_parent_and_those_of_others_say_nothing(tmp_path):
    edited = ToyDnaModel()
    edited.spec = dataclasses.replace(edited.spec, parent="toy", parent_sha256="p" * 64)
    for name, model, expected in (("a", edited, ("toy", "p" * 64)), ("b", ToyDnaModel(), None)):
        out = tmp_path / f"{name}.h5"
        header = harvest(model, genome_of(60), site="blocks.0", out=out, config=CONFIG).header
        assert (header.parent, header.parent_sha256) == (expected or ("", ""))
        with h5py.File(out) as file:
            assert ("model-parent" in file.attrs) == (expected is not None)


class LargeModel(ToyDnaModel):
    """A residual stream beyond what float16 holds."""

    spec = dataclasses.replace(ToyDnaModel.spec, dtype="bfloat16")

    def run(self, tokens, *, capture, edits=()):
        found = super().run(tokens, capture=capture, edits=edits)
        return {site: (x * 2**17).bfloat16() for site, x in found.items()}


def test_a_bfloat16_model_is_stored_without_loss_unless_told_otherwise(tmp_path):
    options = {"site": "blocks.0", "out": tmp_path / "large.h5"}
    store = harvest(LargeModel(), genome_of(60), **options, config=CONFIG)
    assert store.header.encoding == "bfloat16"
    exact = harvested(tmp_path, genome_of(60))
    # a run's length and the one-hot are small integers, exact in every encoding
    columns = [0, 1, 2, 3, 5, 7]
    found, expected = (it.rows(0, it.n_tokens)[:, columns] for it in (store, exact))
    np.testing.assert_array_equal(found, expected * 2**17)
    options |= {"out": tmp_path / "b.h5"}
    config = dataclasses.replace(CONFIG, encoding="float16")
    with pytest.raises(InputError, match=r"within the range of float16, found 131072\.0"):
        harvest(LargeModel(), genome_of(60), **options, config=config)


@pytest.mark.parametrize(
    ("dtype", "encoding"),
    [("float32", "float16"), ("float16", "float16"), ("bfloat16", "bfloat16")],
)
def test_the_encoding_follows_the_model_where_none_is_asked_for(dtype, encoding):
    spec = dataclasses.replace(ToyDnaModel.spec, dtype=dtype)
    assert HarvestConfig().encoding_for(spec) == encoding
    assert HarvestConfig(encoding="float16").encoding_for(spec) == "float16"


def test_a_run_that_was_refused_before_its_first_shard_does_not_bar_the_next(tmp_path):
    out = tmp_path / "activations.h5"
    genome = genome_of(100)
    with pytest.raises(InputError, match="within the range of float16"):
        harvest(
            LargeModel(),
            genome,
            site="blocks.0",
            out=out,
            config=dataclasses.replace(CONFIG, encoding="float16"),
        )
    assert list(tmp_path.iterdir()) == []
    mended = dataclasses.replace(CONFIG, encoding="bfloat16")
    store = harvest(LargeModel(), genome, site="blocks.0", out=out, config=mended)
    assert store.header.encoding == "bfloat16"


def test_the_default_is_the_same_run_as_the_encoding_that_it_stands_for(tmp_path):
    store = harvested(tmp_path, genome_of(60))
    config = dataclasses.replace(CONFIG, encoding="float16")
    again = harvest(
        MortalModel(0), genome_of(60), site="blocks.0", out=tmp_path / "a.h5", config=config
    )
    assert again.manifest_sha256 == store.manifest_sha256
    # as version 0.1.0 had it: files and shards of older versions stay valid
    assert store.manifest_sha256.startswith("fd7003723052")


def test_batches_are_full_however_wide_the_model_is(tmp_path, monkeypatch):
    # a shard is full after one window
    monkeypatch.setattr("genointerp.store.activation.shards.SHARD_BYTES", 2 * 8 * 15)
    sizes = []

    class WatchedModel(ToyDnaModel):
        def run(self, tokens, *, capture, edits=()):
            sizes.append(len(tokens))
            return super().run(tokens, capture=capture, edits=edits)

    genome = Genome([Contig("c", genome_of(180)["c1"].sequence, circular=True)])
    harvest(WatchedModel(), genome, site="blocks.0", out=tmp_path / "a.h5", config=CONFIG)
    assert sizes == [3] * 8


def test_a_harvested_file_is_of_the_site_that_the_model_prefers(tmp_path):
    (tmp_path / "g.fa").write_text(">c\n" + "ACGGT" * 20 + "\n")
    copies = ModelCopies(lambda *, device: ToyDnaModel())
    store = harvest_file(
        tmp_path / "g.fa", tmp_path / "a.h5", copies, region=["c:11-30"], config=CONFIG
    )
    assert (store.header.site, store.n_bases, store.n_tokens) == ("blocks.0", 40, 40)
