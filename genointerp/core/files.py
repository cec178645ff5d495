"""Reading with errors that say where; atomic writing: a file has its name only when complete."""

import os
import select
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from genointerp.core.errors import InputError, StorageError
from genointerp.core.parsing import parse_json

PIPE_WAIT_S = 10.0
"""How long a named pipe may stay silent before it is taken for one into which nobody writes."""

_UNNAMED = ("/dev/fd/", "/dev/stdin", "/proc/")
"""Where a shell puts the pipes that it makes: somebody writes into them, however late."""


@contextmanager
def reading(path: Path, *, error: type[InputError]) -> Iterator[None]:
    """Turn what the system raises upon a failed read of ``path`` into an error of the input."""
    try:
        yield
    except OSError as problem:
        found = {FileNotFoundError: "no file", IsADirectoryError: "a folder"}
        reason = found.get(type(problem), problem.strerror or str(problem))
        raise error(str(path), "a file that can be read", reason) from problem


@contextmanager
def open_input(path: Path, *, error: type[InputError]) -> Iterator[BufferedReader]:
    """Open an input file, which may be a pipe.

    Parameters
    ----------
    error
        Raised where there is no such file, or it cannot be read: a named pipe into which nobody
        writes, or a device, which may have no end.
    """
    path = Path(path)
    with reading(path, error=error), _open_any(path, error) as handle:
        yield handle


def read_bytes(path: Path, *, error: type[InputError]) -> bytes:
    """Return the content of an input file; errors are those of `open_input`."""
    with open_input(path, error=error) as handle:
        return handle.read()


def kind_of_place(path: Path) -> str:
    """Return what stands at a path where a file was expected, for messages."""
    path = Path(path)
    if path.is_dir():
        return "a folder"
    if path.is_fifo():
        return "a pipe"
    return "a device or a socket" if path.exists() else "no file"


def check_seekable(path: Path, *, error: type[InputError]) -> None:
    """Refuse what can be read but once, or for ever: a pipe, a device or a socket."""
    with reading(path, error=error):
        mode = Path(path).stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise error(str(path), "a file that can be read more than once", kind_of_place(path))


def read_text(path: Path, *, error: type[InputError]) -> str:
    """Return the content of an input file that is text.

    Parameters
    ----------
    error
        Raised where there is no such file, it cannot be read, or it is not UTF-8.
    """
    try:
        return read_bytes(path, error=error).decode("utf-8")
    except UnicodeDecodeError as problem:
        found = f"byte 0x{problem.object[problem.start]:02x} at offset {problem.start}"
        raise error(str(path), "text in UTF-8", found) from problem


def check_writable(path: Path) -> None:
    """Refuse, before hours of work, a place where no file can be made; makes its folder.

    Raises
    ------
    StorageError
        If ``path`` is a folder, or nothing can be written beside it.
    """
    path = Path(path)
    if path.is_dir():
        raise StorageError(f"{path}: expected the name of a file to write, found a folder")
    _make_parent(path)
    trial = _temporary(path)
    try:
        trial.touch()
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _remove(trial)


def read_json_object(path: Path, *, error: type[InputError]) -> dict[str, Any]:
    """Return the keys and values of an input file that is one JSON object.

    Parameters
    ----------
    error
        Raised where the file cannot be read or holds anything else.
    """
    values = parse_json(read_text(path, error=error), where=str(path), error=error)
    if not isinstance(values, dict):
        raise error(str(path), "a JSON object", type(values).__name__)
    return values


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it to ``path`` when the block succeeds.

    The block may make a file or a directory there. If it raises, the temporary is removed and
    whatever stood at ``path`` is untouched. A directory at ``path`` is replaced whole.

    Raises
    ------
    StorageError
        If the operating system refuses to write, for example upon a full disk.
    """
    path = Path(path)
    _make_parent(path)
    temporary = _temporary(path)
    try:
        yield temporary
        _replace(temporary, path)
    except OSError as error:
        if isinstance(error, FileNotFoundError | StorageError) or error.errno is None:
            raise
        raise StorageError(f"{path}: expected to write the file, found {error.strerror}") from error
    finally:
        _remove(temporary)


def _open_any(path: Path, error: type[InputError]) -> BufferedReader:
    mode = path.stat().st_mode
    if stat.S_ISFIFO(mode) and not str(path.absolute()).startswith(_UNNAMED):
        return _open_pipe(path, error)
    is_file = stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISDIR(mode)
    if not is_file and path.resolve() != Path(os.devnull):
        raise error(str(path), "a file that can be read", "a device or a socket")
    return path.open("rb")


def _open_pipe(path: Path, error: type[InputError]) -> BufferedReader:
    # opened at once, whoever writes; the poll is silent until the first writer comes
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(1000 * PIPE_WAIT_S):
        os.close(descriptor)
        expected = f"a pipe into which something writes within {PIPE_WAIT_S:g} s"
        raise error(str(path), expected, "nothing")
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part{path.suffix}")


def _unwritable(path: Path, error: OSError) -> StorageError:
    reason = "a file where a folder must be" if path.parent.is_file() else error.strerror
    return StorageError(f"{path}: expected a writable place, found {reason}")


def _replace(temporary: Path, path: Path) -> None:
    if temporary.is_dir():
        old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.old")
        if path.exists():
            path.rename(old)
        temporary.rename(path)
        _remove(old)
        return
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
