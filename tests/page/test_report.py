"""The page as text: complete, self-contained, and with hostile text kept text."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from unittest import mock
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from typer.testing import CliRunner

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.association.baseline.beside import beside_baselines
from genointerp.association.summary import one_per_concept
from genointerp.cli.ask.plot import plot
from genointerp.command.ask.report import report as write_report
from genointerp.core.errors import (
    GenointerpError,
    InputError,
    MismatchError,
    SchemaError,
    StorageError,
    UnknownNameError,
)
from genointerp.core.files import replacing
from genointerp.core.provenance import Provenance
from genointerp.feature.specimen import Specimen
from genointerp.figure.circle import circle as draw_circle
from genointerp.figure.curves import curves as draw_curves
from genointerp.figure.density import density as draw_density
from genointerp.figure.dictionary import dictionary as draw_dictionary
from genointerp.figure.feature import feature as draw_feature
from genointerp.figure.metagene import metagene as draw_metagene
from genointerp.figure.overlap import overlap as draw_overlap
from genointerp.figure.region import region as draw_region
from genointerp.figure.source.elements import dense_values, strongest_features, unrolled
from genointerp.figure.source.measured import choose_pairs, left_out
from genointerp.figure.source.profile import aligned_profile, binned_profiles, whole_contig
from genointerp.figure.training import read_metrics
from genointerp.figure.training import training as draw_training
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval, parse_region
from genointerp.genome.read import read_genome
from genointerp.page import browser
from genointerp.page import page as module
from genointerp.page.baselines import beside_table
from genointerp.page.browser import browser_text
from genointerp.page.measure import Drawn, Measurements
from genointerp.page.page import MAX_PAGE_BYTES, candidates_table, top_features
from genointerp.page.run import open_run
from genointerp.page.table import Links, format_value, page_table
from genointerp.page.template import script_json
from genointerp.panel.style import use_region_axis
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.table.schema.association import BASELINES, BEST_PER_CONCEPT, CURVES, METAGENE
from genointerp.store.table.schema.candidate import MATCHED
from genointerp.store.table.schema.feature import MOTIF, QUERY, TOP_LOCI
from genointerp.store.table.table import empty_table, read_table, write_table
from tests.dictionaries import write_directions
from tests.plant import make_store, silence


class _Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.sources, self.downloads = [], [], [], []
        self.source = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.source = values.get("data-source", self.source)
        if "data-exact" in values:
            self.cells.append((self.source, values["data-exact"]))
        own = [values[key] for key in ("src", "href") if key in values]
        if "download" in values:
            self.downloads += own
        else:
            self.sources += own
        assert not any(name.startswith("on") for name in values)


@pytest.fixture(scope="module")
def page(page_path):
    return page_path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(page):
    return _Page(page)


def test_a_page_of_a_small_run_has_room(page_path):
    assert page_path.stat().st_size < MAX_PAGE_BYTES


def test_hostile_text_makes_no_element(page, parsed):
    assert parsed.tags.count("script") == 6
    assert "window.stolen=1</script>" not in page
    assert "&lt;/script&gt;&lt;script&gt;window.stolen=1" in page


def test_the_page_refers_to_nothing_outside_itself(parsed):
    assert all(source.startswith(("data:", "#")) for source in parsed.sources)


def test_every_file_that_the_page_offers_lies_where_it_says(run_dir, page_path, parsed):
    assert {"report_tables/features.tsv"} <= {*parsed.downloads}
    files = {(page_path.parent / unquote(link)).resolve() for link in parsed.downloads}
    assert {run_dir / "associations.parquet", run_dir / "summary.json"} <= files
    # the figures of this run have no table; a map of the dictionary names what it was drawn from
    assert all(path.is_file() for path in files)


def test_every_number_of_a_table_is_a_cell_of_the_file_that_it_names(run_dir, page_path, parsed):
    assert {source for source, _ in parsed.cells} >= {
        "best_per_concept.tsv",
        "candidates.tsv",
        "associations.parquet",
        "queries/a_tRNA.tsv",
        *("interventions/steer/one.tsv", "interventions/edit/without_3/effects.tsv"),
        *("explanations/one.summary.tsv", "circuits/families.tsv"),
        *("comparisons/diff/one/divergence.summary.tsv", "comparisons/match/one/matches.tsv"),
        *("comparisons/diff/one/changed.concepts.tsv", "comparisons/similar/one/similarity.tsv"),
        *(f"report_tables/{name}.tsv" for name in ("features", "beside", "contigs", "files")),
        "report_tables/loci/feature_3.tsv",
        *(f"dossiers/feature_{feature}.json" for feature in (7, 2, 9)),
    }
    known = {}
    for source, value in parsed.cells:
        if source not in known:
            known[source] = cells_of(run_dir, page_path, source)
        assert value in known[source], (source, value)


@pytest.mark.parametrize("written", ["page_path", "folder_path"])
def test_interventions_are_shown_with_their_controls_what_all_of_it_does_first(request, written):
    path = request.getfixturevalue(written)
    text = (path / "index.html" if path.is_dir() else path).read_text()
    section = text[text.index('<section id="interventions">') :].partition("</section>")[0]
    assert "Verdict: leaky." in section
    steered, edited = section.split("<h3>")[1:]
    for table, word in ((steered, "inside"), (edited, "all")):
        rows = table.split("<tr")[2:]
        assert [f">{word}<" in row for row in rows[:4]] == [True, True, False, False]
    assert "matched 1" in steered
    assert "random direction" in edited


def test_partners_stand_in_the_section_of_a_feature_and_their_names_above_candidates(page_path):
    page = page_path.read_text()
    sections = page.partition('id="feature-3"')[2].partition("</details>")
    section = sections[0] + sections[2].partition("</section>")[0]
    table = section.partition("Partners in other dictionaries")[2].partition("</table>")[0]
    row = table.partition("<tbody>")[2]
    # of the comparison `one`: r is 0.5, and 0.125 with the twin
    assert all(f">{it}<" in row for it in ("one", "0.5", "0.125", "0.375"))
    assert "Compared with one: matched_in says in which a feature is matched" in page


def test_without_matches_candidates_have_no_columns_of_them(run_dir):
    run = open_run(run_dir)
    run = replace(run, candidates=run.candidates.assign(**dict.fromkeys(MATCHED, 0.5)))
    table = candidates_table(replace(run, asked=()), Links(None), limit=5, note="First.")
    assert not {head.name for head in table.columns} & set(MATCHED)
    assert table.note == "First."
    with_others = candidates_table(run, Links(None), limit=5, note="First.")
    assert {*MATCHED} <= {head.name for head in with_others.columns}
    shown = {head.name for head in with_others.columns if head.is_main}
    assert {"matched_in", "match_r", "match_twin_r", "match_excess"} <= shown


def cells_of(run_dir, page_path, source):
    path = (page_path.parent if source.startswith("report_tables/") else run_dir) / source
    if path.suffix == ".json":
        return {"", *leaves(json.loads(path.read_text()))}
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        frame = pd.read_csv(
            path,
            sep="\t",
            comment="#",
            keep_default_na=False,
            na_values=[""],
            float_precision="round_trip",
        )
    return {"", *(str(value) for name in frame for value in frame[name].tolist())}


def leaves(value):
    """All values of a JSON file and the names of those that have one, as text."""
    if isinstance(value, dict):
        return {*value, *(leaf for item in value.values() for leaf in leaves(item))}
    if isinstance(value, list):
        return {leaf for item in value for leaf in leaves(item)}
    return {str(value)}


def test_each_candidate_has_its_dossier_in_its_section(run_dir, page):
    dossiers = re.findall(r'<section class="dossier" id="dossier-(\d+)"', page)
    assert sorted(map(int, dossiers)) == [2, 7, 9]
    section = page.split('id="dossier-2"')[1].split("</section>")[0]
    assert "First settle what is not ruled out: low_complexity" in section
    for title in ("What it is not", "Evidence at its loci", "Features with the nearest directions"):
        assert f"<h3>{title}</h3>" in section
    cells = r'<td data-exact="(\w+)">\1</td><td data-exact="((?:not )?(?:ruled out|examined))">'
    checks = json.loads((run_dir / "dossiers" / "feature_2.json").read_text())["checks"]
    shown = re.findall(cells, section)
    assert list(dict.fromkeys(shown)) == [(check["check"], check["outcome"]) for check in checks]
    assert {outcome for _, outcome in shown} == {"ruled out", "not ruled out", "not examined"}


def test_hostile_text_of_a_dossier_stays_text(run_dir, page):
    text = (run_dir / "dossiers" / "feature_2.json").read_text()
    assert "<script>window.stolen=1" in text
    section = page.split('id="dossier-2"')[1].split("</section>")[0]
    assert "&lt;script&gt;window.stolen=1" in section
    assert "<script>" not in section


@pytest.mark.usefixtures("without_drawing")
def test_a_run_without_dossiers_has_a_page_without_them(run_dir, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run_dir, folder)
    shutil.rmtree(folder / "dossiers")
    write_report(folder, tmp_path / "report.html")
    assert "What it is not" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_figures_name_the_tables_that_hold_their_numbers(page_path, page):
    for name in ("metagene", "curves"):
        path = f"report_tables/{name}.tsv"
        assert f'<a href="{path}" download>{path}</a>' in page
    curves = read_table(page_path.parent / "report_tables" / "curves.tsv", CURVES)
    profiles = read_table(page_path.parent / "report_tables" / "metagene.tsv", METAGENE)
    assert set(curves["feature"]) == set(profiles["feature"]) >= {3, 7}


def test_each_top_feature_has_a_section_to_which_its_number_leads(run_dir, page, parsed):
    sections = re.findall(r'<details class="feature" id="feature-(\d+)"', page)
    assert list(map(int, sections)) == top_features(open_run(run_dir))
    links = {source for source in parsed.sources if source.startswith("#feature-")}
    assert links == {f"#feature-{number}" for number in sections}
    tRNA = page.split('id="feature-3"')[1].split("</summary>")[0]
    assert re.search(r"tRNA \(sense\): F1 0\.988, null [\d.]+, always-on [\d.]+", tRNA)


def test_loci_of_a_section_are_strongest_first_and_move_the_browser(page_path, page):
    loci = read_table(page_path.parent / "report_tables" / "loci" / "feature_3.tsv", TOP_LOCI)
    assert loci["rank"].tolist() == list(range(1, len(loci) + 1))
    assert loci["max_activation"].is_monotonic_decreasing
    first = loci.iloc[0]
    assert (first["max_activation"], first["start"], first["end"]) == (5.0, 1100, 1176)
    assert (first["element"], first["orientation"], first["distance"]) == ("trnX", "sense", 0)
    table = page.split('id="loci-3"')[1].split("</table>")[0]
    assert 'data-locus="chrA:1101-1176">1,101</button>' in table
    # people read 1-based positions, which the header states; the file has them 0-based
    assert 'class="sort">first (1-based)</button>' in table
    assert 'class="sort">last (1-based)</button>' in table
    assert 'title="start 1100 in the file, which is 0-based"' in table
    assert '<td data-exact="1176" class="number">1,176</td>' in table
    assert not re.search(r'class="sort">(start|end)<', page)


def query_cells(run):
    (query,) = module._queries(run, Links(browser.Loci(run.specimens)))
    table = query["table"]
    heads = [head.text for head in table.columns]
    return table, [dict(zip(heads, row, strict=True)) for row in table.rows]


def test_an_answer_of_query_leads_to_its_genome(run_dir):
    answer = read_table(run_dir / "queries" / "a_tRNA.tsv", QUERY)
    assert set(answer["genome"]) == {"features"}
    table, rows = query_cells(open_run(run_dir))
    assert table.title == "Query a_tRNA: chrA:1,001-1,900 of first"
    assert [row["first (1-based)"].locus for row in rows] == [
        f"chrA:{start + 1}-{end}" for start, end in zip(answer["start"], answer["end"], strict=True)
    ]


def test_an_answer_of_which_the_run_does_not_tell_the_genome_leads_nowhere(run_dir):
    table, rows = query_cells(replace(open_run(run_dir), config={}))
    assert "genome" in [head.name for head in table.columns]
    assert {row["first (1-based)"].locus for row in rows} == {None}


def test_a_contig_named_by_a_number_stays_text(run_dir, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run_dir, folder)
    table = read_table(run_dir / "queries" / "a_tRNA.tsv", QUERY).assign(seqid="1")
    with replacing():
        write_table(table, folder / "queries" / "a_tRNA.tsv", QUERY, Provenance({}, {}))
    _, rows = query_cells(open_run(folder))
    assert {row["seqid"].text for row in rows} == {"1"}
    assert {row["first (1-based)"].locus for row in rows} == {None}


def browsed(folder, name, lengths, *, circular=False):
    contigs = tuple(ContigInfo(seqid, n, circular=circular) for seqid, n in lengths.items())
    genome = Genome(
        Contig(seqid, np.full(n, ord("A"), np.uint8), circular) for seqid, n in lengths.items()
    )
    dense, path = silence(sum(lengths.values()), 1), folder / f"{name}.h5"
    store = make_store(path, dense, contigs, genome_sha256=genome.sha256)
    return Specimen(name, store, genome, AnnotationSet([], store.lengths))


def test_a_contig_of_two_genomes_is_found_in_that_which_is_named_only(tmp_path):
    first = browsed(tmp_path, "first", {"chr": 50, "own": 20})
    second = browsed(tmp_path, "second", {"chr": 80}, circular=True)
    loci = browser.Loci([first, second])
    assert loci.find("chr:11-20") is None
    assert loci.find("chr:11-20", "first") == "chr:11-20"
    assert loci.find("chr:11-20", "second") == "second.chr:11-20"
    assert loci.find("chr:11-20(+)", "third") is None
    assert loci.find("own:3-4(-)") == "own:3-4"
    # 71 to 5 spans the origin of the circular one; the linear one has no such region
    assert loci.find("chr:71-5") == loci.find("chr:71-5", "second") == "second.chr:71-80"
    assert loci.place("second", GenomicInterval("chr", 70, 85)) == "second.chr:71-80"


def test_the_page_opens_with_what_features_show_and_says_what_was_not_measured(run_dir, page):
    first = page.split("<section ")[1]
    assert first.startswith('id="found"')
    assert "Baselines were not measured in this run" in first
    second = page.split("<section ")[2]
    assert second.startswith('id="beside"')
    assert "report_tables/beside.tsv" in second


def test_the_page_says_of_each_concept_whether_its_feature_shows_more(run_dir):
    run = open_run(run_dir)
    labels = run.best[["concept", "orientation"]].to_dict("records")
    rows = [
        {column.name: 0.5 if column.kind == "float64" else 1 for column in BASELINES.columns}
        | {"which": "7", "note": "", "detector": detector, "f1": f1, **label}
        for label in labels
        for detector, f1 in (("neuron", 0.25), ("kmer_gc_phase", 0.995), ("linear_probe", 0.5))
    ]
    best = run.best.assign(q_value=0.01)
    measured = beside_baselines(best, pd.DataFrame(rows)[BASELINES.names])
    table = beside_table(measured, Links(browser.Loci(run.specimens)), source="beside.tsv")
    assert "F1 on test of the best feature of each concept" in table.note
    cells = {row[0].exact: [cell.text for cell in row] for row in table.rows}
    columns = [head.name for head in table.columns]
    assert columns[3:8] == ["f1", "neuron_or_component", "sequence_alone", "probe", "always_on"]
    assert cells["tRNA"][3:7] == ["0.988", "0.25", "0.995", "0.5"]
    assert "but not more than the sequence alone (0.99" in cells["tRNA"][-1]


def test_the_page_says_what_the_headline_figures_are_of(run_dir):
    run = open_run(run_dir)
    config = {**run.config, "fit": ["first"], "fidelity": {"genome": "second"}}
    keys = {"n_bases": 5000, "n_bases_whole": 10000, "n_tokens": 10000, "sample": 2500}
    summary = {f"fidelity.{key}": value for key, value in keys.items()}
    text = module._headline(replace(run, config=config, summary=summary))
    assert text.startswith(
        "fidelity: measured on second, held out from the dictionary; losses and bits"
    )
    assert "(5,000 of 10,000 bases, in evenly spread windows)" in text
    assert "FVU, L0 and dead share are measured on 10,000 of its tokens" in text
    assert module._headline(run) == ""


def test_the_best_features_are_shown_where_not_all_are(run_dir):
    run = open_run(run_dir)
    features = pd.DataFrame(
        {
            "feature": np.arange(1002),
            "f1": [np.nan, *[0.25] * 1000, 0.75],
            "density": [0.9, *np.linspace(0, 0.5, 1000), 0.1],
        }
    )
    empty = features.head(0)
    drawn = Drawn(empty, empty, {})
    measured = Measurements(features, *[empty] * 4, drawn, *[empty] * 3, axis_names=("x", "y"))
    tables = module._tables(run, measured, Links(browser.Loci(run.specimens)), "tables")
    (table,) = (one for one in tables if one.title == "Features")
    assert table.n_rows == 1002
    shown = [int(row[0].exact) for row in table.rows]
    assert shown == [1001, *range(1000, 1, -1)]


def test_the_feature_of_each_concept_that_is_found_has_a_section(run_dir):
    run = open_run(run_dir)
    first = one_per_concept(run.best)["feature"].tolist()
    assert set(top_features(run)[: len(set(first))]) == set(first)


def test_an_f1_in_a_column_that_is_called_feature_has_three_digits(run_dir):
    run = open_run(run_dir)
    frame = pd.DataFrame({"feature": [0.123456], "rank": [1000]})
    links = Links(browser.Loci(run.specimens))
    (row,) = page_table(frame, title="", source="a.tsv", links=links).rows
    assert [cell.text for cell in row] == ["0.123", "1000"]
    (row,) = page_table(frame.assign(feature=1234), title="", source="a.tsv", links=links).rows
    assert row[0].text == "1234"


@pytest.mark.usefixtures("without_drawing")
def test_tables_of_something_else_are_refused_and_by_force_do_not_stay(run_dir, tmp_path):
    stale = tmp_path / "page_tables" / "loci" / "feature_999.tsv"
    stale.parent.mkdir(parents=True)
    stale.write_text("of another run\n")
    with pytest.raises(StorageError, match=r"page_tables: expected nothing, or the same result"):
        write_report(run_dir, tmp_path / "page.html")
    assert stale.exists()
    assert not (tmp_path / "page.html").exists()
    with replacing():
        write_report(run_dir, tmp_path / "page.html")
    assert not stale.exists()
    assert (tmp_path / "page_tables" / "loci" / "feature_3.tsv").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "page_tables"]


def test_each_section_has_its_logo_whose_numbers_are_on_disk(page_path, page):
    motif = read_table(page_path.parent / "report_tables" / "motif" / "feature_3.tsv", MOTIF)
    assert motif["offset"].is_monotonic_increasing
    section = page.split('id="feature-3"')[1].split('<details class="feature"')[0]
    path = "report_tables/motif/feature_3.tsv"
    assert f'<figcaption><a href="{path}" download>{path}</a></figcaption>' in section


def test_the_report_measures_the_concepts_of_its_run(run_dir, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run_dir, folder)
    (folder / "own.yaml").write_text("tRNA: {description: x, types: [CDS]}\n")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "concepts": "own.yaml"}))
    own, shipped = open_run(folder), open_run(run_dir)
    assert own.specimens[0].elements.n_elements("tRNA") == 4
    assert shipped.specimens[0].elements.n_elements("tRNA") == 2


def test_the_browser_data_holds_no_markup_and_all_of_the_genome(page):
    text = re.search(r'id="browser-options">(.*?)</script>', page, re.DOTALL)[1]
    assert "<" not in text
    options = json.loads(text)
    assert "<" not in json.dumps(options)
    assert options["loadDefaultGenomes"] is False
    assert options["locus"] == "chrA:1001-1900"
    waves = [wave for track in options["tracks"][1:] for wave in track["tracks"]]
    assert [wave["windowFunction"] for wave in waves[:2]] == ["max", "min"]


def test_a_run_without_its_tables_is_refused(run_dir, tmp_path):
    with pytest.raises(InputError, match="expected the directory of a run"):
        write_report(tmp_path / "none", tmp_path / "report.html")
    (tmp_path / "config.yaml").write_text("genomes: {a: {sequence: a.fa}}\n")
    with pytest.raises(SchemaError, match=r"summary\.json: expected a file of every run"):
        write_report(tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


@pytest.mark.usefixtures("without_drawing")
def test_a_run_of_genomes_without_annotation_has_a_page_without_associations(run_dir, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    config = yaml.safe_load((copy / "config.yaml").read_text())
    for entry in config["genomes"].values():
        del entry["annotation"]
        entry["annotate_with"] = []
    (copy / "config.yaml").write_text(yaml.safe_dump(config))
    shutil.rmtree(copy / "dossiers")
    for name in ("associations.parquet", "candidates.tsv"):
        (copy / name).unlink()
    best = copy / "best_per_concept.tsv"
    with replacing():
        write_table(empty_table(BEST_PER_CONCEPT), best, BEST_PER_CONCEPT, Provenance({}, {}))
    write_report(copy, tmp_path / "r.html")
    assert "chrA" in (tmp_path / "r.html").read_text(encoding="utf-8")

    # one genome that is annotated by finders, whose file the run made, is read from there
    name, entry = next(iter(config["genomes"].items()))
    entry["annotate_with"] = ["pyrodigal"]
    folder = RunFolder(copy, {"genomes": {name: entry, "other": {"sequence": "g.gbk"}}})
    assert folder.genomes[name].annotation == copy / name / "annotation.gff3"
    assert folder.genomes["other"].annotation == copy / "g.gbk"


@given(st.data())
def test_a_track_shows_each_base_near_a_locus_and_the_greatest_of_a_bin_elsewhere(
    tmp_path_factory, data
):
    generator = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    contigs = (ContigInfo("a", 57, circular=False), ContigInfo("b", 30, circular=True))
    dense = {strand: generator.integers(0, 4, (87, 1)).astype(np.float32) for strand in "+-"}
    store = make_store(tmp_path_factory.mktemp("s") / "f.h5", dense, contigs)
    bin_bp = data.draw(st.sampled_from([1, 4, 8]))
    item = Specimen("g", store)
    place = ("g", GenomicInterval("a", 17, 24))
    edge = data.draw(st.sampled_from([2, 4, 64]))
    with mock.patch.object(browser, "EDGE_BP", edge):
        resolution = browser.Resolution(bin_bp, (place,))
        size = browser._bin_lengths(item, np.arange(87), resolution)
        starts, stops, tops = browser.activation_runs(item, store.feature(0, "+"), resolution)
    assert (size[17:24] == 1).all()
    assert bin_bp == 1 or (size == 1).sum() <= 7 + 2 * (min(bin_bp, edge) - 1)
    drawn = np.zeros(87)
    assert (starts[1:] >= stops[:-1]).all()
    for start, stop, top in zip(starts, stops, tops, strict=True):
        drawn[start:stop] = top
        assert (start < 57) == (stop <= 57)
    for base in range(87):
        begin = 0 if base < 57 else 57
        first = begin + (base - begin) // size[base] * size[base]
        last = min(first + size[base], 57 if base < 57 else 87)
        assert drawn[base] == dense["+"][first:last, 0].max()


@pytest.mark.usefixtures("without_drawing")
def test_a_page_without_room_has_coarser_tracks_or_is_refused(run_dir, page, tmp_path, monkeypatch):
    out = tmp_path / "coarse.html"
    write_report(run_dir, out)
    limit = len(out.read_bytes()) - 1
    monkeypatch.setattr(module, "MAX_RUNS", 500)
    monkeypatch.setattr("genointerp.page.page.MAX_PAGE_BYTES", limit)
    with replacing():
        write_report(run_dir, out)
    coarse = out.read_text(encoding="utf-8")
    assert len(coarse.encode()) <= limit
    cells, fine = _Page(coarse).cells, _Page(page).cells
    assert [value for _, value in cells] == [value for _, value in fine]
    monkeypatch.setattr("genointerp.page.page.MAX_PAGE_BYTES", 1000)
    with pytest.raises(InputError, match="a page of at most 1000 bytes with the coarsest tracks"):
        write_report(run_dir, tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_tracks_are_as_fine_as_there_is_room(run_dir):
    run = open_run(run_dir)
    place = ("first", GenomicInterval("chrA", 1100, 1150))
    wide = ("first", GenomicInterval("chrA", 0, 6000))
    whole = browser.track_resolution(run.specimens, 3, [place], max_runs=1_000_000)
    assert (whole.bin_bp, whole.fine) == (1, (place,))
    # of 200 stretches, half may be those of places: there is room for the 50 bases of one
    found = browser.track_resolution(run.specimens, 3, [wide, place], max_runs=200)
    assert found.bin_bp > 1
    assert found.fine == (place,)
    sizes = []
    for bin_bp in (found.bin_bp // 2, found.bin_bp):
        runs = [
            browser.activation_runs(
                one, one.features.feature(3, strand), replace(found, bin_bp=bin_bp)
            ).start
            for one in run.specimens
            for strand in "+-"
        ]
        sizes.append(sum(map(len, runs)))
    assert sizes[1] <= 200 < sizes[0]
    coarsest = browser.track_resolution(run.specimens, 3, [place], max_runs=1)
    assert (coarsest.bin_bp, coarsest.fine) == (browser.BIN_SIZES[-1], ())


def test_a_place_is_shown_with_its_flanks_within_its_contig():
    found = browser.with_flanks(GenomicInterval("a", 200, 220), 1000)
    assert (found.start, found.end) == (140, 280)
    found = browser.with_flanks(GenomicInterval("a", 20, 21), 60)
    assert (found.start, found.end) == (0, 60)


def test_json_in_a_script_element_cannot_end_it():
    assert "</" not in script_json({"a": "</script>&"})
    assert json.loads(script_json({"a": "</script>&"})) == {"a": "</script>&"}


def test_text_for_the_browser_holds_nothing_that_html_reads():
    assert not set(browser_text("<a href=\"x\" id='y'>&amp;")) & set("<>&\"'")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\x00\x9bb", "a\ufffd\ufffdb"),
        (0.5, "0.5"),
        (1e-7, "1e-07"),
        (12345, "12,345"),
        (float("nan"), ""),
        (True, "yes"),
    ],
)
def test_values_are_written_as_people_read_them(value, text):
    assert format_value(value) == text


def test_every_figure_is_drawn_and_the_same_twice(run_dir, tmp_path):
    store = run_dir / "first" / "features.h5"
    source = {"genome": run_dir / "first.fa", "annotations": run_dir / "first.gff3"}
    associations = run_dir / "associations.parquet"
    features, measured = measured_files(run_dir)
    draws = {
        "region.png": lambda out: draw_region(
            store,
            "chrA:1,001-1,900",
            out,
            associations=associations,
            feature=[3, 11],
            **source,
        ),
        "sequence.svg": lambda out: draw_region(store, "chrA:1,090-1,130", out, **source),
        "overlap.pdf": lambda out: draw_overlap(associations, out),
        "precision.png": lambda out: draw_overlap(associations, out, score="precision"),
        "curves.svg": lambda out: draw_curves(features, out, **measured),
        "curve.png": lambda out: draw_curves(features, out, feature=3, concept="tRNA", **measured),
        "metagene.png": lambda out: draw_metagene(features, 3, out, concept="tRNA", **measured),
        "circle.png": lambda out: draw_circle(store, [3, 11], out, **source),
        "density.png": lambda out: draw_density(store, out, feature=3),
        "dictionary.png": lambda out: draw_dictionary(
            run_dir / "sae", out, associations=associations
        ),
        "feature.png": lambda out: draw_feature(store, 3, out),
        "silent.png": lambda out: draw_feature(store, 11, out),
        "training.png": lambda out: draw_training(run_dir / "sae" / "metrics.jsonl", out),
    }
    for name, draw in draws.items():
        draw(tmp_path / name)
        first = (tmp_path / name).read_bytes()
        draw(tmp_path / name)
        assert (tmp_path / name).read_bytes() == first, name


def measured_files(run_dir):
    names = ("first", "second")
    return [run_dir / name / "features.h5" for name in names], {
        "annotations": [run_dir / f"{name}.gff3" for name in names],
        "associations": run_dir / "associations.parquet",
        "genome": [run_dir / f"{name}.fa" for name in names],
    }


def test_a_region_up_to_150_bp_shows_its_bases(run_dir, tmp_path):
    source = {"genome": run_dir / "first.fa", "annotations": run_dir / "first.gff3"}
    texts = {}
    for last in (150, 151):
        out = tmp_path / f"{last}.svg"
        store = run_dir / "first" / "features.h5"
        draw_region(store, f"chrA:1-{last}", out, feature=11, **source)
        texts[last] = out.read_text().count(">A</text>")
    sequence = read_genome(run_dir / "first.fa")["chrA"].sequence[:150].tobytes()
    assert texts == {150: sequence.count(b"A") + sequence.count(b"T"), 151: 0}


def test_a_region_is_drawn_with_the_concepts_that_are_given(run_dir, tmp_path):
    concepts = tmp_path / "concepts.yaml"
    concepts.write_text("my_genes: {description: x, types: [CDS]}\n")
    source = {"genome": run_dir / "first.fa", "annotations": run_dir / "first.gff3"}
    out = tmp_path / "region.svg"
    draw_region(run_dir / "first" / "features.h5", "chrA:1-1,900", out, concepts=concepts, **source)
    assert ">my_genes</text>" in out.read_text()
    # the legend names the colour of the gene, but no row is called so
    assert out.read_text().count(">tRNA</text>") == 1


@pytest.mark.parametrize("width", [89.0, 183.0])
def test_a_region_of_a_journal_column_holds_its_legend_and_its_labels(run_dir, width):
    source = {"genome": run_dir / "first.fa", "annotations": run_dir / "first.gff3"}
    store = run_dir / "first" / "features.h5"
    figure = draw_region(store, "chrA:1,001-1,900", feature=[3, 11], width=width, **source)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[:2] == ["CDS", "tRNA"]
    assert texts[-1] == "activation (model units), read on \N{MINUS SIGN}: downwards"
    for one in (legend, *(ax.yaxis.label for ax in figure.axes)):
        box = one.get_window_extent()
        assert box.x0 >= 0, one
        assert box.x1 <= figure.bbox.x1, one
    ticks = [label.get_window_extent() for label in figure.axes[-1].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(ticks))


def test_a_region_that_was_read_in_part_is_drawn_with_its_gaps(tmp_path):
    """Bases 21 to 60 of a ring of 1,000 were not read on +; the region begins before the origin."""
    contigs = (ContigInfo("c", 1000, circular=True),)
    dense = silence(1000, 1)
    dense["+"][[995, 5], 0] = 2.0
    coverage = {"c": [(0, 20, "+"), (60, 1000, "+"), (0, 1000, "-")]}
    store = make_store(tmp_path / "f.h5", dense, contigs, coverage=coverage)
    interval = parse_region("c:991-30", store.lengths, circular=store.circular)
    values = dense_values(store, interval, 0)
    assert np.isnan(values.plus).tolist() == [False] * 30 + [True] * 10
    assert not np.isnan(values.minus).any()
    assert np.flatnonzero(np.nan_to_num(values.plus)).tolist() == [5, 15]


def test_profiles_leave_out_what_was_not_read(tmp_path):
    contigs = (ContigInfo("c", 2000, circular=False),)
    dense = silence(2000, 1)
    dense["+"][[180, 1000, 1900], 0] = [5.0, 1.0, 2.0]
    coverage = {"c": [(100, 1160, "+"), (1700, 2000, "+"), (100, 2000, "-")]}
    store = make_store(tmp_path / "f.h5", dense, contigs, coverage=coverage)
    plus, minus = (store.feature(0, strand) for strand in "+-")
    (profile,) = binned_profiles(store, plus, minus)
    base = profile.start + profile.bin_bp * np.arange(len(profile.plus))
    unread = (base >= 1160) & (base + profile.bin_bp <= 1700)
    assert np.isnan(profile.plus).tolist() == unread.tolist()
    assert not np.isnan(profile.minus).any()
    # only the peak at 1000 has 150 bases read on either side
    aligned = aligned_profile(store, plus, minus)
    assert aligned.n_loci == 1
    assert aligned.mean.max() == 1.0
    ring = whole_contig(store, 0, "c")
    first = np.arange(len(ring.plus)) * ring.bin_bp
    read = (first + ring.bin_bp > 100) & ((first < 1160) | (first + ring.bin_bp > 1700))
    assert ring.plus_is_read.tolist() == read.tolist()
    assert ring.minus_is_read.tolist() == (first + ring.bin_bp > 100).tolist()


def test_the_browser_has_tracks_of_what_was_not_read(run_dir, tmp_path):
    run = open_run(run_dir)
    loci = browser.Loci(run.specimens)
    assert browser._unread_tracks(run.specimens, loci) == []
    genome = Genome(
        [Contig("c", np.full(50, ord("A"), np.uint8)), Contig("d", np.full(9, 65, np.uint8))]
    )
    contigs = ContigInfo.of(genome)
    coverage = {"c": [(10, 20, "+"), (30, 50, "+"), (0, 50, "-")], "d": [(0, 9, "-")]}
    store = make_store(tmp_path / "f.h5", silence(59, 1), contigs, coverage=coverage)
    item = Specimen("g", store)
    (track,) = browser._unread_tracks([item], browser.Loci([item]))
    assert track["name"] == "not read on +"
    places = [(one["chr"], one["start"], one["end"]) for one in track["features"]]
    assert places == [("c", 0, 10), ("c", 20, 30), ("d", 0, 9)]


def test_a_region_over_the_origin_goes_on_with_the_first_base(tmp_path):
    contigs = (ContigInfo("c", 1000, circular=True),)
    dense = silence(1000, 2)
    dense["+"][[990, 5], 0] = [2.0, 3.0]
    dense["-"][999, 1] = 4.0
    store = make_store(tmp_path / "f.h5", dense, contigs)
    interval = parse_region("c:981-20", store.lengths, circular=store.circular)
    assert strongest_features(store, interval, 5) == [1, 0]
    assert strongest_features(store, interval, 1) == [1]
    values = [dense_values(store, interval, feature) for feature in (0, 1)]
    assert np.flatnonzero(values[0].plus).tolist() == [10, 25]
    assert values[0].plus[[10, 25]].tolist() == [2.0, 3.0]
    assert np.flatnonzero(values[1].minus).tolist() == [19]
    rows = [("c", 985, 1000), ("c", 0, 10), ("c", 30, 40), ("d", 0, 5)]
    table = pd.DataFrame(rows, columns=["seqid", "start", "end"])
    found = unrolled(table, interval, 1000)
    assert found[["start", "end"]].to_numpy().tolist() == [[985, 1000], [1000, 1010]]
    ax = Figure().subplots()
    use_region_axis(ax, interval, length=1000)
    label = ax.xaxis.get_major_formatter()
    assert [label(base, 0) for base in (990, 1000, 1001)] == ["990", "1,000", "1"]


def test_pairs_to_draw_are_chosen_on_fit_in_the_order_of_the_features():
    names = ["feature", "concept", "orientation", "f1_fit", "f1", "null_f1", "q_value"]
    rows = [
        (1, "tRNA", "sense", 0.3, 0.9, 0.1, 0.01),
        (1, "CDS", "sense", 0.5, 0.1, 0.2, 0.9),
        (2, "tRNA", "sense", 0.4, 0.2, 0.1, 0.01),
        (3, "tRNA", "sense", 0.0, 0.0, np.nan, np.nan),
        (4, "tRNA", "sense", 0.9, np.nan, np.nan, np.nan),
        (2, "tmRNA", "sense", 0.5, np.nan, np.nan, np.nan),
        (2, "ncRNA", "sense", 0.0, 0.0, np.nan, np.nan),
    ]
    table = pd.DataFrame(rows, columns=names)
    assert choose_pairs(table, [2, 1, 3, 4])["feature"].tolist() == [2, 1]
    assert choose_pairs(table, [1])["concept"].tolist() == ["CDS"]
    assert choose_pairs(table, [1], ["tRNA"])["f1"].tolist() == [0.9]
    assert choose_pairs(table)["concept"].tolist() == ["tRNA"]
    assert choose_pairs(table, [], ["CDS", "tRNA"])["feature"].tolist() == [2, 1]
    with pytest.raises(UnknownNameError, match="expected one of tRNA, CDS, tmRNA, ncRNA, found"):
        choose_pairs(table, [], ["x"])
    assert left_out(table) == [
        "no base on test: tmRNA",
        "no feature detects it on fit: ncRNA",
        "its best feature is not above its null: CDS",
    ]
    assert left_out(table, [1, 4]) == ["no concept that it detects on fit is on test: f/4"]
    assert left_out(table, [], ["CDS"]) == []
    many = [(5, f"c{i}", "sense", 0.5, 0.9 - i / 100, 0.1, 0.01) for i in range(9)]
    more = pd.DataFrame(many, columns=names)
    assert left_out(more) == ["not among the 7 highest F1: c7, c8"]


def test_curves_say_what_they_leave_out(run_dir, caplog):
    features, measured = measured_files(run_dir)
    with caplog.at_level("INFO", logger="genointerp.figure.curves"):
        figure = draw_curves(features, **measured)
    (note,) = caplog.messages
    assert note == "not drawn - its best feature is not above its null: CDS, intergenic"
    assert figure.get_supxlabel().replace("\n", " ") == note


def test_a_map_refuses_associations_of_another_dictionary(run_dir, tmp_path):
    write_directions(tmp_path, np.eye(12))
    with pytest.raises(MismatchError, match=r"s\.parquet: expected dictionary \w+ as in"):
        draw_dictionary(tmp_path, tmp_path / "x.png", associations=run_dir / "associations.parquet")


def test_a_genome_of_other_features_is_refused(run_dir, tmp_path):
    with pytest.raises(MismatchError, match=r"second\.fa: expected genome .* in .*features\.h5"):
        draw_region(
            run_dir / "first" / "features.h5",
            "chrA",
            tmp_path / "region.png",
            genome=run_dir / "second.fa",
            annotations=run_dir / "second.gff3",
        )


def test_a_line_that_is_no_json_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"st\n')
    with pytest.raises(SchemaError, match=r"metrics\.jsonl: line 2: expected JSON"):
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
