import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError
from genointerp.feature import encode as module
from genointerp.feature.encode import encode_store
from genointerp.genome.interval import GenomicInterval
from genointerp.sae.architecture.registry import ARCHITECTURES
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore
from tests.stores import activation_header, windows_of, write_activations, write_words

METADATA = {"model": "toy", "model_sha256": "m" * 64, "site": "blocks.1"}


@pytest.fixture(params=["topk", "batch_topk"])
def sae(request, tmp_path):
    config = SaeConfig(architecture=request.param, n_features=12, k=3)
    sae = ARCHITECTURES[request.param](config, 4, seed=1)
    sae.threshold.fill_(0.4)
    save_sae(sae, tmp_path / "sae", METADATA)
    return sae


@pytest.fixture
def activations(tmp_path):
    x = np.random.default_rng(0).normal(size=(320, 4)).astype(np.float32)
    return write_activations(tmp_path / "a.h5", x)


@pytest.mark.parametrize("batch_rows", [1, 30, 10_000])
def test_features_are_those_of_the_dense_encoder_in_forward_coordinates(
    tmp_path, sae, activations, monkeypatch, batch_rows
):
    monkeypatch.setattr(module, "BATCH_ROWS", batch_rows)
    done = []
    store = encode_store(
        [activations], tmp_path / "sae", tmp_path / "f.h5", progress=lambda *x: done.append(x)
    )
    expected = {strand: np.zeros((160, 12)) for strand in "+-"}
    for number, kept in enumerate(windows_of()):
        with torch.no_grad():
            codes = sae.encode(torch.from_numpy(activations.window(number))).numpy()
        rows = slice(*store.row_range(kept))
        expected[kept.strand][rows] = codes if kept.strand == "+" else codes[::-1]
    for strand in "+-":
        found = np.zeros((160, 12))
        for feature in range(12):
            track = store.feature(feature, strand)
            found[track.row, feature] = track.value
        assert (expected[strand] > 0).any()
        np.testing.assert_allclose(found, expected[strand], rtol=1e-3, atol=1e-6)
    assert done[-1] == (320, 320)
    assert store.header.model == "toy"


@pytest.mark.parametrize("stretch_rows", [3, 1 << 15], ids=["in-pieces", "whole"])
@pytest.mark.parametrize("batch_rows", [1, 30, 10_000])
def test_the_features_of_a_word_are_repeated_over_its_bases(
    tmp_path, sae, monkeypatch, batch_rows, stretch_rows
):
    monkeypatch.setattr(module, "BATCH_ROWS", batch_rows)
    monkeypatch.setattr(module, "STRETCH_ROWS", stretch_rows)
    words = write_words(tmp_path / "w.h5")
    done = []
    store = encode_store(
        [words], tmp_path / "sae", tmp_path / "f.h5", progress=lambda *x: done.append(x)
    )
    expected = {strand: np.zeros((160, 12)) for strand in "+-"}
    for number, kept in enumerate(windows_of()):
        with torch.no_grad():
            codes = sae.encode(torch.from_numpy(words.window(number))).numpy()
        first, last = words.window_offset[number : number + 2].tolist()
        origin = store.row_range(kept)[0] - kept.start
        for row, start, end in zip(codes, *words.token_bases(first, last), strict=True):
            expected[kept.strand][origin + start : origin + end] = row
    for strand in "+-":
        found = np.zeros((160, 12))
        for feature in range(12):
            track = store.feature(feature, strand)
            found[track.row, feature] = track.value
        assert (expected[strand] > 0).any()
        np.testing.assert_allclose(found, expected[strand], rtol=1e-3, atol=1e-6)
        assert [(it.seqid, it.start, it.end) for it in store.coverage(strand)] == [
            ("chrA", 0, 120),
            ("chrB", 0, 40),
        ]
    assert done[-1] == (words.n_tokens, words.n_tokens)


def test_a_window_that_is_a_chromosome_is_encoded_in_pieces(tmp_path, sae, monkeypatch):
    x = np.random.default_rng(0).normal(size=(240, 4)).astype(np.float32)
    windows = [GenomicInterval("chrA", 0, 120, strand) for strand in "+-"]
    activations = write_activations(tmp_path / "a.h5", x, windows=windows)
    whole = encode_store([activations], tmp_path / "sae", tmp_path / "f.h5")
    monkeypatch.setattr(module, "BATCH_ROWS", 7)
    monkeypatch.setattr(module, "STRETCH_ROWS", 10)
    most, rows_of = 0, ActivationStore.rows

    def rows(self, start, stop):
        nonlocal most
        most = max(most, stop - start)
        return rows_of(self, start, stop)

    monkeypatch.setattr(ActivationStore, "rows", rows)
    pieces = encode_store([activations], tmp_path / "sae", tmp_path / "p.h5")
    assert most == 10
    for strand in "+-":
        for feature in range(12):
            one, two = whole.feature(feature, strand), pieces.feature(feature, strand)
            np.testing.assert_array_equal(one.row, two.row)
            np.testing.assert_allclose(one.value, two.value, rtol=1e-3)


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [("model_sha256", "0" * 64, "model"), ("site", "blocks.2", "site")],
)
def test_activations_of_another_model_or_site_are_refused(tmp_path, sae, field, value, what):
    header = activation_header(**{field: value})
    other = write_activations(tmp_path / "o.h5", np.zeros((320, 4), np.float32), header=header)
    with pytest.raises(MismatchError, match=rf"o\.h5: expected {what} .* as in .*sae, found"):
        encode_store([other], tmp_path / "sae", tmp_path / "f.h5")
    assert not (tmp_path / "f.h5").exists()


def test_activations_of_an_edited_model_are_encoded_with_its_parents_dictionary_if_asked_for(
    tmp_path, sae, activations
):
    header = activation_header(
        model="toy-edit-1", model_sha256="e" * 64, parent="toy", parent_sha256="m" * 64
    )
    x = activations.rows(0, 320)
    edited = write_activations(tmp_path / "e.h5", x, header=header)
    assert ActivationStore(edited.path).header == header
    with pytest.raises(MismatchError, match=r"e\.h5: expected model toy with weights m+ as in"):
        encode_store([edited], tmp_path / "sae", tmp_path / "f.h5")
    words = ["encode", str(edited.path), "--sae", str(tmp_path / "sae"), "--of-parent"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "f.h5")])
    assert done.exit_code == 0, done.output
    plain = encode_store([activations], tmp_path / "sae", tmp_path / "p.h5")
    found = FeatureStore(tmp_path / "f.h5")
    assert found.header.model == "toy-edit-1"
    np.testing.assert_array_equal(found.feature(1, "+").value, plain.feature(1, "+").value)


def test_activations_of_a_model_without_a_parent_have_no_dictionaries_of_one(
    tmp_path, sae, activations
):
    with pytest.raises(
        InputError, match=r"of_parent: expected activations of an edited or tuned model"
    ):
        encode_store([activations], tmp_path / "sae", tmp_path / "f.h5", of_parent=True)
    assert not (tmp_path / "f.h5").exists()


def test_activations_of_another_width_are_refused(tmp_path, sae):
    other = write_activations(tmp_path / "o.h5", np.zeros((320, 5), np.float32))
    with pytest.raises(MismatchError, match=r"o\.h5: expected width 4 as in"):
        encode_store([other], tmp_path / "sae", tmp_path / "f.h5")


def test_activations_of_two_genomes_are_refused(tmp_path, sae, activations):
    header = activation_header(genome_sha256="h" * 64)
    other = write_activations(tmp_path / "o.h5", np.zeros((320, 4), np.float32), header=header)
    with pytest.raises(MismatchError, match=r"o\.h5: expected genome"):
        encode_store([activations, other], tmp_path / "sae", tmp_path / "f.h5")
    with pytest.raises(InputError, match="expected at least one store"):
        encode_store([], tmp_path / "sae", tmp_path / "f.h5")


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_command_tells_what_it_wrote(tmp_path, sae, activations, compression):
    if compression == "zstd":
        pytest.importorskip("hdf5plugin", reason="the extra compression is not installed")
    out = tmp_path / "f.h5"
    arguments = ["encode", str(activations.path), "--sae", str(tmp_path / "sae")]
    arguments += ["--compression", compression]
    done = CliRunner().invoke(app, [*arguments, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("320 bases read, ")
