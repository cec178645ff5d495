"""Options that say what is known of the features, shared by the commands that rank."""

from pathlib import Path
from typing import Annotated

import typer

Features = Annotated[
    list[Path],
    typer.Argument(help="features of each genome; a catalogue (.yaml); or a run directory"),
]
Sequences = Annotated[
    list[Path] | None,
    typer.Option(help="sequence of each genome; a catalogue and a run name their own"),
]
Activations = Annotated[
    list[Path] | None,
    typer.Option(
        help="activations of each genome: where windows begin, and tokens of unusual norm"
    ),
]
Ablation = Annotated[Path | None, typer.Option(help="table of `genointerp ablate`")]
Dictionary = Annotated[Path | None, typer.Option(help="folder of the dictionary")]
OtherDictionaries = Annotated[
    list[Path] | None,
    typer.Option(help="dictionary of another seed; repeatable"),
]
TrainedOn = Annotated[
    list[Path] | None,
    typer.Option(help="genome that the dictionary was trained on; repeatable"),
]
Settings = Annotated[Path | None, typer.Option(help="YAML of RankConfig")]
Seed = Annotated[
    int | None, typer.Option(help="random seed of the bases and directions that are drawn")
]
Measured = Annotated[
    Path | None,
    typer.Option(help="candidates of the same files, whose measurements are used again"),
]
