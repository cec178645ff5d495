"""Schemas of elements, of features, and of answers to queries."""

from genointerp.store.table.schema.column import TableSchema, optional, required

_FAMILY = (
    optional("circuit", "string", "its family in words: kind, name or number; empty if none"),
    optional("members", "string", "features of the family by lag, as in families; empty if none"),
)
# of tables that `genointerp.store.table.families` joins
LABEL = optional("label", "string", "what the feature is said to be; empty if it has no label")

ELEMENTS = TableSchema(
    "genointerp::elements",
    1,
    (
        required("concept", "string", "name of the concept"),
        required("seqid", "string", "contig"),
        required("start", "int64", "start of a part of an element; 0-based, forward strand"),
        required("end", "int64", "end of it, half-open"),
        required("strand", "string", "+, - or ."),
        required("element", "int64", "number within the concept, shared by the parts"),
        required("id", "string", "ID of the element in its annotation"),
        required("part", "int64", "number of the part, from 0 at the 5' end"),
        required("frame", "int64", "-1, or the first of every third base, from the 5' end"),
    ),
)


QUERY = TableSchema(
    "genointerp::query",
    2,
    (
        optional("genome", "string", "name of the genome"),
        optional("region", "string", "name of the region in the query"),
        optional("seqid", "string", "contig"),
        required("feature", "int64", "index in the dictionary"),
        required("strand", "string", "strand that was read, + or -"),
        required("max_activation", "float64", "largest activation in the region"),
        required("mean_activation", "float64", "mean over the bases of the region that fire"),
        required("covered_share", "float64", "share of the region's bases read on which it fires"),
        required("start", "int64", "first firing base in the region, 0-based, forward strand"),
        required("end", "int64", "one past the last firing base in the region"),
        optional("best_concept", "string", "concept with the highest F1 on fit; empty if none"),
        optional("orientation", "string", "sense, antisense or both"),
        optional("best_f1", "float64", "F1 of this concept on test"),
        *_FAMILY,
        LABEL,
    ),
)


LOCI = TableSchema(
    "genointerp::loci",
    2,
    (
        required("seqid", "string", "contig"),
        required("start", "int64", "start of the locus, 0-based, forward strand"),
        required("end", "int64", "end of it, half-open"),
        required("strand", "string", "strand that was read, + or -"),
        required("max_activation", "float64", "largest activation in the locus"),
        required("mean_activation", "float64", "mean over its firing bases"),
        required("n_firing", "int64", "number of its firing bases"),
        optional("peak", "int64", "first base with the largest activation, 0-based"),
    ),
)


TOP_LOCI = TableSchema(
    "genointerp::top-loci",
    1,
    (
        required("rank", "int64", "1 has the largest activation"),
        required("genome", "string", "name of the genome"),
        *LOCI.columns,
        optional(
            "sequence", "string", "bases 5' to 3' on the reading strand; flanks in lower case"
        ),
        optional("element", "string", "name of the nearest element; empty if none"),
        optional("element_type", "string", "type of the element, a term of the Sequence Ontology"),
        optional("product", "string", "product of the element in the annotation"),
        optional(
            "distance", "float64", "bp to it: 0 if they overlap, < 0 upstream of it; NaN if none"
        ),
        optional("orientation", "string", "sense or antisense; both if the element has no strand"),
        LABEL,
    ),
)


MOTIF = TableSchema(
    "genointerp::motif",
    1,
    (
        required("offset", "int64", "bp from the anchor, in reading direction"),
        required("A", "float64", "share of A among the bases of the column"),
        required("C", "float64", "share of C"),
        required("G", "float64", "share of G"),
        required("T", "float64", "share of T"),
        required("n", "int64", "number of bases in the column that are A, C, G or T"),
        required("bits", "float64", "information content against the background, corrected"),
        required(
            "null_bits", "float64", "bits that one column in twenty of the background exceeds"
        ),
    ),
)


FEATURES = TableSchema(
    "genointerp::feature-statistics",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("strand", "string", "strand that was read, + or -"),
        required("n_firing", "int64", "number of bases on which it fires"),
        required("density", "float64", "n_firing over the bases read; NaN if none was read"),
        required("max_activation", "float64", "largest activation; 0 if it never fires"),
        required("mean_activation", "float64", "mean over firing bases; NaN if none"),
    ),
)


FEATURE_SUMMARY = TableSchema(
    "genointerp::feature-summary",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("density", "float64", "share of read bases on which it fires, over all genomes"),
        required(
            "n_firing", "int64", "number of bases on which it fires, on both strands of all genomes"
        ),
        required("max_activation", "float64", "largest activation; 0 if it never fires"),
        required("mean_activation", "float64", "mean over firing bases; NaN if none"),
        required(
            "strand_asymmetry", "float64", "(p - m) / (p + m) of its densities p on + and m on -"
        ),
        required("best_concept", "string", "concept with the highest F1 on fit; empty if none"),
        required("orientation", "string", "sense, antisense or both; empty if none"),
        required("threshold", "float64", "threshold chosen on fit"),
        required("precision", "float64", "as in associations; test"),
        required("recall", "float64", "as in associations; test"),
        required("f1", "float64", "as in associations; test"),
        required("auroc", "float64", "as in associations; test"),
        required("null_f1", "float64", "as in associations; test"),
        required("f1_always_on", "float64", "F1 of the detector that always fires; test"),
        required("q_value", "float64", "as in associations; test"),
        *_FAMILY,
        LABEL,
    ),
)


FEATURE_CONCEPTS = TableSchema(
    "genointerp::feature-concepts",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("concept", "string", "name of the concept"),
        required("orientation", "string", "sense, antisense or both"),
        required("f1", "float64", "as in associations; test"),
        required("null_f1", "float64", "as in associations; NaN if not tested; test"),
        required("q_value", "float64", "as in associations; NaN if not tested; test"),
        required("f1_always_on", "float64", "F1 of the detector that always fires; test"),
        required("sequence_alone", "float64", "F1 of the model of the sequence; NaN if none; test"),
        required("precision", "float64", "as in associations; test"),
        required("recall", "float64", "as in associations; test"),
        required("auroc", "float64", "as in associations; test"),
        required("n_elements", "int64", "as in associations; test"),
        required("f1_fit", "float64", "F1 on fit, by which the rows of a feature are ordered"),
    ),
)


HISTOGRAM = TableSchema(
    "genointerp::activation-histogram",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("genome", "string", "name of the genome"),
        required("activation_from", "float64", "least activation of the bin"),
        required("activation_to", "float64", "upper end of the bin; only the last bin includes it"),
        required("n_bases", "int64", "number of bases on both reading strands; 1 or more"),
    ),
)


NEAREST_FEATURES = TableSchema(
    "genointerp::nearest-features",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("neighbour", "int64", "index of a feature with a near direction"),
        required("cosine", "float64", "cosine of the two directions"),
        required(
            "concept",
            "string",
            "best concept of the neighbour if its F1 is above its null, with q <= .05; else empty",
        ),
    ),
)


FEATURE_MAP = TableSchema(
    "genointerp::feature-map",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("x", "float64", "first coordinate, as the axis of the map says"),
        required("y", "float64", "second coordinate"),
        required(
            "concept",
            "string",
            "best concept if its F1 is above its null, with q <= .05; else empty",
        ),
    ),
)


READ_CONTIGS = TableSchema(
    "genointerp::read-contigs",
    1,
    (
        required("genome", "string", "name of the genome in the run"),
        required("seqid", "string", "contig"),
        required("length", "int64", "length in bp"),
        required("circular", "int64", "1 if the last base is followed by the first, else 0"),
        required("n_read_plus", "int64", "number of bases that were read on +"),
        required("n_read_minus", "int64", "number of bases that were read on -"),
    ),
)


RUN_FILES = TableSchema(
    "genointerp::run-files",
    1,
    (
        required("file", "string", "path, relative to the run directory if it lies in it"),
        required("n_bytes", "int64", "size in bytes"),
        required("sha256", "string", "sha256 of its bytes"),
    ),
)
