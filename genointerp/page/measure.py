"""Measure the tables that a report shows and no earlier step wrote; they lie next to the page."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from genointerp.association.baseline.beside import COLUMNS, read_beside
from genointerp.association.baseline.beside import SOURCE as BASELINES_FILE
from genointerp.association.profile.curve import precision_recall
from genointerp.association.profile.metagene import metagene
from genointerp.association.summary import count_covered, is_above_null
from genointerp.candidate.config import RankConfig
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path
from genointerp.core.metric import f1_always_on, unit_rows
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.loci import LocusConfig, group_rows
from genointerp.feature.motif import Motif, MotifConfig, find_motif
from genointerp.feature.projection import project
from genointerp.feature.specimen import Specimen
from genointerp.feature.top import TopConfig, labelled_loci
from genointerp.figure.source.measured import choose_pairs
from genointerp.labelling.summary import count_kinds
from genointerp.page.activation import Activations, ReadRows, read_rows
from genointerp.page.browser import Loci
from genointerp.page.heat import HeatRow, heat_rows
from genointerp.page.histogram import histogram
from genointerp.page.label import concept_label
from genointerp.page.run import Run
from genointerp.page.strip import Strip, genes_by_contig, strips
from genointerp.sae.header import WEIGHTS, read_directions
from genointerp.store.feature.store import STRANDS, ReadStrand
from genointerp.store.run_tables import matches_of_features
from genointerp.store.table.schema.association import BASELINES, BESIDE, CURVES, METAGENE
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.feature import (
    FEATURE_CONCEPTS,
    FEATURE_MAP,
    FEATURE_SUMMARY,
    HISTOGRAM,
    MOTIF,
    NEAREST_FEATURES,
    READ_CONTIGS,
    RUN_FILES,
    TOP_LOCI,
)
from genointerp.store.table.schema.label import LABEL_KINDS
from genointerp.store.table.schema.matching import FEATURE_MATCHES
from genointerp.store.table.table import conform, empty_table, read_table, write_table

FLANK = 10
"""Number of bases on either side of a locus in its sequence."""

N_CONCEPTS = 5
"""Number of concepts listed for each feature, by ``f1_fit``."""

N_NEIGHBOURS = 8
"""Number of features with the nearest directions listed for each feature."""

N_STRIPS = 4
"""Number of loci of each feature that are drawn."""

_ROWS = 512
"""Number of directions compared with all others at once."""

_log = logging.getLogger(__name__)

SCHEMAS: dict[str, TableSchema] = {
    "features": FEATURE_SUMMARY,
    "concepts": FEATURE_CONCEPTS,
    "neighbours": NEAREST_FEATURES,
    "matches": FEATURE_MATCHES,
    "map": FEATURE_MAP,
    "curves": CURVES,
    "metagene": METAGENE,
    "beside": BESIDE,
    "contigs": READ_CONTIGS,
    "files": RUN_FILES,
}


class Drawn(NamedTuple):
    """What is drawn of features with their best concept, measured on test.

    Parameters
    ----------
    curves, metagene
        Tables in the schemas ``CURVES`` and ``METAGENE``.
    motifs
        By feature; one has no motif if none of its loci can be aligned.
    """

    curves: pd.DataFrame
    metagene: pd.DataFrame
    motifs: Mapping[int, Motif]


@dataclass(frozen=True)
class Measurements:
    """Tables that were measured for one report.

    Parameters
    ----------
    features, concepts, neighbours, matches, map
        Tables of all features: their summary, their best concepts, the features with the nearest
        directions (empty if the run has no dictionary), their partners in other dictionaries
        (empty if none was compared), and the map of those that fire.
    axis_names
        What the two coordinates of the map are.
    drawn
        Curves, profiles and motifs of some features.
    beside
        Best feature of each concept compared with the baselines, if the run measured any.
    contigs, files
        Contigs that the run read, and files that the report was written from.
    label_kinds
        Number of features by the kind of their label; None if the run has no labels.
    """

    features: pd.DataFrame
    concepts: pd.DataFrame
    neighbours: pd.DataFrame
    matches: pd.DataFrame
    map: pd.DataFrame
    drawn: Drawn
    beside: pd.DataFrame
    contigs: pd.DataFrame
    files: pd.DataFrame
    axis_names: tuple[str, str]
    label_kinds: pd.DataFrame | None = None

    @property
    def schemas(self) -> dict[str, TableSchema]:
        """The schema of each table, by the name of its file without the suffix."""
        return SCHEMAS if self.label_kinds is None else {**SCHEMAS, "label_kinds": LABEL_KINDS}

    def table(self, name: str) -> pd.DataFrame:
        """Return the table with a name of `schemas`."""
        owner = self.drawn if name in Drawn._fields else self
        found: pd.DataFrame = getattr(owner, name)
        return found

    @cached_property
    def provenance(self) -> Provenance:
        """The sha256 of all files that the report was written from."""
        inputs = dict(zip(self.files["file"], self.files["sha256"], strict=True))
        return Provenance(config={}, inputs=inputs)


@dataclass(frozen=True)
class FeatureMeasures:
    """What the page of one feature shows of its activations.

    Parameters
    ----------
    loci
        Its strongest loci, those that ``genointerp top`` lists.
    n_loci
        Number of all its loci.
    histogram
        Table in the schema ``HISTOGRAM``.
    highest
        Its largest activation, which is the scale of all drawings.
    """

    feature: int
    loci: pd.DataFrame
    n_loci: int
    histogram: pd.DataFrame
    highest: float
    heat: tuple[HeatRow, ...]
    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class Ground:
    """What all features of a run share: genes, the rows that were read, positions in the browser.

    Parameters
    ----------
    genes
        From `genes_by_contig`.
    read
        From `read_rows`, by genome.
    """

    specimens: Sequence[Specimen]
    genes: Mapping[tuple[str, str], pd.DataFrame]
    read: Mapping[str, Mapping[ReadStrand, ReadRows]]
    places: Loci

    @classmethod
    def of(cls, specimens: Sequence[Specimen]) -> "Ground":
        """Collect it from the genomes of a run."""
        read = {specimen.name: read_rows(specimen) for specimen in specimens}
        return cls(specimens, genes_by_contig(specimens), read, Loci(specimens))


def measure_run(run: Run, drawn: Sequence[int]) -> Measurements:
    """Measure what a report shows of all features, and curves and profiles of some on test."""
    summary = run.features
    weights = run.path / "sae" / WEIGHTS
    directions = read_directions(weights.parent) if weights.is_file() else None
    concepts = [
        row["best_concept"] if concept_label(row) else "" for row in summary.to_dict("records")
    ]
    points, axis_names = _map(summary.assign(concept=concepts), directions)
    return Measurements(
        features=summary,
        concepts=best_of_each(run),
        neighbours=nearest_features(directions, concepts),
        matches=matches_of_features(run.asked),
        map=points,
        drawn=measure_drawn(run, drawn),
        beside=read_beside(run.best, run.path),
        contigs=_contigs(run.specimens),
        files=_files(run),
        axis_names=axis_names,
        label_kinds=(
            None if run.labels is None else count_kinds(run.labels, run.label_scores, len(summary))
        ),
    )


def measure_drawn(run: Run, features: Sequence[int]) -> Drawn:
    """Measure what is drawn of features: curves and profiles on test, and motifs."""
    # without features the best of each concept would be drawn
    pairs = choose_pairs(run.associations, features).head(len(features))
    profiles = [
        metagene(run.specimens, int(pair["feature"]), pair["concept"], config=run.split)
        for pair in pairs.to_dict("records")
    ]
    loud = {feature: _loud(run.features, feature) for feature in features}
    return Drawn(
        curves=precision_recall(run.specimens, pairs, config=run.split),
        metagene=pd.concat(profiles or [empty_table(METAGENE)], ignore_index=True),
        motifs=_motifs(run.specimens, loud),
    )


def measure_feature(ground: Ground, feature: int) -> FeatureMeasures:
    """Measure what the page of one feature shows; its loci are those of ``genointerp top``."""
    specimens = ground.specimens
    activations = Activations(specimens, feature, ground.read)
    loci = labelled_loci(specimens, feature, TopConfig(flank=FLANK))
    return FeatureMeasures(
        feature=feature,
        loci=loci,
        n_loci=_count_loci(specimens, activations),
        histogram=histogram(activations),
        highest=activations.highest,
        heat=heat_rows(specimens, activations, loci, ground.places),
        strips=strips(specimens, activations, loci.head(N_STRIPS), ground.genes, ground.places),
    )


def live_features(measured: Measurements, run: Run) -> list[int]:
    """Return the features that fire, best first.

    First come those that are above their null on test, by F1, then the candidates by rank, then
    the others by density.
    """
    table = measured.features[measured.features["n_firing"] > 0]
    named = table[is_above_null(table)].sort_values("f1", ascending=False, kind="stable")
    others = table.sort_values("density", ascending=False, kind="stable")
    order = [*named["feature"], *run.candidates["feature"], *others["feature"]]
    fires = set(table["feature"])
    return [int(feature) for feature in dict.fromkeys(order) if feature in fires]


def best_of_each(run: Run) -> pd.DataFrame:
    """Return the best concepts of each feature on fit, in the schema ``FEATURE_CONCEPTS``."""
    table = run.associations
    always_on = f1_always_on(table["n_concept_bp"].to_numpy(np.int64), count_covered(table))
    table = table.assign(f1_always_on=always_on)
    table = table[table["f1_fit"] > 0]
    ranked = table.sort_values(["feature", "f1_fit"], ascending=[True, False], kind="stable")
    best = ranked.groupby("feature", sort=False).head(N_CONCEPTS)
    path = run.path / BASELINES_FILE
    known = read_table(path, BASELINES) if path.is_file() else empty_table(BASELINES)
    known = known[known["detector"].isin(COLUMNS["sequence_alone"])]
    known = known.rename(columns={"f1": "sequence_alone"})
    keys = ["concept", "orientation"]
    best = best.merge(known[[*keys, "sequence_alone"]], on=keys, how="left")
    return conform(best[FEATURE_CONCEPTS.names], FEATURE_CONCEPTS, where="concepts of features")


def nearest_features(
    directions: Float[np.ndarray, "n_features d_in"] | None, concepts: Sequence[str]
) -> pd.DataFrame:
    """Return the features with the nearest directions, in the schema ``NEAREST_FEATURES``.

    Parameters
    ----------
    directions
        Of each feature; None gives no rows.
    concepts
        Concept that each feature is called by; empty if none.
    """
    tables = []
    unit = np.zeros((0, 1)) if directions is None else unit_rows(directions)
    n = min(N_NEIGHBOURS, len(unit) - 1)
    for start in range(0, len(unit) if n > 0 else 0, _ROWS):
        found = unit[start : start + _ROWS] @ unit.T
        feature = np.arange(start, start + len(found))
        found[np.arange(len(found)), feature] = -np.inf
        nearest = np.argsort(-found, axis=1, kind="stable")[:, :n]
        cosine = np.take_along_axis(found, nearest, axis=1)
        columns = {
            "feature": np.repeat(feature, n).tolist(),
            "neighbour": nearest.ravel().tolist(),
            "cosine": cosine.ravel().tolist(),
            "concept": [concepts[one] for one in nearest.ravel().tolist()],
        }
        tables.append(pd.DataFrame(columns))
    every = pd.concat(tables or [empty_table(NEAREST_FEATURES)], ignore_index=True)
    return conform(every, NEAREST_FEATURES, where="nearest features")


def write_measurements(
    measured: Measurements, folder: Path, shown: Sequence[FeatureMeasures] = ()
) -> None:
    """Write each table as TSV, with the sha256 of all files that the report was written from.

    The folder is one output, so no table of an earlier report remains in it.

    Parameters
    ----------
    shown
        Features whose loci and histograms are written too.
    """
    schemas = measured.schemas
    tables = {f"{name}.tsv": (measured.table(name), schema) for name, schema in schemas.items()}
    tables |= {
        motif_file(feature): (motif.table(), MOTIF)
        for feature, motif in measured.drawn.motifs.items()
    }
    with atomic_path(folder) as temporary:
        for name, (table, schema) in tables.items():
            write_table(table, temporary / name, schema, measured.provenance)
        for one in shown:
            write_feature_tables(one, temporary, measured.provenance)


def write_feature_tables(one: FeatureMeasures, folder: Path, provenance: Provenance) -> None:
    """Write the loci and the histogram of a feature into a folder of tables."""
    write_table(one.loci, folder / loci_file(one.feature), TOP_LOCI, provenance)
    write_table(one.histogram, folder / histogram_file(one.feature), HISTOGRAM, provenance)


def loci_file(feature: int) -> str:
    """Return the path of a feature's loci within the folder of tables."""
    return f"loci/feature_{feature}.tsv"


def histogram_file(feature: int) -> str:
    """Return the path of a feature's histogram within the folder of tables."""
    return f"histogram/feature_{feature}.tsv"


def motif_file(feature: int) -> str:
    """Return the path of a feature's motif within the folder of tables."""
    return f"motif/feature_{feature}.tsv"


def _loud(summary: pd.DataFrame, feature: int) -> LocusConfig:
    """Return the definition of a locus by `RankConfig`, which is also that of candidates."""
    config = RankConfig()
    top = float(summary["max_activation"].to_numpy(np.float64)[feature])
    return LocusConfig(config.merge_gap, min_activation=config.locus_share * top)


def _count_loci(specimens: Sequence[Specimen], activations: Activations) -> int:
    offsets = {
        specimen.name: np.array(list(specimen.features.offsets.values()), dtype=np.int64)
        for specimen in specimens
    }
    return sum(
        len(group_rows(track.row, offsets[name], merge_gap=LocusConfig.merge_gap)[0])
        for (name, _), track in activations.tracks.items()
    )


def _map(
    summary: pd.DataFrame, directions: np.ndarray | None
) -> tuple[pd.DataFrame, tuple[str, str]]:
    """Return the features that fire in two dimensions, and what these are."""
    if directions is None:
        x, y = np.log10(summary["density"].clip(lower=1e-12)), summary["f1"].fillna(0.0)
        names = ("log10 of the density", "F1 of the best concept, 0 if none")
    else:
        projection = project(directions)
        (x, y), names = projection.points.T, projection.axis_names
    points = summary[["feature", "concept"]].assign(x=x, y=y)
    points = points[summary["n_firing"] > 0].reset_index(drop=True)
    return conform(points, FEATURE_MAP, where="map"), names


def _motifs(specimens: Sequence[Specimen], loud: Mapping[int, LocusConfig]) -> dict[int, Motif]:
    motifs = {}
    for feature, loci in loud.items():
        try:
            motifs[feature] = find_motif(specimens, feature, MotifConfig(loci=loci))
        except InputError as error:
            # a silent feature, or loci without flanks, cannot be aligned
            _log.warning("no motif of feature %d: %s", feature, error)
    return motifs


def _contigs(specimens: Sequence[Specimen]) -> pd.DataFrame:
    rows = [
        (
            specimen.name,
            contig.seqid,
            contig.length,
            int(contig.circular),
            *_read(specimen, contig.seqid),
        )
        for specimen in specimens
        for contig in specimen.features.header.contigs
    ]
    return conform(pd.DataFrame(rows, columns=READ_CONTIGS.names), READ_CONTIGS, where="contigs")


def _read(specimen: Specimen, seqid: str) -> list[int]:
    return [
        sum(part.length for part in specimen.features.coverage(strand) if part.seqid == seqid)
        for strand in STRANDS
    ]


def _files(run: Run) -> pd.DataFrame:
    rows = [(name, path.stat().st_size, sha256_file(path)) for name, path in run.files.items()]
    return conform(pd.DataFrame(rows, columns=RUN_FILES.names), RUN_FILES, where="files")
