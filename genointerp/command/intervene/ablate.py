"""`ablate`: what the model loses without each feature."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.core.arguments import FeatureName, StrPath, as_features, in_run
from genointerp.core.config import read_config, to_mapping
from genointerp.core.files import claiming
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.decoder import own_dictionary
from genointerp.feature.specimen_files import one_with_sequence
from genointerp.intervention.ablation import AblationConfig, ablate_features
from genointerp.reading.model_choice import AnyModel, RecordedModel, loaded_or_recorded
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.candidate import ABLATION, CANDIDATES
from genointerp.store.table.table import check_table_path, is_table_of, read_table, write_table


def ablate(
    features: StrPath,
    out: StrPath,
    model: AnyModel | RecordedModel | None = None,
    *,
    genome: StrPath | None = None,
    sae: StrPath | None = None,
    feature: FeatureName | Iterable[FeatureName] = (),
    candidates: StrPath | None = None,
    config: AblationConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure what the model loses without each feature; write the table and return it.

    See :func:`genointerp.intervention.ablation.ablate_features`.

    Parameters
    ----------
    features
        A features file, a catalogue or a run directory.
    out
        .tsv, .csv, .parquet or .json.
    model
        A name, or a model that is loaded; where None, the one that the features were made with.
    genome
        FASTA or GenBank, unless a catalogue or a run names it; or the name of one of their genomes.
        Where None, a run gives the one on which its configuration measures.
    sae
        Folder of the dictionary; where None, as `genointerp.feature.decoder.own_dictionary`.
    feature
        By number or name; those of the candidates follow. All where there are neither.
    candidates
        A table of candidates of the dictionary, or a run directory, whose first are ablated.
    config
        Windows, regions and what is compared with: a mapping such as ``{"n_windows": 4}``, or YAML.

    Raises
    ------
    InputError
        If the genome, the dictionary or the model is not known.
    MismatchError
        If genome, dictionary, model, features and candidates do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> table = gi.ablate("results/demo", "ablation.tsv", feature=[3, 323])  # doctest: +SKIP
    """
    config, out = read_config(AblationConfig, config), Path(out)
    names = as_features(feature)
    ranked = None if candidates is None else in_run(candidates, "candidates.tsv")
    check_table_path(out)
    specimen = one_with_sequence(features, genome)
    store, contigs = specimen.features, specimen.needs("sequence")
    own = own_dictionary(store, sae)
    model = loaded_or_recorded(model, features)
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
                own,
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
