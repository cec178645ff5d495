"""Pages of the commands, made from what the program itself prints as help."""

import html
import re
from collections.abc import Iterator

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

import genointerp
from genointerp.cli.examples import EXAMPLES
from genointerp.cli.main import app

FOLDER = "commands"
_PROGRAM = "genointerp"
_Command = TyperCommand | TyperGroup
_LIMITS = re.compile(r"\s*\[([^\]]*)\]$")


def names() -> list[str]:
    """Return the commands in the order of the help text."""
    return list(typer.main.get_command(app).commands)


def command_pages() -> dict[str, str]:
    """Return the page of each command, after the one that lists them, by its place in the site."""
    program = typer.main.get_command(app)
    pages = {
        f"{FOLDER}/{name}.md": "\n".join(_page(command, name))
        for name, command in program.commands.items()
    }
    return {f"{FOLDER}/index.md": "\n".join(_index(program)), **pages}


def _index(program: TyperGroup) -> Iterator[str]:
    yield "# Commands\n"
    yield f"{_prose(program.help)}\n"
    yield f"```\n{_usage(program, _PROGRAM)}\n```\n"
    yield "| command | does |\n|---|---|"
    for name, command in program.commands.items():
        first = command.help.split("\n\n")[0]
        yield f"| [`{name}`]({name}.md) | {_prose(first)} |"
    yield ""
    yield from _parameters(program, _PROGRAM)


def _page(command: _Command, name: str, level: int = 1) -> Iterator[str]:
    """Yield the lines of a command and of those that it has of its own."""
    path = f"{_PROGRAM} {name}"
    yield f"{'#' * level} {path}\n"
    yield f"{_prose(command.help)}\n"
    yield f"```\n{_usage(command, path)}\n```\n"
    if name in EXAMPLES:
        examples = "\n".join(EXAMPLES[name])
        yield f"For example:\n\n```\n{examples}\n```\n"
    yield from _parameters(command, path, level + 1)
    if name in genointerp.__all__:
        yield f"In Python: [`gi.{name}`](../reference/{name}.md).\n"
    for inner, subcommand in getattr(command, "commands", {}).items():
        yield from _page(subcommand, f"{name} {inner}", level + 1)


def _parameters(command: _Command, path: str, level: int = 2) -> Iterator[str]:
    arguments = [param for param in command.params if isinstance(param, TyperArgument)]
    options = [param for param in command.params if not isinstance(param, TyperArgument)]
    for title, params in {"Arguments": arguments, "Options": options}.items():
        records = [param.get_help_record(_context(command, path)) for param in params]
        if not any(records):
            continue
        yield f"{'#' * level} {title}\n"
        yield f"| {title.lower()[:-1]} | meaning | default and limits |\n|---|---|---|"
        yield from (_row(*record) for record in records if record)
        yield ""


def _row(name: str, text: str) -> str:
    limits = _LIMITS.search(text)
    said = limits[1] if limits else ""
    code = name.replace("|", r"\|")
    return f"| `{code}` | {_prose(_LIMITS.sub('', text))} | {_prose(said)} |"


def _context(command: _Command, path: str) -> typer.Context:
    return command.context_class(command, info_name=path)


def _usage(command: _Command, path: str) -> str:
    return " ".join([path, *command.collect_usage_pieces(_context(command, path))])


def _prose(text: str) -> str:
    """Return a text of the program as Markdown that reads the same; code stays code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_|\[\]])", r"\\\1", html.escape(text, quote=False))
