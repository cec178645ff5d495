import numpy as np
import pandas as pd
import pytest

from scripts.label_tables import PAGE, compared, filled, verdict


def test_page_holds_the_tables_that_were_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page


def scores(model):
    found = {"model": model, "statistics": [0.5, 0.5, np.nan, 0.5] * 10}
    rows = [
        {"feature": i, "source": source, "f1": value}
        for source, values in found.items()
        for i, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_a_model_is_held_to_statistics_feature_by_feature():
    better = compared(scores([0.7, 0.6, np.nan, 0.5] * 10))
    assert better["difference"].item() == pytest.approx(0.3 / 4)
    assert better["low"].item() > 0
    assert "adds something" in verdict(better.to_dict("records"))
    worse = compared(scores([0.7, np.nan, np.nan, 0.5] * 10))
    # a label that names no bases scores 0
    assert worse["difference"].item() == pytest.approx(-0.3 / 4)
    assert "not worth its cost" in verdict(worse.to_dict("records"))
    alone = scores([])
    assert "nothing is claimed" in verdict(compared(alone).to_dict("records"))
