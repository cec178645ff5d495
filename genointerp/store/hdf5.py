"""Opening and making HDF5 files whose format is written in an attribute.

HDF5 reports a damaged file as OSError, KeyError or RuntimeError; here they become SchemaError. Upon
a full disk it cannot even close its file, and prints tracebacks as its objects die: therefore it
writes into a sink that remembers the first failure and accepts, and drops, all that comes after.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from genointerp.core.errors import GenointerpError, SchemaError, StorageError
from genointerp.core.files import atomic_path
from genointerp.core.provenance import Provenance

Attribute = str | int


@contextmanager
def open_checked(path: Path, format: str, version: int) -> Iterator[h5py.File]:
    """Open a file for reading, if it is of this format and of no newer version.

    Errors of HDF5 in the block, such as a missing dataset, become errors of the schema too.

    Raises
    ------
    SchemaError
        If there is no such file, or it is no HDF5, truncated, of another format or newer.
    """
    path = Path(path)
    expected = f"a {format} file"
    if not path.is_file():
        raise SchemaError(str(path), expected, "a folder" if path.is_dir() else "no file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise SchemaError(str(path), expected, _kind_of(path, error)) from error
    with file:
        try:
            _check_format(file, path, format, version)
            yield file
        except GenointerpError:
            raise
        except (OSError, KeyError, RuntimeError) as error:
            raise SchemaError(str(path), f"{expected} in one piece", _one_line(error)) from error


@contextmanager
def create(
    path: Path,
    format: str,
    version: int,
    provenance: Provenance,
    attributes: Mapping[str, Attribute],
) -> Iterator[h5py.File]:
    """Make a file under a temporary name; it gets its format and then its name at the end.

    Raises
    ------
    StorageError
        If it cannot be written, for example upon a full disk; what stood at ``path`` remains.
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
    """Turn what the system raises upon a failed write into StorageError, in one line."""
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
        found = "none" if value is None else repr(value)
        raise SchemaError(f"{file.filename}: attribute {name!r}", "a text", found)
    return value


def int_attribute(file: h5py.File, name: str) -> int:
    """Return a header attribute that must be an integer.

    Raises
    ------
    SchemaError
        If it is absent or of another type.
    """
    value = file.attrs.get(name)
    if not isinstance(value, int | np.integer):
        found = "none" if value is None else repr(value)
        raise SchemaError(f"{file.filename}: attribute {name!r}", "an integer", found)
    return int(value)


@contextmanager
def _sunk(path: Path) -> Iterator[h5py.File]:
    sink = _Sink(path)
    try:
        try:
            with h5py.File(sink, "w") as file:
                yield file
        except (OSError, RuntimeError):
            # a failed write, if there was one, is the cause of whatever HDF5 says later
            sink.check()
            raise
        sink.check()
    finally:
        sink.close()


class _Sink:
    """A file for h5py to write into, whose writes never fail; ``check`` raises what failed."""

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
    if found != format:
        what = "an HDF5 file without a format" if found is None else str(found)
        raise SchemaError(str(path), f"a {format} file", what)
    number = int_attribute(file, "format-version")
    if not 1 <= number <= version:
        raise SchemaError(str(path), f"{format} version 1 to {version}", f"version {number}")


def _kind_of(path: Path, error: OSError) -> str:
    if "truncated" in str(error):
        return "a truncated HDF5 file"
    if "signature" in str(error):
        return "an empty file" if path.stat().st_size == 0 else "no HDF5 file"
    return _one_line(error)


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return " ".join(error.strerror.split())
    return " ".join(str(error.args[0] if error.args else error).split())
