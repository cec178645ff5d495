# Files from outside the run directory, by their content, those beside tables, and what the model is loaded by.
from genointerp.workflow.config import is_annotated
from genointerp.workflow.inputs import input_digests

DIGESTS = input_digests(config, Path("."))

# whether every genome has, or will have, an annotation: without one there are no associations
ANNOTATED = is_annotated(config)
ASSOCIATIONS = ["associations.parquet"] if ANNOTATED else []
BASELINES = ["baselines.tsv"] if ANNOTATED and "baselines" in config else []

ON_GPU = int(not config["model"].get("device", "cpu").startswith("cpu"))
DEVICE = given(device=config["model"].get("device"))
MODEL = given(
    model=config["model"]["name"],
    # `checkpoint` is a keyword of Snakemake
    **{key: config["model"].get(key) for key in ("device", "dtype", "checkpoint")},
)
WINDOWS = given(
    window=config["windows"].get("length"),
    warmup=config["windows"].get("warmup"),
    batch=config["windows"].get("batch"),
)
# a window that is harvested in chunks is too long for one pass, which is what losses take
PASSES = given(batch=config["windows"].get("batch")) if config["windows"].get("chunk") else WINDOWS


def content(*roles):
    """Return a params function: the sha256 of inputs, which make a step run again if they change."""
    return lambda wildcards: {
        role: DIGESTS[role]
        for name in roles
        for role in [name.format(**dict(wildcards.items()))]
        if role in DIGESTS
    }


def of_all(key):
    """Return the roles of one entry of every genome."""
    return [f"genomes.{genome}.{key}" for genome in GENOMES]


def outside(path):
    """Return a file from outside as an input: its content counts (`content`), not its age."""
    return ancient(path) if path else []


def sequence_of(genome):
    """Return the sequence of a genome."""
    return outside(config["genomes"][genome]["sequence"])


def annotation_of(genome):
    """Return the annotation of a genome: a file from outside, or what finders predict."""
    annotation = config["genomes"][genome].get("annotation")
    return outside(annotation) if annotation else f"{genome}/annotation.gff3"


def regions(names):
    """Return a params function: options of regions, which may hold braces and so are no pattern."""
    return lambda wildcards: options("--region", names(wildcards))


def held_out(wildcards):
    """Return the options of the test side; a genome is named by its features file."""
    files = {genome: f"{genome}/features.h5" for genome in GENOMES}
    return options("--test", [files.get(name, name) for name in config["test"]])


def metadata_of(table):
    """Return the metadata of a table as text, which a command writes next to it."""
    return f"{table}-metadata.json"


def as_text(*tables):
    """Return tables as text, each with its metadata."""
    return [file for table in tables for file in (table, metadata_of(table))]
