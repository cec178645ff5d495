"""Schemas of matching: which features of two dictionaries do the same on the same bases."""

from genointerp.store.table.schema.column import TableSchema, optional, required

MATCHES = TableSchema(
    "genointerp::matches",
    1,
    (
        required("side", "string", "a or b: the dictionary of the feature"),
        required("feature", "int64", "index in its dictionary"),
        required("n_bases", "int64", "bases that both have read, by strand, on which it fires"),
        required("density", "float64", "their share of all bases that both have read"),
        required(
            "decile", "int64", "tenth by density, 1 (rarest) to 10; 0 if on too few bases to test"
        ),
        required("partner", "int64", "feature of the other dictionary with the largest r; or -1"),
        required(
            "r", "float64", "their correlation over bases; 0 without partner, NaN if untested"
        ),
        required("is_mutual", "int64", "1 if it is the partner of its partner, else 0"),
        required("is_matched", "int64", "1 if it is, with an r of at least min_r, else 0"),
        required("one_to_one", "int64", "partner that no other feature has; -1 if none"),
        required("one_to_one_r", "float64", "correlation with it; NaN if none"),
        required(
            "n_parts", "int64", "features of the other dictionary whose partner it is, r >= split_r"
        ),
        required("part_of", "int64", "its partner, if that has several parts; else -1"),
        required(
            "r2_best",
            "float64",
            "R^2 on test of its n_best best candidates together, chosen and fitted on fit",
        ),
        required("null_r", "float64", "best r that one rotation in twenty exceeds"),
        required("p_value", "float64", "share of rotated features whose best r scores as high"),
        required("q_value", "float64", "corrected over the tested features of its dictionary"),
        required(
            "null_r_3", "float64", "best r that one short rotation by a multiple of 3 exceeds"
        ),
        required(
            "residual_r",
            "float64",
            "r with its partner, without their means by the last five bases and codon phase",
        ),
        required("residual_partner", "int64", "feature with the largest such r; -1 if none"),
        required("residual_partner_r", "float64", "that r; NaN without the bases"),
        required("is_residual_matched", "int64", "1 if mutual with at least min_r, else 0"),
        required(
            "twin_r", "float64", "best r in the random-weight twin of the other model; NaN if none"
        ),
        optional("concept", "string", "best concept of the feature above its null; empty if none"),
        optional("orientation", "string", "sense, antisense or both; empty if none"),
        optional("partner_concept", "string", "best concept of its partner; empty if none"),
        optional("partner_orientation", "string", "sense, antisense or both; empty if none"),
        optional("is_same_concept", "int64", "1 if both are known and the same, else 0"),
    ),
)

FEATURE_MATCHES = TableSchema(
    "genointerp::feature-matches",
    1,
    (
        required("feature", "int64", "index in the dictionary of the run"),
        required("dictionary", "string", "comparison of the run that names the other dictionary"),
        required("partner", "int64", "feature of the other dictionary with the largest r; or -1"),
        required("r", "float64", "their correlation over bases; 0 without partner"),
        required("twin_r", "float64", "best r in the twin of the other model; NaN if none"),
        required("excess", "float64", "r less twin_r; NaN without a twin"),
        required("null_r", "float64", "best r that one rotation in twenty exceeds"),
        required("q_value", "float64", "corrected over the tested features of the dictionary"),
        required("residual_r", "float64", "r with its partner without composition; NaN if unknown"),
        required("is_matched", "int64", "1 if each is the other's partner with r >= min_r, else 0"),
        optional("partner_concept", "string", "best concept of its partner; empty if none"),
    ),
)

MATCH_SUMMARY = TableSchema(
    "genointerp::match-summary",
    1,
    (
        required("side", "string", "a or b: the dictionary whose features are counted"),
        required(
            "comparison",
            "string",
            "found; nulls twin, twins, rotation, rotation_3; ceiling; _residual: less composition",
        ),
        required("decile", "int64", "tenth by density, 1 (rarest) to 10; 0 for all"),
        required("n_features", "int64", "features tested"),
        required("share", "float64", "share of them that is matched"),
        required("share_low", "float64", "lower end of its 95 % interval, over blocks of bases"),
        required("share_high", "float64", "upper end of it"),
        required("mean_r", "float64", "mean over them of the largest r"),
        required("excess", "float64", "share of found less this share; NaN for found itself"),
        required("excess_low", "float64", "lower end of its 95 % interval"),
        required("excess_high", "float64", "upper end of it"),
        required("of_ceiling", "float64", "share over that of ceiling; NaN but for found"),
        required("of_ceiling_low", "float64", "lower end of its 95 % interval"),
        required("of_ceiling_high", "float64", "upper end of it"),
    ),
)


ACROSS = TableSchema(
    "genointerp::across",
    1,
    (
        required("side", "string", "a or b: whose feature it is"),
        required("feature", "int64", "index in its dictionary"),
        required("n_genes", "int64", "orthologues in which it fires on the gene's strand"),
        required("is_tested", "int64", "1 if these are min_genes at least, else 0"),
        required("partner", "int64", "feature of the other side with the largest r; -1 if none"),
        required("r", "float64", "their rank correlation over orthologues; NaN if untested"),
        required("is_mutual", "int64", "1 if it is the partner of its partner, else 0"),
        required("is_matched", "int64", "1 if it is, with an r of at least min_r, else 0"),
        required("null_r", "float64", "best r that one shuffle of the pairs in twenty exceeds"),
        required("p_value", "float64", "share of shuffled features whose best r scores as high"),
        required("q_value", "float64", "corrected over the tested features of its side"),
        required("residual_partner", "int64", "feature with the largest r without composition"),
        required("residual_r", "float64", "that r, without what bases and length predict"),
        required("is_residual_matched", "int64", "1 if mutual with at least min_r, else 0"),
        required("own_r", "float64", "r with itself on the other side; NaN: other dictionaries"),
        required("own_rank", "int64", "rank of this among all of the other side; 0 if unknown"),
        required("own_residual_rank", "int64", "the same without composition; 0 if unknown"),
    ),
)


ACROSS_SUMMARY = TableSchema(
    "genointerp::across-summary",
    1,
    (
        required("side", "string", "a or b: whose features are counted"),
        required(
            "comparison",
            "string",
            "found, shuffled, residual; itself (its own partner), with the same, and both",
        ),
        required("n_features", "int64", "features tested"),
        required("n_genes", "int64", "orthologues, copies of an RNA counted once"),
        required("share", "float64", "share of the features that is matched"),
        required("share_low", "float64", "lower end of its 95 % interval; NaN if none"),
        required("share_high", "float64", "upper end of it"),
    ),
)
