# Inputs and options that all rules of interventions share.
INTERVENTIONS = {
    command: config["interventions"].get(command, {}) for command in ("steer", "paint", "edit")
}

PAINT_SETTINGS = (
    *("profile_from", "strand", "n_designs", "context", "temperature"),
    *("prompt", "template", "structure"),
)

# an edit is fitted on one genome and measured on another
MEASURED = config["fidelity"]["genome"]
EDITED_ON = [
    pair for genome in [*FIT, *GENOMES] if genome != MEASURED for pair in (genome, MEASURED)
][:2]


def of_intervention(command, key):
    """Return a params function: one entry of the wildcard's intervention."""
    return lambda wildcards: INTERVENTIONS[command][wildcards.name].get(key)


def painted_inputs(command):
    """Return an input function: what steering and painting read."""

    def inputs(wildcards):
        entry = INTERVENTIONS[command][wildcards.name]
        genome = entry["genome"]
        return {
            "genome": sequence_of(genome),
            "features": f"{genome}/features.h5",
            "sae": "sae/cfg.json",
            "canvas": outside(entry.get("canvas")),
            "profiles": outside(entry.get("profiles")),
            "annotations": annotation_of(genome) if ANNOTATED else [],
            "concepts": outside(config.get("concepts")),
        }

    return inputs


def painted_options(wildcards, input):
    """Return the options that steering and painting share."""
    names = ("features", "canvas", "profiles", "annotations", "concepts")
    files = given(sae=Path(input.sae).parent, **{name: input.get(name) or None for name in names})
    return f"{MODEL} {files}"


def doses(command):
    """Return a params function: the doses of the wildcard's intervention, each as an option."""
    return lambda wildcards: options(
        "--dose", INTERVENTIONS[command][wildcards.name].get("doses", [])
    )
