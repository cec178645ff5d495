"""Panels of paintings, by their artists, and the figures that have them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.panel.painting import plot_base_changes, plot_divergence, plot_dose_response
from genointerp.store.table.schema.intervention import PAINTING, STEERED_BASES, STEERING
from genointerp.store.table.table import conform, write_table


def ax():
    return Figure().subplots()


@pytest.fixture
def summary():
    rows = [("unpainted", 0.0, 0.9), ("canvas", 2.0, 0.5), ("canvas", 1.0, 0.7), ("flat", 2.0, 0.8)]
    filled = {column.name: 0.0 for column in PAINTING.columns if column.kind == "float64"}
    filled |= {column.name: 3 for column in PAINTING.columns if column.kind == "int64"}
    table = pd.DataFrame(
        [
            filled
            | {
                "condition": condition,
                "features": "f/1",
                "dose": dose,
                "frame": 1,
                "stops_0": stops,
                "stops_0_low": stops - 0.1,
                "stops_0_high": stops + 0.2,
            }
            for condition, dose, stops in rows
        ]
    )
    return conform(table, PAINTING, where="summary")


@pytest.fixture
def steering():
    rows = [
        ("canvas", "inside", 0.1),
        ("canvas", "downstream 1-8", 0.01),
        ("canvas", "outside", 0.0),
        ("canvas", "CDS sense", 0.05),
        ("flat", "inside", 0.2),
        ("flat", "downstream 1-8", 0.0),
    ]
    table = pd.DataFrame(
        [(name, 1.0, "f/1", place, 9, -kl, kl, kl) for name, place, kl in rows],
        columns=STEERING.names,
    )
    return conform(table, STEERING, where="steering")


@pytest.fixture
def bases():
    start = np.arange(100, 110)
    places = ["inside"] * 3 + ["downstream 1-8"] * 2 + ["inside"] * 4 + ["downstream 1-8"]
    columns = {"seqid": "c", "start": start, "end": start + 1, "strand": "+", "place": places}
    table = pd.DataFrame(columns | {"log_p": -1.0, "log_p_painted": -1 + start % 2, "kl": 0.1})
    return conform(table, STEERED_BASES, where="bases")


def test_the_line_of_doses_is_the_canvas_from_the_unpainted_designs_on(summary):
    drawn = plot_dose_response(summary, "stops_0", ax=ax())
    line, control = drawn.lines
    assert line.get_xydata().tolist() == [[0, 0.9], [1, 0.7], [2, 0.5]]
    bars = drawn.collections[0].get_segments()
    np.testing.assert_allclose([bar[:, 1] for bar in bars], [[0.8, 1.1], [0.6, 0.9], [0.4, 0.7]])
    assert control.get_label() == "flat"
    assert control.get_ydata().tolist() == [0.8]
    with pytest.raises(InputError, match=r"measure: expected one of stops_0, .* found sequence"):
        plot_dose_response(summary, "sequence", ax=ax())


def test_divergence_is_drawn_by_distance_where_there_is_any(steering):
    drawn = plot_divergence(steering, ax=ax())
    own, flat = drawn.lines
    assert own.get_xydata().tolist() == [[0, 0.1], [1, 0.01]]
    assert flat.get_xydata().tolist() == [[0, 0.2]]
    assert [it.get_text() for it in drawn.get_xticklabels()] == ["inside", "+1-8"]


def test_changes_of_bases_stand_at_their_places_and_strokes_are_shaded(bases):
    drawn = plot_base_changes(bases, ax=ax())
    more, less = drawn.collections
    assert [seg[1, 1] for seg in more.get_segments()] == [0, 1] * 5
    assert less.get_segments()[0][:, 0].tolist() == [101, 101]
    assert [(p.get_x(), p.get_width()) for p in drawn.patches] == [(100.5, 3), (105.5, 4)]
    both = pd.concat([bases, bases.assign(strand="-")])
    with pytest.raises(InputError, match="one contig and one strand, found 2"):
        plot_base_changes(both, ax=ax())


def test_figures_are_drawn_from_the_tables_of_the_commands(summary, steering, bases, tmp_path):
    tables = {"s": (summary, PAINTING), "t": (steering, STEERING), "b": (bases, STEERED_BASES)}
    for name, (table, schema) in tables.items():
        write_table(table, tmp_path / f"{name}.tsv", schema, Provenance({}, {}))
    for words in (
        f"paint {tmp_path}/s.tsv --measure gc --measure stops_0 --out {tmp_path}/p.png",
        f"steer {tmp_path}/t.tsv --bases {tmp_path}/b.tsv --out {tmp_path}/q.png --width 89",
    ):
        result = CliRunner().invoke(app, ["plot", *words.split()])
        assert result.exit_code == 0, result.output
    assert (tmp_path / "p.png").stat().st_size > 1000
    twice = gi.plot.paint([tmp_path / "s.tsv", tmp_path / "s.tsv"])
    assert [len(it.lines) for it in twice.axes] == [2, 2]
    assert ["frame 1" in it.get_ylabel() for it in twice.axes] == [True, True]
    assert len(gi.plot.steer(tmp_path / "t.tsv").axes) == 1
