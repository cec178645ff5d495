"""Schemas of candidates, and of the evidence for and against them."""

from genointerp.store.table.schema.column import Column, TableSchema, optional, required
from genointerp.store.table.schema.feature import LOCI

CANDIDATES = TableSchema(
    "genointerp::candidates",
    2,
    (
        required("rank", "int64", "1 is the best"),
        required("feature", "int64", "index in the dictionary"),
        required("score", "float64", "stated function of the columns beside it"),
        required("density", "float64", "share of read bases on which the feature fires"),
        required("n_loci", "int64", "separate loci"),
        required("best_concept", "string", "concept with the highest F1 on fit; empty where none"),
        required("best_f1", "float64", "its F1 on test"),
        required("unexplained", "float64", "share that known concepts do not explain, q <= .05"),
        optional("loss_effect", "float64", "change of the loss when it is ablated, nats per base"),
        optional("stability", "float64", "cosine to its match in a dictionary of another seed"),
        optional("gc_auroc", "float64", "AUROC of local GC content for its firing"),
        optional("kmer_auroc", "float64", "AUROC of local k-mers for its firing"),
        optional("periodicity", "float64", "strength of the best period, 2 to 60 bp"),
        optional("strand_asymmetry", "float64", "(p - m) / (p + m) of its densities on + and -"),
        optional("window_bias", "float64", "firing in heads of windows over expected"),
        required("n_genomes", "int64", "genomes in which it fires"),
        required("flags", "string", "warnings, separated by commas; empty where none"),
        required("top_region", "string", "its strongest locus, 1-based closed"),
        optional("demoting", "string", "those of the flags that demote, with commas"),
        optional("checks_missing", "string", "what was not measured, with commas"),
        optional("pattern", "string", "class of its firing along the sequence"),
        optional("period", "int64", "the best period in bp; 0 where none"),
        optional(
            "coherence", "float64", "AUROC of its own firing 18 to 99 bp away for its loud firing"
        ),
        optional("locus_length", "float64", "median length of its loci in bp"),
        optional("motif_bits", "float64", "information around the peaks of its loci, bits"),
        optional("motif_share", "float64", "motif_bits over those that finding its loci takes"),
        optional("n_families", "int64", "families of sequences among its 20 strongest loci"),
        optional("loss_effect_matched", "float64", "that of matched other directions"),
        optional("loss_effect_p", "float64", "chance of such a loss along other directions"),
        optional("stability_null", "float64", "stability of one random direction in a hundred"),
        optional("split_cosine", "float64", "largest cosine within its own dictionary"),
        optional("attraction", "float64", "largest log2_enrichment for a concept, q <= .05"),
        optional("tandem_share", "float64", "share of its firing bases in tandem repeats"),
        optional("edge_share", "float64", "share of them near ends of linear contigs"),
        optional("seen_share", "float64", "s / (s + u), its loci by base, seen and unseen genomes"),
        optional("window_bias_16", "float64", "window_bias of the first 16 bases"),
        optional("window_bias_1024", "float64", "window_bias of the first 1,024 bases"),
        optional(
            "annotation_missing", "float64", "share of loci that a gene finder alone accounts for"
        ),
        optional("n_read", "int64", "genomes that were read"),
        optional("seen_p", "float64", "chance of so many loci in genomes of the training"),
        optional("outlier_share", "float64", "share of its firing bases at outlier tokens"),
        optional("boundary_share", "float64", "share of its loci near ends of one concept"),
    ),
)


LOCUS_EVIDENCE = TableSchema(
    "genointerp::locus-evidence",
    1,
    (
        required("rank", "int64", "of the candidate"),
        required("feature", "int64", "index in the dictionary"),
        required("locus", "int64", "1 has the largest activation of the candidate's"),
        required("genome", "string", "name of the genome"),
        *LOCI.columns,
        required("element", "string", "name of the nearest annotated element; empty where none"),
        required("element_type", "string", "its term of the Sequence Ontology"),
        required("product", "string", "what the annotation says of it"),
        required("distance", "float64", "bp to it: 0 overlaps, < 0 upstream of it; NaN: none"),
        required("orientation", "string", "sense, antisense, or both where it has no strand"),
        required("type_share", "float64", "share of read bases in such elements; NaN: none"),
        required("status", "string", "annotated, annotation missing, nothing hits, not searched"),
        required("found_by", "string", "finder:type of the predictions there, by commas"),
        required("folding_z", "float64", "folding energy against shuffled bases; NaN: not folded"),
        required("low_complexity", "float64", "share of it that DUST masks; NaN: not searched"),
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
        required("class", "string", "the concept that was hidden"),
        required("hidden", "string", "concepts that went with it, itself first; commas"),
        required("changed", "string", "concepts that became others, as intergenic; commas"),
        required("overlapping", "string", "classes on its bases and their share; commas"),
        required("n_elements", "int64", "elements of the class of which a base was read"),
        required("n_live", "int64", "features that fire, which is what was ranked"),
        required("n_class_features", "int64", "features that tell the class"),
        required("best_feature", "int64", "of these the highest f1_fit; -1 where none"),
        required("best_concept", "string", "hidden concept that it tells best; empty where none"),
        required("best_f1", "float64", "its F1 on test, with nothing hidden"),
        *_landing("", ""),
        required("expected_rank_first", "float64", "of the first in random order"),
        required("p_value", "float64", "chance that random order has the first as early"),
        required("p_value_50", "float64", "chance that it has as many within 50"),
        *_landing("density_", "; rarest first"),
        required("random_n_class_features", "int64", "features of random weights that tell it"),
        *_landing("random_", "; random weights"),
        required("probe_auroc", "float64", "of the best linear probe of what is hidden; test"),
        required("verdict", "string", "found, missed, or why neither can be said"),
        optional("p_ranks", "float64", "chance that random order has all of them as early"),
        optional("rank_first_shown", "float64", "rank of the first with nothing hidden"),
        optional("rank_best_shown", "float64", "rank of the best with nothing hidden"),
        optional("share_risen", "float64", "share of them twice as early or more when hidden"),
        optional("use", "string", "tuned: the score may be chosen by it; or reserve"),
    ),
)


BACKTEST_FEATURES = TableSchema(
    "genointerp::backtest-features",
    1,
    (
        required("class", "string", "the concept that was hidden"),
        required("dictionary", "string", "trained, or random: the model with random weights"),
        required("feature", "int64", "index in the dictionary"),
        required("concept", "string", "hidden concept that it tells best, from fit"),
        required("orientation", "string", "sense, antisense or both"),
        required("f1_fit", "float64", "F1 on fit, with nothing hidden"),
        required("f1", "float64", "F1 on test, with nothing hidden"),
        required("n_live", "int64", "features of the dictionary that fire"),
        required("rank", "int64", "among these, with the class hidden"),
        required("density_rank", "int64", "among these, the rarest first"),
        required("density", "float64", "share of read bases on which it fires"),
        required("score", "float64", "as candidates have it, with the class hidden"),
        required("flags", "string", "as candidates have them, with the class hidden"),
        optional("rank_shown", "int64", "among these, with nothing hidden: that of candidates"),
    ),
)


ABLATION = TableSchema(
    "genointerp::ablation",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("loss_effect", "float64", "nats lost without it, per base on which it fires"),
        required("loss_effect_matched", "float64", "mean of the same along other directions"),
        required("loss_effect_matched_sd", "float64", "their standard deviation"),
        required("p_value", "float64", "share of these at least as large, with one added"),
        required("n_tokens", "int64", "tokens of its windows on which it fires"),
        required("n_windows", "int64", "windows in which it fires"),
    ),
)
