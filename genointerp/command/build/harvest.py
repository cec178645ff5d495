"""`harvest`: what a model computes on a genome, into an activations file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from genointerp.core.arguments import StrPath, as_texts
from genointerp.core.config import read_config
from genointerp.core.files import check_writable
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, progress_bar
from genointerp.genome.read import read_genome
from genointerp.reading.harvest import HarvestConfig, HarvestPlan
from genointerp.reading.model_choice import AnyModel, loader_of
from genointerp.reading.parallel import ModelCopies, harvest_on
from genointerp.sae.header import read_header
from genointerp.store.activation.store import ActivationStore


def harvest(
    genome: StrPath,
    out: StrPath,
    model: AnyModel | ModelCopies = "nano",
    *,
    site: str | None = None,
    region: str | Iterable[str] = (),
    window: int | None = None,
    warmup: int | None = None,
    batch: int | None = None,
    chunk: int | None = None,
    config: HarvestConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> ActivationStore:
    """Run a model over a genome, both strands, and store its activations at one site.

    What is there of the file already is not computed again: a harvest that was stopped goes on.
    Errors are those of :func:`genointerp.reading.parallel.harvest_on`.

    Parameters
    ----------
    genome
        FASTA or GenBank.
    out
        The activations file (.h5).
    model
        A name that `genointerp.models` lists, a folder or a hub repository; a model that is loaded;
        or copies of one on several devices.
    site
        Where in the model, such as ``blocks.5``; its default where None.
    region
        One region or several, samtools-style, 1-based and closed; empty for the whole genome.
    window, warmup, batch, chunk
        Bases read in one pass, and how many of the first are discarded; windows in one call of the
        model; tokens that a causal model reads at once. They replace the values of ``config``.
    config
        Windows and how values are stored: a mapping such as ``{"strands": ["+"]}``, or YAML.

    Examples
    --------
    >>> import genointerp as gi
    >>> store = gi.harvest("genome.fa", "activations.h5", "nano")  # doctest: +SKIP
    """
    contigs = read_genome(genome)
    settings = read_config(HarvestConfig, config)
    with progress_bar("harvest (bases)", progress) as report:
        return harvest_on(
            _copies(model, site),
            contigs,
            site=site,
            out=Path(out),
            config=settings.with_windows(window, warmup, batch=batch, chunk=chunk),
            regions=contigs.regions(as_texts(region)),
            progress=report,
        )


def plan_harvest(
    genome: StrPath,
    out: StrPath,
    model: AnyModel | ModelCopies = "nano",
    *,
    site: str | None = None,
    region: str | Iterable[str] = (),
    config: HarvestConfig | Mapping[str, Any] | StrPath | None = None,
    sae: StrPath | None = None,
) -> HarvestPlan:
    """Load the model and return what a harvest of a genome file would do, without doing it.

    Other parameters and errors are those of :func:`harvest`.

    Parameters
    ----------
    sae
        Folder of the dictionary that shall encode what is harvested, or ``shipped:nano``.

    Raises
    ------
    MismatchError
        If the dictionary is of another model or site.
    """
    check_writable(Path(out))
    contigs = read_genome(genome)
    copies = _copies(model, site)
    spec = copies.load(device=copies.devices[0]).spec
    plan = HarvestPlan(
        spec,
        contigs,
        spec.default_site if site is None else site,
        read_config(HarvestConfig, config),
        tuple(contigs.regions(as_texts(region))),
    )
    plan.check()
    if sae is not None:
        name, sha256 = spec.dictionaries_of
        found = Identity(spec.name, model=name, model_sha256=sha256, site=plan.site)
        read_header(sae).identity.check(found, "model", "site")
    return plan


def _copies(model: AnyModel | ModelCopies, site: str | None) -> ModelCopies:
    return model if isinstance(model, ModelCopies) else ModelCopies(loader_of(model, up_to=site))
