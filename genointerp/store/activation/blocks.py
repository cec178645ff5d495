"""Choose the windows to hold out of training: whole blocks of the genome, on both strands.

The two strands are tiled from opposite ends, so in a block, the windows of one strand reach beyond
those of the other. Windows that overlap a held-out one are therefore not trained on either.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64

from genointerp.core.split import LEAST_BLOCKS
from genointerp.genome.interval import GenomicInterval


class Blocks(NamedTuple):
    """Windows grouped by their place in the genome.

    Parameters
    ----------
    n
        Number of blocks.
    of_windows
        Block of each window, one array for each set of windows.
    spans
        First base and end of each window, on a line on which all contigs are laid end to end,
        regardless of strand; one array for each set of windows.
    """

    n: int
    of_windows: tuple[Int64[np.ndarray, " w"], ...]
    spans: tuple[Int64[np.ndarray, "w 2"], ...]

    def held_out(self, chosen: Bool[np.ndarray, " block"]) -> list[Bool[np.ndarray, " w"]]:
        """Say which windows of each set are in the chosen blocks."""
        return [chosen[block] for block in self.of_windows]

    def to_train_on(self, chosen: Bool[np.ndarray, " block"]) -> list[Bool[np.ndarray, " w"]]:
        """Say which windows of each set share no base with a held-out window.

        The strand is ignored, since the other strand of a base reveals nearly all of it.
        """
        spans = zip(self.spans, self.held_out(chosen), strict=True)
        first, end = np.concatenate([own[is_held_out] for own, is_held_out in spans]).T
        first, end = np.sort(first), np.sort(end)
        # no overlap if as many held-out windows begin before its end as end before its beginning
        return [
            np.searchsorted(first, own[:, 1], "left") == np.searchsorted(end, own[:, 0], "right")
            for own in self.spans
        ]


def window_blocks(
    windows: Sequence[tuple[str, Sequence[GenomicInterval]]], block_bp: int
) -> Blocks:
    """Group windows by the stretch of the genome that holds their middle, regardless of strand.

    Parameters
    ----------
    windows
        Sets of windows, each with the sha256 of its genome; two sets may be of the same genome.
    block_bp
        Bases of a stretch; fewer if there would be less than `LEAST_BLOCKS` stretches.
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
