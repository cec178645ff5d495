"""Every command that loads a model takes the same options for it."""

import inspect
import pickle
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from genointerp.cli.build.evaluate import evaluate
from genointerp.cli.build.harvest import harvest
from genointerp.cli.model_options import ModelChoice, with_model_options
from genointerp.model.load_options import DTYPES, LoadOptions
from genointerp.model.registry import load_model

NAMES = ["model", "checkpoint", "revision", "trust_remote_code", "dtype", "attention"]
NAMES += ["require_flash", "device", "random_weights", "of_parent"]


def chosen(*arguments):
    found = []
    app = typer.Typer()

    @app.command()
    @with_model_options
    def command(genome: Path, model: ModelChoice, region: str | None = None) -> None:
        found.append((genome, model, region))

    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, result.output
    return found[0]


def test_the_options_are_those_of_load_model():
    keywords = [*inspect.signature(load_model).parameters]
    assert sorted(NAMES) == sorted({"model", *keywords} - {"name", "up_to"})
    assert set(keywords) - {"name"} == set(LoadOptions.__dataclass_fields__)


@pytest.mark.parametrize("command", [harvest, evaluate])
def test_a_command_has_them_in_place_of_its_model(command):
    parameters = [*inspect.signature(command).parameters]
    first = parameters.index("model")
    assert parameters[first : first + len(NAMES)] == NAMES
    assert parameters[0] == "genome"


def test_without_options_it_is_the_shipped_model_on_the_cpu():
    genome, model, region = chosen("g.fa")
    assert (genome, region) == (Path("g.fa"), None)
    assert (model.name, model.device) == ("nano", "cpu")
    assert set(model.options.values()) == {None, False}


def test_every_option_reaches_load_model():
    words = "g.fa --model m --checkpoint w --revision r --trust-remote-code --dtype bfloat16"
    words += " --attention sdpa --require-flash --device cuda:1 --region chrI"
    words += " --random-weights 3 --of-parent"
    _, model, region = chosen(*words.split())
    assert (model.name, model.device, region) == ("m", "cuda:1", "chrI")
    load = pickle.loads(pickle.dumps(model.loader(up_to="blocks.2")))
    assert (load.func, load.args) == (load_model, ("m",))
    assert load.keywords == {
        "checkpoint": Path("w"),
        "revision": "r",
        "trust_remote_code": True,
        "dtype": "bfloat16",
        "attention": "sdpa",
        "require_flash": True,
        "random_weights": 3,
        "of_parent": True,
        "up_to": "blocks.2",
    }


def test_dtypes_of_the_program_are_those_of_the_library():
    from typing import get_args

    annotation = inspect.signature(harvest).parameters["dtype"].annotation
    literal = next(part for part in get_args(get_args(annotation)[0]) if get_args(part))
    assert get_args(literal) == DTYPES


def test_the_model_of_a_choice_is_loaded():
    assert ModelChoice("nano", "cpu", {"dtype": "float32"}).load().spec.name == "nano"
