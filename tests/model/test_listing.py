import json

import pytest
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.model import listing
from genointerp.model.listing import list_models, models_text
from genointerp.model.presets import PRESETS
from genointerp.model.registry import MODELS


def row(name):
    frame = list_models()
    return frame[frame["name"] == name].iloc[0].to_dict()


def test_every_model_that_can_be_named_is_listed_once():
    assert list_models()["name"].tolist() == [*MODELS, *PRESETS]


def test_a_shipped_model_is_ready():
    assert row("nano") == {
        "name": "nano",
        "tokens": "char",
        "context": 8192,
        "reads": "left",
        "here": "ready",
        "licence": "MIT",
        "weights": "shipped",
        "about": MODELS["nano"].summary,
    }


@pytest.mark.parametrize(
    ("absent", "name", "here"),
    [
        ((), "evo2_7b_262k", "ready"),
        ((), "generator-1.2b", "ready"),
        ((), "caduceus-ph-131k", "--trust-remote-code"),
        (("transformers",), "caduceus-ph-131k", 'pip install "genointerp[transformers]"'),
        (("transformers",), "generator-1.2b", 'pip install "genointerp[transformers]"'),
        (("transformers",), "evo2_7b_262k", "ready"),
        (("huggingface_hub",), "evo2_7b_262k", 'pip install "genointerp[transformers]"'),
        (("transformers", "huggingface_hub"), "nano", "ready"),
    ],
)
def test_what_a_model_still_needs_is_said(monkeypatch, absent, name, here):
    monkeypatch.setattr(listing, "find_spec", lambda package: package not in absent or None)
    assert row(name)["here"] == here


def test_the_table_for_people_is_aligned_and_short():
    lines = models_text(list_models()).splitlines()
    header = lines[0]
    assert header.split() == ["name", "tokens", "context", "reads", "here", "licence"]
    end = header.index("context") + len("context")
    contexts = [line[:end].split()[-1] for line in lines[1:]]
    assert contexts[0] == "8,192"
    assert [int(context.replace(",", "")) for context in contexts] == (
        list_models()["context"].tolist()
    )


def test_the_command_prints_records_for_programs():
    result = CliRunner().invoke(app, ["models", "--format", "json"])
    assert [record["name"] for record in json.loads(result.output)] == [*MODELS, *PRESETS]
    lines = CliRunner().invoke(app, ["models", "--format", "tsv"]).output.splitlines()
    assert lines[0].split("\t")[:2] == ["name", "tokens"]
    assert len(lines) == 1 + len(MODELS) + len(PRESETS)
