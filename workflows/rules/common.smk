# The resolved configuration, and the parts of command lines that depend on it.
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError

from genointerp.core.errors import GenointerpError
from genointerp.workflow.config import relative_to, resolve_run_config


def resolved(values, files):
    """Return the checked configuration, its paths relative to the run directory.

    In its last file, paths are relative to that file.
    """
    if not files:
        raise WorkflowError("expected a configuration (--configfile), found none")
    path = Path(files[-1])
    try:
        found = resolve_run_config(values, folder=path.parent, where=str(path))
        return relative_to(found, Path("."))
    except GenointerpError as error:
        raise WorkflowError(str(error)) from error


config = resolved(config, workflow.configfiles)

GENOMES = list(config["genomes"])
QUERIES = config["queries"]
# empty where the dictionary is one that was there
FIT = config.get("fit", [])
BESIDE = config.get("baselines", {})
RANDOM = BESIDE.get("random", {})
RIVALS = {
    "random": [genome for genome in GENOMES if genome in RANDOM],
    "other_seed": GENOMES if BESIDE.get("other_seed") else [],
}

# what a training leaves in the folder of its dictionary
OF_TRAINING = [
    *("sae/cfg.json", "sae/sae_weights.safetensors", "sae/log.json"),
    *("sae/train_config.yaml", "sae/metrics.jsonl", "sae/density.json"),
    "sae/scale.json",
]


wildcard_constraints:
    genome="|".join(GENOMES),
    query="|".join(QUERIES) or "none",
    rival="|".join(RIVALS),
    name=r"\w+",
    asked=r"match|similar",


def options(flag, values):
    """Return the flag once for each value, quoted for the shell; a value may begin with a dash."""
    return " ".join(f"{flag}={quote(str(value))}" for value in values)


def given(**flags):
    """Return the flags whose value the configuration gives."""
    return " ".join(
        f"--{name.replace('_', '-')}={quote(str(value))}"
        for name, value in flags.items()
        if value is not None
    )


def of_query(key):
    """Return a params function: one entry of the wildcard's query."""
    return lambda wildcards: QUERIES[wildcards.query].get(key)


def fidelity_regions():
    """Return where losses are measured: the stated regions, or all that the genome's harvest read."""
    fidelity = config["fidelity"]
    return fidelity.get("regions", config["genomes"][fidelity["genome"]].get("regions", []))


def query_features(wildcards):
    """Return the feature store of the query's genome."""
    return f"{QUERIES[wildcards.query]['genome']}/features.h5"


def rival_activations(wildcards, genome=None):
    """Return the activations of one genome, or of the fit genomes, that a rival is made of."""
    folder = "random/" if wildcards.rival == "random" else ""
    wanted = FIT if genome is None else [genome]
    return [f"{folder}{name}/activations.h5" for name in wanted]


def rival_dictionary(wildcards):
    """Return the training of a rival's dictionary; nothing where it has the defaults."""
    own = BESIDE.get("random_dictionary") if wildcards.rival == "random" else None
    return outside(own or config.get("dictionary"))
