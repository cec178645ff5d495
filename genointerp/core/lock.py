"""A lock of the operating system, so that an output has one writer at a time."""

import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genointerp.core.errors import StorageError
from genointerp.core.files import check_writable

_log = logging.getLogger(__name__)

_POLL_S = 0.02

_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


@contextmanager
def only_writer(path: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of an output while the block runs.

    The lock is on a hidden file beside ``path``, which goes away with the block. One that a killed
    process left behind holds nobody up: the system has freed its lock.

    Parameters
    ----------
    wait_s
        Seconds to wait for another writer before it counts as one.

    Raises
    ------
    StorageError
        If another process writes there. Where the file system has no locks a warning says so, and
        nothing guards the output.
    """
    path = Path(path)
    lock = path.with_name(f".{path.name}.lock")
    check_writable(lock)
    descriptor = _acquired(lock, path, time.monotonic() + wait_s)
    try:
        yield
    finally:
        # removed while it is held, so that nobody else holds what goes away
        with suppress(OSError):
            lock.unlink()
        os.close(descriptor)


def _acquired(lock: Path, path: Path, until: float) -> int:
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            found = error.strerror
            raise StorageError(f"{path}: expected a writable place, found {found}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _WITHOUT_LOCKS:
                lacking = "the file system has no locks: see that no other process writes it"
                _log.warning("%s: %s (%s)", path, lacking, error.strerror)
                return descriptor
            os.close(descriptor)
            if isinstance(error, BlockingIOError) and time.monotonic() < until:
                time.sleep(_POLL_S)
                continue
            raise _refusal(path, error) from error
        if _is_at(descriptor, lock):
            return descriptor
        # its owner removed it between the two calls: the next one is another file
        os.close(descriptor)


def _is_at(descriptor: int, lock: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    except FileNotFoundError:
        return False


def _refusal(path: Path, error: OSError) -> StorageError:
    found = f"another error ({error.strerror})"
    if isinstance(error, BlockingIOError | PermissionError):
        found = "another process that writes it; wait for it, or name another output"
    return StorageError(f"{path}: expected to be the only writer, found {found}")
