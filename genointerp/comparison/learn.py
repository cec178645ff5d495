"""Learn the features of two models together: read both, train a crosscoder, tag its features."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.comparison.difference_latents import learn_differences
from genointerp.comparison.latents import is_repeated, tag_latents, with_repeats
from genointerp.comparison.latents_config import LatentsConfig
from genointerp.comparison.models import ModelSet, Role
from genointerp.comparison.rows import ModelRows, in_batches, read_rows
from genointerp.core.nearest import unknown
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.reading.harvest import HarvestConfig, has_site
from genointerp.sae.architecture.batch_topk_crosscoder import BatchTopKCrosscoder
from genointerp.sae.source import RowSource
from genointerp.sae.train import train_together


class Learned(NamedTuple):
    """Features that were learnt of two models, a row for each feature of each pair.

    Parameters
    ----------
    latents
        Of crosscoders: `genointerp.store.table.schema.latents.LATENTS`.
    differences
        Of their baseline, dictionaries of the differences:
        `genointerp.store.table.schema.latents.DIFFERENCE_LATENTS`.
    """

    latents: pd.DataFrame
    differences: pd.DataFrame


def learn_latents(
    models: ModelSet,
    genome: Genome,
    *,
    windows: HarvestConfig,
    config: LatentsConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> Learned:
    """Train a crosscoder of the base with the tuned model, and one with the control; tag features.

    Next to each a dictionary of the difference of the two models is trained.

    All models read the same windows, and nothing is rounded. Both crosscoders have the same
    settings, seeds and held-out stretches of the genome, and their features are measured on these.

    Parameters
    ----------
    windows
        Windows and strands; how values are stored has no meaning here.
    regions
        Regions to read; the whole genome if empty.
    progress
        Called with (parts done, in all): a thousand for reading, and for each training.

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
    n_steps = 1 + 2 * len(others)
    read = read_rows(
        models,
        genome,
        site,
        windows=windows,
        regions=regions,
        n_bases=config.n_bases,
        progress=_part(progress, 0, n_steps),
    )
    latents, differences = [], []
    for step, other in enumerate(others):
        first = _part(progress, 1 + 2 * step, n_steps)
        second = _part(progress, 2 + 2 * step, n_steps)
        latents.append(_latents_of(read, other, config, first))
        differences.append(learn_differences(read, other, genome, config=config, progress=second))
    return Learned(pd.concat(latents, ignore_index=True), pd.concat(differences, ignore_index=True))


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


def _latents_of(
    read: ModelRows, other: Role, config: LatentsConfig, progress: Progress
) -> pd.DataFrame:
    training, base = config.training, read.of("base")
    pair = np.concatenate([base, read.of(other)], axis=1)
    source = RowSource(pair, block=read.stretch, widths=(base.shape[1], base.shape[1]))
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
        tagged.append(tag_latents(result.sae, in_batches(held_out)))
    table = with_repeats(tagged[0], tagged[1]) if len(tagged) > 1 else tagged[0].table
    table.insert(0, "first", "base")
    table.insert(1, "second", str(other))
    return table


def _part(progress: Progress, number: int, n_steps: int) -> Progress:
    """Return a progress callback of one of several steps of equal weight."""

    def report(done: int, total: int) -> None:
        progress(number * _PARTS + _PARTS * done // max(total, 1), n_steps * _PARTS)

    return report


_PARTS = 1000
