"""Schemas of labels, and of how well they say where features fire."""

from genointerp.store.table.schema.column import TableSchema, required

MOST_WORDS = 8
"""Most words of a label."""

MOST_LETTERS = 120
"""Most letters of a label."""

UNEXPLAINED = "unexplained"
"""Label of a feature of which nothing is known that its null does not reach."""

LABELS = TableSchema(
    "genointerp::labels",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("label", "string", "what it is said to be, in at most eight words"),
        required("kind", "string", "concept, position, composition, repeat or unclear"),
        required("concept", "string", "name of the concept; empty if none"),
        required("orientation", "string", "sense, antisense or both; empty if none"),
        required("part", "string", "of the concept's elements: body, start or end; empty if none"),
        required("motif", "string", "IUPAC letters before it fires, 5' to 3'; empty if none"),
        required("motif_offset", "int64", "bp from the motif's last base to where it fires"),
        required("gc_from", "float64", "least share of G and C among the last bases; NaN if none"),
        required("gc_to", "float64", "largest share of G and C among them; NaN if none"),
        required("explanation", "string", "why, in some sentences"),
        required("confidence", "int64", "1 (a guess) to 5"),
        required("falsifier", "string", "what would show that the label is wrong"),
        required("source", "string", "statistics, model (a language model) or person"),
        required("author", "string", "person, or model as its server named it; else empty"),
        required("date", "string", "YYYY-MM-DD; empty for statistics"),
        required("prompt", "string", "version of the prompt; empty without a language model"),
    ),
)


LABEL_REQUESTS = TableSchema(
    "genointerp::label-requests",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("outcome", "string", "labelled, or why the reply of the model is no label"),
        required("n_loci", "int64", "loci that the model was shown"),
        required("n_flagged", "int64", "of these, those with a text that looks like an order"),
        required("flagged", "string", "the first five of them, as regions; empty if none"),
        required("tokens_in", "int64", "tokens of the request, a second asking included"),
        required("tokens_out", "int64", "tokens of the reply, a second asking included"),
    ),
)


LABEL_SCORES = TableSchema(
    "genointerp::label-scores",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("source", "string", "who labelled: statistics, model or person"),
        required("label", "string", "the label"),
        required("is_executable", "int64", "1 if the label names bases to fire on, else 0"),
        required("bases", "string", "what of the label was scored; empty if it names no bases"),
        required("threshold", "float64", "detection threshold; chosen on fit"),
        required("f1_fit", "float64", "F1 over bases at it; fit"),
        required("precision", "float64", "share of detected bases that the label names; test"),
        required("recall", "float64", "share of bases that the label names, detected; test"),
        required("f1", "float64", "F1 over bases; test"),
        required("f1_low", "float64", "lower end of its 95 % interval, over stretches; test"),
        required("f1_high", "float64", "upper end of its 95 % interval; test"),
        required("auroc", "float64", "area under the ROC curve over bases; test"),
        required("recall_element", "float64", "share of elements with a detected base; test"),
        required("f1_always_on", "float64", "F1 of the detector that always fires; test"),
        required("null_f1", "float64", "95th percentile of F1 over circular shifts; test"),
        required("p_value", "float64", "share of shifts with an F1 as high, with one added"),
        required("q_value", "float64", "Benjamini-Hochberg over the labels of one source"),
        required("shuffled_f1", "float64", "mean F1 of labels of other features; test"),
        required("shuffled_auroc", "float64", "mean AUROC of labels of other features; test"),
        required("n_label_bp", "int64", "bases that the label names; test"),
        required("n_elements", "int64", "elements that the label names; test"),
    ),
)


LABEL_KINDS = TableSchema(
    "genointerp::label-kinds",
    1,
    (
        required("kind", "string", "kind of the leading label; none for features without one"),
        required("n_features", "int64", "features with a leading label of this kind"),
        required("share", "float64", "of all features of the dictionary"),
        required("n_executable", "int64", "of these, those whose label was scored on test"),
        required("f1", "float64", "mean F1 over bases of these; NaN if none; test"),
        required("f1_always_on", "float64", "mean of the detector that always fires; test"),
        required("shuffled_f1", "float64", "mean of the labels of other features; test"),
    ),
)


LABEL_SUMMARY = TableSchema(
    "genointerp::label-summary",
    1,
    (
        required("labels", "string", "whose: a source, or a control"),
        required("n_features", "int64", "features with a label of it"),
        required("n_named", "int64", "of these, those that are not unexplained"),
        required("n_executable", "int64", "of these, those that name bases and have some on test"),
        required("n_above", "int64", "of these, those above their null, with q <= .05"),
        required("f1", "float64", "mean F1 over bases; test"),
        required("f1_low", "float64", "lower end of its 95 % interval, over features"),
        required("f1_high", "float64", "upper end of its 95 % interval"),
        required("auroc", "float64", "mean AUROC over bases; test"),
        required("auroc_low", "float64", "lower end of its 95 % interval, over features"),
        required("auroc_high", "float64", "upper end of its 95 % interval"),
        required(
            "gain",
            "float64",
            "mean of F1 less f1_always_on; NaN for labels of others",
        ),
    ),
)


JUDGED_SCORES = TableSchema(
    "genointerp::judged-scores",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("source", "string", "whose label is judged; empty for what needs none"),
        required("task", "string", "detection, fuzzing or intruder"),
        required(
            "control",
            "string",
            "empty for the own label; else shuffled, masked, empty or always yes",
        ),
        required("label", "string", "the label that was shown; empty if none"),
        required("accuracy", "float64", "share of right answers, in detection balanced; test"),
        required("accuracy_low", "float64", "lower end of its 95 % interval, over elements; test"),
        required("accuracy_high", "float64", "upper end of its 95 % interval; test"),
        required("auroc", "float64", "of the answers of detection, 0 to 10; else NaN; test"),
        required("chance", "float64", "accuracy of a judge that guesses"),
        required("n_positive", "int64", "loci in detection; else pairs or rounds"),
        required("n_negative", "int64", "places in detection where the feature is silent"),
        required("n_drawn", "int64", "of these, those that were drawn from anywhere"),
        required("n_matched", "int64", "of these, those matched in length, strand and GC content"),
        required("n_near", "int64", "of these, loci of the feature that fires most like it on fit"),
        required("n_flagged", "int64", "texts that look like an order, and were withheld"),
        required("n_failed", "int64", "places, pairs or rounds without an answer"),
        required("tokens_in", "int64", "tokens of the questions"),
        required("tokens_out", "int64", "tokens of the replies"),
        required("judge", "string", "model as its server named it; empty if it was not asked"),
        required("date", "string", "day of the last reply, YYYY-MM-DD; empty if not asked"),
        required("prompt", "string", "version of the prompt"),
    ),
)


JUDGED_SUMMARY = TableSchema(
    "genointerp::judged-summary",
    1,
    (
        required("task", "string", "detection, fuzzing or intruder"),
        required("control", "string", "empty for the own label; else the control"),
        required("source", "string", "whose labels; empty for what needs none"),
        required("n_features", "int64", "features of it"),
        required("n_scored", "int64", "of these, those with a score"),
        required("accuracy", "float64", "mean accuracy over them; test"),
        required("accuracy_low", "float64", "lower end of its 95 % interval, over features"),
        required("accuracy_high", "float64", "upper end of its 95 % interval"),
        required("auroc", "float64", "mean AUROC; NaN but for detection"),
        required("own_accuracy", "float64", "mean of the own labels of the same features"),
        required("chance", "float64", "accuracy of a judge that guesses"),
    ),
)
