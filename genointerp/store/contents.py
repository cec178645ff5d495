"""Checksums of an HDF5 file: CRC-32 of pieces of large datasets, and a sha256 of all else."""

import hashlib
import zlib
from collections.abc import Iterable

import h5py
import numpy as np

from genointerp.core.errors import SchemaError
from genointerp.store.hdf5 import text_attribute

CONTENTS = "contents-sha256"
_NOT_CONTENTS = (CONTENTS, "format", "format-version", "creation-date")


def crc32_of(columns: Iterable[np.ndarray], crc: int = 0) -> int:
    """Return the CRC-32 of the bytes of columns, one after the other.

    Parameters
    ----------
    crc
        CRC-32 of the bytes before them.
    """
    for column in columns:
        crc = zlib.crc32(np.ascontiguousarray(column).data.cast("B"), crc)
    return crc


def contents_sha256(file: h5py.File, large: tuple[str, ...]) -> str:
    """Return the sha256 of attributes and small datasets, in the order of their names.

    An attribute enters as ``name=value`` and a line end; a dataset as its name, a line end and its
    bytes, where texts are joined by line ends.

    Parameters
    ----------
    large
        Endings of the paths of the datasets to leave out.
    """
    digest = hashlib.sha256()
    for name in sorted(set(file.attrs) - set(_NOT_CONTENTS)):
        digest.update(f"{name}={file.attrs[name]}\n".encode())
    for name, data in sorted(_datasets(file, large)):
        digest.update(name + b"\n")
        digest.update(_bytes_of(data))
    return digest.hexdigest()


def check_contents(file: h5py.File, large: tuple[str, ...]) -> None:
    """Refuse a file whose attributes or small datasets changed after they were written.

    Raises
    ------
    SchemaError
        If their sha256 is not the one in the file.
    """
    expected, found = text_attribute(file, CONTENTS), contents_sha256(file, large)
    if found != expected:
        raise SchemaError(f"{file.filename}: {CONTENTS}", expected[:12], found[:12])


def _datasets(file: h5py.File, large: tuple[str, ...]) -> list[tuple[bytes, h5py.h5d.DatasetID]]:
    names: list[bytes] = []
    # only the names, since h5py's own walk makes an object of each, which takes ten times longer
    h5py.h5o.visit(file.id, names.append)
    opened = [(name, h5py.h5o.open(file.id, name)) for name in names]
    return [
        (name, item)
        for name, item in opened
        if isinstance(item, h5py.h5d.DatasetID) and not name.decode().endswith(large)
    ]


def _bytes_of(data: h5py.h5d.DatasetID) -> bytes:
    if h5py.check_string_dtype(data.dtype) is not None:
        return "\n".join(h5py.Dataset(data).asstr()[:]).encode()
    values = np.empty(data.shape, data.dtype)
    if values.size:
        data.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
    return values.tobytes()
