"""What fires in a region, in many, in a gene, or everywhere, strongest first. Torch-free."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.core.arguments import (
    FeatureName,
    OneOrMorePaths,
    StrPath,
    as_path,
    as_paths,
    as_texts,
)
from genointerp.core.config import to_mapping
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.query import QueryConfig, query_frames
from genointerp.feature.regions import AnyRegion, Places, as_regions
from genointerp.feature.render import ContigLengths, FrameFormat, render_frames, write_frames
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens, total_inputs
from genointerp.store.feature.store import ReadStrand
from genointerp.store.table.schema.feature import QUERY


def query(
    features: OneOrMoreFeatures,
    region: AnyRegion | Iterable[AnyRegion] = (),
    *,
    bed: StrPath | None = None,
    gene: str | Iterable[str] = (),
    annotations: StrPath | None = None,
    associations: StrPath | None = None,
    labels: OneOrMorePaths = (),
    top: int | None = QueryConfig.top,
    feature: FeatureName | None = None,
    strand: ReadStrand | None = None,
    min_activation: float = QueryConfig.min_activation,
    out: StrPath | None = None,
) -> pd.DataFrame:
    """List the features that fire in each region or gene, strongest first.

    Parameters
    ----------
    features
        A features file, a catalogue, a run directory, or one of these that is open.
    region
        Texts such as ``NC_000913.2:3,424,000-3,426,000``, 1-based and closed, or intervals. A text
        that is no contig and has no coordinates is a gene, where an annotation is known. Every
        contig of every genome where nothing is asked for.
    bed
        Regions of a BED file; ``-`` is the standard input.
    gene
        Elements of the annotation, by gene, name, locus tag or ID.
    annotations
        GFF3 or GenBank; where None, the one that a catalogue or a run names.
    associations
        A table that gives each feature its best concept; where None, as with ``annotations``.
    labels
        Tables of labels, by which features may be named too; a run has its own.
    top
        Rows of each region at most; all where None.
    feature, strand
        Only this feature, by number, name or label; only this reading strand.
    min_activation
        Bases with a lower activation count as silent.
    out
        The table is written there too, as the suffix says: .tsv, .csv, .parquet, .json or .bed.

    Returns
    -------
    pandas.DataFrame
        A row for each feature, reading strand and region. ``start`` and ``end`` are 0-based and
        half-open. If a run has circuits, ``circuit`` and ``members`` say the family of a feature;
        if labels are known, ``label`` is that of the feature.

    Raises
    ------
    CoordinateError
        If no genome has a region.
    UnknownNameError
        If there is no such feature, or no annotation has such a gene.

    Examples
    --------
    >>> import genointerp as gi
    >>> table = gi.query("results/demo", "dnaA", top=5)  # doctest: +SKIP
    """
    places = Places(as_regions(region), as_path(bed), as_texts(gene))
    config = QueryConfig(top, feature, strand, min_activation)
    known = as_path(annotations), as_path(associations), as_paths(labels)
    answer = _ask(features, places, config, *known)
    if out is not None:
        return answer.write(Path(out))
    return pd.concat(list(answer.frames), ignore_index=True)


def query_text(
    features: OneOrMoreFeatures,
    places: Places,
    config: QueryConfig | None = None,
    *,
    annotations: Path | None = None,
    associations: Path | None = None,
    labels: Sequence[Path] = (),
    format: FrameFormat = "table",
    out: Path | None = None,
) -> Iterator[str]:
    """Yield the text of an answer region by region, as each is read.

    Parameters
    ----------
    features, annotations, associations, labels
        As for `query`.
    out
        The table is written there instead; the text is then one line.
    """
    config = QueryConfig() if config is None else config
    answer = _ask(features, places, config, annotations, associations, labels)
    if out is None:
        yield from render_frames(answer.frames, format, answer.lengths)
    else:
        yield f"{len(answer.write(out))} rows -> {out}\n"


@dataclass(frozen=True, eq=False)
class _Answer:
    specimens: Sequence[Specimen]
    places: Places
    config: QueryConfig
    tables: Mapping[str, Path]
    labels: Mapping[str, str]
    frames: Iterator[pd.DataFrame]

    @property
    def lengths(self) -> ContigLengths:
        return {
            (specimen.name, seqid): length
            for specimen in self.specimens
            for seqid, length in specimen.features.lengths.items()
        }

    def write(self, out: Path) -> pd.DataFrame:
        inputs = total_inputs(self.specimens)
        inputs |= {name: sha256_file(path) for name, path in self.tables.items()}
        inputs |= self.labels
        # what comes through a pipe can be read once
        if self.places.bed is not None and self.places.bed.is_file():
            inputs["bed"] = sha256_file(self.places.bed)
        record = Provenance({**to_mapping(self.config), **to_mapping(self.places)}, inputs)
        return write_frames(self.frames, out, QUERY, record, self.lengths)


def _ask(
    features: OneOrMoreFeatures,
    places: Places,
    config: QueryConfig,
    annotations: Path | None,
    associations: Path | None,
    labels: Sequence[Path],
) -> _Answer:
    files = find_specimens(features, annotations=annotations or (), labels=labels)
    # an annotation of a large genome takes longer to read than most answers
    is_named = places.names_elements(files.features)
    specimens = files.open(if_known=("annotation",) if is_named else ())
    if places.genes and all(specimen.annotation is None for specimen in specimens):
        specimens[0].needs("annotation")
    known = files.read_associations(associations)
    families = files.read_families()
    frames = query_frames(
        specimens,
        places,
        config,
        associations=known,
        families=families,
        labels=files.read_labels(),
    )
    tables = {"associations": associations or files.associations, "members": files.families}
    used = {name: path for name, path in tables.items() if path is not None}
    return _Answer(specimens, places, config, used, files.label_inputs(), frames)
