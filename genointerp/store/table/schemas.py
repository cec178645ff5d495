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
    """Format name, version and columns of a table, in order.

    Parameters
    ----------
    header
        Whole numbers that the header holds besides, each with the version from which it does. In
        memory they are in the ``attrs`` of the table, which rows that are chosen of it keep.
    """

    format: str
    version: int
    columns: tuple[Column, ...]
    header: tuple[tuple[str, int], ...] = ()

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

N_COVERED = "n-covered-bp"
"""Header of the associations: covered (base, reading strand) pairs of test."""

ASSOCIATIONS = TableSchema(
    "genointerp::associations",
    3,
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
        _optional("average_precision", "float64", "area under precision and recall; test"),
        _optional("mcc", "float64", "correlation of detected and concept over bases; test"),
        _optional("log2_enrichment_low", "float64", "lower end of its 95 % interval; test"),
        _optional("log2_enrichment_high", "float64", "upper end of its 95 % interval; test"),
        _optional("start_offset", "float64", "bp from an element's first base to on, median; test"),
        _optional("end_offset", "float64", "bp from an element's last base to off, median; test"),
        _optional("codon_phase", "float64", "position of the codon detected most: 0, 1, 2; fit"),
        _optional("phase_share", "float64", "share of detected coding bases at it; test"),
        _optional("precision_strong", "float64", "precision where it is half its maximum; test"),
        _optional("p_max", "float64", "family-wise p-value over the tested pairs, step-down"),
        _optional("null_f1_matched", "float64", "95th percentile of F1, matched background; test"),
        _optional("p_matched", "float64", "share of draws of it that do as well, with one added"),
        _optional("q_matched", "float64", "Benjamini-Hochberg over the p_matched of tested pairs"),
        _optional("matched_share", "float64", "share of elements with matched background; test"),
        _optional("boundary_share", "float64", "share of its loci near an element's end; test"),
        _optional("boundary_p", "float64", "chance of as many of them there; test"),
        _optional("union_labels", "float64", "labels that explain it together; NaN: not of them"),
        _optional("union_threshold", "float64", "from which it is loud; from fit"),
        _optional("union_precision", "float64", "share of its loud bases in their union; test"),
        _optional("union_base", "float64", "share of the union among all bases; test"),
        _optional("union_p", "float64", "share of shifts with as many loud bases in it, one added"),
        _optional("union_q", "float64", "Benjamini-Hochberg over the union_p of all features"),
    ),
    header=((N_COVERED, 3),),
)

BEST_PER_CONCEPT = TableSchema(
    "genointerp::best-per-concept",
    2,
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
        _required("unexplained", "float64", "share that known concepts do not explain, q <= .05"),
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
        _optional(
            "coherence", "float64", "AUROC of its own firing 18 to 99 bp away for its loud firing"
        ),
        _optional("locus_length", "float64", "median length of its loci in bp"),
        _optional("motif_bits", "float64", "information around the peaks of its loci, bits"),
        _optional("motif_share", "float64", "motif_bits over those that finding its loci takes"),
        _optional("n_families", "int64", "families of sequences among its 20 strongest loci"),
        _optional("loss_effect_matched", "float64", "that of matched other directions"),
        _optional("loss_effect_p", "float64", "chance of such a loss along other directions"),
        _optional("stability_null", "float64", "stability of one random direction in a hundred"),
        _optional("split_cosine", "float64", "largest cosine within its own dictionary"),
        _optional("attraction", "float64", "largest log2_enrichment for a concept, q <= .05"),
        _optional("tandem_share", "float64", "share of its firing bases in tandem repeats"),
        _optional("edge_share", "float64", "share of them near ends of linear contigs"),
        _optional(
            "seen_share", "float64", "s / (s + u), its loci by base, seen and unseen genomes"
        ),
        _optional("window_bias_16", "float64", "window_bias of the first 16 bases"),
        _optional("window_bias_1024", "float64", "window_bias of the first 1,024 bases"),
        _optional(
            "annotation_missing", "float64", "share of loci that a gene finder alone accounts for"
        ),
        _optional("n_read", "int64", "genomes that were read"),
        _optional("seen_p", "float64", "chance of so many loci in genomes of the training"),
        _optional("outlier_share", "float64", "share of its firing bases at outlier tokens"),
        _optional("boundary_share", "float64", "share of its loci near ends of one concept"),
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
        _required("covered_share", "float64", "share of the region's bases read that fire"),
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

BESIDE = TableSchema(
    "genointerp::beside-baselines",
    1,
    (
        _required("concept", "string", "name of the concept"),
        _required("orientation", "string", "the one with the highest F1 on fit"),
        _required("feature", "int64", "its best feature, chosen on fit"),
        _required("f1", "float64", "of the feature; test"),
        _required("neuron_or_component", "float64", "F1 of the best of these on fit; test"),
        _required("sequence_alone", "float64", "F1 of the model of the sequence; test"),
        _required("probe", "float64", "F1 of the linear probe; test"),
        _required("always_on", "float64", "F1 of the detector that always fires; test"),
        _required("which", "string", "which neuron or component; empty where not measured"),
        _required("q_value", "float64", "of the feature, as in associations; test"),
        _required("shows", "string", "what the feature shows beside these, in a sentence"),
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

LOCUS_EVIDENCE = TableSchema(
    "genointerp::locus-evidence",
    1,
    (
        _required("rank", "int64", "of the candidate"),
        _required("feature", "int64", "index in the dictionary"),
        _required("locus", "int64", "1 has the largest activation of the candidate's"),
        _required("genome", "string", "name of the genome"),
        *LOCI.columns,
        _required("element", "string", "name of the nearest annotated element; empty where none"),
        _required("element_type", "string", "its term of the Sequence Ontology"),
        _required("product", "string", "what the annotation says of it"),
        _required("distance", "float64", "bp to it: 0 overlaps, < 0 upstream of it; NaN: none"),
        _required("orientation", "string", "sense, antisense, or both where it has no strand"),
        _required("type_share", "float64", "share of read bases in such elements; NaN: none"),
        _required("status", "string", "annotated, annotation missing, nothing hits, not searched"),
        _required("found_by", "string", "finder:type of the predictions there, by commas"),
        _required("folding_z", "float64", "folding energy against shuffled bases; NaN: not folded"),
        _required("low_complexity", "float64", "share of it that DUST masks; NaN: not searched"),
    ),
)

SIDES = TableSchema(
    "genointerp::sides",
    1,
    (
        _required("fit_genome", "string", "its first contig; with its number where not unique"),
        _required("test_genome", "string", "likewise; the same one for blocks"),
        _required("fit_bp", "int64", "bases of it that were read on fit"),
        _required("test_bp", "int64", "bases of it that were read on test"),
        _required("shared_kmers", "float64", "share of the 31-mers of test that occur in fit"),
        _required("ani", "float64", "average nucleotide identity, 0 to 1; NaN where none aligns"),
        _required("aligned_share", "float64", "share of test that aligns; NaN without pyskani"),
        _required("similar", "int64", "1 where one of the shares is .05 or more, else 0"),
    ),
)

BASELINES = TableSchema(
    "genointerp::baselines",
    1,
    (
        _required("concept", "string", "name of the concept"),
        _required("orientation", "string", "sense, antisense or both"),
        _required("detector", "string", "kind of the detector, as below"),
        _required("which", "string", "column or feature that fit chose; empty where no choice"),
        _required("sign", "int64", "1, or -1 where a column is read downward"),
        _required("threshold", "float64", "detects where sign times value is at least this"),
        _required("f1_fit", "float64", "F1 over bases on fit, at the threshold"),
        _required("precision", "float64", "share of detected bases inside the concept; test"),
        _required("recall", "float64", "share of the concept's bases that are detected; test"),
        _required("f1", "float64", "harmonic mean of precision and recall; test"),
        _required("auroc", "float64", "area under the ROC curve over bases; test"),
        _required("average_precision", "float64", "over all thresholds, by base; test"),
        _required("mcc", "float64", "correlation of detected and of the concept; test"),
        _required("n_concept_bp", "int64", "bases of the concept; test"),
        _required("note", "string", "what the row does not say; empty where nothing"),
    ),
)

_LANDING = (
    ("rank_first", "rank of the first feature of the class"),
    ("rank_best", "rank of its best feature"),
    ("recall_10", "share of its features within the first 10"),
    ("recall_50", "share of its features within the first 50"),
    ("recall_100", "share of its features within the first 100"),
)


def _landing(prefix: str, where: str) -> tuple[Column, ...]:
    return tuple(_required(prefix + name, "float64", f"{it}{where}") for name, it in _LANDING)


BACKTEST = TableSchema(
    "genointerp::backtest",
    1,
    (
        _required("class", "string", "the concept that was hidden"),
        _required("hidden", "string", "concepts that went with it, itself first; commas"),
        _required("changed", "string", "concepts that became others, as intergenic; commas"),
        _required("overlapping", "string", "classes on its bases and their share; commas"),
        _required("n_elements", "int64", "elements of the class of which a base was read"),
        _required("n_live", "int64", "features that fire, which is what was ranked"),
        _required("n_class_features", "int64", "features that tell the class"),
        _required("best_feature", "int64", "of these the highest f1_fit; -1 where none"),
        _required("best_concept", "string", "hidden concept that it tells best; empty where none"),
        _required("best_f1", "float64", "its F1 on test, with nothing hidden"),
        *_landing("", ""),
        _required("expected_rank_first", "float64", "of the first in random order"),
        _required("p_value", "float64", "chance that random order has the first as early"),
        _required("p_value_50", "float64", "chance that it has as many within 50"),
        *_landing("density_", "; rarest first"),
        _required("random_n_class_features", "int64", "features of random weights that tell it"),
        *_landing("random_", "; random weights"),
        _required("probe_auroc", "float64", "of the best linear probe of what is hidden; test"),
        _required("verdict", "string", "found, missed, or why neither can be said"),
        _optional("p_ranks", "float64", "chance that random order has all of them as early"),
        _optional("rank_first_shown", "float64", "rank of the first with nothing hidden"),
        _optional("rank_best_shown", "float64", "rank of the best with nothing hidden"),
        _optional("share_risen", "float64", "share of them twice as early or more when hidden"),
        _optional("use", "string", "tuned: the score may be chosen by it; or reserve"),
    ),
)

BACKTEST_FEATURES = TableSchema(
    "genointerp::backtest-features",
    1,
    (
        _required("class", "string", "the concept that was hidden"),
        _required("dictionary", "string", "trained, or random: the model with random weights"),
        _required("feature", "int64", "index in the dictionary"),
        _required("concept", "string", "hidden concept that it tells best, from fit"),
        _required("orientation", "string", "sense, antisense or both"),
        _required("f1_fit", "float64", "F1 on fit, with nothing hidden"),
        _required("f1", "float64", "F1 on test, with nothing hidden"),
        _required("n_live", "int64", "features of the dictionary that fire"),
        _required("rank", "int64", "among these, with the class hidden"),
        _required("density_rank", "int64", "among these, the rarest first"),
        _required("density", "float64", "share of read bases on which it fires"),
        _required("score", "float64", "as candidates have it, with the class hidden"),
        _required("flags", "string", "as candidates have them, with the class hidden"),
        _optional("rank_shown", "int64", "among these, with nothing hidden: that of candidates"),
    ),
)

ABLATION = TableSchema(
    "genointerp::ablation",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("loss_effect", "float64", "nats lost without it, per base on which it fires"),
        _required("loss_effect_matched", "float64", "mean of the same along other directions"),
        _required("loss_effect_matched_sd", "float64", "their standard deviation"),
        _required("p_value", "float64", "share of these at least as large, with one added"),
        _required("n_tokens", "int64", "tokens of its windows on which it fires"),
        _required("n_windows", "int64", "windows in which it fires"),
    ),
)

SCHEMAS = {
    schema.format: schema
    for schema in (
        ELEMENTS,
        SIDES,
        ASSOCIATIONS,
        BEST_PER_CONCEPT,
        CANDIDATES,
        QUERY,
        LOCI,
        FEATURES,
        TOP_LOCI,
        MOTIF,
        LOCUS_EVIDENCE,
        BASELINES,
        BACKTEST,
        BACKTEST_FEATURES,
        FEATURE_SUMMARY,
        CURVES,
        METAGENE,
        READ_CONTIGS,
        RUN_FILES,
        BESIDE,
        ABLATION,
    )
}
