"""Query which features fire in regions, genes or everywhere, strongest first. Torch-free."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genointerp.core.arguments import FeatureName, OneOrMorePaths, as_features
from genointerp.core.config import check_choice
from genointerp.core.errors import ConfigError
from genointerp.feature.regions import AnyRegion, Place, Places, as_regions, find_place, find_places
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.feature.summary import StretchSummary, summarise_stretches
from genointerp.genome.interval import GenomicInterval, format_region, parse_region
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand
from genointerp.store.table.families import FAMILY, with_families
from genointerp.store.table.labels import LABEL, with_labels
from genointerp.store.table.schema.feature import QUERY
from genointerp.store.table.table import conform, empty_table

_WHERE = ("genome", "region", "seqid")
_HIT_COLUMNS = ("seqid", "base", "strand", "feature", "activation")


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueryConfig:
    """Which features to list for a region.

    Parameters
    ----------
    top
        Largest number of rows for each region; None lists all.
    feature, strand
        List only this feature, by index or name, and only this reading strand; None lists all.
    min_activation
        Bases with an activation below this count as silent.
    """

    top: int | None = 20
    feature: int | str | None = None
    strand: ReadStrand | None = None
    min_activation: float = 0.0

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 1:
            raise ConfigError("top", "1 or more rows", str(self.top))
        if self.strand is not None:
            check_choice("strand", self.strand, ReadStrand)
        if not self.min_activation >= 0:
            raise ConfigError("min_activation", "0 or more", str(self.min_activation))


def query_region(
    store: FeatureStore,
    region: str | GenomicInterval,
    *,
    top: int | None = QueryConfig.top,
    feature: int | str | None = None,
    strand: ReadStrand | None = None,
    min_activation: float = QueryConfig.min_activation,
    associations: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the features that fire in a region, strongest first, in the schema ``QUERY``.

    Parameters
    ----------
    region
        Samtools-style text (1-based, closed), or an interval, whose strand is ignored. It may span
        the origin of a circular contig; see `genointerp.genome.interval.parse_region`.
    top, feature, strand, min_activation
        See `QueryConfig`.
    associations
        Table in the schema ``ASSOCIATIONS``; if given, the concept with the highest F1 on fit is
        added for each feature.

    Raises
    ------
    CoordinateError
        If the genome of the store does not have the region.
    UnknownNameError
        If the dictionary has no such feature.

    Notes
    -----
    Rows are ordered by ``max_activation``, then by the number of firing bases, both descending,
    then by feature and strand. ``covered_share`` is the share of the bases of the region read on
    this strand on which the feature fires. ``start`` and ``end`` span the firing bases in the
    region, 0-based and half-open; an ``end`` beyond the length of a circular contig means that they
    span the origin.
    """
    config = QueryConfig(top, feature, strand, min_activation)
    interval = region
    if isinstance(interval, str):
        interval = parse_region(interval, store.lengths, circular=store.circular)
    best = None if associations is None else best_concepts(associations)
    table = _of_stretches(store, (interval,), config, best)
    return conform(table, QUERY, where=format_region(interval))


def query_frames(
    specimens: Sequence[Specimen],
    places: Places,
    config: QueryConfig | None = None,
    *,
    associations: pd.DataFrame | None = None,
    families: pd.DataFrame | None = None,
    labels: pd.DataFrame | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield a table in the schema ``QUERY`` for each region of each genome, one at a time.

    If there are no regions, as in an empty BED file, one table without rows is yielded.

    Parameters
    ----------
    families
        The family of each feature, from `genointerp.store.table.families.read_families`.
    labels
        Labels, from `genointerp.store.table.labels.read_labels`.
    """
    config = QueryConfig() if config is None else config
    best = None if associations is None else best_concepts(associations)
    asked = False
    for place in find_places(places, specimens):
        asked = True
        _warn_of_gaps(place, config)
        table = _of_stretches(place.specimen.features, place.parts, config, best)
        table = with_labels(with_families(table, families), labels)
        where = (place.specimen.name, place.name, place.interval.seqid)
        for name, value in zip(_WHERE, where, strict=True):
            table[name] = pd.Series([value] * len(table), dtype=object)
        yield conform(table, QUERY, where=place.name)
    if not asked:
        known = (*(() if best is None else best), *(() if families is None else FAMILY))
        named = () if labels is None else (LABEL,)
        yield empty_table(QUERY, (*_WHERE, *known, *named))


def best_concepts(associations: pd.DataFrame) -> pd.DataFrame:
    """Return for each feature the concept and orientation with the highest F1 on fit.

    The columns are ``feature, best_concept, orientation, best_f1``, the last one measured on test.
    Among ties the first row in the table counts. A feature that detects no concept on fit, or only
    concepts that do not occur on test, has no row.
    """
    known = associations[(associations["f1_fit"] > 0) & associations["f1"].notna()]
    ordered = known.sort_values("f1_fit", ascending=False, kind="stable")
    best = ordered.drop_duplicates("feature")[["feature", "concept", "orientation", "f1"]]
    return best.rename(columns={"concept": "best_concept", "f1": "best_f1"}).reset_index(drop=True)


def base_activations(
    features: OneOrMoreFeatures,
    region: AnyRegion,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    feature: FeatureName | Iterable[FeatureName] = (),
) -> pd.DataFrame:
    """List the activations of features on each base of a region or gene.

    Parameters
    ----------
    features
        A features file, a catalogue, a run directory, or one of these that is open.
    region
        A text such as ``NC_000913.2:3,424,000-3,426,000``, 1-based and closed; an interval; or the
        name of a gene, if an annotation is known.
    genome
        The name of a genome of a catalogue or a run, if several have the region.
    annotations
        GFF3 or GenBank; if not given, the one that a catalogue or a run names.
    feature
        Only these features, by number or name; every feature if none are given.

    Returns
    -------
    pandas.DataFrame
        A row for each base, reading strand and feature that fires there, in the order of the
        region, those of ``+`` first: ``seqid, base`` (0-based, forward strand), ``strand`` (that
        was read), ``feature, activation``. A base without rows is silent or was not read; see
        `FeatureStore.n_read`.

    Raises
    ------
    CoordinateError
        If no genome has the region.
    InputError
        If several places match.
    UnknownNameError
        If there is no such feature, or no annotation has such a gene.

    Examples
    --------
    >>> import genointerp as gi
    >>> hits = gi.base_activations("results/demo", "dnaA", feature=12)  # doctest: +SKIP
    """
    files = find_specimens(features, genome=genome, annotations=annotations)
    is_named = Places(as_regions(region)).names_elements(files.features)
    place = find_place(region, files.open(if_known=("annotation",) if is_named else ()))
    store = place.specimen.features
    wanted = [store.find_feature(one) for one in as_features(feature)]
    tables = [
        _hits_of(store, part, strand, wanted)
        for strand in STRANDS
        for stretch in place.parts
        for part in store.parts(stretch)
    ]
    return pd.concat(tables, ignore_index=True)


def _of_stretches(
    store: FeatureStore,
    stretches: Sequence[GenomicInterval],
    config: QueryConfig,
    best: pd.DataFrame | None,
) -> pd.DataFrame:
    number = None if config.feature is None else store.find_feature(config.feature)
    floor = config.min_activation
    strands = STRANDS if config.strand is None else (config.strand,)
    found = [
        summarise_stretches(store, stretches, strand, feature=number, min_activation=floor)
        for strand in strands
    ]
    number_of = [np.full(len(one.feature), index) for index, one in enumerate(found)]
    strand_of = np.concatenate(number_of)
    every = StretchSummary(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
    chosen = _strongest(every, strand_of, config.top)
    n_read = [sum(store.n_read(one, strand) for one in stretches) for strand in strands]
    found_bases = np.array(n_read, dtype=np.int64)[strand_of[chosen]]
    summary = StretchSummary(*(column[chosen] for column in every))
    table = _table(store, stretches[0], summary, found_bases)
    table.insert(1, "strand", pd.Series([strands[i] for i in strand_of[chosen]], dtype=object))
    if best is None:
        return table
    table = table.merge(best, on="feature", how="left")
    return table.fillna({"best_concept": "", "orientation": ""})


def _warn_of_gaps(place: Place, config: QueryConfig) -> None:
    store, n_asked = place.specimen.features, sum(part.length for part in place.parts)
    for strand in STRANDS if config.strand is None else (config.strand,):
        n_read = sum(store.n_read(part, strand) for part in place.parts)
        if n_read < n_asked:
            where = format_region(place.interval)
            _log.warning("%s: %d of %d bases were read on %s", where, n_read, n_asked, strand)


def _strongest(found: StretchSummary, strand_of: np.ndarray, top: int | None) -> np.ndarray:
    """Return the indices of the strongest features, sorting only the candidates for them.

    Ties go to the one that fires on more bases, then to the lower feature, then to the forward
    strand.
    """
    candidates = np.arange(len(strand_of))
    if top is not None and top < len(candidates):
        floor = np.partition(found.maximum, -top)[-top]
        candidates = np.flatnonzero(found.maximum >= floor)
    keys = (strand_of, found.feature, -found.n_bases, -found.maximum)
    order = np.lexsort([key[candidates] for key in keys])
    return candidates[order][:top]


def _table(
    store: FeatureStore, first: GenomicInterval, found: StretchSummary, n_read: np.ndarray
) -> pd.DataFrame:
    # if all firing bases lie after the origin, so do their coordinates
    length = store.lengths[first.seqid]
    start = found.first + first.start
    turns = length * (start >= length)
    return pd.DataFrame(
        {
            "feature": found.feature,
            "max_activation": found.maximum,
            "mean_activation": found.total / found.n_bases,
            "covered_share": found.n_bases / n_read,
            "start": start - turns,
            "end": found.last + 1 + first.start - turns,
        }
    )


def _hits_of(
    store: FeatureStore, part: GenomicInterval, strand: ReadStrand, wanted: list[int]
) -> pd.DataFrame:
    hits = store.region(part, strand)
    is_wanted = np.isin(hits.feature, wanted) if wanted else np.ones(len(hits.row), dtype=bool)
    columns = {
        "seqid": part.seqid,
        "base": hits.row[is_wanted] - store.offsets[part.seqid],
        "strand": strand,
        "feature": hits.feature[is_wanted],
        "activation": hits.value[is_wanted],
    }
    return pd.DataFrame(columns, columns=list(_HIT_COLUMNS))
