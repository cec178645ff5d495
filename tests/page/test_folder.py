"""The folder of a run: a page for every feature that fires, and nothing outside it."""

import html
import itertools
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from genointerp.association.summary import is_above_null
from genointerp.command.ask.report import report as write_report
from genointerp.command.ask.top import top
from genointerp.core.errors import StorageError
from genointerp.page import folder as module
from genointerp.page.activation import Activations, read_rows
from genointerp.page.heat import HALF, heat_rows
from genointerp.page.histogram import histogram, panels
from genointerp.page.measure import Ground, live_features, measure_feature, measure_run
from genointerp.page.run import open_run
from genointerp.page.strip import strips
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.feature import HISTOGRAM, TOP_LOCI
from genointerp.store.table.table import read_table
from tests.page.conftest import HOSTILE, N_FEATURES

LIVE = N_FEATURES - 1
"""The last feature of the fixture is silent."""


class _Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.scripts, self.handlers = [], 0, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.handlers += [name for name, _ in attributes if name.startswith("on")]
        self.links += [
            value
            for name, value in attributes
            if name in ("href", "src") and not value.startswith(("https:", "data:", "#"))
        ]


def data_of(path):
    """The JSON that a data file assigns."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r"= \{\w+: (.*)\};", text)[1])


def test_every_feature_that_fires_has_a_page_and_a_data_file(folder_path):
    pages = {int(path.stem) for path in (folder_path / "features").glob("*.html")}
    assert pages == set(range(LIVE))
    assert {int(path.stem) for path in (folder_path / "features").glob("*.js")} == pages
    assert data_of(folder_path / "library" / "features.js")["feature"][0] == 3


def test_every_link_of_the_folder_leads_into_it(folder_path):
    for page in folder_path.rglob("*.html"):
        found = _Links(page.read_text(encoding="utf-8"))
        assert found.links
        for link in found.links:
            target = (page.parent / unquote(link.split("#")[0])).resolve()
            assert target.is_file(), (page, link)
            assert target.is_relative_to(folder_path.resolve())


def test_hostile_text_stays_text_in_pages_and_data(folder_path):
    everything = ""
    for path in [*folder_path.rglob("*.html"), *folder_path.glob("features/*.js")]:
        text = path.read_text(encoding="utf-8")
        everything += text
        assert "<script>window" not in text
        assert "<img src=x" not in text
        if path.suffix == ".html":
            found = _Links(text)
            assert found.scripts == (3 if path.name == "index.html" else 5)
            assert found.handlers == []
    assert "&lt;script&gt;window.stolen=1" in everything
    data = (folder_path / "library" / "features.js").read_text(encoding="utf-8")
    assert "<" not in data
    words = data_of(folder_path / "library" / "features.js")["words"]
    assert any(HOSTILE in word for word in words)
    names = {path.name for path in folder_path.rglob("*")}
    assert all(re.fullmatch(r"[\w.-]+", name) for name in names)


def test_a_page_lists_the_loci_that_top_lists(run_dir, folder_path):
    for feature in (3, 7):
        shown = read_table(folder_path / f"tables/loci/feature_{feature}.tsv", TOP_LOCI)
        listed = top(run_dir, feature, flank=10)
        pd.testing.assert_frame_equal(shown, listed)
        page = (folder_path / f"features/{feature}.html").read_text(encoding="utf-8")
        table = page.split(f'id="loci-{feature}"')[1].split("</table>")[0]
        cells = re.findall(r'<tr><td data-exact="(\d+)"', table)
        assert list(map(int, cells)) == listed["rank"].tolist()


def test_a_histogram_counts_every_base_on_which_the_feature_fires(run_dir, folder_path):
    table = read_table(folder_path / "tables/histogram/feature_3.tsv", HISTOGRAM)
    for name, own in table.groupby("genome"):
        store = FeatureStore(run_dir / name / "features.h5")
        values = np.concatenate([store.feature(3, strand).value for strand in "+-"])
        assert own["n_bases"].sum() == len(values)
        top_bin = own[own["activation_to"] == 5.0]
        assert top_bin["n_bases"].tolist() == [(values >= 5.0 * 29 / 30).sum()]
    (first, second) = panels(table)
    assert (first.genome, second.genome) == ("first", "second")
    assert first.marks == second.marks
    # 2 x 76 bases of the tRNA genes of the first genome, and 76 of the second
    assert [panel.bars[-1].text.split(" ")[0] for panel in (first, second)] == ["152", "76"]


@pytest.fixture(scope="module")
def ground(run_dir):
    run = open_run(run_dir)
    return Ground.of(run.specimens)


def test_sequences_have_their_peaks_in_one_column_and_the_letters_of_the_genome(ground):
    one = measure_feature(ground, 3)
    (row, *_) = one.heat
    text = "".join(run.bases for run in row.runs)
    assert len(text) == 2 * HALF + 1
    locus = one.loci.iloc[0]
    sequence = ground.specimens[0].sequence["chrA"].sequence
    peak = int(locus["peak"])
    assert text == sequence[peak - HALF : peak + HALF + 1].tobytes().decode()
    (at,) = [index for index, run in enumerate(row.runs) if run.is_peak]
    assert sum(len(run.bases) for run in row.runs[:at]) == HALF
    assert row.runs[at].level == 8
    assert {run.level for run in row.runs[at:]} == {8}
    assert row.text == f"chrA:{peak - HALF + 1:,}-{peak + HALF + 1:,}(+)"


def test_sequences_of_the_other_strand_are_read_from_their_end(ground):
    specimens = ground.specimens
    activations = Activations(specimens, 1, ground.read)
    loci = measure_feature(ground, 1).loci
    minus = loci[loci["strand"] == "-"].head(1)
    (row,) = heat_rows(specimens, activations, minus, ground.places)
    pairs = dict(zip("ACGT", "TGCA", strict=True))
    place = minus.iloc[0]
    (specimen,) = [one for one in specimens if one.name == place["genome"]]
    sequence = specimen.sequence[place["seqid"]].sequence.tobytes().decode()
    text = "".join(run.bases for run in row.runs)
    for offset in (-5, 0, 5):
        assert text[HALF + offset] == pairs[sequence[int(place["peak"]) - offset]]


def test_a_locus_is_drawn_with_its_flanks_and_its_genes(ground):
    one = measure_feature(ground, 3)
    drawn = one.strips[0]
    assert drawn.text == "chrA:1,101-1,176(+)"
    # three widths of 76 bp on either side
    assert (drawn.first, drawn.last) == ("873", "1,404")
    assert drawn.mark == (300.0, 100.0)
    assert drawn.plus.startswith("M0 36V")
    assert "V0H400" in drawn.plus
    labels = [gene.text.split(" ")[0] for gene in drawn.genes]
    assert "trnX" in labels
    assert drawn.unread == ()


def test_what_was_not_read_is_no_silence(tmp_path):
    from genointerp.feature.specimen import Specimen
    from genointerp.genome.interval import GenomicInterval
    from genointerp.store.contigs import ContigInfo
    from tests.plant import make_store, silence

    dense = silence(100, 1)
    dense["+"][[12, 40], 0] = [1.0, 2.0]
    coverage = {"c": [(10, 20, "+"), (30, 50, "+"), (0, 100, "-")]}
    contigs = (ContigInfo("c", 100, circular=False),)
    store = make_store(tmp_path / "f.h5", dense, contigs, coverage=coverage)
    specimen = Specimen("g", store)
    activations = Activations([specimen], 0, {"g": read_rows(specimen)})
    values = activations.values(specimen, GenomicInterval("c", 5, 45))
    read = np.r_[5:15, 25:40]
    assert np.flatnonzero(~np.isnan(values.plus)).tolist() == read.tolist()
    assert np.flatnonzero(np.nan_to_num(values.plus)).tolist() == [7, 35]
    assert not values.minus.any()
    table = histogram(activations)
    assert table["n_bases"].tolist() == [1, 1]
    assert table["activation_to"].tolist() == [pytest.approx(1.0 + 2 / 30), 2.0]


def test_a_feature_is_never_called_by_an_f1_below_its_null(run_dir, folder_path):
    run = open_run(run_dir)
    features = measure_run(run, []).features.set_index("feature")
    data = data_of(folder_path / "library" / "features.js")
    labels = dict(zip(data["feature"], data["label"], strict=True))
    above = is_above_null(features)
    assert {feature for feature, label in labels.items() if label} == set(
        features.index[above & (features["n_firing"] > 0)]
    )
    assert 0 < sum(map(bool, labels.values())) < LIVE
    for feature, label in labels.items():
        page = (folder_path / f"features/{feature}.html").read_text(encoding="utf-8")
        title = re.search(r"<title>(.*?)</title>", page)[1]
        called = " ".join([f"f/{feature}", *run.specimens[0].features.names_of(feature)])
        assert html.unescape(title) == (f"{called}: {label}" if label else called)
        track = (folder_path / f"features/{feature}.js").read_text(encoding="utf-8")
        name = re.search(r'"type":"merged","name":"([^"]*)"', track)[1]
        assert name.startswith(f"f/{feature} {label}" if label else f"f/{feature}")
        assert bool(label) == ("F1" in name)


def test_features_come_best_first_and_each_page_leads_to_the_next(run_dir, folder_path):
    run = open_run(run_dir)
    order = live_features(measure_run(run, []), run)
    assert order == data_of(folder_path / "library" / "features.js")["feature"]
    assert sorted(order) == list(range(LIVE))
    for before, feature in itertools.pairwise(order):
        page = (folder_path / f"features/{before}.html").read_text(encoding="utf-8")
        assert f'<a rel="next" href="{feature}.html">' in page


@pytest.mark.usefixtures("without_drawing")
def test_one_feature_is_in_memory_at_a_time(run_dir, tmp_path, monkeypatch):
    """Each page is on disk before the activations of the next feature are read."""
    written = []

    def spy(ground, feature):
        (part,) = [path for path in tmp_path.iterdir() if path.name.startswith(".pages")]
        written.append(len(list(part.glob("features/*.html"))))
        return measure_feature(ground, feature)

    monkeypatch.setattr(module, "measure_feature", spy)
    write_report(run_dir, tmp_path / "pages", folder=True)
    assert written == list(range(LIVE))


def test_a_folder_of_something_else_is_refused_before_the_work(run_dir, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine\n")
    monkeypatch.setattr("genointerp.command.ask.report.measure_run", None)
    with pytest.raises(StorageError, match=r"mine: expected nothing, or the same result"):
        write_report(run_dir, tmp_path / "mine", folder=True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


@pytest.mark.usefixtures("without_drawing")
def test_a_newer_folder_replaces_an_older_one_whole(run_dir, folder_path, tmp_path):
    out = tmp_path / "pages"
    shutil.copytree(folder_path, out)
    (out / "features" / "999.html").write_text("of an older run\n")
    write_report(run_dir, out, folder=True)
    assert not (out / "features" / "999.html").exists()
    assert (out / "features" / "3.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]


def test_a_run_without_a_dictionary_maps_density_against_f1(run_dir, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    shutil.rmtree(copy / "sae")
    measured = measure_run(open_run(copy), [])
    assert measured.axis_names[0] == "log10 of the density"
    assert measured.neighbours.empty
    row = measured.map.set_index("feature").loc[3]
    density = measured.features["density"][3]
    assert (row["x"], row["y"]) == (pytest.approx(np.log10(density)), 0.987654)


def test_drawings_of_a_locus_at_an_end_stay_in_the_contig(ground):
    loci = measure_feature(ground, 1).loci
    edge = loci.assign(seqid="chrB", genome="second", start=0, end=5, peak=2).head(1)
    specimens = ground.specimens
    activations = Activations(specimens, 1, ground.read)
    (drawn,) = strips(specimens, activations, edge, ground.genes, ground.places)
    assert (drawn.first, drawn.last) == ("1", "55")
    (row,) = heat_rows(specimens, activations, edge.assign(strand="+"), ground.places)
    assert row.runs[0].bases == "\N{MIDDLE DOT}" * (HALF - 2)
    assert row.runs[0].level == -1


def test_tables_of_the_folder_say_what_they_were_made_from(folder_path):
    tables = {path.name for path in Path(folder_path / "tables").glob("*.tsv")}
    assert {"features.tsv", "concepts.tsv", "neighbours.tsv", "map.tsv", "files.tsv"} <= tables
