"""The command with a model of k-mers and the default windows, which are no multiples of k."""

import numpy as np
import pytest
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.core.errors import ConfigError
from genointerp.genome.genome import Contig, Genome
from genointerp.reading.harvest import HarvestConfig
from genointerp.store.activation.store import ActivationStore
from tests.reading.word_model import kmer_model
from tests.tiny_transformers import save_tiny

LENGTH = 5003


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
    folder = tmp_path_factory.mktemp("kmer")
    save_tiny("llama", folder / "model")
    letters = np.random.default_rng(0).choice(list("ACGT"), LENGTH)
    (folder / "g.fa").write_text(">c\n" + "".join(letters) + "\n")
    return folder


def harvested(folder, out, *options):
    words = ["harvest", f"{folder}/g.fa", "--model", f"{folder}/model", "--out", f"{out}", *options]
    app(words, standalone_mode=False)
    return ActivationStore(out)


def test_the_command_reads_whole_words_with_the_default_windows(folder, tmp_path):
    store = harvested(folder, tmp_path / "a.h5")
    # 4096 - 512 bases are 1194 words and 2 bases
    assert [(w.start, w.end, w.strand) for w in store.windows] == [
        (0, 3582, "+"),
        (3582, LENGTH, "+"),
        (LENGTH - 3582, LENGTH, "-"),
        (0, LENGTH - 3582, "-"),
    ]
    lengths = np.subtract(*store.token_bases(0, store.n_tokens)[::-1])
    # on each strand 1667 words, and the 2 bases that remain
    assert np.bincount(lengths).tolist() == [0, 0, 2, 2 * 1667]


def test_the_command_takes_the_encoding(folder, tmp_path):
    store = harvested(folder, tmp_path / "a.h5", "--encoding", "bfloat16", "--region", "c:1-60")
    assert store.header.encoding == "bfloat16"
    half = harvested(folder, tmp_path / "b.h5", "--dtype", "bfloat16", "--region", "c:1-60")
    assert half.header.encoding == "bfloat16"
    wrong = CliRunner().invoke(app, ["harvest", "g", "--out", "o", "--encoding", "float32"])
    assert wrong.exit_code == 2


def test_default_windows_of_a_model_of_6_mers_are_on_one_grid():
    spec = kmer_model(6).spec
    genome = Genome([Contig("c", np.full(20_000, ord("A"), np.uint8))])
    windows = HarvestConfig(strands=("+",)).windows(spec, genome)
    assert [(w.kept.start, w.warmup) for w in windows] == [
        (0, 0), (3582, 510), (7164, 510), (10_746, 510), (14_328, 510), (17_910, 510)
    ]  # fmt: skip


def test_windows_that_leave_no_word_are_refused():
    genome = Genome([Contig("c", np.full(100, ord("A"), np.uint8))])
    with pytest.raises(
        ConfigError, match=r"warmup: expected .* leave 6 bases or more of length=10"
    ):
        HarvestConfig(window=10, warmup=5).windows(kmer_model(6).spec, genome)
