import resource
import signal

import pytest
import torch

from genointerp.core.errors import StorageError
from genointerp.core.files import atomic_path, replacing
from genointerp.sae.formats.registry import FORMATS
from genointerp.tensor.files import read_state, read_tensors, write_state, write_tensors
from tests.sae.formats.test_formats import METADATA, make


@pytest.fixture
def small_disk():
    """A limit on the size of files stands for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


TENSORS = {"a": torch.arange(2000.0), "b": torch.zeros(3, 2)}


@pytest.mark.parametrize(
    ("write", "read"),
    [(write_tensors, read_tensors), (write_state, read_state)],
    ids=["safetensors", "torch"],
)
def test_what_is_written_is_read_back(tmp_path, write, read):
    with atomic_path(tmp_path / "x") as temporary:
        write(TENSORS, temporary)
    found = read(tmp_path / "x")
    assert all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("write", [write_tensors, write_state], ids=["safetensors", "torch"])
def test_a_full_disk_is_one_line_and_the_old_file_stays(tmp_path, small_disk, write):
    (tmp_path / "x").write_text("precious")
    with (
        pytest.raises(StorageError) as caught,
        replacing(),
        atomic_path(tmp_path / "x") as temporary,
    ):
        write(TENSORS, temporary)
    assert (
        str(caught.value) == f"{tmp_path / 'x'}: expected to write the file, found File too large"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "precious"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_dictionary_upon_a_full_disk_is_one_line_and_the_old_one_stays(
    tmp_path, small_disk, name
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").write_text("precious")
    message = r"out: expected to write the file, found File too large"
    with pytest.raises(StorageError, match=message), replacing():
        FORMATS[name].write(make("topk"), tmp_path / "out", METADATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["old"]
