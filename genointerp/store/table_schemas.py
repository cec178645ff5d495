"""Schemas of the tables: the columns of each, in order. Specified in ``docs/schema/tables.md``."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "int64", "float64"]
Status = Literal["REQUIRED", "OPTIONAL"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, kind, status
        What the file must hold. An undefined float is NaN, an undefined string is empty; an
        integer is never undefined.
    meaning
        With unit and range.
    """

    name: str
    kind: Kind
    status: Status
    meaning: str


@dataclass(frozen=True)
class TableSchema:
    """Format name, version and columns of a table, in order."""

    format: str
    version: int
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Names of all columns, in order."""
        return [column.name for column in self.columns]


def _required(name: str, kind: Kind, meaning: str) -> Column:
    return Column(name, kind, "REQUIRED", meaning)


def _optional(name: str, kind: Kind, meaning: str) -> Column:
    return Column(name, kind, "OPTIONAL", meaning)


ELEMENTS = TableSchema(
    "genointerp::elements",
    1,
    (
        _required("concept", "string", "name of the concept"),
        _required("seqid", "string", "contig"),
        _required("start", "int64", "of a part of an element; 0-based, forward strand"),
        _required("end", "int64", "half-open"),
        _required("strand", "string", "+, - or ."),
        _required("element", "int64", "number within the concept, shared by the parts"),
        _required("id", "string", "of the element in its annotation"),
        _required("part", "int64", "number of the part, from 0 at the 5' end"),
        _required("frame", "int64", "-1, or first of every third base, from the 5' end"),
    ),
)

ASSOCIATIONS = TableSchema(
    "genointerp::associations",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("concept", "string", "name of the concept"),
        _required("orientation", "string", "sense, antisense or both"),
        _required("threshold", "float64", "detects where it is > 0 and at least this; from fit"),
        _required("f1_fit", "float64", "F1 over bases on fit, at the threshold"),
        _required("precision", "float64", "share of detected bases inside the concept; test"),
        _required("recall", "float64", "share of the concept's bases that are detected; test"),
        _required("recall_element", "float64", "share of elements with a detected base; test"),
        _required("f1", "float64", "harmonic mean of precision and recall; test"),
        _required("f1_element", "float64", "of precision and recall_element; test"),
        _required("auroc", "float64", "area under the ROC curve over bases; test"),
        _required("log2_enrichment", "float64", "log2 of observed over expected n_both_bp; test"),
        _required("n_feature_bp", "int64", "bases that the feature detects; test"),
        _required("n_concept_bp", "int64", "bases of the concept; test"),
        _required("n_both_bp", "int64", "bases in both; test"),
        _required("n_elements", "int64", "elements of the concept; test"),
        _required("null_f1", "float64", "95th percentile of F1 over circular shifts; test"),
        _required("p_value", "float64", "share of shifts with an F1 as high, with one added"),
        _required("q_value", "float64", "Benjamini-Hochberg over the tested pairs"),
    ),
)

BEST_PER_CONCEPT = TableSchema(
    "genointerp::best-per-concept",
    1,
    (
        *ASSOCIATIONS.columns,
        _required("f1_always_on", "float64", "F1 of the detector that always fires; test"),
    ),
)

CANDIDATES = TableSchema(
    "genointerp::candidates",
    2,
    (
        _required("rank", "int64", "1 is the best"),
        _required("feature", "int64", "index in the dictionary"),
        _required("score", "float64", "stated function of the columns beside it"),
        _required("density", "float64", "share of read bases on which the feature fires"),
        _required("n_loci", "int64", "separate loci"),
        _required("best_concept", "string", "concept with the highest F1 on fit; empty where none"),
        _required("best_f1", "float64", "its F1 on test"),
        _required("unexplained", "float64", "1 - the best gain in precision, q <= .05"),
        _optional("loss_effect", "float64", "change of the loss when it is ablated, nats per base"),
        _optional("stability", "float64", "cosine to its match in a dictionary of another seed"),
        _optional("gc_auroc", "float64", "AUROC of local GC content for its firing"),
        _optional("kmer_auroc", "float64", "AUROC of local k-mers for its firing"),
        _optional("periodicity", "float64", "strength of the best period, 2 to 60 bp"),
        _optional("strand_asymmetry", "float64", "(p - m) / (p + m) of its densities on + and -"),
        _optional("window_bias", "float64", "firing in heads of windows over expected"),
        _required("n_genomes", "int64", "genomes in which it fires"),
        _required("flags", "string", "warnings, separated by commas; empty where none"),
        _required("top_region", "string", "its strongest locus, 1-based closed"),
        _optional("demoting", "string", "those of the flags that demote, with commas"),
        _optional("checks_missing", "string", "what was not measured, with commas"),
        _optional("pattern", "string", "class of its firing along the sequence"),
        _optional("period", "int64", "the best period in bp; 0 where none"),
        _optional("locus_length", "float64", "median length of its loci in bp"),
        _optional("motif_bits", "float64", "information around the peaks of its loci, bits"),
        _optional("n_families", "int64", "families of sequences among its 20 strongest loci"),
        _optional("loss_effect_matched", "float64", "that of matched other directions"),
        _optional("stability_null", "float64", "stability of one random direction in a hundred"),
        _optional("split_cosine", "float64", "largest cosine within its own dictionary"),
        _optional("attraction", "float64", "largest log2_enrichment for a concept, q <= .05"),
        _optional("tandem_share", "float64", "share of its firing bases in tandem repeats"),
        _optional("edge_share", "float64", "share of them near ends of linear contigs"),
        _optional("seen_share", "float64", "share of its loci in genomes of the training"),
        _optional("window_bias_16", "float64", "window_bias of the first 16 bases"),
        _optional("window_bias_1024", "float64", "window_bias of the first 1,024 bases"),
        _optional("annotation_missing", "float64", "share of loci where a gene finder hits"),
    ),
)

ABLATION = TableSchema(
    "genointerp::ablation",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("loss_effect", "float64", "change of the loss without it, nats per base"),
        _required("loss_effect_matched", "float64", "that of matched other directions, mean"),
        _required("p_value", "float64", "share of these that cost as much, with one added"),
        _required("n_tokens", "int64", "tokens from which it was taken out"),
        _required("n_windows", "int64", "windows around its strongest bases"),
        _required("n_bases", "int64", "bases in each mean"),
    ),
)

QUERY = TableSchema(
    "genointerp::query",
    2,
    (
        _optional("genome", "string", "name of the genome"),
        _optional("region", "string", "what the region was called in the question"),
        _optional("seqid", "string", "contig"),
        _required("feature", "int64", "index in the dictionary"),
        _required("strand", "string", "strand that was read, + or -"),
        _required("max_activation", "float64", "largest activation in the region"),
        _required("mean_activation", "float64", "mean over the bases of the region that fire"),
        _required("covered_share", "float64", "share of the region's bases that fire"),
        _required("start", "int64", "first firing base in the region, 0-based, forward strand"),
        _required("end", "int64", "one past the last firing base in the region"),
        _optional("best_concept", "string", "concept with the highest F1 on fit; empty where none"),
        _optional("orientation", "string", "sense, antisense or both"),
        _optional("best_f1", "float64", "its F1 on test"),
    ),
)

LOCI = TableSchema(
    "genointerp::loci",
    2,
    (
        _required("seqid", "string", "contig"),
        _required("start", "int64", "0-based, forward strand"),
        _required("end", "int64", "half-open"),
        _required("strand", "string", "strand that was read, + or -"),
        _required("max_activation", "float64", "largest activation in the locus"),
        _required("mean_activation", "float64", "mean over its firing bases"),
        _required("n_firing", "int64", "its firing bases"),
        _optional("peak", "int64", "its first base with the largest activation, 0-based"),
    ),
)

TOP_LOCI = TableSchema(
    "genointerp::top-loci",
    1,
    (
        _required("rank", "int64", "1 has the largest activation"),
        _required("genome", "string", "name of the genome"),
        *LOCI.columns,
        _optional("sequence", "string", "5' to 3' on the strand that was read; flanks lower case"),
        _optional("element", "string", "name of the nearest element; empty where none"),
        _optional("element_type", "string", "its term of the Sequence Ontology"),
        _optional("product", "string", "what the annotation says of it"),
        _optional("distance", "float64", "bp to it: 0 overlaps, < 0 upstream of it; NaN: none"),
        _optional("orientation", "string", "sense, antisense, or both where it has no strand"),
    ),
)

MOTIF = TableSchema(
    "genointerp::motif",
    1,
    (
        _required("offset", "int64", "bp from the anchor, in reading direction"),
        _required("A", "float64", "share of A among the bases of the column"),
        _required("C", "float64", "share of C"),
        _required("G", "float64", "share of G"),
        _required("T", "float64", "share of T"),
        _required("n", "int64", "bases of the column that are A, C, G or T"),
        _required("bits", "float64", "information content against the background, corrected"),
        _required("null_bits", "float64", "what one column in twenty of the background exceeds"),
    ),
)

FEATURES = TableSchema(
    "genointerp::feature-statistics",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("strand", "string", "strand that was read, + or -"),
        _required("n_firing", "int64", "bases on which it fires"),
        _required("density", "float64", "that over the bases read; NaN where none was read"),
        _required("max_activation", "float64", "largest activation; 0 where it never fires"),
        _required("mean_activation", "float64", "mean over firing bases; NaN where none"),
    ),
)

FEATURE_SUMMARY = TableSchema(
    "genointerp::feature-summary",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("density", "float64", "share of read bases on which it fires; all genomes"),
        _required("n_firing", "int64", "bases on which it fires, both strands, all genomes"),
        _required("max_activation", "float64", "largest activation; 0 where it never fires"),
        _required("mean_activation", "float64", "mean over firing bases; NaN where none"),
        _required("strand_asymmetry", "float64", "(p - m) / (p + m) of its densities on + and -"),
        _required("best_concept", "string", "concept with the highest F1 on fit; empty where none"),
        _required("orientation", "string", "sense, antisense or both; empty where none"),
        _required("threshold", "float64", "chosen on fit"),
        _required("precision", "float64", "as in associations; test"),
        _required("recall", "float64", "as in associations; test"),
        _required("f1", "float64", "as in associations; test"),
        _required("auroc", "float64", "as in associations; test"),
        _required("null_f1", "float64", "as in associations; test"),
        _required("f1_always_on", "float64", "F1 of the detector that always fires; test"),
        _required("q_value", "float64", "as in associations; test"),
    ),
)

CURVES = TableSchema(
    "genointerp::precision-recall",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("concept", "string", "name of the concept"),
        _required("orientation", "string", "sense, antisense or both"),
        _required("threshold", "float64", "detects where it is > 0 and at least this"),
        _required("chosen", "int64", "1 at the threshold that fit chose, else 0"),
        _required("n_feature_bp", "int64", "bases that the feature detects; test"),
        _required("n_both_bp", "int64", "of these, bases of the concept; test"),
        _required("n_concept_bp", "int64", "bases of the concept; test"),
        _required("precision", "float64", "share of detected bases inside the concept; test"),
        _required("recall", "float64", "share of the concept's bases that are detected; test"),
        _required("base_rate", "float64", "share of the concept among all bases; test"),
    ),
)

METAGENE = TableSchema(
    "genointerp::metagene",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("concept", "string", "name of the concept"),
        _required("orientation", "string", "sense, antisense or both"),
        _required("anchor", "string", "start (first base) or end (last base) of the elements"),
        _required("offset", "int64", "bp from the anchor in the direction of the element"),
        _required("n_elements", "int64", "elements whose base at this offset was read"),
        _required("mean_activation", "float64", "mean over them, silent bases are 0; NaN if none"),
        _required("sem", "float64", "standard error of that mean; NaN below two elements"),
        _required("background", "float64", "mean activation over all bases read"),
    ),
)

READ_CONTIGS = TableSchema(
    "genointerp::read-contigs",
    1,
    (
        _required("genome", "string", "its name in the run"),
        _required("seqid", "string", "contig"),
        _required("length", "int64", "in bp"),
        _required("circular", "int64", "1 where the last base is followed by the first, else 0"),
        _required("n_read_plus", "int64", "bases that were read on +"),
        _required("n_read_minus", "int64", "bases that were read on -"),
    ),
)

RUN_FILES = TableSchema(
    "genointerp::run-files",
    1,
    (
        _required("file", "string", "relative to the run directory, where it lies in it"),
        _required("n_bytes", "int64", "its size"),
        _required("sha256", "string", "of its bytes"),
    ),
)

SCHEMAS = {
    schema.format: schema
    for schema in (
        *(ELEMENTS, ASSOCIATIONS, BEST_PER_CONCEPT, CANDIDATES, QUERY, LOCI, FEATURES),
        *(TOP_LOCI, MOTIF, ABLATION),
        *(FEATURE_SUMMARY, CURVES, METAGENE, READ_CONTIGS, RUN_FILES),
    )
}
