import os
import threading
from pathlib import Path

import pytest

from genointerp.core import files
from genointerp.core.config import read_yaml
from genointerp.core.errors import ConfigError, InputError, SchemaError, StorageError
from genointerp.core.files import check_writable, read_text
from genointerp.core.provenance import sha256_file


def test_a_file_that_is_not_there_is_an_error_of_the_input(tmp_path):
    with pytest.raises(SchemaError, match=r"none\.json: expected a file .* found no file"):
        read_text(tmp_path / "none.json", error=SchemaError)
    with pytest.raises(InputError, match="found no file"):
        sha256_file(tmp_path / "none.json")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="found a folder"):
        read_text(tmp_path, error=InputError)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"# caf\xe9\n", "UTF-8, found byte 0xe9 at offset 5", id="other-encoding"),
        pytest.param(b"a: [1\n b: }\n", "expected YAML, found", id="no-yaml"),
        pytest.param(b"a: 2024-99-99\n", "expected YAML, found", id="impossible-date"),
    ],
)
def test_what_is_no_yaml_is_told_in_one_line(tmp_path, content, message):
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        read_yaml(path)
    assert "\n" not in str(caught.value)


def test_checking_a_place_leaves_nothing_there(tmp_path):
    check_writable(tmp_path / "new" / "out.h5")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_place_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(StorageError, match="expected a writable place, found a file where"):
        check_writable(tmp_path / "file" / "out.h5")
    with pytest.raises(StorageError, match="found a folder"):
        check_writable(tmp_path)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_pipe_into_which_nobody_writes_is_refused_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PIPE_WAIT_S", 0.05)
    os.mkfifo(tmp_path / "p")
    with pytest.raises(InputError, match=r"a pipe into which something writes within 0\.05 s"):
        read_text(tmp_path / "p", error=InputError)
    with pytest.raises(InputError, match="read more than once, found a pipe"):
        sha256_file(tmp_path / "p")


def test_what_is_written_into_a_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "p")
    writer = threading.Thread(target=(tmp_path / "p").write_text, args=("x" * 200_000,))
    writer.start()
    assert read_text(tmp_path / "p", error=InputError) == "x" * 200_000
    writer.join()


def test_a_device_without_an_end_is_refused():
    with pytest.raises(InputError, match="found a device or a socket"):
        read_text(Path("/dev/zero"), error=InputError)
    assert read_text(Path(os.devnull), error=InputError) == ""
