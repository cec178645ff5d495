"""Schemas of how far the predictions of models differ, and of texts that this leads to."""

from genointerp.store.table.schema.column import TableSchema, required

DIVERGENCE = TableSchema(
    "genointerp::divergence",
    1,
    (
        required("kind", "string", "position: one base; stretch: several, whose values are means"),
        required("rank", "int64", "rank among those of its kind by excess, from 1"),
        required("seqid", "string", "contig"),
        required("start", "int64", "first base, 0-based"),
        required("end", "int64", "end, half-open"),
        required("strand", "string", "reading strand"),
        required("kl", "float64", "KL of the tuned model from the base model, nats"),
        required("js", "float64", "JS divergence of the two, nats"),
        required("dlogp", "float64", "log p of what is there, tuned minus base, nats"),
        required("control_kl", "float64", "KL of the control from the base model; NaN: no control"),
        required(
            "between_kl", "float64", "KL of the tuned model from the control; NaN: no control"
        ),
        required("excess", "float64", "kl - control_kl; kl where there is no control"),
        required(
            "p_value",
            "float64",
            "share of bases with as high a control_kl, 1 added; NaN: a stretch, or no control",
        ),
        required("q_value", "float64", "corrected over all bases that were read; NaN likewise"),
        required("context", "string", "bases before it, in reading direction"),
        required("found", "string", "bases that are there (a whole word), in reading direction"),
        required("expected", "string", "most probable symbol of the tuned model at the first base"),
    ),
)

DIVERGENCE_SUMMARY = TableSchema(
    "genointerp::divergence-summary",
    1,
    (
        required("model", "string", "model whose predictions are compared: tuned or control"),
        required("against", "string", "model that they are compared with: base or control"),
        required("strand", "string", "reading strand; . for both"),
        required("measure", "string", "kl, js or dlogp, in nats"),
        required("n", "int64", "bases that were predicted"),
        required("mean", "float64", "mean"),
        required("p50", "float64", "median"),
        required("p99", "float64", "99 % quantile"),
        required("p999", "float64", "99.9 % quantile"),
        required("max", "float64", "largest value"),
        required("min", "float64", "smallest value"),
        required("excess_mean", "float64", "tuned minus control, both against base; else NaN"),
        required("excess_p50", "float64", "the same of the medians"),
        required("excess_p99", "float64", "the same of the 99 % quantiles"),
        required("excess_p999", "float64", "the same of the 99.9 % quantiles"),
        required("excess_max", "float64", "the same of the largest values"),
    ),
)

DIVERGENCE_TAIL = TableSchema(
    "genointerp::divergence-tail",
    1,
    (
        required("model", "string", "model whose predictions are compared: tuned or control"),
        required("against", "string", "model that they are compared with: base or control"),
        required("share", "float64", "share of the predicted bases of both strands"),
        required("kl", "float64", "KL that this share reaches or exceeds, nats"),
    ),
)

DIVERGENCE_BINS = TableSchema(
    "genointerp::divergence-bins",
    1,
    (
        required("seqid", "string", "contig"),
        required("start", "int64", "first base of the bin, 0-based"),
        required("end", "int64", "end, half-open"),
        required("strand", "string", "reading strand"),
        required("kl", "float64", "largest KL of the tuned model from the base model, nats"),
        required("control_kl", "float64", "the same of the control; NaN: no control"),
        required("excess", "float64", "largest difference of the two at one base"),
    ),
)

EXTRACTED_TEXTS = TableSchema(
    "genointerp::extracted-texts",
    1,
    (
        required(
            "arm",
            "string",
            "tuned: extracted at places; control, random: the best text of a null, if any;"
            " searched: found without places; searched_control: its null",
        ),
        required("rank", "int64", "rank among the texts of the arm by score, from 1"),
        required("text", "string", "bases of the text"),
        required("n_bases", "int64", "their number"),
        required(
            "n_positions",
            "int64",
            "places of those read whose continuation has most of it; searched: contexts after which"
            " its model expects it most",
        ),
        required("n_first", "int64", "the same among the first places by rank"),
        required(
            "n_read",
            "int64",
            "places after whose context the model wrote; searched: held-out contexts",
        ),
        required("agreement", "float64", "mean share of continuations that agree, over its bases"),
        required("context", "string", "consensus of the ends of the contexts; empty: none"),
        required(
            "log_p", "float64", "log p of what was written of it, by its model, nats per base"
        ),
        required("base_log_p", "float64", "the same of the base model, after the same contexts"),
        required("control_log_p", "float64", "the same of the control; NaN: no control"),
        required(
            "score", "float64", "nats by which its model expects it more than each of the others"
        ),
        required(
            "null_score",
            "float64",
            "largest score of a text of the nulls, but of the same text at drawn places; 0 if none",
        ),
        required("n_drawn", "int64", "drawn places whose continuation has most of the same text"),
        required("places", "string", "first places, each seqid:base:strand (1-based), with commas"),
    ),
)
