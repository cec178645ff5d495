"""What several seeds give together."""

import pandas as pd

from genointerp.annotation.concepts import load_concepts
from scripts import reserve_concepts
from scripts.backtest_spread import SPREAD, spread


def backtest(rank, verdict):
    values = dict.fromkeys(SPREAD, 1.0) | {"rank_best": rank, "n_class_features": 3}
    return pd.DataFrame([{"class": "tRNA", "use": "tuned", "verdict": verdict, **values}])


def test_each_class_has_its_median_its_range_and_its_verdicts():
    tables = [backtest(4.0, "found"), backtest(9.0, "found"), backtest(40.0, "missed")]
    header, rule, row = spread(tables).splitlines()
    assert header.count("|") == rule.count("|") == row.count("|")
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:5] == ["tRNA", "tuned", "3", "3 (3 to 3)", "1 (1 to 1)"]
    assert cells[5] == "9 (4 to 40)"
    assert cells[-1] == "2 found, 1 missed"


def test_a_column_that_an_older_table_lacks_stays_empty():
    row = spread([backtest(4.0, "found").drop(columns=["p_ranks", "use"])]).splitlines()[2]
    assert row.startswith("| tRNA |  | 1 |")


def test_the_reserved_concepts_are_defined_beside_the_shipped_ones(tmp_path):
    (tmp_path / "concepts.yaml").write_text(reserve_concepts.text())
    found = load_concepts(tmp_path / "concepts.yaml")
    assert set(load_concepts()) < set(found)
    assert found["tRNA_Leu"].of == "tRNA"
    assert "terminator" in found
