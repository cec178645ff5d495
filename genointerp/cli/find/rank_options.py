"""Options that say what is known of the features, shared by the commands that rank."""

from pathlib import Path
from typing import Annotated

import typer

Activations = Annotated[
    list[Path] | None,
    typer.Option(
        help="activations of each genome: where windows begin, and tokens of unusual norm"
    ),
]
Ablation = Annotated[Path | None, typer.Option(help="table of `genointerp ablate`")]
Dictionary = Annotated[
    Path | None, typer.Option(help="folder of the dictionary, run directory, or shipped:nano")
]
OtherDictionaries = Annotated[
    list[Path] | None,
    typer.Option(help="dictionary of another seed; repeatable"),
]
TrainedOn = Annotated[
    list[Path] | None,
    typer.Option(help="genome that the dictionary was trained on; repeatable"),
]
Settings = Annotated[Path | None, typer.Option(help="YAML of RankConfig")]
Measured = Annotated[
    Path | None,
    typer.Option(help="candidates of the same files, whose measurements are used again"),
]
