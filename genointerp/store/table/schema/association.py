"""Schemas of associations, of other tables that are made with them, and of baselines."""

from genointerp.store.table.schema.column import TableSchema, optional, required

N_COVERED = "n-covered-bp"
"""Key in the header of associations: number of covered (base, reading strand) pairs of test."""


ASSOCIATIONS = TableSchema(
    "genointerp::associations",
    3,
    (
        required("feature", "int64", "index in the dictionary"),
        required("concept", "string", "name of the concept"),
        required("orientation", "string", "sense, antisense or both"),
        required(
            "threshold",
            "float64",
            "detection threshold (activation > 0 and at least this); from fit",
        ),
        required("f1_fit", "float64", "F1 over bases on fit, at the threshold"),
        required("precision", "float64", "share of detected bases inside the concept; test"),
        required("recall", "float64", "share of the concept's bases that are detected; test"),
        required("recall_element", "float64", "share of elements with a detected base; test"),
        required("f1", "float64", "harmonic mean of precision and recall; test"),
        required("f1_element", "float64", "harmonic mean of precision and recall_element; test"),
        required("auroc", "float64", "area under the ROC curve over bases; test"),
        required("log2_enrichment", "float64", "log2 of observed over expected n_both_bp; test"),
        required("n_feature_bp", "int64", "bases that the feature detects; test"),
        required("n_concept_bp", "int64", "bases of the concept; test"),
        required("n_both_bp", "int64", "bases in both; test"),
        required("n_elements", "int64", "elements of the concept; test"),
        required("null_f1", "float64", "95th percentile of F1 over circular shifts; test"),
        required(
            "p_value", "float64", "share of shifts with an F1 at least as high, with one added"
        ),
        required("q_value", "float64", "Benjamini-Hochberg over the tested pairs"),
        optional("average_precision", "float64", "area under the precision-recall curve; test"),
        optional(
            "mcc", "float64", "Matthews correlation of detected and concept, over bases; test"
        ),
        optional(
            "log2_enrichment_low",
            "float64",
            "lower end of the 95 % interval of log2_enrichment; test",
        ),
        optional(
            "log2_enrichment_high",
            "float64",
            "upper end of the 95 % interval of log2_enrichment; test",
        ),
        optional(
            "start_offset",
            "float64",
            "median bp from an element's first base to where it switches on; test",
        ),
        optional(
            "end_offset",
            "float64",
            "median bp from an element's last base to where it switches off; test",
        ),
        optional(
            "codon_phase", "float64", "position of the codon that is detected most: 0, 1 or 2; fit"
        ),
        optional("phase_share", "float64", "share of detected coding bases at codon_phase; test"),
        optional(
            "precision_strong", "float64", "precision where it reaches half of its maximum; test"
        ),
        optional("p_max", "float64", "family-wise p-value over the tested pairs, step-down"),
        optional(
            "null_f1_matched",
            "float64",
            "95th percentile of F1 over draws of matched background; test",
        ),
        optional("p_matched", "float64", "share of these draws that do as well, with one added"),
        optional("q_matched", "float64", "Benjamini-Hochberg over p_matched of the tested pairs"),
        optional("matched_share", "float64", "share of elements with matched background; test"),
        optional(
            "boundary_share", "float64", "share of its loci that peak near an element's end; test"
        ),
        optional("boundary_p", "float64", "chance of as many or more loci there; test"),
        optional(
            "union_labels",
            "float64",
            "number of labels in its union; NaN for labels outside the union",
        ),
        optional("union_threshold", "float64", "threshold from which it is loud; from fit"),
        optional(
            "union_precision", "float64", "share of its loud bases that lie in the union; test"
        ),
        optional("union_base", "float64", "share of the union among all bases read; test"),
        optional(
            "union_p", "float64", "share of shifts with as many loud bases in it, with one added"
        ),
        optional("union_q", "float64", "Benjamini-Hochberg over union_p of all features"),
    ),
    header=((N_COVERED, 3),),
)


BEST_PER_CONCEPT = TableSchema(
    "genointerp::best-per-concept",
    2,
    (
        *ASSOCIATIONS.columns,
        required("f1_always_on", "float64", "F1 of the detector that always fires; test"),
    ),
)


CURVES = TableSchema(
    "genointerp::precision-recall",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("concept", "string", "name of the concept"),
        required("orientation", "string", "sense, antisense or both"),
        required("threshold", "float64", "detection threshold (activation > 0 and at least this)"),
        required("chosen", "int64", "1 at the threshold that was chosen on fit, else 0"),
        required("n_feature_bp", "int64", "bases that the feature detects; test"),
        required("n_both_bp", "int64", "detected bases that lie in the concept; test"),
        required("n_concept_bp", "int64", "bases of the concept; test"),
        required("precision", "float64", "share of detected bases inside the concept; test"),
        required("recall", "float64", "share of the concept's bases that are detected; test"),
        required("base_rate", "float64", "share of the concept among all bases; test"),
    ),
)


METAGENE = TableSchema(
    "genointerp::metagene",
    1,
    (
        required("feature", "int64", "index in the dictionary"),
        required("concept", "string", "name of the concept"),
        required("orientation", "string", "sense, antisense or both"),
        required("anchor", "string", "start (first base) or end (last base) of the elements"),
        required("offset", "int64", "bp from the anchor in the direction of the element"),
        required("n_elements", "int64", "elements whose base at this offset was read"),
        required(
            "mean_activation", "float64", "mean over these elements, silent bases as 0; NaN if none"
        ),
        required("sem", "float64", "standard error of this mean; NaN for fewer than two elements"),
        required("background", "float64", "mean activation over all bases read"),
    ),
)


BESIDE = TableSchema(
    "genointerp::beside-baselines",
    1,
    (
        required("concept", "string", "name of the concept"),
        required("orientation", "string", "orientation with the highest F1 on fit"),
        required("feature", "int64", "best feature of the concept, chosen on fit"),
        required("f1", "float64", "F1 of the feature; test"),
        required(
            "neuron_or_component",
            "float64",
            "F1 of the neuron or component with the best F1 on fit; test",
        ),
        required("sequence_alone", "float64", "F1 of the model of the sequence; test"),
        required("probe", "float64", "F1 of the linear probe; test"),
        required("always_on", "float64", "F1 of the detector that always fires; test"),
        required("which", "string", "which neuron or component it is; empty if not measured"),
        required("q_value", "float64", "q-value of the feature, as in associations; test"),
        required("shows", "string", "what the feature shows compared with these, in a sentence"),
    ),
)


SIDES = TableSchema(
    "genointerp::sides",
    1,
    (
        required(
            "fit_genome",
            "string",
            "first contig of the genome of fit, with its number if not unique",
        ),
        required(
            "test_genome",
            "string",
            "first contig of the genome of test; the same genome for blocks",
        ),
        required("fit_bp", "int64", "bases of this genome that were read on fit"),
        required("test_bp", "int64", "bases of this genome that were read on test"),
        required("shared_kmers", "float64", "share of the 31-mers of test that occur in fit"),
        required("ani", "float64", "average nucleotide identity, 0 to 1; NaN if nothing aligns"),
        required("aligned_share", "float64", "share of test that aligns; NaN without pyskani"),
        required("similar", "int64", "1 if one of the shares is .05 or more, else 0"),
    ),
)


BASELINES = TableSchema(
    "genointerp::baselines",
    1,
    (
        required("concept", "string", "name of the concept"),
        required("orientation", "string", "sense, antisense or both"),
        required("detector", "string", "kind of the detector, as listed below"),
        required("which", "string", "column or feature chosen on fit; empty if nothing is chosen"),
        required("sign", "int64", "1, or -1 if low values of a column detect"),
        required(
            "threshold", "float64", "detects where sign times value is at least this; from fit"
        ),
        required("f1_fit", "float64", "F1 over bases on fit, at the threshold"),
        required("precision", "float64", "share of detected bases inside the concept; test"),
        required("recall", "float64", "share of the concept's bases that are detected; test"),
        required("f1", "float64", "harmonic mean of precision and recall; test"),
        required("auroc", "float64", "area under the ROC curve over bases; test"),
        required("average_precision", "float64", "area under the precision-recall curve; test"),
        required(
            "mcc", "float64", "Matthews correlation of detected and concept, over bases; test"
        ),
        required("n_concept_bp", "int64", "bases of the concept; test"),
        required("note", "string", "remark on the row; empty if there is none"),
    ),
)
