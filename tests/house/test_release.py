"""A release says the same of itself everywhere; its wheel holds what the checkout has."""

import re
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from genointerp import __version__
from scripts import check_wheel

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
CHANGES = (ROOT / "CHANGELOG.md").read_text()


def test_one_version_everywhere():
    newest = re.search(r"^## (\S+) - (?:unreleased|\d{4}-\d\d-\d\d)$", CHANGES, re.MULTILINE)
    assert {PROJECT["version"], CITATION["version"], newest[1]} == {__version__}


def test_the_citation_has_what_its_format_requires_and_no_more():
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION)
    optional = {"type", "abstract", "version", "license", "keywords", "date-released"}
    assert set(CITATION) <= {"cff-version", "message", "title", "authors", *optional}
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert CITATION["authors"] == PROJECT["authors"]
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["keywords"] == PROJECT["keywords"]


def test_the_sections_of_the_changelog_are_those_of_its_form():
    allowed = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    for release in CHANGES.split("\n## ")[1:]:
        sections = re.findall(r"^### (.*)$", release, re.MULTILINE)
        assert set(sections) <= allowed
        assert len(set(sections)) == len(sections)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_wheel_that_lacks_a_file_or_has_one_more_is_found(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = sorted(check_wheel.expected())
    assert "genointerp/_data/annotations/concepts.yaml" in names
    assert "genointerp/model/weights/nano/MODEL_CARD.md" in names
    assert "genointerp/sae/weights/nano/sae_weights.safetensors" in names
    for files, status in ((names, 0), (names[1:], 1), ([*names, "genointerp/more.py"], 1)):
        wheel = tmp_path / f"{len(files)}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name in [*files, "genointerp-0.1.0.dist-info/METADATA"]:
                archive.writestr(name, "")
        monkeypatch.setattr(sys, "argv", ["check_wheel", str(wheel)])
        assert outcome() == status
    said = capsys.readouterr().out
    assert f"expected {names[0]}, found none" in said
    assert "expected no genointerp/more.py" in said


def outcome():
    try:
        check_wheel.main()
    except SystemExit as end:
        return end.code
    return 0
