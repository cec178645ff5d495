"""``--force``, the same for every command that writes."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from genointerp.core.files import replacing

_Force = Annotated[
    bool,
    typer.Option("--force", help="replace an output that differs; a folder as a whole"),
]


def with_force(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with an option that lifts the rule of `genointerp.core.files`."""

    @wraps(command)
    def writing(*arguments: Any, force: bool = False, **options: Any) -> None:  # noqa: ANN401
        if not force:
            command(*arguments, **options)
            return
        with replacing():
            command(*arguments, **options)

    own = inspect.signature(command)
    option = inspect.Parameter(
        "force", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Force
    )
    signature = own.replace(parameters=[*own.parameters.values(), option])
    # where typer looks for the options of a command
    writing.__signature__ = signature  # type: ignore[attr-defined]
    writing.__annotations__ = {**command.__annotations__, "force": _Force}
    return writing
