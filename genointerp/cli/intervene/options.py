"""Arguments and options of the commands that paint."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import option_of

_CONTROLS = "intervention.control.ControlConfig"

OwnFeatures = Annotated[
    Path | None,
    typer.Option(
        help="features of the genome, for units and controls; a run has its own, and otherwise a "
        "sample is read"
    ),
]
Profiles = Annotated[Path | None, typer.Option(help="table of the profiles that the canvas names")]
CanvasOut = Annotated[
    Path | None, typer.Option(help="also write the canvas with its units, as it was used")
]
Doses = Annotated[
    list[float] | None,
    typer.Option(help="multiply the doses of the canvas by this; repeatable", show_default="1"),
]
Controls = Annotated[
    bool, typer.Option("--controls/--no-controls", help="do the same with what should not work")
]
NMatched = Annotated[
    int | None,
    option_of(f"{_CONTROLS}.n_matched", help="controls by other features that fire as often"),
]
NRandom = Annotated[
    int | None, option_of(f"{_CONTROLS}.n_random", help="controls along random directions")
]
Seed = Annotated[int | None, option_of(f"{_CONTROLS}.seed", help="random seed")]
