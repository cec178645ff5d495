"""Checksums of a features file, which detect damage.

Each tile has a CRC-32 of its offsets, rows and values as they are stored, and the sum of their
words, which readers compare. Each feature has a sum over its hits, since a feature is read in one
slice of each tile. The file has a sha256 of everything else, including these checksums.
"""

from collections.abc import Iterable

import numpy as np

SUMS = "feature_sum"
TILE_SUMS = "tiles/word_sum"

# The first two are odd and the last is even, so a flipped bit of a row or of a value changes the
# sum by an odd number times a power of two below 2^64, which is never 0.
_ROW, _VALUE, _BOTH = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xC2B2AE3D27D4EB4F),
    np.uint64(0x165667B19E3779F8),
)
LARGE = ("tiles/feature_offset", "hits/row", "hits/value")
"""Endings of the paths of the datasets that the checksums of tiles and features cover."""


def word_sum(columns: Iterable[np.ndarray]) -> int:
    """Return the sum, modulo 2^64, of the 8-byte words of columns, each padded with zeros.

    Any flipped bit changes it. It takes a sixth of the time of a CRC-32, for which every query
    would have to wait.
    """
    total = 0
    for column in columns:
        content = np.ascontiguousarray(column).view(np.uint8)
        n_whole = len(content) // 8 * 8
        total += int(content[:n_whole].view("<u8").sum(dtype=np.uint64))
        total += int.from_bytes(content[n_whole:].tobytes(), "little")
    return total % (1 << 64)


def hit_sums(row: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the term, modulo 2^64, that each hit adds to the sum of its feature.

    Parameters
    ----------
    row
        Global row of each hit.
    value
        Activation of each hit as it is stored, in float16.

    Notes
    -----
    The term is ``(r + 1) (a + c b) + d b``, with the row ``r``, the bits ``b`` of the value, odd
    ``a`` and ``d``, and even ``c``.
    """
    bits = value.view(np.uint16).astype(np.uint64)
    place = row.astype(np.uint64)
    place += np.uint64(1)
    place *= _BOTH * bits + _ROW
    bits *= _VALUE
    place += bits
    return place


def add_sums(sums: np.ndarray, first: int, tile: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Add the hits of a tile to the sums of the features.

    Parameters
    ----------
    first
        First row of the tile.
    tile
        Columns ``row``, ``value`` and ``feature_offset`` of the tile.
    """
    row, value, offset = tile
    if not len(row):
        return
    fires = np.flatnonzero(np.diff(offset))
    each = hit_sums(row.astype(np.int64) + first, value)
    sums[fires] += np.add.reduceat(each, offset[fires].astype(np.int64))
