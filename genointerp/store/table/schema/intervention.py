"""Schemas of canvases, and of what a model does under them."""

from genointerp.store.table.schema.column import TableSchema, optional, required

CANVAS = TableSchema(
    "genointerp::canvas",
    1,
    (
        required("seqid", "string", "contig"),
        required("start", "int64", "start of the stretch; 0-based, forward strand"),
        required(
            "end", "int64", "end of it, half-open; beyond the length if it spans a circular origin"
        ),
        required("strand", "string", "reading strand that is painted: + or -; both where ."),
        required("feature", "string", "number or name of a feature; name of a profile"),
        required("mode", "string", "set, raise, add, scale, ablate or profile"),
        required("value", "float64", "dose, in units; a factor for scale; undefined for ablate"),
        optional("phase", "int64", "only each third base, from this one on (0, 1, 2); -1: each"),
        optional("when", "string", "only where this feature fires; empty: everywhere"),
        optional(
            "state", "string", "decides: the state before a base is read (default); reads: after it"
        ),
        optional("concept", "string", "concept that the unit is measured on; empty: all bases"),
        optional("unit", "float64", "activation that dose 1 means, in model units"),
    ),
)

PROFILES = TableSchema(
    "genointerp::profiles",
    1,
    (
        required("profile", "string", "name of the profile"),
        required("position", "int64", "base of the element that was read last, from 0; -1: none"),
        required("feature", "int64", "index in the dictionary"),
        required("amount", "float64", "mean activation there, in model units; 0 where no row"),
    ),
)

STEERING = TableSchema(
    "genointerp::steering",
    1,
    (
        required("condition", "string", "canvas, or the control: matched, random, shifted, ..."),
        required("dose", "float64", "what the doses of the canvas were multiplied by"),
        required("features", "string", "profiles and features that were painted, with commas"),
        required("place", "string", "inside, downstream by distance, outside, or a concept"),
        required("n_bases", "int64", "number of bases, on either reading strand, that were read"),
        required("delta_log_p", "float64", "mean change of the log probability, nats per base"),
        required("kl", "float64", "mean divergence of the prediction, nats per token"),
        required("kl_max", "float64", "largest divergence of one prediction, nats"),
    ),
)

STEERED_BASES = TableSchema(
    "genointerp::steered-bases",
    1,
    (
        required("seqid", "string", "contig"),
        required("start", "int64", "the base, or the first of its token; 0-based, forward strand"),
        required("end", "int64", "end of it, half-open"),
        required("strand", "string", "reading strand"),
        required("place", "string", "inside, or downstream by distance"),
        required("log_p", "float64", "log probability of what is there, unpainted, nats"),
        required("log_p_painted", "float64", "the same under the canvas"),
        required("kl", "float64", "divergence of the prediction, nats"),
    ),
)

DESIGNS = TableSchema(
    "genointerp::designs",
    1,
    (
        required("design", "string", "name, as in the FASTA and GFF3 files"),
        required("condition", "string", "canvas, unpainted, or the control"),
        required("dose", "float64", "what the doses of the canvas were multiplied by; 0 unpainted"),
        required("number", "int64", "number within the condition: equal ones have equal chances"),
        required("seqid", "string", "contig of the place"),
        required("start", "int64", "start of the place; 0-based, forward strand"),
        required("end", "int64", "end of it, half-open"),
        required("strand", "string", "strand that was written"),
        required("log_p_painted", "float64", "log probability as it was written, nats per base"),
        required("log_p", "float64", "the same for the unpainted model that reads it"),
        required("log_p_behind", "float64", "mean over the bases behind it, unpainted; nats"),
        required("gc", "float64", "share of G and C"),
        required("identity", "float64", "share of bases that are as those that stood there"),
        required("n_stops_0", "int64", "stop codons that begin 0, 3, 6, ... bases after its first"),
        required("n_stops_1", "int64", "1, 4, 7, ... bases after it"),
        required("n_stops_2", "int64", "2, 5, 8, ... bases after it"),
        required("coding_0", "float64", "share of it in genes of frame 0 that pyrodigal finds"),
        required("coding_1", "float64", "as coding_0, in frame 1"),
        required("coding_2", "float64", "as coding_0, in frame 2"),
        required("coding_other", "float64", "as coding_0, on the other strand"),
        required("trna", "float64", "1 if pyaragorn finds a tRNA, else 0"),
        required("rrna", "float64", "1 if pybarrnap finds an rRNA, else 0"),
        required("t_loop", "int64", "1 if it has the consensus of a T loop, else 0"),
        required("d_loop", "int64", "1 if that of a D loop is in its place, else 0"),
        required("cca", "int64", "1 if it ends in CCA, else 0"),
        required("acceptor_pairs", "int64", "pairs of its ends, as of a tRNA; 0 to 7"),
        required("copied_before", "int64", "longest run that the bases before it have too"),
        required("copied_known", "int64", "longest run that a known genome has too"),
        required("sequence", "string", "its bases, 5' to 3' on the strand"),
    ),
)

PAINTING = TableSchema(
    "genointerp::painting",
    1,
    (
        required("condition", "string", "canvas, unpainted, or the control"),
        required("dose", "float64", "what the doses of the canvas were multiplied by; 0 unpainted"),
        required("features", "string", "profiles and features that were painted, with commas"),
        required("n_designs", "int64", "number of designs"),
        required("log_p_painted", "float64", "mean over designs, as in designs"),
        required("log_p", "float64", "mean over designs, as in designs"),
        required("log_p_behind", "float64", "mean over designs, as in designs"),
        required("gc", "float64", "mean over designs"),
        required("identity", "float64", "mean over designs"),
        required("diversity", "float64", "share of bases that differ, over pairs of designs"),
        required("stops_0", "float64", "stop codons in frame 0, observed / expected"),
        required("stops_0_low", "float64", "2.5 % quantile of it, over designs drawn again"),
        required("stops_0_high", "float64", "97.5 % quantile"),
        required("stops_1", "float64", "as stops_0, in frame 1"),
        required("stops_2", "float64", "as stops_0, in frame 2"),
        required("coding_0", "float64", "mean over designs, as in designs"),
        required("coding_0_low", "float64", "2.5 % quantile of it, over designs drawn again"),
        required("coding_0_high", "float64", "97.5 % quantile"),
        required("coding_1", "float64", "mean over designs"),
        required("coding_2", "float64", "mean over designs"),
        required("coding_other", "float64", "mean over designs"),
        required("trna", "float64", "share of designs with a tRNA that pyaragorn finds"),
        required("rrna", "float64", "share of designs with an rRNA that pybarrnap finds"),
        required("t_loop", "float64", "share of designs with a T loop"),
        required("d_loop", "float64", "share of designs with a D loop"),
        required("cca", "float64", "share of designs that end in CCA"),
        required("acceptor_pairs", "float64", "mean over designs"),
        required("copies", "float64", "share with a run of 31 bases that stands elsewhere"),
        required("words", "float64", "divergence of 3-mers from those of unpainted designs, bits"),
        required("features_moved", "float64", "features not painted whose |z| exceeds 3"),
        required("kl_behind", "float64", "divergence of what is expected behind the place, nats"),
        required("score_fit", "float64", "of the dose, on designs of odd numbers"),
        required("score_test", "float64", "of the dose, on designs of even numbers"),
        required("chosen", "int64", "1 for the dose with the best score on fit, else 0"),
        optional("frame", "int64", "that in which the canvas counts phases: 0, 1, 2; -1: none"),
    ),
)
