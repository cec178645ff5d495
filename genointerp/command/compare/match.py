"""`match`: which features of two dictionaries do the same on the same bases, as tables."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.annotation.concepts import load_concepts
from genointerp.association.summary import feature_labels
from genointerp.command.compare.own_files import find_with_run
from genointerp.comparison.matching.config import MatchConfig
from genointerp.comparison.matching.matching import Controls, Matches, match_features
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path
from genointerp.core.config import read_config, to_mapping
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import (
    OneOrMoreFeatures,
    SpecimenFiles,
    find_specimens,
    total_inputs,
)
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.matching import MATCH_SUMMARY, MATCHES
from genointerp.store.table.summarised import SummarisedTable
from genointerp.store.table.table import check_table_path

_log = logging.getLogger(__name__)


def match(
    features_a: OneOrMoreFeatures,
    features_b: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    associations_a: StrPath | None = None,
    associations_b: StrPath | None = None,
    twin_a: OneOrMoreFeatures = (),
    twin_b: OneOrMoreFeatures = (),
    ceiling: OneOrMoreFeatures = (),
    config: MatchConfig | Mapping[str, Any] | StrPath | None = None,
    min_r: float | None = None,
    min_bases: int | None = None,
    n_rotations: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Matches:
    """Match the features of two dictionaries that have read the same bases.

    See :func:`genointerp.comparison.matching.matching.match_features`. Models, sites, tokens and
    sizes may differ.

    Parameters
    ----------
    features_a, features_b
        Features files, a catalogue, a run directory, or one of these that is open.
    out
        The matches are written there too, as .tsv, .csv, .parquet or .json, and next to them the
        shares that are matched, as ``.summary`` of the same name.
    genome
        Sequence of each genome, or names of genomes of a run. Features in a run have those of the
        run. Without sequences the means by the last five bases are not taken out.
    annotations
        Annotation of each genome of ``features_a``, in the same order, for the phase in codons; a
        catalogue and a run name their own.
    associations_a, associations_b
        Tables of the two dictionaries, for concepts in common; a catalogue and a run name their
        own.
    twin_a, twin_b
        Features of models of the same networks with random weights, each under a dictionary that
        was trained on it.
    ceiling
        Features of the model of a under a dictionary of another seed.
    config
        A mapping such as ``{"min_r": 0.8}``, or YAML.
    min_r, min_bases, n_rotations, seed
        They replace those of ``config``.

    Returns
    -------
    Matches
        ``table`` has a row for each feature of either dictionary; ``summary`` has the shares.

    Raises
    ------
    InputError
        If no base was read in both, or a file is missing or damaged.
    MismatchError
        If the genomes differ, or a dictionary is compared with itself.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.match("a/features.h5", "b/features.h5", genome="genome.fa")  # doctest: +SKIP
    >>> found.summary  # doctest: +SKIP
    """
    settings = read_config(MatchConfig, config).changed(
        min_r=min_r, min_bases=min_bases, n_rotations=n_rotations, seed=seed
    )
    place = as_path(out)
    if place is not None:
        check_table_path(place)
    files = find_with_run(features_a, genome, annotations)
    a = _opened(files)
    of_b = find_with_run(features_b)
    wanted = {one.genome_sha256 for one in a}
    b = [one for one in of_b.open() if one.genome_sha256 in wanted] or [*of_b.open()]
    controls = Controls(*(_stores(it, wanted) for it in (twin_a, twin_b, ceiling)))
    if not controls.twin_a and not controls.twin_b:
        _log.warning(
            "no random-weight twin: what is matched may be composition and architecture, and "
            "nothing can be said of what was learnt; `genointerp twin` makes one (--twin-b)"
        )
    labels = files.read_associations(associations_a), of_b.read_associations(associations_b)
    inputs = {f"{name}-a": sha256 for name, sha256 in total_inputs(a).items()}
    inputs |= {f"{name}-b": sha256 for name, sha256 in total_inputs(b).items()}
    inputs |= {
        f"{role}-{number}": store.sha256
        for role, stores in controls._asdict().items()
        for number, store in enumerate(stores, start=1)
    }
    for side, known in (("a", associations_a), ("b", associations_b)):
        if known is not None:
            inputs[f"associations-{side}"] = sha256_file(Path(known))
    record = Provenance(to_mapping(settings), inputs)
    written = None if place is None else SummarisedTable(place, MATCHES, MATCH_SUMMARY, record)
    with nullcontext() if written is None else written.claiming():
        with progress_bar("match (features)", progress) as report:
            found = match_features(a, b, controls, settings, report)
        found = found._replace(table=with_concepts(found.table, labels))
        if written is not None:
            written.write(found.table, found.summary)
    return found


def with_concepts(
    table: pd.DataFrame, associations: tuple[pd.DataFrame | None, pd.DataFrame | None]
) -> pd.DataFrame:
    """Return matches with the best concepts of a feature and of its partner.

    Parameters
    ----------
    associations
        Of either dictionary. Without both nothing is added.
    """
    columns, labels = ["concept", "orientation"], []
    for side, known in zip("ab", associations, strict=True):
        if known is None:
            return table
        own = feature_labels(known).rename(columns={"best_concept": "concept"})
        labels.append(own[["feature", *columns]].assign(side=side))
    named = pd.concat(labels)
    found = table.merge(named, on=["side", "feature"], how="left")
    partner = named.rename(
        columns={"feature": "partner", **{it: f"partner_{it}" for it in columns}}
    )
    partner["side"] = partner["side"].map({"a": "b", "b": "a"})
    found = found.merge(partner, on=["side", "partner"], how="left")
    texts = [*columns, *(f"partner_{it}" for it in columns)]
    found[texts] = found[texts].fillna("")
    same = (found["concept"] == found["partner_concept"]) & (found["concept"] != "")
    same &= found["orientation"] == found["partner_orientation"]
    return found.assign(is_same_concept=same.astype("int64"))


def _opened(files: SpecimenFiles) -> list[Specimen]:
    """Open genomes with their sequences, and with the elements of codon phases if known."""
    specimens = files.open(if_known=("sequence", "annotation"))
    if any(one.annotation is None for one in specimens):
        return [*specimens]
    concepts = load_concepts(files.concepts)
    return [one.with_concepts(concepts) for one in specimens]


def _stores(features: OneOrMoreFeatures, wanted: set[str]) -> Sequence[FeatureStore]:
    """Return the stores of the genomes that are compared; none if no features are given."""
    if isinstance(features, Sequence) and not isinstance(features, str) and not len(features):
        return ()
    stores = find_specimens(features).features
    return [one for one in stores if one.header.genome_sha256 in wanted] or stores
