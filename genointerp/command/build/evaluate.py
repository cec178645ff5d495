"""`evaluate`: how well a dictionary stands for what its model computes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths, as_texts
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
from genointerp.reading.model_choice import AnyModel, loaded
from genointerp.sae.header import read_header
from genointerp.store.activation.store import ActivationStore


def evaluate(
    genome: StrPath,
    sae: StrPath,
    out: StrPath,
    model: AnyModel = "nano",
    *,
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
        FASTA or GenBank.
    sae
        Folder of the dictionary, or ``shipped:nano``.
    model
        A name, or a model that is loaded.
    against
        Dictionaries of the same site that it is compared with.
    region
        One region or several, samtools-style, 1-based and closed; empty for the whole genome.
    sample
        The losses are of so many bases on each strand, in windows spread evenly over the regions;
        of all of them where None.
    activations
        What the model computes on the genome, stored: FVU, L0 and dead share are then over every
        row of it, whatever the losses are of.
    config
        The windows, as for `harvest`.

    Raises
    ------
    ConfigError
        If the sample has no base.
    MismatchError
        If stored activations are of another genome, or of another model or site.

    Examples
    --------
    >>> import genointerp as gi
    >>> fidelity = gi.evaluate("genome.fa", "sae", "fidelity.json", "nano")  # doctest: +SKIP
    """
    if sample is not None and sample < 1:
        raise ConfigError("sample", "1 or more bases", str(sample))
    config = read_config(HarvestConfig, config)
    asked, others, sae, out = as_texts(region), as_paths(against), Path(sae), Path(out)
    check_writable(out)
    model = loaded(model)
    contigs = read_genome(genome)
    stored = None if activations is None else ActivationStore(activations)
    if stored is not None:
        own = Identity(str(genome), genome_sha256=contigs.sha256)
        own.check(stored.identity, "genome")
    whole = contigs.regions(asked or contigs)
    measured = whole
    if sample is not None:
        length = max(config.window - config.warmup - config.halo_for(model.spec), 1)
        measured = spread_stretches(whole, n_bases=sample, length=length)
    inputs = {"genome": contigs.sha256, "model": model.spec.sha256, **_digests(sae, others, stored)}
    n_whole = len(config.strands) * sum(region.length for region in whole)
    settings = to_mapping(config) | {"regions": list(asked), "sample": sample}
    provenance = json.loads(Provenance(settings, inputs).as_json())
    extent = {"n_bases_whole": n_whole, "sample": sample}
    with claiming(out, same=_is_evaluated(out, provenance)), atomic_path(out) as temporary:
        with progress_bar("evaluate (windows)", progress) as report:
            found = evaluate_dictionary(
                model,
                contigs,
                sae,
                against=others,
                config=config,
                regions=measured,
                progress=report,
            )
        if stored is not None:
            found = found.over(stored, sae)
        values = found.as_mapping() | extent | {"provenance": provenance}
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return found.fidelity


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
