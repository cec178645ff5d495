# Files and options that the rules of labels share.
LABELS = ["labels.tsv", "label_scores.tsv", "label_scores.summary.tsv"]
LABELLED = ANNOTATED and config["labels"]
# labels of people, which no rule makes; they are scored as all others
BY_HAND = [path for path in as_text("hand_labels.tsv") if Path(path).is_file()]


def labelled_options(wildcards, input):
    """Return what a labeller and the scores are told of the genomes."""
    files = [options("--annotations", input.annotations), options("--genome", input.sequences)]
    settings = given(
        associations=input.associations, concepts=config.get("concepts"), seed=config["seed"]
    )
    return " ".join([*files, settings])
