"""Families as small graphs, and phi by lag."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

import genointerp as gi
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.provenance import Provenance
from genointerp.panel.circuit import plot_family, plot_lags
from genointerp.store.table.schema.circuit import CIRCUIT_FAMILIES, COACTIVATION, COACTIVATION_LAGS
from genointerp.store.table.table import write_table

EDGE = dict.fromkeys(COACTIVATION.names, 0.1) | {"relation": "same", "strand": "+"}
FAMILY = dict.fromkeys(CIRCUIT_FAMILIES.names, "") | {"kind": "cycle", "period": 3.0, "phi": 0.5}
FAMILY |= dict.fromkeys(
    ["family", "n_features", "n_steps", "n_edges", "n_bases", "start", "end"], 3
)
FAMILY |= {"members": "108+127 > 86 > 82", "name": "codon phases", "agreement": 1.0}
FAMILY |= {"concepts": "86=CDS_phase1/sense"}


def edges(*rows):
    columns = ("feature_a", "feature_b", "lag", "phi")
    table = pd.DataFrame([EDGE | dict(zip(columns, row, strict=True)) for row in rows])
    numbers = ["feature_a", "feature_b", "lag", "n_null", "n_joint"]
    return table.astype(dict.fromkeys(numbers, "int64"))


CYCLE = edges(
    (127, 86, 1, 0.4), (86, 127, 2, 0.39), (86, 82, 1, 0.53), (82, 127, 1, 0.62), (108, 127, 3, 0.5)
)


def curve():
    rows = [
        {**EDGE, "feature_a": 127, "feature_b": 86, "lag": lag, "phi": phi, "null_phi": 0.06}
        for lag, phi in [(0, -0.6), (1, 0.4), (2, 0.1), (16, 0.3)]
    ]
    return pd.DataFrame(rows)[COACTIVATION_LAGS.names].astype({"n_joint": "int64"})


def test_an_arrow_has_the_shorter_lag_and_phi_of_its_pair():
    ax = plot_family(pd.Series(FAMILY), CYCLE, ax=Figure().subplots())
    said = [text.get_text() for text in ax.texts if ":" in text.get_text()]
    assert sorted(said) == ["+1: 0.40", "+1: 0.53", "+1: 0.62"]
    assert {"108", "127", "86", "82"} <= {text.get_text() for text in ax.texts}
    assert ax.get_title() == "codon phases\ncycle, period 3"


def test_steps_of_a_path_stand_in_a_line():
    row = pd.Series(FAMILY | {"members": "5 > 6+8 > 7", "kind": "path", "period": float("nan")})
    ax = plot_family(row, CYCLE, ax=Figure().subplots())
    places = {text.get_text(): text.get_position() for text in ax.texts}
    assert places["5"][0] < places["6"][0] == places["8"][0] < places["7"][0]
    assert places["5"][1] == places["7"][1] == 0


def test_a_curve_stands_over_its_null():
    ax = plot_lags(curve(), [(127, 86, "+")], ax=Figure().subplots())
    assert ax.lines[0].get_ydata().tolist() == [-0.6, 0.4, 0.1, 0.3]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2", "16"]
    assert ax.patches[0].get_height() == pytest.approx(0.06)


def test_the_figure_shows_families_and_curves(tmp_path):
    record = Provenance({"family_phi": 0.5}, {})
    write_table(CYCLE, tmp_path / "e.tsv", COACTIVATION, record)
    write_table(pd.DataFrame([FAMILY]), tmp_path / "f.tsv", CIRCUIT_FAMILIES, record)
    write_table(curve(), tmp_path / "l.tsv", COACTIVATION_LAGS, record)
    paths = tmp_path / "e.tsv", tmp_path / "f.tsv"
    figure = gi.plot.circuit(*paths, tmp_path / "c.png", lags=tmp_path / "l.tsv")
    assert (tmp_path / "c.png").stat().st_size > 5000
    family, curves = figure.axes
    assert len([text for text in family.texts if ":" in text.get_text()]) == 3
    assert curves.get_ylabel() == "phi"


def test_tables_of_different_dictionaries_are_refused(tmp_path):
    tables = {"e": (CYCLE, COACTIVATION), "f": (pd.DataFrame([FAMILY]), CIRCUIT_FAMILIES)}
    for name, (table, schema) in tables.items():
        write_table(table, tmp_path / f"{name}.tsv", schema, Provenance({}, {"sae": name * 64}))
    with pytest.raises(MismatchError, match=r"f\.tsv: expected dictionary e+ as in .*e\.tsv"):
        gi.plot.circuit(tmp_path / "e.tsv", tmp_path / "f.tsv")


def test_a_table_without_families_is_refused(tmp_path):
    record = Provenance({}, {})
    write_table(CYCLE, tmp_path / "e.tsv", COACTIVATION, record)
    write_table(pd.DataFrame([FAMILY]).iloc[:0], tmp_path / "f.tsv", CIRCUIT_FAMILIES, record)
    with pytest.raises(InputError, match=r"f\.tsv: expected one family at least, found none"):
        gi.plot.circuit(tmp_path / "e.tsv", tmp_path / "f.tsv")
