"""Atomic writing: a file has its final name only when it is complete."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genointerp.core.errors import StorageError


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: expected a writable place, found {error}") from error
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part{path.suffix}")
    try:
        yield temporary
        _replace(temporary, path)
    except OSError as error:
        if isinstance(error, FileNotFoundError | StorageError) or error.errno is None:
            raise
        raise StorageError(f"{path}: expected to write the file, found {error.strerror}") from error
    finally:
        _remove(temporary)


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
