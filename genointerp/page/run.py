"""A run directory as one object, for the report and for notebooks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.concepts import load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import read_split
from genointerp.association.summary import summarise_features
from genointerp.candidate.dossier.file import read_dossier
from genointerp.core.arguments import ASSOCIATIONS_FILE, CONFIG, FeatureName, StrPath
from genointerp.core.notebook import facts_table
from genointerp.feature.regions import AnyRegion
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.feature.run_folder import RunFolder, read_mapping
from genointerp.store.feature.store import FeatureStore
from genointerp.store.run_tables import RunTable, read_run_tables
from genointerp.store.table.associations import read_associations
from genointerp.store.table.families import read_families, with_families
from genointerp.store.table.labels import LabelFiles, with_labels
from genointerp.store.table.schema.association import ASSOCIATIONS, BEST_PER_CONCEPT
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.feature import QUERY
from genointerp.store.table.schema.label import LABEL_SCORES, LABEL_SUMMARY
from genointerp.store.table.table import empty_table, read_table

if TYPE_CHECKING:
    from genointerp.page.findings import Findings
    from genointerp.page.inline import Browser, FeatureView

TABLES = (CONFIG, "summary.json", "best_per_concept.tsv")
"""Files of every run directory, next to the folder of each genome."""

OF_ASSOCIATIONS = (ASSOCIATIONS_FILE, "candidates.tsv")
"""Further files of a run directory if every genome has an annotation."""

LABEL_SCORES_FILE, LABEL_SUMMARY_FILE = "label_scores.tsv", "label_scores.summary.tsv"

OPTIONAL_TABLES = (
    *("baselines.tsv", "backtest.tsv", "labels.tsv", "hand_labels.tsv"),
    *(LABEL_SCORES_FILE, LABEL_SUMMARY_FILE),
)
"""Files that a run directory may hold."""


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """Contents of a run directory.

    Parameters
    ----------
    config
        Resolved configuration.
    summary
        Headline figures of ``summary.json`` without its provenance, nested keys joined by dots.
    best
        Table ``best_per_concept.tsv``.
    queries
        Table of each query, by the name of the query.
    families
        The family of each feature that is in one; None if the run has no circuits.
    labels
        Labels of the features, the leading one of each first; None if the run has none.
    label_scores, label_summary
        How well they say where features fire, on test; None if they were not scored.
    asked
        What came of interventions, circuits and explanations, one after the other.
    figures
        Paths of the figures, sorted by name.
    specimens
        Genomes, each with its sequence, the elements of the run's concepts and its annotation,
        which is empty if the run has none.
    split
        Configuration with which the associations were made.
    dossiers
        Dossiers of candidates, by feature; empty if none were written.
    files
        All files that were read, by their names on the page.
    """

    path: Path
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    associations: pd.DataFrame
    best: pd.DataFrame
    candidates: pd.DataFrame
    queries: Mapping[str, pd.DataFrame]
    families: pd.DataFrame | None
    labels: pd.DataFrame | None
    label_scores: pd.DataFrame | None
    label_summary: pd.DataFrame | None
    asked: tuple[RunTable, ...]
    figures: tuple[Path, ...]
    specimens: tuple[Specimen, ...]
    split: AssociateConfig
    dossiers: Mapping[int, Mapping[str, Any]]
    files: Mapping[str, Path]

    def __repr__(self) -> str:
        names = ", ".join(specimen.name for specimen in self.specimens)
        found = f"{len(self.associations):,} associations, {len(self.candidates):,} candidates"
        return f"Run({str(self.path)!r}: {names}; {found})"

    def _repr_html_(self) -> str:
        header = self.specimens[0].features.header
        facts = {
            "genomes": ", ".join(specimen.name for specimen in self.specimens),
            "features": f"{header.n_features:,} of {header.model} at {header.site}",
            "associations": f"{len(self.associations):,}",
            "candidates": f"{len(self.candidates):,}",
            "queries": ", ".join(self.queries) or "none",
        }
        return facts_table(f"Run {self.path}", facts)

    @cached_property
    def features(self) -> pd.DataFrame:
        """Summary of every feature, a row for each: density, activations, best concept, scores.

        If the run has circuits, ``circuit`` and ``members`` say the family of each feature; if it
        has labels, ``label`` is that of the feature.
        """
        stores = [specimen.features for specimen in self.specimens]
        table = with_families(summarise_features(stores, self.associations), self.families)
        return with_labels(table, self.labels)

    def feature(self, feature: FeatureName) -> "FeatureView":
        """Return all that the run knows of a feature, which a notebook shows as a page.

        Parameters
        ----------
        feature
            By number or name.

        Raises
        ------
        UnknownNameError
            If the dictionary has no such feature.

        Examples
        --------
        >>> import genointerp as gi
        >>> loci = gi.open_run("results/demo").feature(313).loci  # doctest: +SKIP
        """
        from genointerp.page.inline import view_feature  # it is about runs

        return view_feature(self, feature)

    def browse(
        self, region: AnyRegion, feature: FeatureName | Iterable[FeatureName] = ()
    ) -> "Browser":
        """Return a genome browser at a place, which a notebook shows; it needs no network.

        It has the annotation, tracks of features read on both strands, and the bases that were
        read, of the whole genome on which the place lies.

        Parameters
        ----------
        region
            A text such as ``NC_000913.2:3,424,000-3,426,000``, 1-based and closed; an interval; or
            the name of a gene or of a query of the run. If several genomes have it, the first one
            of them counts in which it was read.
        feature
            Features to show, by number or name; the strongest ones of the place if none are given.

        Raises
        ------
        CoordinateError
            If no genome has the region.
        InputError
            If the run read nothing there.
        UnknownNameError
            If there is no such gene or feature.

        Examples
        --------
        >>> import genointerp as gi
        >>> browser = gi.open_run("results/demo").browse("rrsB")  # doctest: +SKIP
        """
        from genointerp.page.inline import view_browser  # it is about runs

        return view_browser(self, region, feature)

    def findings(self) -> "Findings":
        """Return what the run found, in sentences; each number is a cell of a table of the run."""
        from genointerp.page.findings import read_findings  # it is about runs

        return read_findings(self)

    def region_of(self, query: str) -> str:
        """Return the region of a query; empty if the run does not state it."""
        return str(self._query(query).get("region", ""))

    def genome_of(self, query: str) -> str | None:
        """Return the genome of a query; None if the run does not state it.

        The table cannot be used for this, since it names a genome after its features file, which
        has the same name for all genomes.
        """
        name = self._query(query).get("genome")
        return None if name is None else str(name)

    def _query(self, query: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (self.config.get("queries") or {}).get(query, {})
        return found


def open_run(path: StrPath) -> Run:
    """Read a run directory.

    Raises
    ------
    InputError
        If ``path`` is not a directory, or a file that every run has is missing or damaged.
    MismatchError
        If features were computed on another genome than the configuration names.
    """
    folder = RunFolder.open(path)
    path = folder.path
    summary = read_mapping(path / "summary.json")
    # the page has a separate table for the comparison with baselines
    for key in ("provenance", "beside_baselines"):
        summary.pop(key, None)
    specimens = _read_specimens(folder)
    annotated, associations = folder.is_annotated, folder.associations
    labels = LabelFiles(folder.labels).read(specimens[0].features)
    return Run(
        path=path,
        config=folder.config,
        summary=_flat(summary),
        associations=(
            read_associations(associations, specimens[0].features)
            if annotated
            else empty_table(ASSOCIATIONS)
        ),
        best=read_table(path / "best_per_concept.tsv", BEST_PER_CONCEPT),
        candidates=(
            read_table(path / "candidates.tsv", CANDIDATES)
            if annotated
            else empty_table(CANDIDATES)
        ),
        queries={file.stem: read_table(file, QUERY) for file in sorted(path.glob("queries/*.tsv"))},
        families=(
            None
            if folder.families is None
            else read_families(folder.families, specimens[0].features)
        ),
        labels=labels,
        label_scores=_read_if_there(path / LABEL_SCORES_FILE, LABEL_SCORES),
        label_summary=_read_if_there(path / LABEL_SUMMARY_FILE, LABEL_SUMMARY),
        asked=tuple(read_run_tables(path)),
        figures=tuple(sorted([*path.glob("figures/*.png"), *path.glob("figures/*.svg")])),
        specimens=specimens,
        split=read_split(associations) if annotated else AssociateConfig(),
        dossiers=_read_dossiers(path),
        files=_files(folder),
    )


def _read_if_there(path: Path, schema: TableSchema) -> pd.DataFrame | None:
    return read_table(path, schema) if path.is_file() else None


def _read_dossiers(path: Path) -> dict[int, dict[str, Any]]:
    found = [read_dossier(file) for file in sorted(path.glob("dossiers/feature_*.json"))]
    return {int(dossier["candidate"]["feature"]): dossier for dossier in found}


def _read_specimens(folder: RunFolder) -> tuple[Specimen, ...]:
    concepts, specimens = load_concepts(folder.concepts), []
    labels = LabelFiles(folder.labels)
    for name, entry in folder.genomes.items():
        store, source = FeatureStore(entry.features).labelled(labels), entry.annotation
        genome = read_genome(entry.sequence)
        annotation = read_annotation(source, genome) if source else _no_annotation(genome)
        specimens.append(Specimen(name, store, genome, annotation, source).with_concepts(concepts))
    return tuple(specimens)


def _no_annotation(genome: Genome) -> AnnotationSet:
    return AnnotationSet((), genome.lengths)


def _files(folder: RunFolder) -> dict[str, Path]:
    path = folder.path
    tables = [*TABLES, *(OF_ASSOCIATIONS if folder.is_annotated else ())]
    files = {name: path / name for name in tables}
    files |= {name: path / name for name in OPTIONAL_TABLES if (path / name).is_file()}
    for name, entry in folder.genomes.items():
        files[f"{name}/features.h5"] = entry.features
        files[f"{name}: sequence"] = entry.sequence
        if entry.annotation not in (None, entry.sequence):
            files[f"{name}: annotation"] = entry.annotation
    if folder.families is not None:
        files["circuits/members.tsv"] = folder.families
    if folder.concepts is not None:
        files["concepts"] = folder.concepts
    dossiers = sorted(path.glob("dossiers/feature_*.json"))
    return files | {f"dossiers/{file.name}": file for file in dossiers}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
