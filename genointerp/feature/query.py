"""What fires in a region, strongest first. Torch-free: answering takes two reads a strand."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.interval import GenomicInterval, format_region, parse_region
from genointerp.store.features import STRANDS, FeatureHits, FeatureStore, ReadStrand
from genointerp.store.tables import (
    ASSOCIATIONS,
    QUERY,
    conform,
    read_table,
    write_table,
)

_log = logging.getLogger(__name__)


def query_region(
    store: FeatureStore,
    region: str | GenomicInterval,
    *,
    top: int | None = 20,
    feature: int | str | None = None,
    strand: ReadStrand | None = None,
    associations: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the features that fire in a region, in the schema ``QUERY``, strongest first.

    Parameters
    ----------
    region
        Samtools-like text (1-based, closed), or an interval, whose strand is ignored.
    top
        At most so many rows; all where None.
    feature, strand
        Only this feature, by index or name; only this reading strand. All where None.
    associations
        A table in the schema ``ASSOCIATIONS``; adds the concept with the highest F1 on fit.

    Raises
    ------
    CoordinateError
        If the region does not exist in the store's genome.
    UnknownNameError
        If the dictionary has no such feature.

    Notes
    -----
    Rows are ordered by ``max_activation``, then ``covered_share``, both falling, then feature and
    strand. ``start`` and ``end`` span the firing bases in the region, 0-based and half-open.
    """
    if top is not None and top < 1:
        raise InputError("top", "1 or more rows", str(top))
    number = None if feature is None else store.find_feature(feature)
    interval = parse_region(region, store.lengths) if isinstance(region, str) else region
    strands = STRANDS if strand is None else (strand,)
    table = pd.concat(
        [_of_strand(store, interval, one, number) for one in strands], ignore_index=True
    )
    table = table.sort_values(
        ["max_activation", "covered_share", "feature", "strand"],
        ascending=[False, False, True, True],
        kind="stable",
    )
    table = table.iloc[:top].reset_index(drop=True)
    if associations is not None:
        table = table.merge(best_concepts(associations), on="feature", how="left")
        table = table.fillna({"best_concept": "", "orientation": ""})
    return conform(table, QUERY, where=format_region(interval))


def best_concepts(associations: pd.DataFrame) -> pd.DataFrame:
    """Return for each feature the concept and orientation with the highest F1 on fit.

    Columns ``feature, best_concept, orientation, best_f1``, the last measured on test. Of equal
    scores the first in the table counts. A feature that detects no concept on fit, or only such
    as test does not hold, has no row.
    """
    known = associations[(associations["f1_fit"] > 0) & associations["f1"].notna()]
    ordered = known.sort_values("f1_fit", ascending=False, kind="stable")
    best = ordered.drop_duplicates("feature")[["feature", "concept", "orientation", "f1"]]
    return best.rename(columns={"concept": "best_concept", "f1": "best_f1"}).reset_index(drop=True)


def query(
    features: Path,
    region: str,
    *,
    top: int | None = 20,
    feature: int | str | None = None,
    strand: ReadStrand | None = None,
    associations: Path | None = None,
    out: Path | None = None,
) -> pd.DataFrame:
    """Return ``query_region`` of a features file; log how much of the region was never read.

    Parameters
    ----------
    associations
        An associations table.
    out
        Also write the table here, with its provenance, as the suffix says.
    """
    store = FeatureStore(features)
    known = None if associations is None else read_table(associations, ASSOCIATIONS)
    interval = parse_region(region, store.lengths)
    table = query_region(
        store, interval, top=top, feature=feature, strand=strand, associations=known
    )
    for one in STRANDS if strand is None else (strand,):
        n_read = covered_bases(store, interval, one)
        if n_read < interval.length:
            where = format_region(interval)
            _log.warning("%s: %d of %d bases were read on %s", where, n_read, interval.length, one)
    if out is not None:
        config = {"region": region, "top": top, "feature": feature, "strand": strand}
        inputs = {"features": store.sha256}
        if associations is not None:
            inputs["associations"] = sha256_file(associations)
        write_table(table, out, QUERY, Provenance(config=config, inputs=inputs))
    return table


def covered_bases(store: FeatureStore, interval: GenomicInterval, strand: ReadStrand) -> int:
    """Return how many bases of an interval were read on one strand."""
    common = (interval.intersection(read) for read in store.coverage(strand))
    return sum(part.length for part in common if part is not None)


def _of_strand(
    store: FeatureStore, interval: GenomicInterval, strand: ReadStrand, feature: int | None
) -> pd.DataFrame:
    hits = store.region(interval, strand)
    if feature is not None:
        hits = FeatureHits(*(column[hits.feature == feature] for column in hits))
    first, _ = store.row_range(interval)
    order = np.argsort(hits.feature, kind="stable")
    row, features = hits.row[order], hits.feature[order]
    value = hits.value[order].astype(np.float64)
    edges = np.flatnonzero(np.diff(features, prepend=-1))
    last = np.append(edges[1:], len(row)) - 1 if len(edges) else edges
    count = last - edges + 1
    some = len(edges) > 0
    return pd.DataFrame(
        {
            "feature": features[edges],
            "strand": pd.Series([strand] * len(edges), dtype=object),
            "max_activation": np.maximum.reduceat(value, edges) if some else value,
            "mean_activation": (np.add.reduceat(value, edges) if some else value) / count,
            "covered_share": count / max(interval.length, 1),
            "start": row[edges] - first + interval.start,
            "end": row[last] + 1 - first + interval.start,
        }
    )
