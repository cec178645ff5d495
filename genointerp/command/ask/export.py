"""Features in the forms of other tools, as the suffix says.

bigWig and bedGraph hold the activation of each base of one feature; GFF3, BED and FASTA its loci;
AnnData every feature on every gene; labels are written as Neuronpedia has explanations.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from genointerp.core.arguments import FeatureName, OneOrMorePaths, StrPath, as_texts
from genointerp.core.config import check_choice, to_mapping
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.files import atomic_path, together
from genointerp.core.provenance import Provenance
from genointerp.feature.gene_matrix import GENE_TYPES, gene_matrix
from genointerp.feature.loci import LocusConfig, all_loci
from genointerp.feature.locus_files import (
    Locus,
    bed_lines,
    describe_bed,
    fasta_lines,
    gff3_lines,
    name_loci,
    rule_of,
)
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import (
    OneOrMoreFeatures,
    Part,
    SpecimenFiles,
    find_specimens,
)
from genointerp.feature.tracks import feature_runs, write_bedgraph, write_bigwig
from genointerp.store.feature.store import STRANDS, ReadStrand
from genointerp.store.hdf5 import writing
from genointerp.store.table.delimited import write_metadata
from genointerp.store.table.identity import SAE
from genointerp.store.table.labels import label_texts
from genointerp.store.table.neuronpedia import explanation_lines
from genointerp.store.table.schema.label import LABELS
from genointerp.store.table.table import write_table


@dataclass(frozen=True)
class ExportConfig:
    """What is written of a feature, as provenance says it.

    Parameters
    ----------
    strand
        Only this reading strand. Where None, loci are those of both strands, and tracks have the
        larger activation of the two at each base.
    bin_bp
        Resolution of tracks; a bin has its greatest activation.
    loci
        What counts as a locus.
    flank
        Bases on either side of a locus in FASTA.
    types
        Elements that are the genes of AnnData.
    """

    strand: ReadStrand | None = None
    bin_bp: int = 1
    loci: LocusConfig = field(default_factory=LocusConfig)
    flank: int = 50
    types: tuple[str, ...] = GENE_TYPES

    def __post_init__(self) -> None:
        if self.strand is not None:
            check_choice("strand", self.strand, ReadStrand)
        if self.bin_bp < 1:
            raise ConfigError("bin_bp", "1 or more bases", str(self.bin_bp))
        if self.flank < 0:
            raise ConfigError("flank", "0 or more bases", str(self.flank))


@dataclass(frozen=True)
class _Job:
    specimen: Specimen
    feature: int
    config: ExportConfig
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def provenance(self) -> Provenance:
        config = {"feature": self.feature, **self.notes, **to_mapping(self.config)}
        inputs = {"features": self.specimen.features.sha256, **self.labels}
        return Provenance(config, inputs)

    @property
    def notes(self) -> dict[str, str]:
        return {"label": self.label} if self.label else {}

    @property
    def comments(self) -> list[str]:
        return [rule_of(self.config.loci), self.provenance.as_json()]

    def loci(self) -> list[Locus]:
        store, strand = self.specimen.features, self.config.strand
        strands = STRANDS if strand is None else (strand,)
        table = all_loci(store, self.feature, self.config.loci, strands=strands)
        contig = pd.Series(table["seqid"].map({name: i for i, name in enumerate(store.offsets)}))
        order = np.lexsort((table["end"], table["start"], contig))
        return name_loci(table.iloc[order], self.feature, self.notes)


def export(
    features: OneOrMoreFeatures,
    feature: FeatureName | None = None,
    *,
    out: StrPath,
    genome: StrPath | None = None,
    annotations: StrPath | None = None,
    labels: OneOrMorePaths = (),
    strand: ReadStrand | None = None,
    bin: int = ExportConfig.bin_bp,
    merge_gap: int = LocusConfig.merge_gap,
    min_length: int = LocusConfig.min_length,
    min_activation: float = LocusConfig.min_activation,
    flank: int = ExportConfig.flank,
    types: str | Iterable[str] = ExportConfig.types,
) -> int:
    """Write one feature, or every feature on every gene, or all labels; return the number of rows.

    Parameters
    ----------
    features
        Of one genome: a features file, a catalogue, a run directory, or one of these that is open.
    feature
        By number, name or label; for ``.h5ad`` and for labels None.
    out
        ``.bw`` or ``.bigwig``; ``.bedgraph`` or ``.bg``; ``.gff3`` or ``.gff``; ``.bed``;
        ``.fasta``, ``.fa`` or ``.fna``; ``.h5ad``, of every feature; of all labels ``.jsonl``, as
        Neuronpedia has explanations, or ``.tsv``, in the schema ``LABELS``.
    genome
        FASTA or GenBank, for ``.fasta``, unless a catalogue or a run names it; or the name of one
        of their genomes.
    annotations
        GFF3 or GenBank, for ``.h5ad``, unless a catalogue or a run names it.
    labels
        Tables of labels, by which features may be named too; a run has its own. The label is the
        attribute ``label`` in ``.gff3``, stands in the headers of ``.fasta``, and is part of the
        name of the track in ``.bedgraph``; the other forms have no place for it but ``.bed``, next
        to which it is in the metadata.
    strand
        Only this reading strand. Where None, loci are those of both strands, and tracks have the
        larger activation of the two at each base.
    bin
        Width in bp of the bins of a track; a bin has its greatest activation.
    merge_gap, min_length, min_activation
        What counts as a locus, as in :class:`genointerp.feature.loci.LocusConfig`.
    flank
        Bases on either side of a locus in ``.fasta``.
    types
        Elements that are the genes of ``.h5ad``.

    Raises
    ------
    InputError
        If the suffix is another, a file that is needed is not named, there are several genomes, or
        nothing was read, which a bigWig cannot say.
    UnknownNameError
        If the dictionary has no such feature.
    StorageError
        If the file cannot be written.

    Examples
    --------
    >>> import genointerp as gi
    >>> n_intervals = gi.export("features.h5", 12, out="track.bw")  # doctest: +SKIP
    """
    loci = LocusConfig(merge_gap, min_length, min_activation)
    config = ExportConfig(strand, bin, loci, flank, as_texts(types))
    out = Path(out)
    suffix = out.suffix.lower()
    if suffix not in _SUFFIXES:
        raise InputError(str(out), f"a name that ends in {', '.join(_SUFFIXES)}", repr(suffix))
    kind = _SUFFIXES[suffix]
    files = find_specimens(
        features, genome=genome or (), annotations=annotations or (), labels=labels
    )
    if (feature is None) != (kind in _OF_ALL):
        expected = "no feature, since all are written" if kind in _OF_ALL else "a feature"
        raise InputError(str(out), expected, "none" if feature is None else str(feature))
    if kind == "labels":
        return _write_labels(files, out)
    needed: dict[str, tuple[Part, ...]] = {"fasta": ("sequence",), "h5ad": ("annotation",)}
    (specimen,) = files.one().open(*needed.get(kind, ()))
    with writing(out), atomic_path(out) as temporary:
        if feature is None:
            matrix = gene_matrix(specimen, config.types)
            matrix.write_h5ad(temporary)
            return int(matrix.n_vars)
        number = specimen.features.find_feature(feature)
        label = label_texts(files.read_labels()).get(number, "")
        job = _Job(specimen, number, config, label, files.label_inputs())
        n_written = _WRITERS[kind](job, temporary)
        if kind == "bed":
            _describe_bed(job, out, temporary)
        return n_written


def _write_labels(files: SpecimenFiles, out: Path) -> int:
    table = files.read_labels()
    if table is None:
        raise InputError("labels", "a table of labels, or a run that has them", "none")
    store = files.features[0]
    inputs = {SAE: store.header.sae_sha256, **files.label_inputs()}
    record = Provenance({"labels": [path.name for path in files.label_files]}, inputs)
    if out.suffix.lower() == ".tsv":
        write_table(table, out, LABELS, record)
        return len(table)
    header = {"provenance": json.loads(record.as_json())}
    with writing(out), together(), atomic_path(out) as temporary:
        lines = explanation_lines(table, store)
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        write_metadata(out, temporary, header, (), {"header": False})
    return len(table)


def _write_bigwig(job: _Job, path: Path) -> int:
    strand = job.config.strand
    runs = feature_runs(job.specimen.features, job.feature, strand, bin_bp=job.config.bin_bp)
    if not runs:
        on = "either strand" if strand is None else strand
        raise InputError(f"feature {job.feature}", f"a base that was read on {on}", "none")
    write_bigwig(runs, job.specimen.features.lengths, path)
    return sum(len(run.start) for run in runs)


def _write_bedgraph(job: _Job, path: Path) -> int:
    runs = feature_runs(
        job.specimen.features, job.feature, job.config.strand, bin_bp=job.config.bin_bp
    )
    name = f"f/{job.feature} {job.label}" if job.label else ""
    write_bedgraph(runs, path, job.provenance, name)
    return sum(len(run.start) for run in runs)


def _write_gff3(job: _Job, path: Path) -> int:
    loci = job.loci()
    return _write_lines(gff3_lines(loci, job.specimen.features.lengths, job.comments), path, loci)


def _write_bed(job: _Job, path: Path) -> int:
    loci = job.loci()
    return _write_lines(bed_lines(loci), path, loci)


def _describe_bed(job: _Job, out: Path, written: Path) -> None:
    describe_bed(
        out,
        written,
        {"loci": rule_of(job.config.loci), "provenance": json.loads(job.provenance.as_json())},
        name="name of the locus",
        score="largest activation in thousandths of that of the strongest locus",
        regions=False,
    )


def _write_fasta(job: _Job, path: Path) -> int:
    loci = job.loci()
    sequence = job.specimen.needs("sequence")
    return _write_lines(fasta_lines(loci, sequence, job.config.flank), path, loci)


def _write_lines(lines: Iterable[str], path: Path, loci: list[Locus]) -> int:
    with path.open("w", newline="", encoding="utf-8") as handle:
        handle.writelines(f"{line}\n" for line in lines)
    return len(loci)


_WRITERS: dict[str, Callable[[_Job, Path], int]] = {
    "bigwig": _write_bigwig,
    "bedgraph": _write_bedgraph,
    "gff3": _write_gff3,
    "bed": _write_bed,
    "fasta": _write_fasta,
}


_SUFFIXES = {
    ".bw": "bigwig",
    ".bigwig": "bigwig",
    ".bedgraph": "bedgraph",
    ".bg": "bedgraph",
    ".gff3": "gff3",
    ".gff": "gff3",
    ".bed": "bed",
    ".fasta": "fasta",
    ".fa": "fasta",
    ".fna": "fasta",
    ".h5ad": "h5ad",
    ".jsonl": "labels",
    ".tsv": "labels",
}
_OF_ALL = ("h5ad", "labels")
