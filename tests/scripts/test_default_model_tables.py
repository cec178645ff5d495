"""The page of the default models says what the files say."""

from scripts.default_model_tables import (
    PAGE,
    SITE_PAGE,
    baselines,
    evaluations,
    filled,
    filled_site,
)


def test_the_page_holds_the_figures_of_the_files():
    page = PAGE.read_text()
    assert filled(page, evaluations(), baselines()) == page


def test_each_mark_gets_its_table():
    models = {"nano": {"genomes": {"g": {"bits_per_base": 1.5}}}}
    genomes = {"g": {"split": "test", "corpus_markov": {"best_order": 3, "bits_per_base": 1.75}}}
    page = filled("<!-- table genomes -->\nold\n<!-- end -->\n", models, genomes)
    assert page.splitlines()[1:5] == [
        "| bits per base | g (test) |",
        "| --- | --: |",
        "| `nano` | 1.5000 |",
        "| best Markov order of the corpus | 1.7500 (3) |",
    ]


def test_the_page_on_sites_holds_the_figures_of_the_files():
    page = SITE_PAGE.read_text()
    assert filled_site(page) == page
