"""What a notebook shows of a run: the page of a feature, and the browser."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest

import genointerp as gi
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.page.inline import NAME
from tests.page.conftest import HOSTILE, N_FEATURES
from tests.stores import dense_features, write_read


@pytest.fixture(scope="module")
def run(run_dir):
    return gi.open_run(run_dir)


@pytest.fixture(scope="module")
def view(run):
    return run.feature(3)


def test_a_feature_has_its_parts_as_tables(run, view):
    pd.testing.assert_frame_equal(view.loci, gi.top(run, 3, flank=10))
    row = run.features.set_index("feature").loc[3]
    assert view.density == row["density"] == view.facts["density"]
    assert view.histogram["n_bases"].sum() == row["n_firing"]
    assert view.concepts["f1_fit"].is_monotonic_decreasing
    own = run.associations.query("feature == 3").set_index(["concept", "orientation"])
    for concept in view.concepts.itertuples():
        assert concept.f1 == own.loc[(concept.concept, concept.orientation), "f1"]
    assert repr(view) == f"FeatureView(f/3: {view.summary}; {view.n_loci:,} loci)"


def test_a_notebook_shows_a_feature_without_scripts_and_with_every_text_escaped(view):
    page = view._repr_html_()
    assert page.lstrip().startswith(f'<div class="{NAME}"')
    assert len(page) < 100_000
    for tag in ("<script", "<img", "<iframe", "<button", "<link"):
        assert tag not in page
    assert "chrA:1,101-1,176" in page
    assert "http" not in re.sub(r'href="https?://[^"]*"', "", page)
    assert page.count("<div") == page.count("</div>")


def test_the_styles_of_a_feature_hold_inside_it_alone(view):
    (style,) = re.findall(r"<style>(.*?)</style>", view._repr_html_(), re.DOTALL)
    depth, selector, selectors = 0, "", []
    for letter in style:
        if letter == "{" and depth == 0:
            selectors.append(selector.split())
        depth += (letter == "{") - (letter == "}")
        selector = "" if letter in "{}" else selector + letter
    assert depth == 0
    assert selectors == [[f".{NAME}" * 3]]
    assert ":root" not in style


def test_a_silent_feature_and_one_by_text_are_shown_too(run):
    silent = run.feature(f"f/{N_FEATURES - 1}")
    assert (silent.n_loci, len(silent.loci), silent.density) == (0, 0, 0.0)
    assert "f/11" in silent._repr_html_()
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 11"):
        run.feature(N_FEATURES)


def test_a_browser_opens_at_a_gene_a_region_an_interval_or_a_query(run):
    for place in ("abcA", "chrA:1,001-1,900", gi.GenomicInterval("chrA", 1000, 1900), "a_tRNA"):
        assert repr(run.browse(place, feature=[3, "f/7", 3])).endswith(": f/3, f/7)")
    found = run.browse("a_tRNA")
    assert found.region == "chrA:1,001-1,900"
    strongest = gi.query(run, found.region, top=None)["feature"]
    assert list(found.features) == list(dict.fromkeys(strongest))[:4]


def test_a_browser_is_one_page_in_a_frame_that_asks_nobody_for_anything(run):
    found = run.browse("a_tRNA", feature=3)
    frame = found._repr_html_()
    (page,) = re.findall(r'<iframe srcdoc="([^"]*)"', frame)
    assert unescape(page) == found.page
    assert "default-src 'none'" in unescape(found.page)
    assert HOSTILE not in found.page
    assert len(re.findall(r"<script>", found.page)) == 2
    assert not re.search(r'<(?:script|link|img)[^>]* (?:src|href)="', found.page)


def test_a_place_that_was_not_read_or_is_not_there_is_refused(run, tmp_path):
    is_read = {strand: np.arange(160) < 50 for strand in "+-"}
    store = write_read(tmp_path / "part.h5", dense_features(density=0), is_read)
    part = replace(run, specimens=(gi.Specimen("part", store),))
    with pytest.raises(InputError, match="chrA:61-70: expected bases that the run read"):
        part.browse("chrA:61-70")
    with pytest.raises(UnknownNameError, match="found 'nothing'"):
        run.browse("nothing")


def test_what_was_found_is_told_as_text_and_as_a_list(run):
    found = run.findings()
    assert repr(found).startswith("What ")
    page = found._repr_html_()
    assert page.count("<li>") == sum(map(len, found.groups.values()))
    assert "<script" not in page
