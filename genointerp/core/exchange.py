"""What a writer needs of the file system: temporary names, removal of old ones, exchange of names.

The name of a temporary says which process made it, so that the next start of the same writer can
tell what a killed process left behind from what another process is writing now.
"""

import ctypes
import errno
import filecmp
import hashlib
import os
import platform
import re
import shutil
import time
import uuid
from pathlib import Path

_PROCESS = uuid.uuid4().hex[:6]
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
_STALE_S = 24 * 3600.0
"""Age beyond which a temporary whose process cannot be looked up, since it ran on another machine,
counts as left behind; a writer at work touches its temporary far more often."""
_FORMAT = re.compile(rb'genointerp::[a-z-]+|"generated-by": "genointerp')
_HDF5 = b"\x89HDF"
_END_BYTES = 1 << 16
"""Bytes read at either end of a file, where its header or metadata lie."""
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NOT_OFFERED = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def temporary_name(path: Path, kind: str = "part") -> Path:
    """Return a new name in the same folder, with the process in it and the same suffix."""
    owner = f"{_HOST}-{os.getpid()}-{_PROCESS}{uuid.uuid4().hex[:6]}"
    return path.with_name(f".{path.name}.{owner}.{kind}{path.suffix}")


def left_behind(path: Path, kind: str = "part") -> list[Path]:
    """Return the temporaries of ``path`` that no process is writing any more."""
    name, suffix = re.escape(path.name), re.escape(path.suffix)
    pattern = re.compile(rf"\.{name}\.(?:(\w+)-(\d+)-)?([0-9a-f]+)\.{kind}{suffix}")
    try:
        entries = [entry.name for entry in os.scandir(path.parent)]
    except OSError:
        return []
    matches = [found for entry in entries if (found := pattern.fullmatch(entry))]
    return [
        path.with_name(found[0])
        for found in sorted(matches, key=lambda found: found[0])
        if _is_left(path.with_name(found[0]), *found.groups())
    ]


def exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step; do nothing and return False if the system does not offer that."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    names = os.fsencode(first), os.fsencode(second)
    if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_OFFERED:
        return False
    raise OSError(code, os.strerror(code), str(second))


def same_content(first: Path, second: Path) -> bool:
    """Return whether two files hold the same bytes, or two folders the same files."""
    if first.is_dir() and second.is_dir():
        names = sorted(path.name for path in first.iterdir())
        if names != sorted(path.name for path in second.iterdir()):
            return False
        return all(same_content(first / name, second / name) for name in names)
    if first.is_file() and second.is_file():
        return filecmp.cmp(first, second, shallow=False)
    return False


def metadata_path(path: Path) -> Path:
    """Return the path of the metadata of rows of text, where CSVW has a reader look for them."""
    return path.with_name(f"{path.name}-metadata.json")


def written_format(path: Path) -> str:
    """Return the format that is written in a table, a text or a figure of this package.

    For a text of a common format, such as BED, it says that this package made it. That of a file
    with metadata stands in these, and counts if they state the sha256 of its bytes. It is empty for
    anything else: folders, files of other programs, HDF5, and formats without a place for it.
    """
    if not path.is_file():
        return ""
    metadata = metadata_path(path)
    return _format_in(metadata if _describes(metadata, path) else path)


def _describes(metadata: Path, path: Path) -> bool:
    """Return whether metadata exist and state the sha256 of a file."""
    if not metadata.is_file():
        return False
    with path.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    return sha256.encode() in metadata.read_bytes()


def _format_in(path: Path) -> str:
    with path.open("rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(0)
        ends = handle.read(_END_BYTES)
        handle.seek(max(size - _END_BYTES, len(ends)))
        ends += handle.read()
    found = None if ends.startswith(_HDF5) else _FORMAT.search(ends)
    return found[0].decode() if found else ""


def follow_umask(path: Path) -> None:
    """Give files that a library made for their owner alone the mode that a new file has."""
    private = [file for file in _files(path) if file.stat().st_mode & 0o777 == 0o600]
    if not private:
        return
    trial = temporary_name(path, "mode")
    trial.touch()
    try:
        mode = trial.stat().st_mode & 0o777
    finally:
        trial.unlink()
    for file in private:
        file.chmod(mode)


def sync(path: Path) -> None:
    """Bring a file, or all files of a folder, from the memory of the system to the disk."""
    for file in _files(path):
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def remove(path: Path) -> None:
    """Remove a file or a whole folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]


def _is_left(path: Path, host: str | None, pid: str | None, token: str) -> bool:
    if host == _HOST and pid is not None:
        return not _is_at_work(int(pid), token)
    try:
        return time.time() - path.stat().st_mtime > _STALE_S
    except FileNotFoundError:
        return False


def _is_at_work(pid: int, token: str) -> bool:
    if pid == os.getpid():
        # in a container the next process often gets the number of the last
        return token.startswith(_PROCESS)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
