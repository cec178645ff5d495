"""From paths to harvest, fidelity and ablation: the public functions behind the commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.core.config import to_mapping
from genointerp.core.files import claiming
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.read import read_genome
from genointerp.intervention.ablation import AblationConfig, ablate_features
from genointerp.model.protocol import DnaModel
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schemas import ABLATION, CANDIDATES
from genointerp.store.table.table import check_table_path, is_table_of, read_table, write_table


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
            store.identity.check(table_identity(self.candidates, CANDIDATES), "dictionary")
            table = read_table(self.candidates, CANDIDATES).sort_values("rank")
            found += [int(feature) for feature in table["feature"][:top]]
        return list(dict.fromkeys(found))


def ablate(
    files: AblationFiles,
    out: Path,
    model: DnaModel,
    *,
    names: Sequence[str] = (),
    config: AblationConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Ablate features of a genome file, write the table and return it.

    See :func:`genointerp.intervention.ablation.ablate_features`.

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
