"""The documentation site shows every page, every command and every extra; `make docs` builds it."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

import genointerp as gi
from genointerp.cli.main import app
from scripts.site.commands import command_pages
from scripts.site.notebooks import notebook_pages
from scripts.site.reference import public_items, reference_pages, undocumented
from scripts.site.repository import placed, site_links
from scripts.site.roles import home, linked, mentioned

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SETTINGS = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
COMMANDS = typer.main.get_command(app).commands


def navigated(entry):
    if isinstance(entry, str):
        return [entry]
    inside = entry.values() if isinstance(entry, dict) else entry
    return [uri for one in inside for uri in navigated(one)]


def test_the_navigation_names_every_page_once():
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    outside = [uri for uri in placed().values() if uri.endswith(".md")]
    made = ["commands/", "reference/", *notebook_pages()]
    assert sorted(navigated(SETTINGS["nav"])) == sorted([*pages, *outside, *made])


def test_every_file_that_is_shown_from_outside_docs_exists():
    assert [path for path in placed() if not (ROOT / path).is_file()] == []


def test_nothing_is_fetched_and_every_warning_is_an_error():
    assert SETTINGS["theme"]["font"] is False
    assert set(SETTINGS["validation"].values()) == {"warn"}
    assert "mkdocs build --strict" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize(
    ("link", "source", "uri", "shown"),
    [
        ("[a](docs/models.md#tokens)", "README.md", "index.md", "[a](models.md#tokens)"),
        ("[a](docs/schema)", "README.md", "index.md", "[a](schema/README.md)"),
        ("![a](docs/a.png)", "README.md", "index.md", "![a](a.png)"),
        ("[a](../../README.md)", "docs/demo/README.md", "demo/README.md", "[a](../index.md)"),
        ("[a](../README.md#x)", "docs/a.md", "a.md", "[a](index.md#x)"),
        ("[a](b.md)", "docs/schema/a.md", "schema/a.md", "[a](b.md)"),
        ("[a](#b)", "docs/a.md", "a.md", "[a](#b)"),
        ("[a](https://b.org/c.md)", "README.md", "index.md", "[a](https://b.org/c.md)"),
        ("[a](scripts/b.py)", "README.md", "index.md", "[a](scripts/b.py)"),
    ],
)
def test_a_link_between_files_becomes_a_link_between_pages(link, source, uri, shown):
    assert site_links(link, source, uri) == shown


def test_the_page_of_a_notebook_has_its_text_its_code_and_the_notebook():
    page = notebook_pages()["notebooks/five_minutes.md"]
    assert page.startswith("# Five minutes with a run\n")
    assert "[five_minutes.ipynb](five_minutes.ipynb)" in page
    assert "[your own genome](own_genome.md)" in page
    assert "```python\nrun.findings()\n```" in page


def test_every_command_has_a_page_and_a_line_of_the_list():
    pages = command_pages()
    assert set(pages) == {f"commands/{name}.md" for name in ["index", *COMMANDS]}
    listed = re.findall(r"^\| \[`(\w+)`\]\((\w+)\.md\) \| \S", pages["commands/index.md"], re.M)
    assert listed == [(name, name) for name in COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_a_command_has_all_of_its_options(name):
    page = command_pages()[f"commands/{name}.md"]
    for command in (COMMANDS[name], *getattr(COMMANDS[name], "commands", {}).values()):
        for param in command.params:
            if not param.hidden:
                # short names come first, as the program prints them
                named = rf"^\| `(-\w, )?{re.escape(param.metavar or param.opts[0])}"
                assert re.search(named, page, re.M), (name, param.name)


def test_what_is_markdown_by_chance_is_shown_as_the_program_prints_it():
    page = command_pages()["commands/query.md"]
    assert r"NC\_000913.2:3,424,000-3,426,000" in page
    assert "&lt;" in page
    assert r"`--strand <+\|->`" in page


@pytest.fixture(scope="module")
def reference():
    return reference_pages()


def test_every_public_name_has_an_entry(reference):
    for name, item in public_items().items():
        page = reference[f"reference/{name.split('.')[0]}.md"]
        assert f"heading: gi.{name}\n" in page or page.startswith(f"# gi.{name}\n")
        assert f"::: {home(item)}\n" in page or inspect.ismodule(item)
    assert {f"reference/{name}.md" for name in ["index", *gi.__all__]} <= set(reference)


def test_every_type_in_a_public_signature_has_an_entry(reference):
    for module, name in [
        ("genointerp.reading.harvest", "HarvestConfig"),  # of a function
        ("genointerp.sae.config", "SaeConfig"),  # a field of the configuration of `train`
        ("genointerp.store.feature.store", "FeatureTrack"),  # what a method gives
    ]:
        assert f"::: {module}.{name}\n" in reference["reference/types.md"]


def test_everything_in_the_reference_says_what_it_is():
    assert undocumented() == []


def test_a_role_becomes_a_link_where_its_object_has_an_entry_and_code_elsewhere():
    shown, module = {"genointerp.sae.train.train_sae"}, "genointerp.sae.train"
    link = "[`train_sae`][genointerp.sae.train.train_sae]"
    assert (
        linked("see :func:`genointerp.sae.train.train_sae`.", "genointerp", shown) == f"see {link}."
    )
    assert linked("see :func:`~train_sae`.", module, shown) == f"see {link}."
    assert linked("see :func:`train_together`.", module, shown) == "see `train_together`."
    assert linked("see :meth:`nothing`.", module, shown) == "see `nothing`."
    assert [one.__name__ for one in mentioned(":func:`train_sae`, :meth:`no`", module)] == [
        "train_sae"
    ]


def test_the_page_of_the_installation_names_every_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    page = (DOCS / "installation.md").read_text()
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.M)) == sorted(extras)
