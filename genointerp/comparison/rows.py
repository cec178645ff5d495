"""Activations of all models of a comparison on the same tokens, in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from genointerp.comparison.models import ModelSet, Role
from genointerp.core.progress import Progress
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import spread_stretches
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted

BLOCK = 16_384
"""Most bases of a stretch, both strands of which are trained on or held out together."""
LEAST_STRETCHES = 20
"""Fewest stretches; they are shorter where a genome is small."""
_ROWS = 8192
"""Rows that are encoded at once, all features of which are in memory."""


class ModelRows(NamedTuple):
    """Activations of all models on the same tokens, and the stretch of each row.

    Parameters
    ----------
    x
        A row for each token, which joins the activations of the models in their order.
    stretch
        Number of the stretch of each row.
    windows, window, last_base
        Bases that were kept of each window, with the strand that is read, the window of each row,
        and the last base of its token, counted from the first base of the window in that direction.
    """

    x: Float32[np.ndarray, "row d_all"]
    stretch: Int64[np.ndarray, " row"]
    roles: tuple[Role, ...]
    windows: tuple[GenomicInterval, ...]
    window: Int64[np.ndarray, " row"]
    last_base: Int64[np.ndarray, " row"]

    def of(self, role: Role) -> Float32[np.ndarray, "row d_site"]:
        """Return the activations of one model."""
        width = self.x.shape[1] // len(self.roles)
        first = width * self.roles.index(role)
        return self.x[:, first : first + width]

    def place(self, row: int) -> GenomicInterval:
        """Return the last base of the token of a row, on the strand that is read."""
        kept, offset = self.windows[self.window[row]], int(self.last_base[row])
        start = kept.start + offset if kept.strand == "+" else kept.end - 1 - offset
        return GenomicInterval(kept.seqid, start, start + 1, kept.strand)


def read_rows(
    models: ModelSet,
    genome: Genome,
    site: str,
    *,
    windows: HarvestConfig,
    regions: Sequence[GenomicInterval],
    n_bases: int,
    progress: Progress,
) -> ModelRows:
    """Read stretches that are spread over regions, ``n_bases`` of each strand at most.

    Parameters
    ----------
    regions
        Regions to read; the whole genome if empty.
    progress
        Called with (stretches read, in all).
    """
    stretches = _stretches(list(regions) or genome.regions(genome), n_bases)
    rows, of, kept_bases, last = [], [], list[GenomicInterval](), []
    for number, stretch in enumerate(stretches):
        for passes in models.read(genome, Wanted((site,)), config=windows, regions=[stretch]):
            kept = [passes[role].kept(site) for role in models.by_role]
            for same in zip(*kept, strict=True):
                parts = [one.rows.float().cpu().numpy() for one in same]
                rows.append(np.concatenate(parts, axis=1))
                of.append(np.full(len(rows[-1]), number, dtype=np.int64))
                kept_bases.append(same[0].tokens.window.kept)
                last.append(np.cumsum(same[0].n_kept, dtype=np.int64) - 1)
        progress(number + 1, len(stretches))
    return ModelRows(
        np.concatenate(rows),
        np.concatenate(of),
        tuple(models.by_role),
        tuple(kept_bases),
        np.repeat(np.arange(len(last), dtype=np.int64), [len(it) for it in last]),
        np.concatenate(last),
    )


def in_batches(
    chunks: Iterator[Float32[np.ndarray, "_ d_row"]],
) -> Iterator[Float32[np.ndarray, "_n d_row"]]:
    """Yield rows in batches of which all features fit in memory."""
    return (rows[at : at + _ROWS] for rows in chunks for at in range(0, len(rows), _ROWS))


def _stretches(regions: Sequence[GenomicInterval], n_bases: int) -> list[GenomicInterval]:
    n_bases = min(n_bases, sum(region.length for region in regions))
    length = max(1, min(BLOCK, n_bases // LEAST_STRETCHES))
    found = spread_stretches(regions, n_bases=n_bases, length=length)
    return [
        replace(one, start=start, end=min(start + length, one.end))
        for one in found
        for start in range(one.start, one.end, length)
    ]
