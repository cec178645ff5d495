"""Reading with errors that say where; atomic writing: a file has its name only when complete.

One rule for every output: what stands at its name is replaced by the same content, and a table, a
figure or a text of this package by a newer one of its format, together with what was written next
to it under the same name.
Anything else is replaced only where `replacing` says so, which is ``--force`` on the command line.
"""

import json
import os
import select
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

from genointerp.core.errors import InputError, StorageError
from genointerp.core.exchange import (
    exchange,
    follow_umask,
    left_behind,
    metadata_path,
    remove,
    same_content,
    sync,
    temporary_name,
    written_format,
)
from genointerp.core.parsing import parse_json

PIPE_WAIT_S = 10.0
"""Seconds after which a silent named pipe counts as one into which nobody writes."""

_UNNAMED = ("/dev/fd/", "/dev/stdin", "/proc/")
"""Where a shell puts the pipes that it makes: somebody will write into them, even if late."""


@contextmanager
def reading(path: Path, *, error: type[InputError]) -> Iterator[None]:
    """Turn the system's error of a failed read of ``path`` into an error of the input."""
    try:
        yield
    except OSError as problem:
        found = {FileNotFoundError: "no file", IsADirectoryError: "a folder"}
        reason = found.get(type(problem), problem.strerror or str(problem))
        raise error(str(path), "a file that can be read", reason) from problem


def check_is_file(path: Path, *, error: type[InputError]) -> None:
    """Refuse a pipe or a device, for which a library would wait or which it would read without end.

    Parameters
    ----------
    error
        Raised where there is no file of this name that can be read.
    """
    with reading(path, error=error):
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise error(str(path), "a file that can be read", kind_of_place(path))
        Path(path).open("rb").close()


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
    """Refuse what can be read only once or has no end: a pipe, a device or a socket."""
    with reading(path, error=error):
        mode = Path(path).stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise error(str(path), "a file that can be read more than once", kind_of_place(path))


def read_text(path: Path, *, error: type[InputError]) -> str:
    """Return the text of an input file.

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
    """Refuse a place where no file can be made, before hours of work; make its folder.

    Raises
    ------
    StorageError
        If ``path`` is a folder, or nothing can be written next to it.
    """
    path = Path(path)
    _check_kind(path, folder=False)
    _make_parent(path)
    tidy(path)
    trial = temporary_name(path)
    try:
        trial.touch()
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        remove(trial)


def read_json_object(path: Path, *, error: type[InputError]) -> dict[str, Any]:
    """Return the keys and values of an input file that is one JSON object.

    Parameters
    ----------
    error
        Raised where the file cannot be read or holds anything else.
    """
    check_is_file(path, error=error)
    values = parse_json(read_text(path, error=error), where=str(path), error=error)
    if not isinstance(values, dict):
        raise error(str(path), "a JSON object", type(values).__name__)
    return values


@contextmanager
def replacing() -> Iterator[None]:
    """Let the outputs of the block replace files that differ from them.

    This is ``--force``, and what a writer says of a file that is its own state, such as a
    checkpoint.
    """
    token = _REPLACING.set(True)
    try:
        yield
    finally:
        _REPLACING.reset(token)


def may_replace() -> bool:
    """Return whether the caller runs inside `replacing`."""
    return _REPLACING.get()


def check_replaceable(path: Path, *, same: bool) -> None:
    """Refuse an output that would replace something else.

    Parameters
    ----------
    same
        Whether what stands there is known to be the same: made from the same inputs with the same
        settings, or of the same bytes.

    Raises
    ------
    StorageError
        If something stands there that is neither the same nor empty, outside of `replacing`.
    """
    if same or _REPLACING.get() or not _holds_something(path):
        return
    found = "a folder with other content" if path.is_dir() else "a file of other content"
    raise StorageError(
        f"{path}: expected nothing, or the same result, in its place; found {found} "
        "(--force replaces it)"
    )


@contextmanager
def claiming(path: Path, *, same: bool) -> Iterator[None]:
    """Refuse an output before the work as `check_replaceable` does; replace an equal one.

    Without it an output is compared when it is complete, which for hours of work is late, and by
    its bytes, which on some devices differ from run to run.
    """
    check_replaceable(path, same=same)
    with replacing() if same else nullcontext():
        yield


@contextmanager
def together() -> Iterator[None]:
    """Give the outputs that are written inside the block their names at its end, all or none.

    Nothing is renamed until every one is complete and may replace what stands there. What a kill
    interrupts between two names is completed at the next start.

    Raises
    ------
    StorageError
        As `atomic_path`.
    """
    if _GROUP.get() is not None:
        yield
        return
    group = _Group()
    token = _GROUP.set(group)
    try:
        yield
        group.commit()
    finally:
        _GROUP.reset(token)
        for temporary in group.temporaries:
            remove(temporary)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name next to ``path``; rename it to ``path`` when the block succeeds.

    The block may make a file or a directory there. If it raises, the temporary is removed and
    whatever stood at ``path`` is untouched. What stands there is replaced by the same content, a
    table or a figure of this package by a newer one of the same format, and anything else inside
    `replacing` alone; a directory is replaced whole, in one step where the
    system offers it. What is written inside the block beside ``path``, such as an index, gets its
    name together with it. What a killed process left of an earlier attempt is removed.

    Raises
    ------
    StorageError
        If the operating system refuses to write, for example upon a full disk, or something else
        stands at ``path``.
    """
    path = Path(path)
    group = _GROUP.get()
    _make_parent(path)
    if group is not None and group.is_building(path):
        # what fails here is told by the name of the folder
        yield path
        return
    if path.is_symlink() and path.is_dir():
        path = path.resolve()
    _check_kind(path, folder=path.is_dir())
    tidy(path)
    temporary = temporary_name(path)
    with together(), _failing(path):
        own = _GROUP.get()
        assert own is not None
        own.temporaries.append(temporary)
        yield temporary
        own.finished.append((temporary, path))


def tidy(path: Path) -> None:
    """Complete or remove what a killed process left of an earlier attempt to write ``path``."""
    for journal in left_behind(path.with_name(_JOURNAL), "commit"):
        _complete(journal)
    for old in left_behind(path, "old"):
        if path.exists():
            remove(old)
        else:
            old.rename(path)
    for part in left_behind(path):
        remove(part)


_JOURNAL = "genointerp"
_REPLACING: ContextVar[bool] = ContextVar("replacing", default=False)


@dataclass
class _Group:
    """Outputs that get their names together.

    Parameters
    ----------
    temporaries
        All that were begun.
    finished
        Those that are complete, each with its name.
    """

    temporaries: list[Path] = field(default_factory=list)
    finished: list[tuple[Path, Path]] = field(default_factory=list)

    def is_building(self, path: Path) -> bool:
        """Return whether a path lies inside a folder that does not have its final name yet."""
        return any(path.is_relative_to(temporary) for temporary in self.temporaries)

    def commit(self) -> None:
        anew = [path for temporary, path in self.finished if self._is_made_anew(temporary, path)]
        for temporary, path in self.finished:
            with _failing(path):
                _check_kind(path, folder=temporary.is_dir())
                follow_umask(temporary)
                sync(temporary)
                beside = path.is_file() and any(path.name.startswith(it.stem) for it in anew)
                is_own = path in anew or beside
                check_replaceable(path, same=is_own or same_content(temporary, path))
        if len(self.finished) < 2:
            _rename(self.finished)
            return
        journal = temporary_name(self.finished[0][1].with_name(_JOURNAL), "commit")
        with _failing(journal):
            # after an exchange the temporary name holds what was replaced: the number tells
            steps = [
                (str(temporary.absolute()), temporary.stat().st_ino, str(path.absolute()))
                for temporary, path in self.finished
            ]
            journal.write_text(json.dumps(steps), encoding="utf-8")
            sync(journal)
        try:
            _rename(self.finished)
        finally:
            remove(journal)

    def _is_made_anew(self, temporary: Path, path: Path) -> bool:
        """Return whether an output replaces an older one of this package in the same format.

        Of a folder, whether the older one holds nothing but tables and figures of this package.
        """
        if temporary.is_dir() and path.is_dir():
            held = [it for it in path.rglob("*") if not it.is_dir()]
            return bool(held) and all(written_format(it) for it in held)
        metadata = [it for it, other in self.finished if other == metadata_path(path)]
        made = written_format(metadata[0] if metadata else temporary)
        return made != "" and made == written_format(path)


_GROUP: ContextVar[_Group | None] = ContextVar("group", default=None)


def _rename(finished: Sequence[tuple[Path, Path]]) -> None:
    for temporary, path in finished:
        with _failing(path):
            _replace(temporary, path)


def _complete(journal: Path) -> None:
    """Finish the renaming that a process had begun when it was killed."""
    try:
        steps = [
            (Path(temporary), number, Path(path))
            for temporary, number, path in json.loads(journal.read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError, TypeError):
        # killed while writing it: then no name had been given
        steps = []
    for temporary, number, path in steps:
        # another process may complete the same journal at this moment
        with suppress(FileNotFoundError):
            if temporary.stat().st_ino == number:
                _rename([(temporary, path)])
    remove(journal)


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, FileNotFoundError | StorageError) or error.errno is None:
            raise
        raise StorageError(f"{path}: expected to write the file, found {error.strerror}") from error


def _check_kind(path: Path, *, folder: bool) -> None:
    if not path.exists() or (path.is_dir() if folder else path.is_file()):
        return
    expected = "the name of a folder" if folder else "the name of a file to write"
    found = "a folder" if path.is_dir() else "a file" if path.is_file() else "a device or a pipe"
    raise StorageError(f"{path}: expected {expected}, found {found}")


def _holds_something(path: Path) -> bool:
    if path.is_dir():
        return any(path.iterdir())
    return path.exists() and path.stat().st_size > 0


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


def _unwritable(path: Path, error: OSError) -> StorageError:
    reason = "a file where a folder must be" if path.parent.is_file() else error.strerror
    return StorageError(f"{path}: expected a writable place, found {reason}")


def _replace(temporary: Path, path: Path) -> None:
    if not path.is_dir():
        temporary.replace(path)
    elif exchange(temporary, path):
        remove(temporary)
    else:
        # two steps, which `tidy` completes after a kill between them
        old = temporary_name(path, "old")
        path.rename(old)
        temporary.rename(path)
        remove(old)
