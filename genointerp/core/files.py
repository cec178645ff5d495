"""Reading with errors that say where; atomic writing: a file has its name only when complete."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genointerp.core.errors import InputError, StorageError


@contextmanager
def reading(path: Path, *, error: type[InputError]) -> Iterator[None]:
    """Turn what the system raises upon a failed read of ``path`` into an error of the input."""
    try:
        yield
    except OSError as problem:
        found = {FileNotFoundError: "no file", IsADirectoryError: "a folder"}
        reason = found.get(type(problem), problem.strerror or str(problem))
        raise error(str(path), "a file that can be read", reason) from problem


def read_bytes(path: Path, *, error: type[InputError]) -> bytes:
    """Return the content of an input file.

    Parameters
    ----------
    error
        Raised where there is no such file, or it cannot be read.
    """
    with reading(path, error=error):
        return Path(path).read_bytes()


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
    try:
        values = json.loads(read_text(path, error=error))
    except json.JSONDecodeError as problem:
        raise error(str(path), "JSON", str(problem)) from problem
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
