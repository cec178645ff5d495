import errno
import fcntl
import subprocess
import sys

import pytest

from genointerp.core.errors import StorageError
from genointerp.core.lock import only_writer

HOLD = """
import sys, time
from pathlib import Path
from genointerp.core.lock import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_refused_and_the_lock_goes_away(tmp_path):
    out = tmp_path / "sub" / "f.h5"
    with only_writer(out):
        with pytest.raises(StorageError, match=r"f\.h5: expected to be the only writer"):
            only_writer(out).__enter__()
        with only_writer(out.with_name("other.h5")):
            pass
    with only_writer(out):
        pass
    assert list(out.parent.iterdir()) == []


def test_an_error_in_the_block_frees_the_lock(tmp_path):
    with pytest.raises(ZeroDivisionError), only_writer(tmp_path / "f"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_holds_nobody_up(tmp_path):
    out = tmp_path / "f.h5"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(StorageError, match="another process that writes it"):
            only_writer(out).__enter__()
        child.kill()
    assert [path.name for path in tmp_path.iterdir()] == [".f.h5.lock"]
    with only_writer(out):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_told_and_the_output_written(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    message = "the file system has no locks: see that no other process writes it"
    with only_writer(tmp_path / "f"):
        assert message in caplog.text
    assert list(tmp_path.iterdir()) == []
