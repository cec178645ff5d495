"""The `genointerp` program: an explicit list of commands, each in the file of its name."""

import io
import logging
import os
import select
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from genointerp.cli.ask.export import export
from genointerp.cli.ask.motif import motif
from genointerp.cli.ask.plot import plot
from genointerp.cli.ask.query import query
from genointerp.cli.ask.report import report
from genointerp.cli.ask.summarise import summarise
from genointerp.cli.ask.top import top
from genointerp.cli.ask.verify import verify
from genointerp.cli.build.adopt import adopt
from genointerp.cli.build.annotate import annotate
from genointerp.cli.build.convert import convert
from genointerp.cli.build.encode import encode
from genointerp.cli.build.evaluate import evaluate
from genointerp.cli.build.harvest import harvest
from genointerp.cli.build.train import train
from genointerp.cli.find.associate import associate
from genointerp.cli.find.backtest import backtest
from genointerp.cli.find.dossier import dossier
from genointerp.cli.find.rank import rank
from genointerp.cli.force import with_force
from genointerp.cli.intervene.ablate import ablate
from genointerp.cli.start.demo import demo
from genointerp.cli.start.fetch import fetch
from genointerp.cli.start.models import models
from genointerp.cli.start.run import run
from genointerp.core.errors import GenointerpError
from genointerp.core.text import one_line
from genointerp.core.version import __version__

COMMANDS: dict[str, Callable[..., None]] = {
    "fetch": fetch,
    "annotate": annotate,
    "models": models,
    "harvest": harvest,
    "train": train,
    "adopt": adopt,
    "convert": convert,
    "evaluate": evaluate,
    "encode": encode,
    "associate": associate,
    "ablate": ablate,
    "rank": rank,
    "dossier": dossier,
    "backtest": backtest,
    "query": query,
    "top": top,
    "motif": motif,
    "export": export,
    "verify": verify,
    "report": report,
    "summarise": summarise,
    "run": run,
    "demo": demo,
}
"""In the order of the help text; ``plot`` follows, since it has commands of its own."""
WRITE = frozenset(COMMANDS) - {"models", "verify", "run", "demo"}
"""Commands with ``--force``: a run keeps its own directory."""


_TRACEBACK = "--traceback"
_REPORT = (
    "a fault of genointerp; please report the command and what "
    f"`genointerp {_TRACEBACK} ...` prints to its developers"
)


class _Program(TyperGroup):
    """Ends with status 0 where the reader of the standard output, such as `head`, has enough."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            if not _reader_has_gone():
                raise
            # Python must not flush into it at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None


def _reader_has_gone() -> bool:
    poll = select.poll()
    # no event is asked for: errors and hang-ups are always told
    poll.register(sys.stdout.fileno(), 0)
    return bool(poll.poll(0))


app = typer.Typer(
    cls=_Program, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


def main() -> None:
    """Run the program; a wrong input ends it with one line on stderr and status 1.

    So does what nobody foresaw: the line then says that it is a fault of the program, and what to
    report. ``--traceback`` shows where in the program either arose.
    """
    for stream in (sys.stdout, sys.stderr):
        # what a locale cannot show is no reason to end
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        app()
    except (GenointerpError, OSError) as error:
        _end(error, one_line(error))
    except Exception as error:  # noqa: BLE001  the last place where it can become one line
        found = f"{type(error).__name__}: {one_line(error)}"
        _end(error, f"expected to go on, found {found} ({_REPORT})")


def _end(error: Exception, line: str) -> NoReturn:
    if _TRACEBACK in sys.argv:
        traceback.print_exception(error)
    sys.stderr.write(f"genointerp: {line}\n")
    raise SystemExit(1) from None


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"genointerp {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="print the version"),
    ] = False,
    with_traceback: Annotated[
        bool, typer.Option(_TRACEBACK, help="print the traceback of an error")
    ] = False,
) -> None:
    """Look inside DNA foundation models: from a genome to features that tell its biology."""


for _name, _command in COMMANDS.items():
    app.command(_name)(with_force(_command) if _name in WRITE else _command)
app.add_typer(plot, name="plot")
