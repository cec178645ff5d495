"""`edges`: which features of a site make features of a site above fire."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.core.arguments import FeatureName, StrPath, as_features
from genointerp.core.config import read_config, to_mapping
from genointerp.core.files import claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance
from genointerp.feature.decoder import own_dictionary
from genointerp.feature.specimen_files import one_with_sequence
from genointerp.reading.model_choice import AnyModel, RecordedModel, loaded_or_recorded
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.edge import EDGE_TARGETS, EDGES
from genointerp.store.table.table import check_table_path, is_table_of, write_table
from genointerp.wiring.edges import EdgeConfig, measure_edges
from genointerp.wiring.stack import Stack


def edges(
    features: StrPath,
    out: StrPath,
    below: StrPath,
    model: AnyModel | RecordedModel | None = None,
    *,
    genome: StrPath | None = None,
    sae: StrPath | None = None,
    feature: FeatureName | Iterable[FeatureName] = (),
    targets_out: StrPath | None = None,
    config: EdgeConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure the edges from features of a site to features above; write and return the table.

    See :func:`genointerp.wiring.edges.measure_edges`.

    Parameters
    ----------
    features
        Features of the upper dictionary: a features file, a catalogue or a run directory.
    out
        .tsv, .csv, .parquet or .json.
    below
        Folder of a dictionary of a site below, of the same model.
    model
        A name, or a model that is loaded; where None, the one that the features were made with.
    genome
        FASTA or GenBank, unless a catalogue or a run names it; or the name of one of their genomes.
    sae
        Folder of the upper dictionary; where None, as `genointerp.feature.decoder.own_dictionary`.
    feature
        Target features, by number or name; all if empty.
    targets_out
        Table with a row for each target feature, to be written too.
    config
        Windows, regions and what is compared with: a mapping such as ``{"n_windows": 4}``, or YAML.

    Raises
    ------
    InputError
        If the genome, a dictionary or the model is not known, the model gives no gradients, or the
        dictionary below is above.
    MismatchError
        If genome, dictionaries, model and features do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> table = gi.edges("results/demo", "edges.tsv", "sae3", feature=82)  # doctest: +SKIP
    """
    config, out = read_config(EdgeConfig, config), Path(out)
    names = as_features(feature)
    places = [out, *([] if targets_out is None else [Path(targets_out)])]
    for place in places:
        check_table_path(place)
    specimen = one_with_sequence(features, genome)
    store, contigs = specimen.features, specimen.needs("sequence")
    dictionaries = [Dictionary.load(below), Dictionary.load(own_dictionary(store, sae))]
    stack = Stack.of(loaded_or_recorded(model, features), dictionaries)
    stack.check_highest(dictionaries[1])
    inputs = {
        "genome": contigs.sha256,
        "model": stack.model.spec.sha256,
        "sae-below": dictionaries[0].header.sha256,
        "sae": dictionaries[1].header.sha256,
        "features": store.sha256,
    }
    provenance = Provenance(to_mapping(config) | {"features": list(names)}, inputs)
    with claiming(out, same=is_table_of(out, EDGES, provenance)):
        with progress_bar("edges (features)", progress) as report:
            found = measure_edges(
                stack,
                contigs,
                store,
                features=[store.find_feature(name) for name in names],
                config=config,
                progress=report,
            )
        with together():
            write_table(found.edges, out, EDGES, provenance)
            if targets_out is not None:
                write_table(found.targets, Path(targets_out), EDGE_TARGETS, provenance)
    return found.edges
