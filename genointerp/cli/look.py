"""``--dpi``, ``--width`` and ``--title``, the same for every figure."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

_OPTIONS = {
    "dpi": Annotated[int | None, typer.Option(help="pixels per inch of a .png; else 150")],
    "width": Annotated[
        float | None,
        typer.Option(
            help="width in mm, as journals give it: a column has 85 to 90, a page 170 to 183; "
            "the height follows, the text keeps its size"
        ),
    ],
    "title": Annotated[
        str | None, typer.Option(help="title in place of the figure's own; '' for none")
    ],
}


def with_look(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with options for its ``look``, the keywords `genointerp.figure.file.Look`.

    What is not given is not in the look.
    """

    @wraps(command)
    def drawing(*arguments: Any, **options: Any) -> None:  # noqa: ANN401
        look = {name: options.pop(name) for name in _OPTIONS}
        given = {name: value for name, value in look.items() if value is not None}
        command(*arguments, look=given, **options)

    own = inspect.signature(command)
    kept = [parameter for name, parameter in own.parameters.items() if name != "look"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in _OPTIONS.items()
    ]
    # where typer looks for the options of a command
    drawing.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    known = {name: it for name, it in command.__annotations__.items() if name != "look"}
    drawing.__annotations__ = {**known, **_OPTIONS}
    return drawing
