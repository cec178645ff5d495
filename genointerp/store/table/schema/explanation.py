"""Schemas of explanations: the nodes behind a number, and what they add up to."""

from genointerp.store.table.schema.column import TableSchema, required

EXPLANATION = TableSchema(
    "genointerp::explanation",
    1,
    (
        required("question", "string", "what is explained, as in explained"),
        required("seqid", "string", "contig"),
        required("start", "int64", "bases of the token; 0-based, forward strand"),
        required("end", "int64", "end of them, half-open; beyond the length over an origin"),
        required("strand", "string", "reading strand"),
        required("offset", "int64", "tokens from the first that is asked for; -1 decides it"),
        required("kind", "string", "feature, error, other features or other errors"),
        required("feature", "int64", "index in the dictionary; -1 for what is no feature"),
        required("name", "string", "name of the feature; empty if it has none"),
        required("concept", "string", "concept that the feature is called by; empty if none"),
        required("activation", "float64", "amount of the feature, or norm of the error"),
        required("baseline", "float64", "the same in the baseline"),
        required("attribution", "float64", "share of the node in the change, nats"),
        required("gradient", "float64", "the same by the gradient at one point, nats"),
        required("exact", "float64", "fall of the number with the node at its baseline, nats"),
    ),
)

EXPLAINED = TableSchema(
    "genointerp::explained",
    1,
    (
        required("question", "string", "region, variant or feature"),
        required("kind", "string", "prediction, variant, indel or feature"),
        required("seqid", "string", "contig"),
        required("start", "int64", "bases that are asked for; 0-based, forward strand"),
        required("end", "int64", "end of them, half-open; beyond the length over an origin"),
        required("strand", "string", "reading strand"),
        required("ref", "string", "bases of the genome, forward strand; empty if above 64"),
        required("alt", "string", "bases of the variant, forward strand; empty if it is none"),
        required("measure", "string", "contrast, log_odds, log_p or pre_activation"),
        required("value", "float64", "the number, nats"),
        required("baseline_value", "float64", "the number of the baseline, nats"),
        required("change", "float64", "the number minus that of the baseline, nats"),
        required("features", "float64", "sum of the attributions of all features, nats"),
        required("errors", "float64", "sum of the attributions of all errors, nats"),
        required("gap", "float64", "absolute difference of change and both sums, nats"),
        required("complete", "int64", "1 if the gap is within its tolerance, else 0"),
        required("steps", "int64", "points of the path at which gradients were taken; 0: none"),
        required("error_share", "float64", "share of errors in the absolute attributions"),
        required("r", "float64", "correlation of attribution and exact effect, over those exact"),
        required("slope", "float64", "slope of exact effect on attribution, through 0"),
        required("r_gradient", "float64", "correlation of gradient and exact effect"),
        required("log_p", "float64", "log probability of what is asked for, nats"),
        required("own_change", "float64", "of a variant: log p of its own bases, alt - ref, nats"),
        required("n_next", "int64", "of a variant: bases behind it that are counted in change"),
        required("strands_agree", "int64", "1 if both strands have one sign, 0 if not, -1: one"),
        required("top", "string", "features of the largest sums of attributions"),
    ),
)
