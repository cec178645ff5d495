"""Learn the features of two models together: read both, train a crosscoder, tag its features."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from genointerp.comparison.latents import is_repeated, tag_latents, with_repeats
from genointerp.comparison.latents_config import LatentsConfig
from genointerp.comparison.models import ModelSet, Role
from genointerp.core.nearest import unknown
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import spread_stretches
from genointerp.reading.harvest import HarvestConfig, has_site
from genointerp.reading.run import Wanted
from genointerp.sae.architecture.batch_topk_crosscoder import BatchTopKCrosscoder
from genointerp.sae.source import RowSource
from genointerp.sae.train import train_together

BLOCK = 16_384
"""Most bases of a stretch, both strands of which are trained on or held out together."""
LEAST_STRETCHES = 20
"""Fewest stretches; they are shorter where a genome is small."""
_ROWS = 8192
"""Rows that are encoded at once, all features of which are in memory."""
_PARTS = 1000


class _Read(NamedTuple):
    """Activations of all models on the same tokens, and the stretch of each row."""

    x: Float32[np.ndarray, "row d_all"]
    stretch: Int64[np.ndarray, " row"]


def learn_latents(
    models: ModelSet,
    genome: Genome,
    *,
    windows: HarvestConfig,
    config: LatentsConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> pd.DataFrame:
    """Train a crosscoder of the base with the tuned model, and one with the control; tag features.

    All models read the same windows, and nothing is rounded. Both crosscoders have the same
    settings, seeds and held-out stretches of the genome, and their features are measured on these.

    Parameters
    ----------
    windows
        Windows and strands; how values are stored has no meaning here.
    regions
        Regions to read; the whole genome if empty.
    progress
        Called with (parts done, in all): a thousand for reading, and for each pair of models.

    Returns
    -------
    DataFrame
        A row for each feature of each pair: `genointerp.store.table.schema.latents.LATENTS`.

    Raises
    ------
    InputError
        If there are too few bases to train on.
    UnknownNameError
        If the models have no such site.
    """
    config = LatentsConfig() if config is None else config
    site = models.spec.default_site if config.site is None else config.site
    if not has_site(models.spec, site):
        raise unknown("site", site, models.spec.sites)
    others: list[Role] = [role for role in models.by_role if role != "base"]
    n_steps = 1 + len(others)
    stretches = _stretches(list(regions) or genome.regions(genome), config.n_bases)
    read = _read(models, genome, site, windows, stretches, _part(progress, 0, n_steps))
    tables = [
        _latents_of(read, models, other, config, _part(progress, step, n_steps))
        for step, other in enumerate(others, 1)
    ]
    return pd.concat(tables, ignore_index=True)


def latents_in_words(table: pd.DataFrame | None) -> list[str]:
    """Return a line for each pair of models: how many features are of one alone, and rotated."""
    if table is None:
        return []
    lines = []
    for (first, second), own in table.groupby(["first", "second"], sort=False):
        counts = own["tag"].value_counts()
        alive = len(own) - int(counts.get("dead", 0)) - int(counts.get("rare", 0))
        text = (
            f"{first} and {second}: of {alive} features that fire often enough, "
            f"{counts.get('exclusive_second', 0)} of {second} alone, "
            f"{counts.get('exclusive_first', 0)} of {first} alone, "
            f"{counts.get('rotated', 0)} rotated"
        )
        if "repeat" in own:
            exclusive = own["tag"].str.startswith("exclusive")
            n_repeated = int((exclusive & is_repeated(own)).sum())
            text += f"; a second seed repeats {n_repeated} of the {int(exclusive.sum())} of one"
        lines.append(text)
    return lines


def _stretches(regions: Sequence[GenomicInterval], n_bases: int) -> list[GenomicInterval]:
    n_bases = min(n_bases, sum(region.length for region in regions))
    length = max(1, min(BLOCK, n_bases // LEAST_STRETCHES))
    found = spread_stretches(regions, n_bases=n_bases, length=length)
    return [
        replace(one, start=start, end=min(start + length, one.end))
        for one in found
        for start in range(one.start, one.end, length)
    ]


def _read(
    models: ModelSet,
    genome: Genome,
    site: str,
    windows: HarvestConfig,
    stretches: Sequence[GenomicInterval],
    progress: Progress,
) -> _Read:
    """Return the activations of all models, those of the base first, over stretches."""
    rows, of = [], []
    for number, stretch in enumerate(stretches):
        for passes in models.read(genome, Wanted((site,)), config=windows, regions=[stretch]):
            kept = [passes[role].kept(site) for role in models.by_role]
            for same in zip(*kept, strict=True):
                parts = [one.rows.float().cpu().numpy() for one in same]
                rows.append(np.concatenate(parts, axis=1))
                of.append(np.full(len(rows[-1]), number, dtype=np.int64))
        progress(number + 1, len(stretches))
    return _Read(np.concatenate(rows), np.concatenate(of))


def _latents_of(
    read: _Read, models: ModelSet, other: Role, config: LatentsConfig, progress: Progress
) -> pd.DataFrame:
    width, training = models.spec.d_site, config.training
    first = width * list(models.by_role).index(other)
    pair = np.concatenate([read.x[:, :width], read.x[:, first : first + width]], axis=1)
    source = RowSource(pair, block=read.stretch, widths=(width, width))
    seeds = range(training.seed, training.seed + config.n_seeds)
    found = train_together(
        source,
        [replace(training, init_seed=seed) for seed in seeds],
        metadata={},
        progress=progress,
    )
    tagged = []
    for result in found:
        assert isinstance(result.sae, BatchTopKCrosscoder)
        held_out = source.held_out(training.seed, eval_share=training.eval_share)
        tagged.append(tag_latents(result.sae, _in_batches(held_out)))
    table = with_repeats(tagged[0], tagged[1]) if len(tagged) > 1 else tagged[0].table
    table.insert(0, "first", "base")
    table.insert(1, "second", str(other))
    return table


def _in_batches(
    chunks: Iterator[Float32[np.ndarray, "_ d_row"]],
) -> Iterator[Float32[np.ndarray, "_n d_row"]]:
    return (rows[at : at + _ROWS] for rows in chunks for at in range(0, len(rows), _ROWS))


def _part(progress: Progress, number: int, n_steps: int) -> Progress:
    """Return a progress callback of one of several steps of equal weight."""

    def report(done: int, total: int) -> None:
        progress(number * _PARTS + _PARTS * done // max(total, 1), n_steps * _PARTS)

    return report
