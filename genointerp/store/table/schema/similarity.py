"""Schema of similarity: how alike what two models compute on the same bases is."""

from genointerp.store.table.schema.column import TableSchema, required

SIMILARITY = TableSchema(
    "genointerp::similarity",
    1,
    (
        required("measure", "string", "cka, svcca, neighbours, r2_b_from_a or r2_a_from_b"),
        required("comparison", "string", "found, or what it is compared with, as listed below"),
        required("value", "float64", "the measure; for rotations its mean over them"),
        required("low", "float64", "lower end of its 95 % interval, or of 95 % of the rotations"),
        required("high", "float64", "upper end of it"),
        required("excess", "float64", "what was found less this; NaN for found and for rotations"),
        required("excess_low", "float64", "lower end of the 95 % interval of the excess"),
        required("excess_high", "float64", "upper end of it"),
        required("n_bases", "int64", "bases that were compared, both strands counted"),
        required("of_ceiling", "float64", "share of the value of the ceiling; NaN without one"),
    ),
)
