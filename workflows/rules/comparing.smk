# Inputs and options that the rules of comparisons share.
from genointerp.workflow.comparisons import OTHER, genomes_of_twin, twin_of_other
from genointerp.workflow.config import OF_MODELS

COMPARISONS = {
    command: config["comparisons"].get(command, {})
    for command in ("diff", "match", "across", "similar")
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
ACROSS = [f"comparisons/across/{{name}}/across{kind}.tsv" for kind in ("", ".summary")]
SIMILARITY = "comparisons/similar/{name}/similarity.tsv"

# genomes that are read with random weights, and where what comes of it is
TWINNED = genomes_of_twin(config)
TWIN, TWIN_OF_OTHER = "comparisons/twin", "comparisons/{asked}/{name}/twin_b"


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


def compared_files(asked, name):
    """Return the files of the other model, and its twins: a file, or a folder that the run makes."""
    entry = COMPARISONS[asked][name]
    files = {key: outside(entry.get(key)) for key in (OTHER[asked], "twin_a", "twin_b", "ceiling")}
    if entry.get("twin") and "twin_a" not in entry:
        files["twin_a"] = TWIN
    if twin_of_other(asked, entry) is not None:
        files["twin_b"] = TWIN_OF_OTHER.format(asked=asked, name=name)
    return files


def twins(asked, name, input):
    """Return the options of the twins: files, also of those that the run makes."""
    entry, ending = COMPARISONS[asked][name], f"{OTHER[asked]}.h5"
    found = {key: input.get(key) or None for key in ("twin_a", "twin_b")}
    if found["twin_a"] == TWIN:
        found["twin_a"] = f"{TWIN}/{entry['genome']}.{ending}"
    if (other := twin_of_other(asked, entry)) is not None:
        found["twin_b"] = f"{found['twin_b']}/{other[1]}.{ending}"
    return found


def twinned(wildcards):
    """Return the run and the genome of which the twin of the other model is made."""
    return twin_of_other(wildcards.asked, COMPARISONS[wildcards.asked][wildcards.name])


def across_inputs(wildcards):
    """Return what one match across genomes reads."""
    entry = COMPARISONS["across"][wildcards.name]
    names = {"a": entry["genome"], "b": entry.get("other_genome")}
    known = {side: name for side, name in names.items() if name}
    files = {
        "features": [f"{name}/features.h5" for name in known.values()],
        "other": outside(entry.get("features")),
    }
    for side, name in known.items():
        files |= {f"genome_{side}": sequence_of(name), f"annotations_{side}": annotation_of(name)}
    return files


def across_options(wildcards, input):
    """Return the options of one match across genomes."""
    names = ("genome_a", "genome_b", "annotations_a", "annotations_b")
    return given(**{key: input.get(key) for key in names}, seed=config["seed"])


def matched_inputs(wildcards):
    """Return what one match reads."""
    entry = COMPARISONS["match"][wildcards.name]
    return {
        "own": f"{entry['genome']}/features.h5",
        "genome": sequence_of(entry["genome"]),
        "annotations": annotation_of(entry["genome"]) if ANNOTATED else [],
        "associations": "associations.parquet" if ANNOTATED else [],
        **compared_files("match", wildcards.name),
    }


def matched_options(wildcards, input):
    """Return the options of one match."""
    return given(
        genome=input.genome,
        annotations=input.get("annotations") or None,
        associations_a=input.get("associations") or None,
        **twins("match", wildcards.name, input),
        ceiling=input.get("ceiling") or None,
        seed=config["seed"],
    )


def similar_inputs(wildcards):
    """Return what one comparison of activations reads."""
    entry = COMPARISONS["similar"][wildcards.name]
    return {
        "own": f"{entry['genome']}/activations.h5",
        "genome": sequence_of(entry["genome"]),
        "annotations": annotation_of(entry["genome"]) if ANNOTATED else [],
        **compared_files("similar", wildcards.name),
    }


def similar_options(wildcards, input):
    """Return the options of one comparison of activations."""
    return given(
        genome=input.genome,
        annotations=input.get("annotations") or None,
        **twins("similar", wildcards.name, input),
        ceiling=input.get("ceiling") or None,
        every=COMPARISONS["similar"][wildcards.name].get("every"),
        seed=config["seed"],
    )
