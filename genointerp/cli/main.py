"""The `genointerp` program: an explicit list of commands, each in the file of its name."""

import io
import logging
import os
import re
import select
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from genointerp.cli.ask.export import export
from genointerp.cli.ask.motif import motif
from genointerp.cli.ask.plot import plot
from genointerp.cli.ask.query import query
from genointerp.cli.ask.report import report
from genointerp.cli.ask.serve import serve
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
from genointerp.cli.build.tune import tune
from genointerp.cli.compare.across import across
from genointerp.cli.compare.diff import diff
from genointerp.cli.compare.match import match
from genointerp.cli.compare.similar import similar
from genointerp.cli.compare.twin import twin
from genointerp.cli.examples import EXAMPLES
from genointerp.cli.explain.circuit import circuit
from genointerp.cli.explain.dependency import dependency
from genointerp.cli.explain.edges import edges
from genointerp.cli.explain.explain import explain
from genointerp.cli.explain.mediate import mediate
from genointerp.cli.explain.mutate import mutate
from genointerp.cli.explain.trace import trace
from genointerp.cli.find.associate import associate
from genointerp.cli.find.backtest import backtest
from genointerp.cli.find.dossier import dossier
from genointerp.cli.find.label import label
from genointerp.cli.find.rank import rank
from genointerp.cli.find.score import score
from genointerp.cli.force import with_force
from genointerp.cli.intervene.ablate import ablate
from genointerp.cli.intervene.edit import edit
from genointerp.cli.intervene.paint import paint
from genointerp.cli.intervene.steer import steer
from genointerp.cli.start.demo import demo
from genointerp.cli.start.fetch import fetch
from genointerp.cli.start.init import init
from genointerp.cli.start.models import models
from genointerp.cli.start.run import run
from genointerp.cli.start.start import start
from genointerp.core.errors import GenointerpError
from genointerp.core.messages import MessageHandler
from genointerp.core.nearest import hinted
from genointerp.core.progress import hide_progress, log_progress
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
    "tune": tune,
    "associate": associate,
    "ablate": ablate,
    "steer": steer,
    "paint": paint,
    "edit": edit,
    "edges": edges,
    "mediate": mediate,
    "trace": trace,
    "circuit": circuit,
    "explain": explain,
    "mutate": mutate,
    "dependency": dependency,
    "diff": diff,
    "match": match,
    "across": across,
    "similar": similar,
    "twin": twin,
    "rank": rank,
    "dossier": dossier,
    "backtest": backtest,
    "label": label,
    "score": score,
    "query": query,
    "top": top,
    "motif": motif,
    "export": export,
    "verify": verify,
    "report": report,
    "serve": serve,
    "summarise": summarise,
    "start": start,
    "init": init,
    "run": run,
    "demo": demo,
}
"""In the order of the help text; ``plot`` follows, since it has commands of its own."""
WRITE = frozenset(COMMANDS) - {"models", "verify", "serve", "start", "run", "demo"}
"""Commands with ``--force``: a run keeps its own directory."""

_PANELS = {
    "start": "Start",
    "build": "Build features",
    "find": "Find what they mark",
    "ask": "Ask and show",
    "intervene": "Intervene in the model",
    "explain": "Explain what it predicts",
    "compare": "Compare models and dictionaries",
}


_NO_CHOICE = re.compile("'([^']+)' is not one of ('.+')")
_TRACEBACK = "--traceback"
_ANYWHERE = frozenset({_TRACEBACK, "-q", "--quiet", "-v", "--verbose"})
_REPORT = (
    "a fault of genointerp; please report the command and what "
    f"`genointerp {_TRACEBACK} ...` prints to its developers"
)


class _Program(TyperGroup):
    """Takes options of the program anywhere, and ends well where the reader has enough.

    Its status is 0 where the reader of the standard output, such as `head`, closes the pipe.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        end = args.index("--") if "--" in args else len(args)
        own = [word for word in args[:end] if word in _ANYWHERE]
        rest = [word for word in args[:end] if word not in _ANYWHERE]
        return super().parse_args(ctx, [*own, *rest, *args[end:]])

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        try:
            with _suggesting():
                return super().invoke(ctx)
        except BrokenPipeError:
            if not _reader_has_gone():
                raise
            # Python must not flush into it at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None


@contextmanager
def _suggesting() -> Iterator[None]:
    """Let a value that is none of an option's choices be answered with the nearest."""
    try:
        yield
    except typer.BadParameter as error:
        found = _NO_CHOICE.search(error.message)
        if found is not None:
            hint = hinted(found[1], re.findall("'([^']+)'", found[2]))
            error.message = f"{error.message.removesuffix('.')}{hint}"
        raise


def _reader_has_gone() -> bool:
    poll = select.poll()
    # no event is asked for: errors and hang-ups are always reported
    poll.register(sys.stdout.fileno(), 0)
    return bool(poll.poll(0))


app = typer.Typer(
    cls=_Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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
    messages = MessageHandler()
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[messages])
    try:
        try:
            app()
        finally:
            messages.tell()
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
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="no progress and no warnings, only errors")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="all messages, those of libraries too")
    ] = False,
) -> None:
    """Look inside DNA foundation models: from a genome to features that mark its biology."""
    log_progress()
    if quiet:
        hide_progress()
        logging.getLogger().setLevel(logging.ERROR)
    elif verbose:
        logging.getLogger().setLevel(logging.DEBUG)


def _panel(command: Callable[..., None]) -> str:
    """Return the heading of a command in the help: its group in `genointerp.cli`."""
    group = command.__module__.split(".")[2]
    return _PANELS[group]


def _epilog(name: str) -> str:
    return "\n\n".join(["Examples:", *EXAMPLES[name]])


for _name, _command in COMMANDS.items():
    app.command(_name, rich_help_panel=_panel(_command), epilog=_epilog(_name))(
        with_force(_command) if _name in WRITE else _command
    )
for _figure in plot.registered_commands:
    if _figure.callback is not None:
        _figure.epilog = _epilog(f"plot {_figure.callback.__name__}")
app.add_typer(plot, name="plot", rich_help_panel=_PANELS["ask"])
