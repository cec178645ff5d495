"""Arguments and options that several commands have: one name, one text and one default for each."""

import ast
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from genointerp.core.version import PACKAGE_FOLDER


def default_of(setting: str) -> str:
    """Return the default of a configuration's field, as ``package.module.Class.field`` names it.

    It is read from the source, since a help text must not wait until libraries such as torch are
    loaded.

    Examples
    --------
    >>> default_of("association.config.AssociateConfig.n_shifts")
    '999'
    """
    *module, owner, field = setting.split(".")
    source = PACKAGE_FOLDER.joinpath(*module).with_suffix(".py").read_text(encoding="utf-8")
    _, _, body = source.partition(f"\nclass {owner}")
    found = re.search(rf"^    {field}: .+? = (.+)$", body, re.MULTILINE)
    assert found is not None, setting
    return str(ast.literal_eval(found[1]))


def option_of(setting: str, *, help: str, **more: Any) -> Any:  # noqa: ANN401 - as typer has it
    """Return an option that shows the default of a configuration, which None keeps."""
    return typer.Option(help=help, show_default=default_of(setting), **more)


Features = Annotated[
    Path,
    typer.Argument(
        help="features file, catalogue of several (.yaml), or run directory", show_default=False
    ),
]
ManyFeatures = Annotated[
    list[Path],
    typer.Argument(
        help="features file of each genome; a catalogue (.yaml); or a run directory",
        show_default=False,
    ),
]
Feature = Annotated[
    str, typer.Argument(help="number, name or label of the feature", show_default=False)
]
Sae = Annotated[
    Path,
    typer.Option(
        help="folder of the dictionary, run directory, or shipped:nano", show_default=False
    ),
]
OwnSae = Annotated[
    Path | None,
    typer.Option(
        help="folder of the dictionary, run directory, or shipped:nano; a run has its own"
    ),
]

GenomeOrRun = Annotated[
    Path, typer.Argument(help="FASTA or GenBank file, or run directory", show_default=False)
]
Genome = Annotated[
    Path | None,
    typer.Option(
        help="FASTA or GenBank; a catalogue and a run name their own, of which this may be one, by "
        "its name"
    ),
]
Genomes = Annotated[
    list[Path] | None,
    typer.Option(
        help="FASTA or GenBank of each genome, in any order; a catalogue and a run name their own, "
        "of which these may be some, by their names"
    ),
]
Annotations = Annotated[
    Path | None, typer.Option(help="GFF3 or GenBank; a catalogue and a run name their own")
]
ManyAnnotations = Annotated[
    list[Path] | None,
    typer.Option(
        help="GFF3 or GenBank of each genome, in the order of FEATURES; a catalogue and a run name "
        "their own"
    ),
]
Predictions = Annotated[
    list[Path] | None,
    typer.Option(
        help="GFF3 of each genome that finders wrote (annotate --find), in the order of FEATURES"
    ),
]
Associations = Annotated[
    Path | None,
    typer.Option(help="table of associations of FEATURES; a catalogue and a run name their own"),
]
Labels = Annotated[
    list[Path] | None,
    typer.Option(
        help="table of labels, or explanations of Neuronpedia (.jsonl), by which features may be "
        "named too; repeatable; a run has its own"
    ),
]
Concepts = Annotated[
    Path | None,
    typer.Option(help="YAML that defines the concepts; else that of a run, or the shipped one"),
]
Top = Annotated[int, typer.Option(min=1, help="how many at most, strongest first")]
Strand = Annotated[
    Literal["+", "-"] | None, typer.Option(help="only this reading strand; both otherwise")
]
MinActivation = Annotated[
    float, typer.Option(min=0, help="bases with a lower activation count as silent")
]
MergeGap = Annotated[int, typer.Option(min=0, help="longest silent gap inside a locus, in bp")]
MinLength = Annotated[int, typer.Option(min=1, help="shortest locus, in bp")]

Region = Annotated[
    list[str] | None,
    typer.Option(help="only this region, like chrI:1-1,000 (1-based, closed); repeatable"),
]
Site = Annotated[str | None, typer.Option(help="site in the model; by default the model's own")]
Window = Annotated[
    int | None,
    option_of("reading.harvest.HarvestConfig.window", help="bases read in one pass"),
]
Warmup = Annotated[
    int | None,
    option_of(
        "reading.harvest.HarvestConfig.warmup", help="first bases of a pass, which are discarded"
    ),
]
Batch = Annotated[
    int | None,
    option_of("reading.harvest.HarvestConfig.batch", help="windows in one call of the model"),
]
Seed = Annotated[
    int | None, option_of("association.config.AssociateConfig.seed", help="random seed")
]
TwinA = Annotated[
    Path | None,
    typer.Option(help="the same of the model of A with random weights, which `twin` makes"),
]
TwinB = Annotated[
    Path | None,
    typer.Option(help="the same of the model of B with random weights, which `twin` makes"),
]
Ceiling = Annotated[
    Path | None, typer.Option(help="the same of A from another seed, as like A as anything can be")
]
Device = Annotated[str, typer.Option(help="where the dictionary runs, such as cuda")]
Cores = Annotated[int, typer.Option(min=1, help="threads for all steps together")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="list the steps and their cost, compute nothing")
]
NoLock = Annotated[
    bool,
    typer.Option(
        "--no-lock",
        help="for a file system without locks: make sure yourself that no other run is active",
    ),
]
