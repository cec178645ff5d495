"""Schemas of edges between features of two sites, and of what shows that they work together."""

from genointerp.store.table.schema.column import TableSchema, optional, required

EDGES = TableSchema(
    "genointerp::edges",
    1,
    (
        required("target_site", "string", "site of the target"),
        required("target", "int64", "feature above, index in the dictionary of its site"),
        required("source_site", "string", "site of the source"),
        required("source", "int64", "feature below; -1 for the error there"),
        required("lag_first", "int64", "first distance of the bin: token of the target - source"),
        required("lag_last", "int64", "last distance of it"),
        required("n_tokens", "int64", "targets for which the source fires at this distance"),
        required("weight", "float64", "mean over targets of what it adds, in model units"),
        required("weight_null", "float64", "95 % quantile of |weight| along other directions"),
        required(
            "p_value", "float64", "share of the null of all edges of the target that is as large"
        ),
        required("q_value", "float64", "corrected over all edges that were tested"),
        required("sign", "float64", "|sum| / sum of absolute weights: 1 if all have one sign"),
        required("share", "float64", "its share of all absolute weights into the target"),
    ),
)

EDGE_TARGETS = TableSchema(
    "genointerp::edge-targets",
    1,
    (
        required("target_site", "string", "site of the target"),
        required("target", "int64", "feature above, index in the dictionary of its site"),
        required("source_site", "string", "site of the sources"),
        required("n_tokens", "int64", "tokens on which it fires that were measured"),
        required("n_windows", "int64", "windows in which these lie"),
        required("activation", "float64", "its mean activation there, in model units"),
        required("weight", "float64", "mean of the sum of the weights of all features"),
        required("error", "float64", "mean of the sum of the weights of all errors"),
        required("error_share", "float64", "share of errors in the absolute weights"),
        required("n_sources", "int64", "features that have .8 of the absolute weights of features"),
        required("lag_0", "float64", "share of the absolute weights at the same token"),
        required("lag_near", "float64", "share at 1 to 12 tokens before"),
        required("lag_far", "float64", "share at 13 to 128 tokens before"),
        required("lag_beyond", "float64", "share further before"),
        required("n_ablated", "int64", "nodes that were taken out, one at a time"),
        required("r", "float64", "correlation of the effects of these with their weights"),
        required("slope", "float64", "slope of the effects on the weights, by least squares"),
    ),
)

MEDIATION = TableSchema(
    "genointerp::mediation",
    1,
    (
        required("group", "string", "the group, as it was asked for"),
        required("features", "string", "its features, each with its site, with commas"),
        required("n_features", "int64", "number of features"),
        optional(
            "marks_f1", "string", "of a part: F1 on test of each feature with it, with commas"
        ),
        optional(
            "marks_f1_always_on", "float64", "of a part: F1 on test of a detector that always fires"
        ),
        required("concept", "string", "concept on whose bases the loss is counted; empty: all"),
        required("n_windows", "int64", "number of windows"),
        required("n_bases", "int64", "bases of the windows on which the loss is counted"),
        required("effect", "float64", "increase of the loss without all of them, nats per base"),
        required("effect_se", "float64", "standard error of it, over elements"),
        required(
            "effect_parts",
            "float64",
            "sum of the increases without each of them, or without each part",
        ),
        required("effect_null", "float64", "effect of matched groups, mean"),
        required(
            "effect_p",
            "float64",
            "share of matched groups with an effect as high; one-sided, 1 added",
        ),
        optional(
            "effect_p_two_sided",
            "float64",
            "share of matched groups with as large an |effect|; 1 added",
        ),
        optional(
            "matched_firing",
            "float64",
            "how often matched groups fire on these bases, over how often the group does; median",
        ),
        required("synergy", "float64", "(effect - effect_parts) / |effect|"),
        required("synergy_null", "float64", "synergy of matched groups, median"),
        required("synergy_p", "float64", "share of matched groups with as large a |synergy|"),
        required("outside", "float64", "effect on the other bases of the windows"),
        optional("outside_se", "float64", "standard error of it, over elements"),
        optional("outside_null", "float64", "the same of matched groups, mean"),
        optional(
            "other_parts", "float64", "effect on the bases of the other parts of a higher concept"
        ),
        optional("other_parts_se", "float64", "standard error of it, over elements"),
        optional("other_parts_null", "float64", "the same of matched groups, mean"),
        required("target_lost", "float64", "share of the last feature that goes with the first"),
        required("target_lost_null", "float64", "the same with features matched to the first"),
        required("target_lost_p", "float64", "share of these that are as high; one-sided, 1 added"),
        required("source_effect", "float64", "effect of the first feature alone"),
        required("mediated", "float64", "share of that which is gone if the last one is pinned"),
        required("mediated_null", "float64", "the same with features matched to the last pinned"),
        required("mediated_p", "float64", "share of these that are as high; one-sided, 1 added"),
    ),
)
