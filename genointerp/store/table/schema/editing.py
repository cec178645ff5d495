"""Tables of the effects of an edit of a model."""

from genointerp.store.table.schema.column import TableSchema, required

EDIT_EFFECTS = TableSchema(
    "genointerp::edit-effects",
    1,
    (
        required("edit", "string", "feature, matched feature or random direction"),
        required("draw", "int64", "number of the control, from 1; 0 for the feature"),
        required("feature", "int64", "index of the feature whose edit of activations is meant"),
        required(
            "part", "string", "all; by tokens since the feature fired; or a concept that is read"
        ),
        required("n_tokens", "int64", "number of predictions"),
        required("bake", "float64", "share of the edit of activations that is reproduced"),
        required("kl_edit", "float64", "from the parent to the edited model, nats per prediction"),
        required("kl_activation", "float64", "from the parent to the edit of activations, nats"),
        required(
            "kl_parent_activation", "float64", "from the edit of activations to the parent, nats"
        ),
        required(
            "kl_edit_activation",
            "float64",
            "from the edit of activations to the edited model, nats",
        ),
        required("bits_parent", "float64", "loss of the parent, bits per base"),
        required("bits_activation", "float64", "loss under the edit of activations"),
        required("bits_edited", "float64", "loss of the edited model"),
    ),
)

EDIT_WRITING = TableSchema(
    "genointerp::edit-writing",
    1,
    (
        required("edit", "string", "as in edit-effects"),
        required("draw", "int64", "as in edit-effects"),
        required("feature", "int64", "as in edit-effects"),
        required("model", "string", "parent, activation edit or edited"),
        required("n_designs", "int64", "number of sequences, each after a prompt of its own"),
        required("log_p", "float64", "of a base under the parent, in nats"),
        required("gc", "float64", "share of G and C"),
        required("identity", "float64", "share of bases that the parent wrote there too"),
        required("diversity", "float64", "share of bases that differ, over pairs of sequences"),
        required("coding", "float64", "share of bases in genes that pyrodigal finds"),
        required("coding_other", "float64", "as coding, on the other strand"),
        required("trna", "float64", "share of sequences with a tRNA that pyaragorn finds"),
        required("rrna", "float64", "share of sequences with an rRNA that pybarrnap finds"),
    ),
)

EDIT_FEATURES = TableSchema(
    "genointerp::edit-features",
    1,
    (
        required("feature", "int64", "index in the dictionary of the parent"),
        required("density_parent", "float64", "share of tokens on which it fires; parent"),
        required("density_activation", "float64", "the same under the edit of activations"),
        required("density_edited", "float64", "the same in the edited model"),
        required("mean_parent", "float64", "mean amount; parent"),
        required("mean_activation", "float64", "the same under the edit of activations"),
        required("mean_edited", "float64", "the same in the edited model"),
        required(
            "z_activation", "float64", "change of the mean over its standard error, by window"
        ),
        required("z_edited", "float64", "the same for the edited model"),
    ),
)
