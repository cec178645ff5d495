"""Write a bigWig in a separate process, which may crash without harm, and read it back.

``python -m genointerp.feature.bigwig_process FILE``; standard input holds the pickled contig
lengths and runs. The process ends with status 0 if the file holds them, and otherwise with one line
that says what it holds instead.
"""

import pickle
import struct
import sys
from pathlib import Path

import numpy as np
import pyBigWig

Runs = tuple[str, np.ndarray, np.ndarray, np.ndarray]
"""Contig, start, end and value of each run."""

_MAGIC = 0x888FFC26
_ZOOM_START, _ZOOM_SIZE = 64, 24
"""Position of the headers of the summaries, and bytes of each (bigWig specification)."""


def write(path: Path, lengths: dict[str, int], runs: list[Runs]) -> None:
    """Write runs, which must be sorted by contig and position."""
    file = pyBigWig.open(str(path), "w")
    file.addHeader(list(lengths.items()))
    for seqid, start, end, value in runs:
        file.addEntries(
            [seqid] * len(start), start.tolist(), ends=end.tolist(), values=value.tolist()
        )
    file.close()


def fault(path: Path, lengths: dict[str, int], runs: list[Runs]) -> str:
    """Return what is wrong with a file that should hold runs; empty if nothing is."""
    found = _fault_of_frame(path.read_bytes())
    if found:
        return found
    with pyBigWig.open(str(path)) as file:
        if dict(file.chroms()) != lengths:
            return "other contigs"
        for seqid, *columns in runs:
            start, end, value = (np.array(one) for one in zip(*file.intervals(seqid), strict=True))
            stored = columns[2].astype(np.float32)
            same = np.array_equal(start, columns[0]) and np.array_equal(end, columns[1])
            if not same or not np.array_equal(value.astype(np.float32), stored):
                return f"other values on {seqid}"
            # the summaries keep the greatest value
            if file.stats(seqid, 0, lengths[seqid], type="max") != [float(stored.max())]:
                return f"another summary of {seqid}"
    return ""


def _fault_of_frame(content: bytes) -> str:
    """Check what readers of the data do not look at: summaries, and the end of the file."""
    if len(content) < _ZOOM_START or struct.unpack("<I", content[-4:])[0] != _MAGIC:
        return "a file cut short"
    n_levels = struct.unpack_from("<H", content, 6)[0]
    if not n_levels:
        return "a file without summaries"
    for level in range(n_levels):
        place = _ZOOM_START + level * _ZOOM_SIZE
        _, _, data, index = struct.unpack_from("<IIQQ", content, place)
        if not 0 < data < index < len(content):
            return f"a file without its summary {level + 1}"
    return ""


def main() -> None:
    """Write what standard input holds, and exit with a message if the file does not hold it."""
    lengths, runs = pickle.loads(sys.stdin.buffer.read())
    path = Path(sys.argv[1])
    write(path, lengths, runs)
    sys.exit(fault(path, lengths, runs) or 0)


if __name__ == "__main__":
    main()
