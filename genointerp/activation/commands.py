"""From paths to harvest and fidelity: the public functions behind the two commands."""

import json
from collections.abc import Sequence
from pathlib import Path

from genointerp.activation.evaluation import evaluate_dictionary
from genointerp.activation.fidelity import Fidelity
from genointerp.activation.harvest import HarvestConfig
from genointerp.activation.parallel import ModelCopies, harvest_on
from genointerp.core.config import to_mapping
from genointerp.core.files import atomic_path, check_writable
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.interval import parse_region
from genointerp.genome.read import read_genome
from genointerp.model.protocol import DnaModel
from genointerp.store.activations import ActivationStore


def harvest_file(
    genome: Path,
    out: Path,
    copies: ModelCopies,
    *,
    site: str | None = None,
    regions: Sequence[str] = (),
    config: HarvestConfig | None = None,
    progress: Progress = silent,
) -> ActivationStore:
    """Harvest a genome file; see :func:`genointerp.activation.parallel.harvest_on`.

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
        regions=[parse_region(region, contigs.lengths) for region in regions],
        progress=progress,
    )


def evaluate_file(
    genome: Path,
    saes: Sequence[Path],
    out: Path,
    model: DnaModel,
    *,
    regions: Sequence[str] = (),
    config: HarvestConfig | None = None,
    progress: Progress = silent,
) -> Fidelity:
    """Measure a dictionary on a genome file, and write all figures as JSON.

    See :func:`genointerp.activation.evaluation.evaluate_dictionary`.

    Parameters
    ----------
    saes
        The dictionary, then those that it is to be compared with.
    """
    config = HarvestConfig() if config is None else config
    check_writable(out)
    contigs = read_genome(genome)
    found = evaluate_dictionary(
        model,
        contigs,
        saes[0],
        against=saes[1:],
        config=config,
        regions=[parse_region(region, contigs.lengths) for region in regions],
        progress=progress,
    )
    inputs = {
        "genome": contigs.sha256,
        "model": model.spec.sha256,
        "sae": sha256_file(saes[0] / "sae_weights.safetensors"),
    }
    settings = to_mapping(config) | {"regions": list(regions)}
    provenance = json.loads(Provenance(settings, inputs).as_json())
    with atomic_path(out) as temporary:
        text = json.dumps(found.as_mapping() | {"provenance": provenance}, indent=2)
        temporary.write_text(text + "\n")
    return found.fidelity
