"""The table of edits in the documentation is that of the kept files."""

import json

from scripts import edit_tables
from scripts.edit_tables import COLUMNS, PAGE, filled


def test_the_page_has_the_table_of_the_files():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
    assert "<!-- table edits -->" in page


def test_a_row_shows_each_figure_and_undefined_ones_as_a_dash(tmp_path, monkeypatch):
    monkeypatch.setattr(edit_tables, "KEPT", tmp_path)
    values = dict.fromkeys(COLUMNS, 0.12345) | {"verdict": "clean", "bake_random": None}
    values |= {"silent_from": 32, "n_silent": 1234}
    (tmp_path / "82_distil.json").write_text(json.dumps(values))
    heading, _, row = edit_tables.table().splitlines()
    assert heading.startswith("| feature | tells | method | held-out R2 |")
    cells = "0.12 | 0.12 | 0.12 | 0.12345 | 0.12345 | 32 | 1,234 | 0.12 | - | clean"
    assert row == f"| 82 | CDS_phase2 | `distil` | {cells} |"


def test_features_are_chosen_by_what_they_tell_on_the_genome_of_the_fit():
    chosen = edit_tables.features()
    assert len(chosen) == 10
    assert next(iter(chosen)) == 82
    # one feature may be the best of several concepts; it counts for the one that it tells best
    assert chosen[50] == "rRNA"
