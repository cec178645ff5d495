"""From paths to harvest, fidelity and ablation: the public functions behind the commands."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from genointerp.activation.ablation import AblationConfig, ablate_features
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
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ABLATION
from genointerp.store.tables import check_table_path, write_table


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


def ablate_file(
    genome: Path,
    sae: Path,
    features: Path,
    out: Path,
    model: DnaModel,
    *,
    names: Sequence[str] = (),
    regions: Sequence[str] = (),
    config: AblationConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Ablate features of a genome file, write the table and return it.

    See :func:`genointerp.activation.ablation.ablate_features`.

    Parameters
    ----------
    names
        Numbers or names of features; all where empty.
    """
    config = AblationConfig() if config is None else config
    check_table_path(out)
    contigs = read_genome(genome)
    store = FeatureStore(features)
    table = ablate_features(
        model,
        contigs,
        sae,
        store,
        features=[store.find_feature(name) for name in names],
        config=config,
        regions=[parse_region(region, contigs.lengths) for region in regions],
        progress=progress,
    )
    inputs = {
        "genome": contigs.sha256,
        "model": model.spec.sha256,
        "sae": store.header.sae_sha256,
        "features": store.sha256,
    }
    settings = to_mapping(config) | {"regions": list(regions), "features": list(names)}
    write_table(table, out, ABLATION, Provenance(settings, inputs))
    return table
