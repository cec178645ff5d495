"""`ablate`: what the model loses without each feature."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.core.arguments import FeatureName, StrPath, as_features, as_path
from genointerp.core.config import read_config, to_mapping
from genointerp.core.files import claiming
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.read import read_genome
from genointerp.intervention.ablation import AblationConfig, ablate_features
from genointerp.reading.model_choice import AnyModel, loaded
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.candidate import ABLATION, CANDIDATES
from genointerp.store.table.table import check_table_path, is_table_of, read_table, write_table


def ablate(
    genome: StrPath,
    sae: StrPath,
    features: StrPath,
    out: StrPath,
    model: AnyModel = "nano",
    *,
    feature: FeatureName | Iterable[FeatureName] = (),
    candidates: StrPath | None = None,
    config: AblationConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure what the model loses without each feature; write the table and return it.

    See :func:`genointerp.intervention.ablation.ablate_features`.

    Parameters
    ----------
    genome
        FASTA or GenBank.
    sae
        Folder of the dictionary, or ``shipped:nano``.
    features
        Of the genome under it.
    out
        .tsv, .csv, .parquet or .json.
    model
        A name, or a model that is loaded.
    feature
        By number or name; those of the candidates follow. All where there are neither.
    candidates
        A table of candidates of the dictionary, whose first are ablated.
    config
        Windows, regions and what is compared with: a mapping such as ``{"n_windows": 4}``, or YAML.

    Raises
    ------
    MismatchError
        If the candidates are of another dictionary.

    Examples
    --------
    >>> import genointerp as gi
    >>> table = gi.ablate(
    ...     "genome.fa", "sae", "features.h5", "ablation.tsv", "nano", feature=[3, 323]
    ... )  # doctest: +SKIP
    """
    config, out = read_config(AblationConfig, config), Path(out)
    names, ranked = as_features(feature), as_path(candidates)
    check_table_path(out)
    model = loaded(model)
    contigs = read_genome(genome)
    store = FeatureStore(features)
    inputs = {
        "genome": contigs.sha256,
        "model": model.spec.sha256,
        "sae": store.header.sae_sha256,
        "features": store.sha256,
    }
    if ranked is not None:
        inputs["candidates"] = sha256_file(ranked)
    settings = to_mapping(config) | {"features": list(names)}
    provenance = Provenance(settings, inputs)
    with claiming(out, same=is_table_of(out, ABLATION, provenance)):
        with progress_bar("ablate (features)", progress) as report:
            table = ablate_features(
                model,
                contigs,
                Path(sae),
                store,
                features=_wanted(store, names, ranked, config.top),
                config=config,
                progress=report,
            )
        write_table(table, out, ABLATION, provenance)
    return table


def _wanted(
    store: FeatureStore, names: Sequence[FeatureName], candidates: Path | None, top: int
) -> list[int]:
    """Return the features of some numbers or names, then the first of the candidates."""
    found = [store.find_feature(name) for name in names]
    if candidates is not None:
        store.identity.check(table_identity(candidates, CANDIDATES), "dictionary")
        table = read_table(candidates, CANDIDATES).sort_values("rank")
        found += [int(feature) for feature in table["feature"][:top]]
    return list(dict.fromkeys(found))
