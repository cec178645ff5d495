"""The tables of the page on explanations: the page is what the kept rows say."""

import pandas as pd

from scripts import explanation_tables
from scripts.explanation_tables import CONCEPTS, KEPT, N_PREDICTIONS, N_VARIANTS, PAGE, filled


def test_the_page_has_the_tables_of_the_files():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
    for concept in CONCEPTS:
        assert len(pd.read_csv(KEPT / f"predictions_{concept}.tsv", sep="\t")) == N_PREDICTIONS
        assert len(pd.read_csv(KEPT / f"variants_{concept}.tsv", sep="\t")) == N_VARIANTS
        assert pd.read_csv(KEPT / f"curves_{concept}.tsv", sep="\t")["base"].max() == N_PREDICTIONS


def test_figures_of_faithfulness_are_medians_over_bases(tmp_path, monkeypatch):
    monkeypatch.setattr(explanation_tables, "KEPT", tmp_path)
    faithful = {1: [0.5, 0.5, 0.9, 0.9], 2: [0.8, 1, 1, 1], 3: [0.1, 0.1, 0.1, 0.1]}
    rows = [
        {"order": "attribution", "k": k, "errors": "kept", "base": base, "faithfulness": value}
        for base, values in faithful.items()
        for k, value in zip((10, 50, 200, 1000), values, strict=True)
    ]
    table = pd.DataFrame(rows).assign(completeness=0.25)
    for concept in CONCEPTS:
        table.to_csv(tmp_path / f"curves_{concept}.tsv", sep="\t", index=False)
    heading, _, row, _ = explanation_tables.faithfulness_table().splitlines()
    found = dict(zip(heading.strip("| ").split(" | "), row.strip("| ").split(" | "), strict=True))
    assert [found[f"k={k}"] for k in (10, 50, 200, 1000)] == ["0.50", "0.50", "0.90", "0.90"]
    # .8 is reached at 200, at 10, and never
    assert found["k for .8"] == "200"
    # of the first base, over log k: .5 up to 50, .9 from 200 on
    assert found["area"] == "0.70"
    assert found["left, k=50"] == "0.25"


def test_too_much_of_a_change_is_no_nearer_to_it_than_too_little(tmp_path, monkeypatch):
    monkeypatch.setattr(explanation_tables, "KEPT", tmp_path)
    faithful = {1: [0.5, 1.0, 1.0, 1.0], 2: [0.95, 1.05, 1, 1], 3: [1.5, 1.2, 1, 1]}
    rows = [
        {"order": "attribution", "k": k, "errors": "kept", "base": base, "faithfulness": value}
        for base, values in faithful.items()
        for k, value in zip((10, 50, 200, 1000), values, strict=True)
    ]
    for concept in CONCEPTS:
        table = pd.DataFrame(rows).assign(completeness=0.25)
        table.to_csv(tmp_path / f"curves_{concept}.tsv", sep="\t", index=False)
    heading, _, row, _ = explanation_tables.faithfulness_table().splitlines()
    found = dict(zip(heading.strip("| ").split(" | "), row.strip("| ").split(" | "), strict=True))
    assert found["within .1, k=10"] == "1"
    assert found["within .1, k=50"] == "2"


def test_of_variants_the_sum_of_errors_is_compared_with_the_change(tmp_path, monkeypatch):
    monkeypatch.setattr(explanation_tables, "KEPT", tmp_path)
    table = pd.read_csv(KEPT / "variants_tRNA.tsv", sep="\t").head(3)
    table = table.assign(change=[2.0, -2.0, 4.0], errors=[0.2, 1.0, -1.0], gap=[0.001, 0.006, 0])
    for concept in CONCEPTS:
        table.to_csv(tmp_path / f"variants_{concept}.tsv", sep="\t", index=False)
    row = explanation_tables.variants_table().splitlines()[2]
    assert "| 0.25 (0.17-0.38); 1 |" in row
    assert "| 0.0010, 0.0060; 2 |" in row
