"""Schemas of candidates, and of the evidence for and against them."""

from genointerp.store.table.schema.column import Column, TableSchema, optional, required
from genointerp.store.table.schema.feature import LABEL, LOCI

MATCH_NUMBERS = [
    *("n_dictionaries", "matched_share", "match_r", "match_residual_r", "match_twin_r"),
    "match_excess",
]
MATCHED = [*MATCH_NUMBERS, "matched_in"]
"""Columns of candidates about matches: numbers, and a text."""

CANDIDATES = TableSchema(
    "genointerp::candidates",
    2,
    (
        required("rank", "int64", "1 is the best"),
        required("feature", "int64", "index in the dictionary"),
        required("score", "float64", "score by the formula below"),
        required("density", "float64", "share of read bases on which the feature fires"),
        required("n_loci", "int64", "number of separate loci"),
        required("best_concept", "string", "concept with the highest F1 on fit; empty if none"),
        required("best_f1", "float64", "F1 of this concept on test"),
        required(
            "unexplained", "float64", "share that known concepts with q <= .05 leave unexplained"
        ),
        optional(
            "loss_effect", "float64", "increase of the loss when it is ablated, nats per base"
        ),
        optional("stability", "float64", "cosine to its match in a dictionary of another seed"),
        optional("gc_auroc", "float64", "AUROC with which local GC content predicts its firing"),
        optional("kmer_auroc", "float64", "AUROC with which local k-mers predict its firing"),
        optional("periodicity", "float64", "strength of the best period, 2 to 60 bp"),
        optional(
            "strand_asymmetry", "float64", "(p - m) / (p + m) of its densities p on + and m on -"
        ),
        optional(
            "window_bias", "float64", "firing in the heads of windows over the expected firing"
        ),
        required("n_genomes", "int64", "number of genomes in which it fires"),
        required("flags", "string", "flags raised, separated by commas; empty if none"),
        required("top_region", "string", "region of its strongest locus, 1-based and closed"),
        optional("demoting", "string", "flags raised that demote, separated by commas"),
        optional("checks_missing", "string", "checks that were not measured, separated by commas"),
        optional("pattern", "string", "class of the pattern of its firing along the sequence"),
        optional("period", "int64", "best period in bp; 0 if there is none"),
        optional(
            "coherence", "float64", "AUROC of its own firing 18 to 99 bp away for its loud firing"
        ),
        optional("locus_length", "float64", "median length of its loci in bp"),
        optional("motif_bits", "float64", "information around the peaks of its loci, in bits"),
        optional("motif_share", "float64", "motif_bits over the bits needed to find its loci"),
        optional(
            "n_families", "int64", "number of families of sequences among its 20 strongest loci"
        ),
        optional("loss_effect_matched", "float64", "the same for matched other directions"),
        optional("loss_effect_p", "float64", "chance of such an increase along other directions"),
        optional("stability_null", "float64", "stability of one random direction in a hundred"),
        optional("split_cosine", "float64", "largest cosine to another feature of its dictionary"),
        optional("attraction", "float64", "largest log2_enrichment for a concept with q <= .05"),
        optional("tandem_share", "float64", "share of its firing bases in tandem repeats"),
        optional("edge_share", "float64", "share of its firing bases near ends of linear contigs"),
        optional(
            "seen_share", "float64", "s / (s + u) of its loci per base in seen and unseen genomes"
        ),
        optional("window_bias_16", "float64", "window_bias for the first 16 bases"),
        optional("window_bias_1024", "float64", "window_bias for the first 1,024 bases"),
        optional(
            "annotation_missing", "float64", "share of loci that a gene finder alone accounts for"
        ),
        optional("n_read", "int64", "number of genomes that were read"),
        optional("seen_p", "float64", "chance of as many loci in genomes of training"),
        optional("outlier_share", "float64", "share of its firing bases at outlier tokens"),
        optional(
            "boundary_share",
            "float64",
            "share of its loci near ends of the elements of one concept",
        ),
        optional(
            "n_dictionaries",
            "float64",
            "other dictionaries in which its match was looked for; NaN if none",
        ),
        optional("matched_share", "float64", "share of these in which it is matched"),
        optional("match_r", "float64", "mean over them of its largest correlation over bases"),
        optional(
            "match_residual_r",
            "float64",
            "the same without means by the last bases; NaN if unmeasured",
        ),
        optional(
            "match_twin_r",
            "float64",
            "mean of its largest correlation in random-weight twins; NaN if none",
        ),
        optional("match_excess", "float64", "mean of r less that in the twin; NaN if no twin"),
        optional("matched_in", "string", "names of the dictionaries in which it is matched"),
        LABEL,
    ),
)


LOCUS_EVIDENCE = TableSchema(
    "genointerp::locus-evidence",
    1,
    (
        required("rank", "int64", "rank of the candidate"),
        required("feature", "int64", "index in the dictionary"),
        required("locus", "int64", "number of the locus; 1 has the largest activation"),
        required("genome", "string", "name of the genome"),
        *LOCI.columns,
        required("element", "string", "name of the nearest annotated element; empty if none"),
        required("element_type", "string", "type of the element, a term of the Sequence Ontology"),
        required("product", "string", "product of the element in the annotation"),
        required(
            "distance", "float64", "bp to it: 0 if they overlap, < 0 upstream of it; NaN if none"
        ),
        required("orientation", "string", "sense or antisense; both if the element has no strand"),
        required(
            "type_share", "float64", "share of read bases in elements of this type; NaN if none"
        ),
        required("status", "string", "annotated, annotation missing, nothing hits, not searched"),
        required("found_by", "string", "finder:type of the predictions there, separated by commas"),
        required(
            "folding_z", "float64", "folding energy compared with shuffled bases; NaN if not folded"
        ),
        required(
            "low_complexity", "float64", "share of the locus that DUST masks; NaN if not searched"
        ),
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
    return tuple(required(prefix + name, "float64", f"{it}{where}") for name, it in _LANDING)


BACKTEST = TableSchema(
    "genointerp::backtest",
    1,
    (
        required("class", "string", "concept that was hidden"),
        required(
            "hidden", "string", "concepts that vanish with it, itself first; separated by commas"
        ),
        required(
            "changed", "string", "concepts that change, such as intergenic; separated by commas"
        ),
        required(
            "overlapping", "string", "classes on its bases, with their shares; separated by commas"
        ),
        required(
            "n_elements", "int64", "number of elements of the class with a base that was read"
        ),
        required("n_live", "int64", "number of features that fire, which are ranked"),
        required("n_class_features", "int64", "number of features that tell the class"),
        required("best_feature", "int64", "of these, the one with the highest f1_fit; -1 if none"),
        required("best_concept", "string", "hidden concept that it tells best; empty if none"),
        required("best_f1", "float64", "F1 on test of best_feature, with nothing hidden"),
        *_landing("", ""),
        required("expected_rank_first", "float64", "expected rank of the first in random order"),
        required("p_value", "float64", "chance that the first is as early in random order"),
        required(
            "p_value_50", "float64", "chance that as many are among the first 50 in random order"
        ),
        *_landing("density_", "; rarest first"),
        required(
            "random_n_class_features",
            "int64",
            "number of features of random weights that tell the class",
        ),
        *_landing("random_", "; random weights"),
        required(
            "probe_auroc", "float64", "AUROC of the best linear probe of what is hidden; test"
        ),
        required("verdict", "string", "found, missed, or why neither can be said"),
        optional("p_ranks", "float64", "chance that all of them are as early in random order"),
        optional("rank_first_shown", "float64", "rank of the first with nothing hidden"),
        optional("rank_best_shown", "float64", "rank of the best with nothing hidden"),
        optional(
            "share_risen", "float64", "share of them that rank at least twice as early when hidden"
        ),
        optional("use", "string", "tuned: may be used to choose the score; or reserve"),
    ),
)


BACKTEST_FEATURES = TableSchema(
    "genointerp::backtest-features",
    1,
    (
        required("class", "string", "concept that was hidden"),
        required("dictionary", "string", "trained, or random: the model with random weights"),
        required("feature", "int64", "index in the dictionary"),
        required("concept", "string", "hidden concept that it tells best, from fit"),
        required("orientation", "string", "sense, antisense or both"),
        required("f1_fit", "float64", "F1 on fit, with nothing hidden"),
        required("f1", "float64", "F1 on test, with nothing hidden"),
        required("n_live", "int64", "number of features of the dictionary that fire"),
        required("rank", "int64", "rank among these, with the class hidden"),
        required("density_rank", "int64", "rank among these, with the rarest first"),
        required("density", "float64", "share of read bases on which it fires"),
        required("score", "float64", "score as in candidates, with the class hidden"),
        required("flags", "string", "flags as in candidates, with the class hidden"),
        optional("rank_shown", "int64", "rank among these with nothing hidden, as in candidates"),
    ),
)


ABLATION = TableSchema(
    "genointerp::ablation",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required(
            "loss_effect",
            "float64",
            "increase of the loss without it, nats per base on which it fires",
        ),
        required("loss_effect_matched", "float64", "mean of the same along other directions"),
        required("loss_effect_matched_sd", "float64", "standard deviation of these"),
        required("p_value", "float64", "share of these at least as large, with one added"),
        required("n_tokens", "int64", "number of tokens of its windows on which it fires"),
        required("n_windows", "int64", "number of windows in which it fires"),
    ),
)
