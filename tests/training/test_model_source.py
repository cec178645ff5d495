import json
from contextlib import contextmanager

import numpy as np
import pytest
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.build import train as train_from_store_module
from genointerp.command.build.train import train as train_from_store
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.genome.genome import Contig, Genome
from genointerp.reading.harvest import HarvestConfig, HarvestPlan, harvest
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.source import ActivationSource
from genointerp.store.activation.reading import ReadingConfig
from genointerp.training.model_source import ModelSource
from genointerp.training.train import Grid, Runtime
from tests.dictionaries import metadata_of
from tests.reading.word_model import kmer_model
from tests.toy_model import ToyDnaModel

WINDOWS = HarvestConfig(window=60, warmup=20)
PLAIN = ReadingConfig(skip_first=0, buffer_rows=150)


def genome_of(seed, length=400):
    letters = np.random.default_rng(seed).choice(list(b"ACGT"), length).astype(np.uint8)
    return Genome([Contig(f"c{seed}", letters)])


def source_of(model, *genomes, config=PLAIN, windows=WINDOWS):
    plans = [HarvestPlan(model.spec, genome, "blocks.0", windows) for genome in genomes]
    return ModelSource(model, plans, config)


def everything(source, epoch=0):
    fit = list(source.chunks(0, epoch, eval_share=0.1))
    return fit, list(source.held_out(0, eval_share=0.1))


def as_set(rows):
    return sorted(map(tuple, np.concatenate(rows).astype(np.float16).tolist()))


@pytest.mark.parametrize("chunk", [0, 16])
def test_a_model_gives_the_rows_that_are_harvested_of_all_genomes(chunk, tmp_path):
    model, genomes = ToyDnaModel(), [genome_of(0), genome_of(1)]
    windows = HarvestConfig(window=60, warmup=20, chunk=chunk)
    stores = [
        harvest(model, genome, site="blocks.0", out=tmp_path / f"{i}.h5", config=windows)
        for i, genome in enumerate(genomes)
    ]
    source = source_of(model, *genomes, windows=windows)
    assert isinstance(source, ActivationSource)
    fit, held_out = everything(source)
    assert as_set(fit + held_out) == as_set([store.rows(0, store.n_tokens) for store in stores])
    assert source.n_rows == sum(store.n_tokens for store in stores) == 1600
    assert len(fit) == -(-sum(map(len, fit)) // 150)
    assert {chunk.dtype for chunk in fit} == {np.dtype(np.float32)}


def test_windows_are_read_in_another_order_in_every_epoch_and_chunks_are_mixed():
    source = source_of(ToyDnaModel(), genome_of(0))
    first, _ = everything(source)
    second, _ = everything(source, epoch=1)
    assert as_set(first) == as_set(second)
    # the channel that counts the bases read does not rise within a chunk
    assert np.mean(np.diff(first[0][:, 6]) > 0) < 0.7
    assert not np.array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[0], everything(source)[0][0])


def test_a_model_reads_nothing_before_the_chunk_that_training_goes_on_with():
    class Counting(ToyDnaModel):
        n_read = 0

        def run(self, tokens, **options):
            Counting.n_read += tokens.numel()
            return super().run(tokens, **options)

    source = source_of(Counting(), genome_of(0))
    whole, _ = everything(source)
    Counting.n_read = 0
    rest = list(source.chunks(0, 0, eval_share=0.1, start=3))
    assert len(rest) == len(whole) - 3
    np.testing.assert_array_equal(rest[0], whole[3])
    assert Counting.n_read < 2 * 60 / 40 * sum(map(len, rest))


@pytest.mark.parametrize("chunk", [0, 16])
def test_the_first_rows_of_every_window_are_left_out(chunk):
    windows = HarvestConfig(window=60, warmup=20, chunk=chunk)
    source = source_of(
        ToyDnaModel(), genome_of(0), config=ReadingConfig(skip_first=5), windows=windows
    )
    fit, held_out = everything(source)
    rows = np.concatenate([*fit, *held_out])
    assert len(rows) == source.n_rows
    # 400 bases on two strands in windows of 40, of which the first has no warm-up and is 60 long
    assert source.n_skipped == 800 - source.n_rows == 5 * 2 * 10
    # of a window without warm-up, the first five bases read are left out
    assert round(rows[:, 6].min() * 1000) == 6


def test_rows_of_words_are_those_of_their_tokens():
    model = kmer_model()
    windows = HarvestConfig(window=60, warmup=21, strands=("+",))
    source = source_of(model, genome_of(0), windows=windows)
    fit, held_out = everything(source)
    n_rows = sum(map(len, fit + held_out))
    assert 400 / 3 <= n_rows < 400 / 3 + 20 < source.n_rows


def test_genomes_and_a_site_are_needed():
    with pytest.raises(InputError, match="genomes: expected at least one, at one site, found none"):
        ModelSource(ToyDnaModel(), [])
    plan = HarvestPlan(ToyDnaModel().spec, genome_of(0), "blocks.7", WINDOWS)
    with pytest.raises(
        UnknownNameError, match=r"site: expected one of blocks\.0, found 'blocks\.7'"
    ):
        ModelSource(ToyDnaModel(), [plan])


CONFIG = """
reading: {skip_first: 2, buffer_rows: 500}
sae: {architecture: topk, n_features: 12, k: 2}
n_tokens: 1280
batch_tokens: 64
outlier_sd: null
"""


def reading_of(tmp_path, *genomes):
    paths = []
    for number, genome in enumerate(genomes):
        paths.append(tmp_path / f"g{number}.fa")
        text = next(iter(genome.values())).sequence.tobytes().decode()
        paths[-1].write_text(f">c{number}\n{text}\n")
    return {"genome": paths, "model": ToyDnaModel(), "windows": WINDOWS}


def test_a_grid_of_dictionaries_is_trained_straight_from_a_model(tmp_path):
    (tmp_path / "sae.yaml").write_text(CONFIG)
    trained = train_from_store(
        [], tmp_path / "out", **reading_of(tmp_path, genome_of(0), genome_of(1)),
        config=tmp_path / "sae.yaml", grid=Grid(n_features=(12, 20), init_seed=(0, 4)),
    )  # fmt: skip
    names = ["f12_k2_s0", "f12_k2_s4", "f20_k2_s0", "f20_k2_s4"]
    assert [one.folder.name for one in trained] == names
    for name in names:
        loaded = Dictionary.load(tmp_path / "out" / name)
        assert (loaded.header.model, loaded.header.site) == ("toy", "blocks.0")
        assert loaded.sae.n_features == int(name[1:3])
        assert "windows" in metadata_of(loaded)
        log = json.loads((tmp_path / "out" / name / "log.json").read_text())
        # 11 windows a strand of each genome, and two rows of each left out
        assert log["n_skipped"] == 2 * 2 * 2 * 10
    assert not (tmp_path / "out.checkpoint").exists()


def test_the_model_is_loaded_on_the_device_of_its_own_process(tmp_path, monkeypatch):
    @contextmanager
    def second_process(device):
        assert device == "cuda"
        yield "cuda:1"

    monkeypatch.setattr(train_from_store_module, "find_device", lambda device: device)
    monkeypatch.setattr(train_from_store_module.parallel, "process_group", second_process)
    loaded = []

    def load(*, device):
        loaded.append(device)
        raise _Seen

    reading = reading_of(tmp_path, genome_of(0))
    with pytest.raises(_Seen):
        train_from_store(
            [], tmp_path / "out", **{**reading, "model": load}, runtime=Runtime("cuda"),
        )  # fmt: skip
    assert loaded == ["cuda:1"]


class _Seen(Exception):
    pass


def test_a_grid_of_one_is_a_dictionary_in_the_folder_itself(tmp_path):
    (tmp_path / "sae.yaml").write_text(CONFIG)
    ((folder, _),) = train_from_store(
        [], tmp_path / "out", **reading_of(tmp_path, genome_of(0)),
        config=tmp_path / "sae.yaml", grid=Grid(k=(3,)),
    )  # fmt: skip
    assert folder == tmp_path / "out"
    assert Dictionary.load(folder).sae.config.k == 3


@pytest.mark.parametrize("arguments", [[], ["a.h5", "--genome", "g.fa"]], ids=["none", "both"])
def test_either_stores_or_genomes_are_needed(arguments, tmp_path):
    result = CliRunner().invoke(app, ["train", *arguments, "--out", str(tmp_path / "sae")])
    assert isinstance(result.exception, InputError)
    assert "expected stores, or genomes for a model to read" in str(result.exception)


def test_regions_are_of_one_genome(tmp_path):
    reading = reading_of(tmp_path, genome_of(0), genome_of(1))
    with pytest.raises(InputError, match="region: expected one genome"):
        train_from_store([], tmp_path / "out", **reading, region=["c0:1-300"])


def test_curves_for_tensorboard_need_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    (tmp_path / "sae.yaml").write_text(CONFIG)
    with pytest.raises(InputError, match="tensorboard: expected the package tensorboard"):
        train_from_store(
            [], tmp_path / "out", **reading_of(tmp_path, genome_of(0)),
            config=tmp_path / "sae.yaml", runtime=Runtime(tensorboard=tmp_path / "curves"),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "curves").exists()


def test_curves_are_written_where_tensorboard_is_installed(tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is optional")
    (tmp_path / "sae.yaml").write_text(CONFIG)
    train_from_store(
        [], tmp_path / "out", **reading_of(tmp_path, genome_of(0)),
        config=tmp_path / "sae.yaml", runtime=Runtime(tensorboard=tmp_path / "curves"),
    )  # fmt: skip
    assert list((tmp_path / "curves").rglob("events.out.tfevents*"))
