# Inputs and options that the rules of comparisons share.
from genointerp.workflow.config import OF_MODELS

COMPARISONS = {
    command: config["comparisons"].get(command, {}) for command in ("diff", "match", "similar")
}
OF_DIFF = [
    f"comparisons/diff/{{name}}/{table}.tsv"
    for table in (
        *("divergence", "divergence.summary", "divergence.tail", "divergence.bins"),
        *("changed", "changed.concepts", "texts"),
    )
]
TRACKS = "comparisons/diff/{name}/tracks"
MATCHES = [f"comparisons/match/{{name}}/matches{kind}.tsv" for kind in ("", ".summary")]
SIMILARITY = "comparisons/similar/{name}/similarity.tsv"


def diff_options(wildcards, input):
    """Return the options of the comparison of two models."""
    entry = COMPARISONS["diff"][wildcards.name]
    files = given(
        **{key: entry.get(key) for key in ("control", "second", "second_control")},
        sae=Path(input.sae).parent,
        annotations=input.get("annotations") or None,
        concepts=input.get("concepts") or None,
    )
    return f"{files} {options('--region', entry.get('regions', []))} {DEVICE} {PASSES}"


def matched_inputs(wildcards):
    """Return what one match reads."""
    entry = COMPARISONS["match"][wildcards.name]
    others = ("features", "twin_a", "twin_b", "ceiling")
    return {
        "own": f"{entry['genome']}/features.h5",
        "genome": sequence_of(entry["genome"]),
        "annotations": annotation_of(entry["genome"]) if ANNOTATED else [],
        "associations": "associations.parquet" if ANNOTATED else [],
        **{key: outside(entry.get(key)) for key in others},
    }


def matched_options(wildcards, input):
    """Return the options of one match."""
    return given(
        genome=input.genome,
        annotations=input.get("annotations") or None,
        associations_a=input.get("associations") or None,
        **{key: input.get(key) or None for key in ("twin_a", "twin_b", "ceiling")},
        seed=config["seed"],
    )


def similar_inputs(wildcards):
    """Return what one comparison of activations reads."""
    entry = COMPARISONS["similar"][wildcards.name]
    others = ("activations", "twin_a", "twin_b", "ceiling")
    return {
        "own": f"{entry['genome']}/activations.h5",
        "genome": sequence_of(entry["genome"]),
        "annotations": annotation_of(entry["genome"]) if ANNOTATED else [],
        **{key: outside(entry.get(key)) for key in others},
    }


def similar_options(wildcards, input):
    """Return the options of one comparison of activations."""
    return given(
        genome=input.genome,
        annotations=input.get("annotations") or None,
        **{key: input.get(key) or None for key in ("twin_a", "twin_b", "ceiling")},
        every=COMPARISONS["similar"][wildcards.name].get("every"),
        seed=config["seed"],
    )
