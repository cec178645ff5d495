"""Which windows are held out of training: blocks of the genome, and no base on either strand.

Windows of the two strands are tiled from opposite ends, so that one strand's windows of a block
reach beyond the other's. What a held-out window overlaps is therefore not trained on either.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64

from genointerp.core.split import LEAST_BLOCKS
from genointerp.genome.interval import GenomicInterval


class Blocks(NamedTuple):
    """Windows grouped by where in the genome they lie.

    Parameters
    ----------
    n
        Number of blocks.
    of_windows
        Block of each window, an array for each set of windows.
    spans
        First base and end of each window on a line on which all contigs lie end to end, whatever
        the strand; likewise.
    """

    n: int
    of_windows: tuple[Int64[np.ndarray, " w"], ...]
    spans: tuple[Int64[np.ndarray, "w 2"], ...]

    def held_out(self, chosen: Bool[np.ndarray, " block"]) -> list[Bool[np.ndarray, " w"]]:
        """Return which windows of each set lie in the chosen blocks."""
        return [chosen[block] for block in self.of_windows]

    def to_train_on(self, chosen: Bool[np.ndarray, " block"]) -> list[Bool[np.ndarray, " w"]]:
        """Return which windows of each set share no base with one that is held out.

        The strand is not looked at: the other strand of a base tells nearly all of it.
        """
        spans = zip(self.spans, self.held_out(chosen), strict=True)
        first, end = np.concatenate([own[is_held_out] for own, is_held_out in spans]).T
        first, end = np.sort(first), np.sort(end)
        # held-out windows that begin before a window's end, and those that end before it begins
        return [
            np.searchsorted(first, own[:, 1], "left") == np.searchsorted(end, own[:, 0], "right")
            for own in self.spans
        ]


def window_blocks(
    windows: Sequence[tuple[str, Sequence[GenomicInterval]]], block_bp: int
) -> Blocks:
    """Group windows by the stretch of the genome in which their middle lies, whatever the strand.

    Parameters
    ----------
    windows
        Sets of windows, each with the sha256 of its genome: two sets may be of the same.
    block_bp
        Bases of a stretch, unless that makes fewer than `LEAST_BLOCKS`.
    """
    covered = sum(window.length for _, group in windows for window in group) // 2
    size = max(1, min(block_bp, covered // LEAST_BLOCKS))
    longest = max((window.end for _, group in windows for window in group), default=0)
    number: dict[tuple[str, str, int], int] = {}
    contigs: dict[tuple[str, str], int] = {}
    blocks, spans = [], []
    for genome, group in windows:
        keys = [(genome, it.seqid, (it.start + it.end) // 2 // size) for it in group]
        own = [number.setdefault(key, len(number)) for key in keys]
        before = [longest * contigs.setdefault(key[:2], len(contigs)) for key in keys]
        ends = [(at + it.start, at + it.end) for at, it in zip(before, group, strict=True)]
        blocks.append(np.array(own, dtype=np.int64))
        spans.append(np.array(ends, dtype=np.int64).reshape(-1, 2))
    return Blocks(len(number), tuple(blocks), tuple(spans))
