"""Schemas of circuits: which features fire together, and in which order."""

from genointerp.store.table.schema.column import TableSchema, optional, required

COACTIVATION = TableSchema(
    "genointerp::coactivation",
    1,
    (
        required("feature_a", "int64", "index in the dictionary"),
        required("feature_b", "int64", "the feature that fires lag bases after it"),
        required("relation", "string", "same: both on the strand read; opposite: b on the other"),
        required("strand", "string", "reading strand of a, + or -, on which phi is higher"),
        required("lag", "int64", "bases from a to b along this strand; the first high peak of phi"),
        required("phi", "float64", "correlation of their firing at this lag, -1 to 1"),
        required("phi_0", "float64", "the same at lag 0"),
        required("null_phi", "float64", "phi that one rotation in twenty exceeds"),
        required("p_value", "float64", "share of rotated pairs that score as high"),
        required("q_value", "float64", "corrected over all pairs and lags, those not tested too"),
        required("n_null", "int64", "number of rotated pairs that p is a share of"),
        required("n_joint", "int64", "number of bases of a with b at this lag"),
        required("phi_plus", "float64", "phi at this lag with a read on +"),
        required("phi_minus", "float64", "phi at this lag with a read on -"),
        required(
            "period", "float64", "distance of the peaks within 12 bases; NaN with one or none"
        ),
    ),
)

COACTIVATION_LAGS = TableSchema(
    "genointerp::coactivation-lags",
    1,
    (
        required("feature_a", "int64", "index in the dictionary"),
        required("feature_b", "int64", "the feature that fires lag bases after it"),
        required("relation", "string", "same or opposite, as in coactivation"),
        required("strand", "string", "reading strand of a, + or -"),
        required("lag", "int64", "bases from a to b along this strand"),
        required("phi", "float64", "correlation of their firing at this lag"),
        required("null_phi", "float64", "phi that one rotation in twenty exceeds"),
        required("p_value", "float64", "share of rotated pairs that score as high"),
        required("q_value", "float64", "as in coactivation; 1 with too few joint firings"),
        required("n_joint", "int64", "number of bases of a with b at this lag"),
    ),
)

CIRCUIT_FAMILIES = TableSchema(
    "genointerp::circuit-families",
    1,
    (
        required("family", "int64", "number of the family, from 1; the largest first"),
        required("name", "string", "what its concepts are together; empty if they say nothing"),
        required("kind", "string", "cycle, path or set"),
        required("members", "string", "features by lag: > is followed by, + is at the same lag"),
        required("n_features", "int64", "number of features"),
        required("n_steps", "int64", "number of different lags; 1 for a set"),
        required("period", "float64", "bases after which a cycle returns; NaN where none"),
        required(
            "agreement",
            "float64",
            "share of phi in edges whose lag fits, of those not used for the order; NaN if none",
        ),
        required("phi", "float64", "mean over its edges"),
        required("n_edges", "int64", "number of its edges"),
        required("concepts", "string", "best concepts of its members above their null, by number"),
        required("n_bases", "int64", "bases, on either reading strand, on which a member fires"),
        required("genome", "string", "genome of the example"),
        required(
            "seqid", "string", "contig of the example, where most firings of members are near"
        ),
        required("start", "int64", "start of the example; 0-based, forward strand"),
        required("end", "int64", "end of it, half-open"),
        required("strand", "string", "reading strand of the example"),
    ),
)

CIRCUIT_MEMBERS = TableSchema(
    "genointerp::circuit-members",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("family", "int64", "number of its family"),
        required("circuit", "string", "the family in words: kind, name or number"),
        required("step", "int64", "place in the order of the family, from 1; 1 in a set"),
        required(
            "lag", "int64", "bases from the first step, or within the period of a cycle; 0 in a set"
        ),
        required("concept", "string", "best concept above its null; empty if none"),
        required("orientation", "string", "sense, antisense or both; empty if none"),
    ),
)

SUCCESSIONS = TableSchema(
    "genointerp::successions",
    1,
    (
        required("feature_a", "int64", "feature whose stretch ends upstream"),
        required("feature_b", "int64", "feature whose stretch begins downstream of that end"),
        required("share", "float64", "share of the stretches of b that one of a precedes"),
        required("null_share", "float64", "share that one rotation in twenty exceeds"),
        required("expected_share", "float64", "mean share over the rotations"),
        required("distance", "float64", "median bases from the nearest end of a to the beginning"),
        required("n_followed", "int64", "number of stretches of b that one of a precedes"),
        required("n_a", "int64", "number of stretches of a"),
        required("n_b", "int64", "number of stretches of b"),
        required("p_value", "float64", "share of rotated pairs that score as high"),
        required("q_value", "float64", "corrected over all ordered pairs of the features tested"),
        required("n_null", "int64", "number of rotated pairs that p is a share of"),
        optional("concept_a", "string", "best concept of a above its null; empty if none"),
        optional("orientation_a", "string", "sense, antisense or both; empty if none"),
        optional("concept_b", "string", "best concept of b above its null; empty if none"),
        optional("orientation_b", "string", "sense, antisense or both; empty if none"),
    ),
)
