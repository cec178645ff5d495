"""Schemas of features that two models learn together or one after the other, and whose they are."""

from genointerp.store.table.schema.column import TableSchema, optional, required

LATENTS = TableSchema(
    "genointerp::latents",
    1,
    (
        required("first", "string", "role of the first model: base"),
        required("second", "string", "role of the second model: tuned or control"),
        required("feature", "int64", "feature of the crosscoder of the pair"),
        required(
            "tag",
            "string",
            "`exclusive_first`, `exclusive_second`, `shared`, `scaled`, `rotated`, `rare`, `dead`"
            " or `unclear`",
        ),
        required(
            "delta_norm", "float64", "0: in the second model alone, .5: equal, 1: first alone"
        ),
        required("cosine", "float64", "cosine of its directions in the two models"),
        required("nu_error_first", "float64", "share of it in the error of the second model"),
        required(
            "nu_reconstruction_first", "float64", "the same for what the second is said to be"
        ),
        required("nu_error_second", "float64", "share of it in the error of the first model"),
        required(
            "nu_reconstruction_second", "float64", "the same for what the first is said to be"
        ),
        required("n_fired", "int64", "held-out tokens on which it fires"),
        required("density", "float64", "share of the held-out tokens on which it fires"),
        required("max_activation", "float64", "its largest activation there"),
        optional("repeat", "int64", "feature of the second seed that fires most alike; -1: none"),
        optional("repeat_r", "float64", "correlation of the two over the tokens; 0 if none"),
        optional("repeat_tag", "string", "tag of that one; empty if none"),
    ),
)

DIFFERENCE_LATENTS = TableSchema(
    "genointerp::difference-latents",
    1,
    (
        required("second", "string", "role of the model whose difference from base is taken"),
        required("feature", "int64", "feature of the dictionary of the differences"),
        required("n_fired", "int64", "held-out tokens on which it fires"),
        required("density", "float64", "share of the held-out tokens on which it fires"),
        required("max_activation", "float64", "its largest activation there"),
        required("gain", "float64", "share of the variance of the differences it alone explains"),
        required("fvu", "float64", "FVU of the whole dictionary there, the same in all rows"),
        required("fvu_pca", "float64", "the same of k principal components"),
        required("context", "string", "consensus of the bases up to its largest activations"),
        optional("repeat", "int64", "feature of the second seed that fires most alike; -1: none"),
        optional("repeat_r", "float64", "correlation of the two over the tokens; 0 if none"),
    ),
)

_STEPS = (
    ("data_first", "the new data, read by the base model"),
    ("model_second", "the model after that, which reads the new data"),
    ("model_first", "the model, which reads the old data"),
    ("data_second", "the new data after that, read by the same model"),
)

STAGES = TableSchema(
    "genointerp::stages",
    1,
    (
        required("feature", "int64", "feature of the dictionary of the base model"),
        required("density", "float64", "share of the new data on which it fires in the base model"),
        *(
            required(name, "float64", f"cosine of its direction before and after {what}")
            for name, what in _STEPS
        ),
        required("turn", "float64", "1 less the larger of model_second and model_first"),
        *(
            required(f"control_{name}", "float64", "the same for the control; NaN without one")
            for name in ("model_second", "model_first", "data_second", "turn")
        ),
        required("excess", "float64", "turn less control_turn; turn without a control"),
        required("p_value", "float64", "features of the control that turn as far; NaN without one"),
        required("q_value", "float64", "corrected over all features"),
    ),
)
