"""From paths to harvest, fidelity and ablation: the public functions behind the commands."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
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
from genointerp.genome.read import read_genome
from genointerp.model.protocol import DnaModel
from genointerp.store.activations import ActivationStore
from genointerp.store.belonging import check_dictionary
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ABLATION, CANDIDATES
from genointerp.store.tables import check_table_path, read_table, write_table


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
        regions=contigs.regions(regions),
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
        regions=contigs.regions(regions),
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


@dataclass(frozen=True)
class AblationFiles:
    """What an ablation reads.

    Parameters
    ----------
    genome
        FASTA or GenBank.
    sae
        Folder of the dictionary.
    features
        Of the genome under it.
    candidates
        A table of candidates of the dictionary, whose first are ablated.
    """

    genome: Path
    sae: Path
    features: Path
    candidates: Path | None = None

    def wanted(self, names: Sequence[str], top: int) -> list[int]:
        """Return the features of some numbers or names, then the first of the candidates.

        Raises
        ------
        MismatchError
            If the candidates are of another dictionary.
        """
        store = FeatureStore(self.features)
        found = [store.find_feature(name) for name in names]
        if self.candidates is not None:
            check_dictionary(self.candidates, CANDIDATES, store)
            table = read_table(self.candidates, CANDIDATES).sort_values("rank")
            found += [int(feature) for feature in table["feature"][:top]]
        return list(dict.fromkeys(found))


def ablate_file(
    files: AblationFiles,
    out: Path,
    model: DnaModel,
    *,
    names: Sequence[str] = (),
    config: AblationConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Ablate features of a genome file, write the table and return it.

    See :func:`genointerp.activation.ablation.ablate_features`.

    Parameters
    ----------
    names
        Numbers or names of features, beside those of the candidates; all where there are neither.
    """
    config = AblationConfig() if config is None else config
    check_table_path(out)
    contigs = read_genome(files.genome)
    store = FeatureStore(files.features)
    table = ablate_features(
        model,
        contigs,
        files.sae,
        store,
        features=files.wanted(names, config.top),
        config=config,
        progress=progress,
    )
    inputs = {
        "genome": contigs.sha256,
        "model": model.spec.sha256,
        "sae": store.header.sae_sha256,
        "features": store.sha256,
    }
    if files.candidates is not None:
        inputs["candidates"] = sha256_file(files.candidates)
    settings = to_mapping(config) | {"features": list(names)}
    write_table(table, out, ABLATION, Provenance(settings, inputs))
    return table
