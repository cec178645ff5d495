"""The options of all commands: one word, one text and one default for one thing."""

import ast
import dataclasses
import inspect
from importlib import import_module
from pathlib import Path

import pytest
import typer

import genointerp as gi
from genointerp.cli import main
from genointerp.cli.options import default_of
from genointerp.figure.file import Look

PACKAGE = Path(gi.__file__).parent
PROGRAM = typer.main.get_command(main.app)

SEVERAL_MEANINGS = {
    "--activations": "what they are read for",
    "--annotations": "of one genome, of several, or of genomes that have no features yet",
    "--associations": "those of a run, those of the baselines, or colours of a dictionary",
    "--baselines": "what they are read for",
    "--bases": "what is drawn",
    "--batch": "windows, or mutants",
    "--below": "whether it must be given",
    "--canvas": "whether it must be given",
    "--concept": "one, or several",
    "--config": "each command has settings of its own",
    "--context": "of what is written, or of what is explained",
    "--device": "where a model runs, or a dictionary",
    "--dry-run": "the steps of a run, or the settings of a harvest",
    "--endpoint": "what a language model is asked",
    "--feature": "what is done with those that are named, and where none is",
    "--features": "what they are needed for",
    "--figure-out": "what is drawn",
    "--flank": "a row, a FASTA file and a metagene need flanks of different lengths",
    "--format": "answers have different forms, and coordinates",
    "--genome": "one genome, several, or one that has no features yet",
    "--labels": "how features may be named, or what is scored",
    "--measure": "of a painting that is drawn, or of a prediction",
    "--method": "of a map, or of an edit",
    "--model": "whether files say which model it is",
    "--n-bases": "of each concept, or of all that is read",
    "--n-matched": "of each feature, or of a canvas",
    "--n-features": "of a figure, or of a table",
    "--n-rotations": "of one null, or of each of two",
    "--n-shuffles": "of what a prediction is compared with, or of a control",
    "--n-tokens": "those of a training, or those of a figure",
    "--n-windows": "of what is ablated, or of the target of edges",
    "--n-nodes": "of a table, or of a graph",
    "--out": "what is written",
    "--sae": "whether it must be given, and what it is for",
    "--strand": "one that is shown, or that is written",
    "--top": "of a configuration, or of a command",
    "--warmup": "an ablation reads short windows, and a canvas is measured in others",
    "--window": "an ablation reads short windows, and a canvas is measured in others",
}
"""Options whose text differs between commands, and why."""

ONLY_PYTHON = {
    *("config", "progress", "show", "runtime", "windows", "grid", "sleep", "types"),
    *("extra", "is_locked", "options"),
}
"""Keywords that a prompt has no words for, or another: what follows --, and --no-lock."""


def commands(group=PROGRAM, names=()):
    """Each command that does something, by its words."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*names, name))
        else:
            yield " ".join((*names, name)), command


def options(command):
    return [it for it in command.params if it.param_type_name == "option"]


def settings():
    """Each setting of a configuration whose default a help text shows, as the sources name it."""
    for path in (PACKAGE / "cli").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        values = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            is_one = isinstance(node, ast.Call) and ast.unparse(node.func) == "option_of"
            if is_one:
                yield eval(ast.unparse(node.args[0]), {}, values)


@pytest.mark.parametrize("setting", sorted(set(settings())))
def test_the_default_that_a_help_text_shows_is_that_of_the_configuration(setting):
    home, owner, field = f"genointerp.{setting}".rsplit(".", 2)
    config = getattr(import_module(home), owner)
    (found,) = (one for one in dataclasses.fields(config) if one.name == field)
    assert default_of(setting) == str(found.default)


def test_an_option_of_several_commands_has_one_text_and_one_default():
    told = {}
    for _, command in commands():
        for option in options(command):
            told.setdefault(option.opts[0], set()).add((option.help, str(option.show_default)))
    differing = {name for name, texts in told.items() if len(texts) > 1}
    assert differing == set(SEVERAL_MEANINGS)


def test_what_a_command_writes_besides_its_output_ends_in_out():
    words = {option.opts[0] for _, command in commands() for option in options(command)}
    seconds = {"--baselines-out", "--figure-out", "--best-out", "--text-out"}
    seconds |= {
        "--network-out",
        "--lags-out",
        "--families-out",
        "--members-out",
        "--successions-out",
    }
    seconds |= {"--bases-out", "--canvas-out", "--chain-out", "--graph-out", "--targets-out"}
    seconds |= {"--tracks-out", "--texts-out", "--control-out", "--latents-out"}
    seconds |= {"--features-out", "--births-out", "--weights-out", "--amplified-out"}
    seconds |= {"--lens-out", "--stages-out", "--evidence-out"}
    assert {word for word in words if word.endswith("-out") and word != "--out"} == seconds
    # what is read and what is drawn have words of their own
    assert not words & {"--figure", "--best", "--text"}


@pytest.mark.parametrize(
    ("name", "command"), [pair for pair in commands() if not pair[0].startswith("plot ")]
)
def test_the_keywords_of_a_function_are_the_options_of_its_command(name, command):
    own = {param.name for param in command.params}
    keywords = set(inspect.signature(getattr(gi, name)).parameters)
    looks = set(Look.__annotations__) if "look" in keywords else set()
    assert keywords - {"look"} - ONLY_PYTHON | looks <= own


@pytest.mark.parametrize("name", sorted(PROGRAM.commands["plot"].commands))
def test_the_keywords_of_a_figure_are_the_options_of_its_command(name):
    own = {param.name for param in PROGRAM.commands["plot"].commands[name].params}
    keywords = set(inspect.signature(getattr(gi.plot, name)).parameters)
    assert keywords - {"look"} | set(Look.__annotations__) <= own
