"""From paths to harvest, fidelity and ablation: the public functions behind the commands."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genointerp.core.config import to_mapping
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.files import atomic_path, check_writable, claiming, read_json_object
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.read import read_genome
from genointerp.genome.windows import spread_stretches
from genointerp.model.protocol import DnaModel
from genointerp.reading.evaluation import evaluate_dictionary
from genointerp.reading.fidelity import Fidelity
from genointerp.reading.harvest import HarvestConfig
from genointerp.store.activation.store import ActivationStore


@dataclass(frozen=True)
class MeasuredBases:
    """What a dictionary is measured on.

    Parameters
    ----------
    regions
        Samtools-style, 1-based and closed; the whole genome where empty.
    sample
        The losses are of so many bases on each strand, in windows spread evenly over the regions;
        of all of them where None.
    activations
        What the model computes on the genome, stored: FVU, L0 and dead share are then over every
        row of it, whatever the losses are of.
    """

    regions: tuple[str, ...] = ()
    sample: int | None = None
    activations: Path | None = None

    def __post_init__(self) -> None:
        if self.sample is not None and self.sample < 1:
            raise ConfigError("sample", "1 or more bases", str(self.sample))


def evaluate(
    genome: Path,
    saes: Sequence[Path],
    out: Path,
    model: DnaModel,
    *,
    on: MeasuredBases | None = None,
    config: HarvestConfig | None = None,
    progress: Progress = silent,
) -> Fidelity:
    """Measure a dictionary on a genome file, and write all figures as JSON.

    See :func:`genointerp.reading.evaluation.evaluate_dictionary`.

    Parameters
    ----------
    saes
        The dictionary, then those that it is to be compared with.

    Raises
    ------
    MismatchError
        If stored activations are of another genome, or of another model or site.
    """
    config = HarvestConfig() if config is None else config
    on = MeasuredBases() if on is None else on
    check_writable(out)
    contigs = read_genome(genome)
    stored = None if on.activations is None else ActivationStore(on.activations)
    if stored is not None:
        own = Identity(str(genome), genome_sha256=contigs.sha256)
        own.check(stored.identity, "genome")
    whole = contigs.regions(on.regions or contigs)
    regions = whole
    if on.sample is not None:
        length = max(config.window - config.warmup - config.halo_for(model.spec), 1)
        regions = spread_stretches(whole, n_bases=on.sample, length=length)
    inputs = {
        "genome": contigs.sha256,
        "model": model.spec.sha256,
        "sae": sha256_file(saes[0] / "sae_weights.safetensors"),
    }
    for index, other in enumerate(saes[1:]):
        inputs[f"against-{index}"] = sha256_file(other / "sae_weights.safetensors")
    if stored is not None:
        inputs["activations"] = stored.sha256
    n_whole = len(config.strands) * sum(region.length for region in whole)
    settings = to_mapping(config) | {"regions": list(on.regions), "sample": on.sample}
    provenance = json.loads(Provenance(settings, inputs).as_json())
    extent = {"n_bases_whole": n_whole, "sample": on.sample}
    with claiming(out, same=_is_evaluated(out, provenance)), atomic_path(out) as temporary:
        found = evaluate_dictionary(
            model,
            contigs,
            saes[0],
            against=saes[1:],
            config=config,
            regions=regions,
            progress=progress,
        )
        if stored is not None:
            found = found.over(stored, saes[0])
        values = found.as_mapping() | extent | {"provenance": provenance}
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return found.fidelity


def _is_evaluated(out: Path, provenance: dict[str, Any]) -> bool:
    try:
        return read_json_object(out, error=InputError).get("provenance") == provenance
    except InputError:
        return False
