"""`evaluate`: how well a dictionary stands for what its model computes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths, as_texts, is_run
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.files import atomic_path, check_writable, claiming, read_json_object
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance
from genointerp.genome.read import read_genome
from genointerp.genome.windows import spread_stretches
from genointerp.reading.evaluation import evaluate_dictionary
from genointerp.reading.fidelity import Fidelity
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.model_choice import AnyModel, RecordedModel, loaded_or_recorded
from genointerp.sae.header import read_header
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.run_folder import RunFolder


def evaluate(
    genome: StrPath,
    out: StrPath,
    model: AnyModel | RecordedModel | None = None,
    *,
    sae: StrPath | None = None,
    against: OneOrMorePaths = (),
    region: str | Iterable[str] = (),
    sample: int | None = None,
    activations: StrPath | None = None,
    config: HarvestConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> Fidelity:
    """Measure a dictionary in its model, by itself and against others; write all figures as JSON.

    See :func:`genointerp.reading.evaluation.evaluate_dictionary`.

    Parameters
    ----------
    genome
        FASTA or GenBank; or a run directory, whose configuration says on which genome, on what of
        it and in which windows its dictionary is measured, as far as nothing else is given here.
    out
        The JSON file.
    model
        A name, or a model that is loaded; where None, the one that the dictionary is of.
    sae
        Folder of the dictionary, or ``shipped:nano``; a run has its own.
    against
        Dictionaries of the same site that it is compared with.
    region
        One region or several, samtools-style, 1-based and closed; empty for the whole genome.
    sample
        The losses are of so many bases on each strand, in windows spread evenly over the regions;
        of all of them where None, unless a run says how many.
    activations
        What the model computes on the genome, stored: FVU, L0 and dead share are then over every
        row of it, whatever the losses are of. A run has its own.
    config
        The windows, as for `harvest`.

    Raises
    ------
    ConfigError
        If the sample has no base.
    InputError
        If the dictionary or the model is not known.
    MismatchError
        If stored activations are of another genome, or of another model or site.

    Examples
    --------
    >>> import genointerp as gi
    >>> fidelity = gi.evaluate("results/demo", "fidelity.json")  # doctest: +SKIP
    """
    if sample is not None and sample < 1:
        raise ConfigError("sample", "1 or more bases", str(sample))
    given = _Given(Path(genome), as_path(sae), as_texts(region), sample, as_path(activations))
    asked = given.of_run(RunFolder.open(genome)) if is_run(genome) else given
    settings = _windows(genome, config)
    others, out = as_paths(against), Path(out)
    check_writable(out)
    contigs, own = read_genome(asked.genome), asked.needs_sae()
    model = loaded_or_recorded(model, genome if is_run(genome) else own)
    stored = None if asked.activations is None else ActivationStore(asked.activations)
    if stored is not None:
        Identity(str(asked.genome), genome_sha256=contigs.sha256).check(stored.identity, "genome")
    whole = contigs.regions(asked.regions or contigs)
    measured = whole
    if asked.sample is not None:
        length = max(settings.window - settings.warmup - settings.halo_for(model.spec), 1)
        measured = spread_stretches(whole, n_bases=asked.sample, length=length)
    inputs = {"genome": contigs.sha256, "model": model.spec.sha256, **_digests(own, others, stored)}
    n_whole = len(settings.strands) * sum(region.length for region in whole)
    said = to_mapping(settings) | {"regions": list(asked.regions), "sample": asked.sample}
    provenance = json.loads(Provenance(said, inputs).as_json())
    extent = {"n_bases_whole": n_whole, "sample": asked.sample}
    with claiming(out, same=_is_evaluated(out, provenance)), atomic_path(out) as temporary:
        with progress_bar("evaluate (windows)", progress) as report:
            found = evaluate_dictionary(
                model,
                contigs,
                own,
                against=others,
                config=settings,
                regions=measured,
                progress=report,
            )
        if stored is not None:
            found = found.over(stored, own, of_parent=model.spec.of_parent)
        values = found.as_mapping() | extent | {"provenance": provenance}
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return found.fidelity


@dataclass(frozen=True)
class _Given:
    """What is measured, as far as it was said."""

    genome: Path
    sae: Path | None
    regions: tuple[str, ...]
    sample: int | None
    activations: Path | None

    def of_run(self, run: RunFolder) -> "_Given":
        """Return what a run measures, where nothing else was said."""
        name, fidelity = run.measured, run.config.get("fidelity") or {}
        files, entry = run.genomes[name], run.config["genomes"][name]
        stored = files.activations if files.activations.is_file() else None
        return _Given(
            files.sequence,
            self.sae or run.sae,
            self.regions or tuple(fidelity.get("regions", entry.get("regions", ()))),
            fidelity.get("sample") if self.sample is None else self.sample,
            self.activations or stored,
        )

    def needs_sae(self) -> Path:
        """Return the folder of the dictionary, which must be known."""
        if self.sae is None:
            expected = "the folder of a dictionary, or a run directory in place of the genome"
            raise InputError("sae", expected, "none")
        return self.sae


def _windows(
    genome: StrPath, config: HarvestConfig | Mapping[str, Any] | StrPath | None
) -> HarvestConfig:
    """Return the windows that are given; what a mapping leaves out is as a run reads."""
    if not is_run(genome) or not (config is None or isinstance(config, Mapping)):
        return read_config(HarvestConfig, config)
    own = dict(RunFolder.open(genome).config.get("windows") or {})
    # a window that is harvested in chunks is too long for one pass, which is what losses take
    keys = {"batch": "batch"} | (
        {} if own.get("chunk") else {"length": "window", "warmup": "warmup"}
    )
    read = {name: own[key] for key, name in keys.items() if key in own}
    return read_config(HarvestConfig, {**read, **(config or {})})


def _digests(sae: Path, others: Sequence[Path], stored: ActivationStore | None) -> dict[str, str]:
    """Return the sha256 of dictionaries and activations, by the role that provenance gives them."""
    digests = {"sae": read_header(sae).sha256}
    digests |= {f"against-{i}": read_header(other).sha256 for i, other in enumerate(others)}
    return digests if stored is None else digests | {"activations": stored.sha256}


def _is_evaluated(out: Path, provenance: dict[str, Any]) -> bool:
    try:
        return read_json_object(out, error=InputError).get("provenance") == provenance
    except InputError:
        return False
