"""Answers that were paid for, so that none is paid twice: a log for all, and an index of it.

The log is append-only, a line of JSON for each call, and is the truth: a reply has been paid and
kept once its line is complete; ``docs/schema/replies-v1.md`` specifies it. The SQLite file is an
index, which is brought up to date from the log when it is opened, and can be deleted.
"""

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from genointerp.core.errors import SchemaError, StorageError
from genointerp.labelling.endpoint.answer import Answer

EntryKind = Literal["answer", "refused", "lost"]

_TABLES = """
CREATE TABLE IF NOT EXISTS entry (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, answer TEXT NOT NULL, n_bytes INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, is_measured INTEGER NOT NULL,
    cost REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
_FORMAT = {"format": "genointerp::replies", "format-version": 1}
_KINDS = ("answer", "refused", "lost")
_WAIT_S = 60.0


@dataclass(frozen=True)
class Entry:
    """One call in the log.

    Parameters
    ----------
    id
        Key of the request; of a lost call, one of its own.
    kind
        ``answer``; ``refused``, which costs nothing; ``lost``, a call that may have been paid.
    n_bytes
        Bytes of the texts of the request; 0 if tokens are not to be estimated from it.
    tokens_in, tokens_out
        Tokens, as the server counts, or as estimated if it does not.
    is_measured
        Whether the server counted.
    cost
        In the currency of the configuration.
    """

    id: str
    kind: EntryKind
    answer: Answer
    n_bytes: int
    tokens_in: int
    tokens_out: int
    is_measured: bool
    cost: float


@dataclass(frozen=True)
class Spent:
    """Sums over all calls of a log.

    Parameters
    ----------
    n_bytes_measured, tokens_in_measured, tokens_out_measured, n_measured
        Bytes and tokens of the calls that a server counted, and their number, without the probe.
    n_answered
        Number of the calls that were answered, without the probe.
    """

    tokens: int = 0
    cost: float = 0.0
    n_bytes_measured: int = 0
    tokens_in_measured: int = 0
    tokens_out_measured: int = 0
    n_measured: int = 0
    n_answered: int = 0


class Ledger:
    """The log and its index, open until `close`; several threads and processes may share them.

    Parameters
    ----------
    path
        The index; the log has the same name with the suffix ``.jsonl``.
    is_read_only
        Whether nothing is made where there is no log.

    Raises
    ------
    StorageError
        If one of the files cannot be written.
    SchemaError
        If one of them is none of ours.
    """

    def __init__(self, path: Path, *, is_read_only: bool = False) -> None:
        self.path, self.log = path, path.with_suffix(".jsonl")
        self._lock = threading.Lock()
        if is_read_only and not self.log.exists():
            self._index = sqlite3.connect(":memory:", check_same_thread=False)
            self._index.executescript(_TABLES)
            return
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._index = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False)
        try:
            with self._held() as log, self._index:
                self._index.executescript(_TABLES)
                self._catch_up(log)
        except BaseException:
            self._index.close()
            raise

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def find(self, key: str) -> tuple[EntryKind, Answer] | None:
        """Return what was answered to a request; None if it never was."""
        with self._lock, _writing(self.path):
            row = self._index.execute(
                "SELECT kind, answer FROM entry WHERE id = ?", (key,)
            ).fetchone()
        return None if row is None else (row[0], Answer(**json.loads(row[1])))

    def spent(self) -> Spent:
        """Return the sums over all calls."""
        sums = (
            "SELECT total(tokens_in + tokens_out), total(cost), total(n * n_bytes),"
            " total(n * tokens_in), total(n * tokens_out), total(n),"
            " total(kind = 'answer' AND n_bytes > 0)"
            " FROM (SELECT *, is_measured AND n_bytes > 0 AS n FROM entry)"
        )
        with self._lock, _writing(self.path):
            tokens, cost, *numbers = self._index.execute(sums).fetchone()
        return Spent(int(tokens), float(cost), *(int(it) for it in numbers))

    def keep(self, entry: Entry, said: Mapping[str, Any]) -> None:
        """Append a call to the log, and to the index.

        Parameters
        ----------
        said
            What the log has besides, for people: the request, the address, the version of the
            prompt.
        """
        line = {**_as_line(entry), **said}
        text = json.dumps(line, ensure_ascii=True) + "\n"
        with self._held() as log:
            size = os.fstat(log).st_size
            try:
                _write_all(log, text.encode("ascii"))
                os.fsync(log)
            except OSError:
                # what is incomplete would hide what follows
                os.ftruncate(log, size)
                raise
            with self._index:
                self._add(entry)

    @contextmanager
    def _held(self) -> Iterator[int]:
        """Open the log for this thread and process alone."""
        with self._lock, _writing(self.log):
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            log = os.open(self.log, flags, 0o666)
            try:
                fcntl.flock(log, fcntl.LOCK_EX)
                yield log
            finally:
                os.close(log)

    def _catch_up(self, log: int) -> None:
        """Add to the index what is in the log alone: a process was killed between the two."""
        row = self._index.execute("SELECT value FROM state WHERE name = 'n_read'").fetchone()
        size = os.fstat(log).st_size
        begin = row[0] if row is not None and row[0] <= size else 0
        with os.fdopen(os.dup(log), "rb") as file:
            file.seek(begin)
            for line in file:
                if not line.endswith(b"\n"):
                    # a process was killed while it wrote
                    os.ftruncate(log, begin)
                    break
                self._add(_of_line(line, f"{self.log}: byte {begin:,}"))
                begin += len(line)
        self._index.execute("INSERT OR REPLACE INTO state VALUES ('n_read', ?)", (begin,))

    def _add(self, entry: Entry) -> None:
        row = (
            entry.id, entry.kind, json.dumps(entry.answer.as_json()), entry.n_bytes,
            entry.tokens_in, entry.tokens_out, int(entry.is_measured), entry.cost,
        )  # fmt: skip
        self._index.execute("INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _as_line(entry: Entry) -> dict[str, Any]:
    names = ("id", "kind", "n_bytes", "tokens_in", "tokens_out", "is_measured", "cost")
    own = {name: getattr(entry, name) for name in names}
    return _FORMAT | own | {"answer": entry.answer.as_json()}


def _of_line(line: bytes, where: str) -> Entry:
    try:
        values = json.loads(line)
        entry = Entry(
            id=str(values["id"]),
            kind=values["kind"],
            answer=Answer(**values["answer"]),
            n_bytes=int(values["n_bytes"]),
            tokens_in=int(values["tokens_in"]),
            tokens_out=int(values["tokens_out"]),
            is_measured=bool(values["is_measured"]),
            cost=float(values["cost"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise SchemaError(where, "a line of a log of replies", "another text") from error
    found = {name: values.get(name) for name in _FORMAT}
    if found != _FORMAT or entry.kind not in _KINDS:
        expected = f"{' '.join(map(str, _FORMAT.values()))}, a kind among {', '.join(_KINDS)}"
        raise SchemaError(where, expected, f"{found}, {entry.kind!r}")
    return entry


def _write_all(file: int, data: bytes) -> None:
    # a disk that is nearly full takes a part, and refuses the rest
    while data:
        data = data[os.write(file, data) :]


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the errors of the system and of SQLite into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"{path}: expected to write the index of replies, found: {error}"
            " (all that was answered before is kept)"
        ) from error
    except sqlite3.DatabaseError as error:
        expected = "an index of replies (delete it: it is made again from the log beside it)"
        raise SchemaError(str(path), expected, str(error)) from error
    except StorageError:
        raise
    except OSError as error:
        found = error.strerror or str(error)
        raise StorageError(
            f"{path}: expected to write the log of replies, found: {found}"
            " (all that was answered before is kept)"
        ) from error
