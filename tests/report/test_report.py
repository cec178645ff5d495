"""The page as text: complete, self-contained, and with hostile text kept text."""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from typer.testing import CliRunner

from genointerp.cli.plot import plot
from genointerp.core.errors import GenointerpError, InputError, MismatchError, SchemaError
from genointerp.report.browser import browser_text
from genointerp.report.figures import (
    draw_feature,
    draw_overlap,
    draw_region,
    draw_training,
    read_metrics,
)
from genointerp.report.report import MAX_PAGE_BYTES, script_json, write_report
from genointerp.report.table import format_value


class _Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.sources = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        if tag == "td" and "data-exact" in values:
            self.cells.append(values["data-exact"])
        self.sources += [values[key] for key in ("src", "href") if key in values]
        assert not any(name.startswith("on") for name in values)


@pytest.fixture(scope="module")
def page(run_dir, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "report.html"
    write_report(run_dir, out)
    assert out.stat().st_size < MAX_PAGE_BYTES
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(page):
    return _Page(page)


def test_hostile_text_makes_no_element(page, parsed):
    assert parsed.tags.count("script") == 3
    assert "window.stolen=1</script>" not in page
    assert "&lt;/script&gt;&lt;script&gt;window.stolen=1" in page


def test_the_page_refers_to_nothing_outside_itself(parsed):
    assert all(source.startswith(("data:", "#")) for source in parsed.sources)


def test_every_number_of_a_table_is_a_cell_of_its_file(run_dir, parsed):
    best = pd.read_csv(run_dir / "best_per_concept.tsv", sep="\t")
    for value in best["f1"]:
        assert str(value) in parsed.cells


def test_the_browser_data_holds_no_markup_and_all_of_the_genome(page):
    text = re.search(r'id="browser-options">(.*?)</script>', page, re.DOTALL)[1]
    assert "<" not in text
    options = json.loads(text)
    assert "<" not in json.dumps(options)
    assert options["loadDefaultGenomes"] is False
    assert options["locus"] == "chrA:1001-1900"
    waves = [wave for track in options["tracks"][1:] for wave in track["tracks"]]
    assert {wave["windowFunction"] for wave in waves} == {"max"}


def test_a_run_without_its_tables_is_refused(run_dir, tmp_path):
    with pytest.raises(InputError, match="expected the directory of a run"):
        write_report(tmp_path / "none", tmp_path / "report.html")
    (tmp_path / "config.yaml").write_text("genomes: {}\n")
    with pytest.raises(SchemaError, match=r"summary\.json: expected a file of every run"):
        write_report(tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_json_in_a_script_element_cannot_end_it():
    assert "</" not in script_json({"a": "</script>&"})
    assert json.loads(script_json({"a": "</script>&"})) == {"a": "</script>&"}


def test_text_for_the_browser_holds_nothing_that_html_reads():
    assert not set(browser_text("<a href=\"x\" id='y'>&amp;")) & set("<>&\"'")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (1e-7, "1e-07"), (12345, "12,345"), (float("nan"), ""), (True, "yes")],
)
def test_values_are_written_as_people_read_them(value, text):
    assert format_value(value) == text


def test_every_figure_is_drawn_and_the_same_twice(run_dir, tmp_path):
    store = run_dir / "first" / "features.h5"
    draws = {
        "region.png": lambda out: draw_region(
            store,
            "chrA:1,001-1,900",
            out,
            annotations=run_dir / "first.gff3",
            genome=run_dir / "first.fa",
            associations=run_dir / "associations.parquet",
            feature_ids=[3, 11],
        ),
        "overlap.pdf": lambda out: draw_overlap(run_dir / "associations.parquet", out),
        "feature.png": lambda out: draw_feature(store, 3, out),
        "silent.png": lambda out: draw_feature(store, 11, out),
        "training.png": lambda out: draw_training(run_dir / "sae" / "metrics.jsonl", out),
    }
    for name, draw in draws.items():
        draw(tmp_path / name)
        first = (tmp_path / name).read_bytes()
        draw(tmp_path / name)
        assert (tmp_path / name).read_bytes() == first


def test_a_genome_of_other_features_is_refused(run_dir, tmp_path):
    with pytest.raises(MismatchError, match=r"second\.fa: expected the genome of .*features\.h5"):
        draw_region(
            run_dir / "first" / "features.h5",
            "chrA",
            tmp_path / "region.png",
            annotations=run_dir / "second.gff3",
            genome=run_dir / "second.fa",
        )


def test_a_line_that_is_no_json_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"st\n')
    with pytest.raises(SchemaError, match=r"metrics\.jsonl: line 2: expected a JSON object"):
        read_metrics(tmp_path / "metrics.jsonl")


def test_the_plot_commands_write_the_named_file(run_dir, tmp_path):
    out = tmp_path / "overlap.png"
    result = CliRunner().invoke(
        plot, ["overlap", str(run_dir / "associations.parquet"), "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert out.is_file()
    wrong = CliRunner().invoke(
        plot, ["overlap", str(run_dir / "associations.parquet"), "--out", "figure.txt"]
    )
    assert isinstance(wrong.exception, GenointerpError)
