"""Schemas of what bases upstream do to a prediction, and of which bases depend on which."""

from genointerp.store.table.schema.column import TableSchema, required

EXPLAINING_BASES = TableSchema(
    "genointerp::explaining-bases",
    1,
    (
        required("question", "string", "what is explained, as in explained"),
        required("seqid", "string", "contig"),
        required("start", "int64", "the base; 0-based, forward strand"),
        required("end", "int64", "end of it, half-open"),
        required("strand", "string", "reading strand"),
        required("offset", "int64", "place in reading direction; the first base asked for is 0"),
        required("base", "string", "what is there, on the reading strand"),
        required("effect_A", "float64", "change of the number with A there; 0 if it is A"),
        required("effect_C", "float64", "as effect_A, with C"),
        required("effect_G", "float64", "as effect_A, with G"),
        required("effect_T", "float64", "as effect_A, with T"),
        required("mean_effect", "float64", "mean effect of the three replacements"),
        required("importance", "float64", "the number minus its mean over the four bases there"),
        required(
            "gradient",
            "float64",
            "mean_effect to first order; NaN in half precision",
        ),
    ),
)

CHAIN = TableSchema(
    "genointerp::explaining-chain",
    1,
    (
        required("question", "string", "what is explained, as in explained"),
        required("seqid", "string", "contig"),
        required("start", "int64", "the base that is replaced; 0-based, forward strand"),
        required("end", "int64", "end of it, half-open"),
        required("strand", "string", "reading strand"),
        required("offset", "int64", "place in reading direction; the first base asked for is 0"),
        required("base", "string", "what is there, on the reading strand"),
        required("node", "string", "number of a feature; error; other: all further features"),
        required(
            "change", "float64", "sum over tokens of the change of its amount; NaN if no feature"
        ),
        required("contribution", "float64", "part of the effect that passes through it"),
        required("effect", "float64", "exact effect: the mean of the three replacements"),
        required("gap", "float64", "largest |sum of contributions - effect| of a replacement"),
    ),
)

DEPENDENCY = TableSchema(
    "genointerp::dependency",
    1,
    (
        required("seqid", "string", "contig"),
        required("strand", "string", "reading strand"),
        required("replaced", "int64", "base that is replaced; 0-based, forward strand"),
        required("affected", "int64", "base whose prediction changes; 0-based, forward strand"),
        required("distance", "int64", "bases from the one to the other, in reading direction"),
        required("dependency", "float64", "largest |change of log odds| of a base there, nats"),
        required("frobenius", "float64", "root of the sum of squares of all 12 changes, nats"),
        required(
            "shuffled",
            "float64",
            "95th percentile at this distance in shuffled bases; NaN: none",
        ),
    ),
)
