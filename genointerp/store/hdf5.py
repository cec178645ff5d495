"""Open and make HDF5 files whose format is in an attribute.

HDF5 and h5py report a damaged file by any of a dozen exceptions, which become a SchemaError here.
If the disk is full, h5py cannot even close its file, and prints tracebacks when its objects are
deleted. It therefore writes into a sink that remembers the first failure, and accepts and drops
everything after it.
"""

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from genointerp.core.errors import GenointerpError, SchemaError, StorageError
from genointerp.core.files import atomic_path, kind_of_place
from genointerp.core.provenance import Provenance
from genointerp.core.text import one_line

Attribute = str | int

TEXT = "text"
"""Name of the type of a dataset of texts."""

_DAMAGE = (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, MemoryError)
"""Classes of errors that h5py and numpy raise for a damaged file."""

_MOST = (1 << 31) - 1


@contextmanager
def open_checked(path: Path, format: str, version: int) -> Iterator[h5py.File]:
    """Open a file for reading, if it is of this format and not of a newer version.

    Errors of HDF5 in the ``with`` block, such as a missing dataset, become a SchemaError too.

    Raises
    ------
    SchemaError
        If there is no such file, it is not HDF5, it is truncated, or its format is another one or
        of a newer version.
    """
    path = Path(path)
    expected = f"a {format} file"
    if not path.is_file():
        raise SchemaError(str(path), expected, kind_of_place(path))
    try:
        file = h5py.File(path, "r")
    except _DAMAGE as error:
        raise SchemaError(str(path), expected, _kind_of(path, error)) from error
    with file:
        try:
            _check_format(file, path, format, version)
            yield file
        except GenointerpError:
            raise
        except _DAMAGE as error:
            raise SchemaError(str(path), f"{expected} in one piece", _one_line(error)) from error


@contextmanager
def create(
    path: Path,
    format: str,
    version: int,
    provenance: Provenance,
    attributes: Mapping[str, Attribute],
) -> Iterator[h5py.File]:
    """Make a file under a temporary name; at the end it gets its format and then its name.

    Raises
    ------
    StorageError
        If it cannot be written, for example on a full disk; an older file at ``path`` remains.
    """
    with writing(path), atomic_path(path) as temporary, _sunk(temporary) as file:
        file.attrs["provenance"] = provenance.as_json()
        file.attrs["generated-by"] = provenance.generated_by
        for name, value in attributes.items():
            file.attrs[name] = value
        yield file
        file.attrs["format-version"] = version
        file.attrs["format"] = format


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the system on a failed write into a StorageError, in one line."""
    try:
        yield
    except GenointerpError:
        raise
    except OSError as error:
        raise StorageError(
            f"{path}: expected to write the file, found {_one_line(error)}"
        ) from error


def text_attribute(file: h5py.File, name: str) -> str:
    """Return a header attribute that must be a text.

    Raises
    ------
    SchemaError
        If it is absent or of another type.
    """
    value = file.attrs.get(name)
    if not isinstance(value, str):
        raise SchemaError(f"{file.filename}: attribute {name!r}", "a text", _shown(value))
    return value


def int_attribute(file: h5py.File, name: str, least: int = 1, most: int = _MOST) -> int:
    """Return a header attribute that must be an integer from ``least`` to ``most``.

    Raises
    ------
    SchemaError
        If it is absent, of another type or out of range.
    """
    value = file.attrs.get(name)
    where = f"{file.filename}: attribute {name!r}"
    if not isinstance(value, int | np.integer):
        raise SchemaError(where, "an integer", _shown(value))
    if not least <= value <= most:
        raise SchemaError(where, f"an integer from {least} to {most}", str(value))
    return int(value)


def checked_dataset(
    parent: h5py.Group, name: str, kind: str | np.dtype[Any], shape: tuple[int | None, ...]
) -> h5py.Dataset:
    """Return a dataset, after checking its type and shape and that it is stored in the file.

    Parameters
    ----------
    name
        Path below ``parent``.
    kind
        Expected type, by its name in numpy; ``TEXT`` for texts.
    shape
        Expected shape, in which None stands for any number.

    Raises
    ------
    SchemaError
        If there is no such dataset, it is of another type or shape, or it is a link, a view of
        other datasets, or stored in another file.
    """
    where = f"{filename_of(parent)}: {parent.name.rstrip('/')}/{name}".replace(": /", ": ")
    holder, parts = parent.id, name.split("/")
    for number, part in enumerate(parts, start=1):
        _check_link(holder, part, where)
        if number < len(parts):
            holder = h5py.h5g.open(holder, part.encode())
    found = h5py.h5o.open(holder, parts[-1].encode())
    if not isinstance(found, h5py.h5d.DatasetID):
        raise SchemaError(where, "a dataset", "a group or a type")
    _check_type(found, kind, where)
    if len(found.shape) != len(shape) or any(
        wanted not in (None, n) for wanted, n in zip(shape, found.shape, strict=True)
    ):
        raise SchemaError(where, f"shape {str(shape).replace('None', 'any')}", str(found.shape))
    _check_stored(found, where)
    return h5py.Dataset(found)


def filename_of(parent: h5py.Group) -> str:
    """Return the name of the file that a group is in."""
    return os.fsdecode(h5py.h5f.get_name(parent.id))


def _check_link(holder: h5py.h5g.GroupID, name: str, where: str) -> None:
    # h5py's high-level interface takes ten times longer, whenever a file is opened
    if not holder.links.exists(name.encode()):
        raise SchemaError(where, "a dataset of the file itself", "none")
    if holder.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise SchemaError(where, "a dataset of the file itself", "a link to another place")


def _check_type(found: h5py.h5d.DatasetID, kind: str | np.dtype[Any], where: str) -> None:
    is_text = h5py.check_string_dtype(found.dtype) is not None
    if is_text != (kind == TEXT) or not (is_text or found.dtype == np.dtype(kind)):
        expected = "texts" if kind == TEXT else str(np.dtype(kind))
        raise SchemaError(where, f"a dataset of {expected}", str(found.dtype))


def _check_stored(found: h5py.h5d.DatasetID, where: str) -> None:
    """Refuse data stored elsewhere, or a shape without data, which could fill any memory."""
    how = found.get_create_plist()
    if how.get_layout() == h5py.h5d.VIRTUAL or how.get_external_count():
        raise SchemaError(where, "a dataset of the file itself", "a view of other data")
    size = math.prod(found.shape)
    if not size:
        return
    if how.get_layout() == h5py.h5d.CHUNKED:
        chunks = zip(found.shape, how.get_chunk(), strict=True)
        is_stored = found.get_num_chunks() == math.prod(-(-n // m) for n, m in chunks)
    else:
        is_stored = found.get_storage_size() >= size * found.dtype.itemsize
    if not is_stored:
        raise SchemaError(where, f"{size} stored values", "fewer")


@contextmanager
def _sunk(path: Path) -> Iterator[h5py.File]:
    sink = _Sink(path)
    try:
        try:
            with h5py.File(sink, "w") as file:
                yield file
        except (OSError, RuntimeError):
            # a failed write, if there was one, is the cause of any later error of HDF5
            sink.check()
            raise
        sink.check()
    finally:
        sink.close()


class _Sink:
    """A file for h5py whose writes never fail; ``check`` raises the first error, if any."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._file.close()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def write(self, data: Any) -> int:  # noqa: ANN401
        view = memoryview(data).cast("B")
        done = 0
        while self._error is None and done < len(view):
            try:
                done += self._file.write(view[done:])
            except OSError as error:
                self._error = error
        return len(view)

    def readinto(self, data: Any) -> int:  # noqa: ANN401
        view = memoryview(data).cast("B")
        done = self._file.readinto(view)
        view[done:] = bytes(len(view) - done)
        return len(view)

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def truncate(self, size: int) -> int:
        if self._error is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self._error = error
        return size

    def flush(self) -> None:
        """Do nothing: the file has no buffer."""


def _check_format(file: h5py.File, path: Path, format: str, version: int) -> None:
    found = file.attrs.get("format")
    if not isinstance(found, str) or found != format:
        what = found if isinstance(found, str) else "an HDF5 file without a format"
        raise SchemaError(str(path), f"a {format} file", what)
    number = int_attribute(file, "format-version", least=0)
    if not 1 <= number <= version:
        raise SchemaError(str(path), f"{format} version 1 to {version}", f"version {number}")


def _kind_of(path: Path, error: Exception) -> str:
    if "truncated" in str(error):
        return "a truncated HDF5 file"
    if "signature" in str(error):
        return "an empty file" if path.stat().st_size == 0 else "no HDF5 file"
    return _one_line(error)


def _shown(value: object) -> str:
    return "none" if value is None else one_line(repr(value))[:80]


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror)
    if isinstance(error, MemoryError):
        return "more values than fit in memory"
    return one_line(error.args[0] if error.args else error)
