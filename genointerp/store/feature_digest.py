"""Checksums of a features file, with which bit rot is found.

Each tile has a CRC-32 over its offsets, rows and values as they are stored; the file has a sha256
over everything else, those CRCs included.
"""

import hashlib
import zlib

import h5py
import numpy as np

CONTENTS = "contents-sha256"
_OF_TILES = ("tiles/feature_offset", "hits/row", "hits/value")
_NOT_CONTENTS = (CONTENTS, "format", "format-version", "creation-date")


def tile_crc32(offset: np.ndarray, row: np.ndarray, value: np.ndarray) -> int:
    """Return the CRC-32 of a tile, over the bytes of its three columns one after the other."""
    crc = 0
    for column in (offset, row, value):
        crc = zlib.crc32(np.ascontiguousarray(column).data.cast("B"), crc)
    return crc


def contents_sha256(file: h5py.File) -> str:
    """Return the sha256 over attributes and small datasets, in the order of their names.

    Of an attribute, ``name=value`` and a line end; of a dataset, its name, a line end and its
    bytes, texts joined by line ends.
    """
    digest = hashlib.sha256()
    for name in sorted(set(file.attrs) - set(_NOT_CONTENTS)):
        digest.update(f"{name}={file.attrs[name]}\n".encode())
    for name in sorted(_datasets(file)):
        data = file[name]
        is_text = h5py.check_string_dtype(data.dtype) is not None
        digest.update(f"{name}\n".encode())
        digest.update("\n".join(data.asstr()[:]).encode() if is_text else data[:].tobytes())
    return digest.hexdigest()


def _datasets(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, item: found.append(name) if hasattr(item, "dtype") else None)
    return [name for name in found if not name.endswith(_OF_TILES)]
