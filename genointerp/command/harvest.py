"""From paths to harvest, fidelity and ablation: the public functions behind the commands."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.core.files import check_writable
from genointerp.core.progress import Progress, silent
from genointerp.genome.read import read_genome
from genointerp.reading.harvest import HarvestConfig, HarvestPlan
from genointerp.reading.parallel import ModelCopies, harvest_on
from genointerp.store.activation.store import ActivationStore


def harvest(
    genome: Path,
    out: Path,
    copies: ModelCopies,
    *,
    site: str | None = None,
    regions: Sequence[str] = (),
    config: HarvestConfig | None = None,
    progress: Progress = silent,
) -> ActivationStore:
    """Harvest a genome file; see :func:`genointerp.reading.parallel.harvest_on`.

    Parameters
    ----------
    regions
        Samtools-style, 1-based and closed; the whole genome where empty.
    """
    contigs = read_genome(genome)
    return harvest_on(
        copies,
        contigs,
        site=site,
        out=out,
        config=config,
        regions=contigs.regions(regions),
        progress=progress,
    )


def plan_harvest(
    genome: Path,
    out: Path,
    copies: ModelCopies,
    *,
    site: str | None = None,
    regions: Sequence[str] = (),
    config: HarvestConfig | None = None,
) -> HarvestPlan:
    """Load the model and return what a harvest of a genome file would do, without doing it.

    Parameters and errors are those of :func:`harvest`.
    """
    check_writable(out)
    contigs = read_genome(genome)
    spec = copies.load(device=copies.devices[0]).spec
    plan = HarvestPlan(
        spec,
        contigs,
        spec.default_site if site is None else site,
        HarvestConfig() if config is None else config,
        tuple(contigs.regions(regions)),
    )
    plan.check()
    return plan
