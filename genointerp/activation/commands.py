"""From paths to harvest, fidelity and ablation: the public functions behind the commands."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.activation.ablation import AblationConfig, ablate_features
from genointerp.activation.evaluation import evaluate_dictionary
from genointerp.activation.fidelity import Fidelity
from genointerp.activation.harvest import HarvestConfig, HarvestPlan
from genointerp.activation.parallel import ModelCopies, harvest_on
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, check_writable, claiming, read_json_object
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.interval import parse_region
from genointerp.genome.read import read_genome
from genointerp.model.protocol import DnaModel
from genointerp.store.activations import ActivationStore
from genointerp.store.belonging import check_dictionary
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ABLATION, CANDIDATES
from genointerp.store.tables import check_table_path, is_table_of, read_table, write_table


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


def plan_file(
    genome: Path,
    out: Path,
    copies: ModelCopies,
    *,
    site: str | None = None,
    regions: Sequence[str] = (),
    config: HarvestConfig | None = None,
) -> HarvestPlan:
    """Load the model and return what a harvest of a genome file would do, without doing it.

    Parameters and errors are those of :func:`harvest_file`.
    """
    check_writable(out)
    contigs = read_genome(genome)
    spec = copies.load(device=copies.devices[0]).spec
    plan = HarvestPlan(
        spec,
        contigs,
        spec.default_site if site is None else site,
        HarvestConfig() if config is None else config,
        tuple(parse_region(region, contigs.lengths) for region in regions),
    )
    plan.check()
    return plan


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
    inputs = {
        "genome": contigs.sha256,
        "model": model.spec.sha256,
        "sae": sha256_file(saes[0] / "sae_weights.safetensors"),
    }
    settings = to_mapping(config) | {"regions": list(regions)}
    provenance = json.loads(Provenance(settings, inputs).as_json())
    with claiming(out, same=_is_evaluated(out, provenance)), atomic_path(out) as temporary:
        found = evaluate_dictionary(
            model,
            contigs,
            saes[0],
            against=saes[1:],
            config=config,
            regions=[parse_region(region, contigs.lengths) for region in regions],
            progress=progress,
        )
        text = json.dumps(found.as_mapping() | {"provenance": provenance}, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
    return found.fidelity


def _is_evaluated(out: Path, provenance: dict[str, Any]) -> bool:
    try:
        return read_json_object(out, error=InputError).get("provenance") == provenance
    except InputError:
        return False


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
    inputs = {
        "genome": contigs.sha256,
        "model": model.spec.sha256,
        "sae": store.header.sae_sha256,
        "features": store.sha256,
    }
    if files.candidates is not None:
        inputs["candidates"] = sha256_file(files.candidates)
    settings = to_mapping(config) | {"features": list(names)}
    provenance = Provenance(settings, inputs)
    with claiming(out, same=is_table_of(out, ABLATION, provenance)):
        table = ablate_features(
            model,
            contigs,
            files.sae,
            store,
            features=files.wanted(names, config.top),
            config=config,
            progress=progress,
        )
        write_table(table, out, ABLATION, provenance)
    return table
