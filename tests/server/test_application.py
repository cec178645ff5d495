"""Each address of the server, and what it says where the input is wrong."""

import base64
import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import genointerp as gi
from genointerp.figure.source.elements import dense_values
from genointerp.genome.interval import GenomicInterval
from genointerp.page.folder import TABLES
from genointerp.page.measure import Ground, live_features, measure_drawn, measure_run
from genointerp.page.run import open_run
from genointerp.page.section import FIGURES, embedded_pictures
from genointerp.server.sequence import MAX_BYTES
from genointerp.server.tracks import NEAR_BP, Tracks
from tests.page.conftest import HOSTILE, N_FEATURES
from tests.page.test_folder import _Links

EVIL_CONTIG = "c_b___t_g__b_"


def track(client, feature=3, chr="chrA", start=0, end=2000, bin=1):
    query = {"feature": feature, "chr": chr, "start": start, "end": end, "bin": bin}
    return client.get("/track", params=query)


def painted(side, length):
    """The activation of each base, from the stretches of an answer."""
    values = np.zeros(length)
    for start, end, value in zip(side["start"], side["end"], side["value"], strict=True):
        values[start:end] = value
    return values


@pytest.mark.parametrize(
    ("genome", "name", "seqid"),
    [
        ("first", "chrA", "chrA"),
        ("second", "chrB", "chrB"),
        ("first", EVIL_CONTIG, "c<b>&\"t'g</b>"),
    ],
)
@pytest.mark.parametrize("near_bp", [NEAR_BP, 0], ids=["near", "far"])
def test_a_track_has_the_activation_of_each_base(
    client, run_dir, genome, name, seqid, near_bp, monkeypatch
):
    monkeypatch.setattr("genointerp.server.tracks.NEAR_BP", near_bp)
    found = track(client, 3, name, 1000, 1300).json()
    store = gi.FeatureStore(run_dir / genome / "features.h5")
    own = dense_values(store, GenomicInterval(seqid, 1000, 1300), 3)
    for strand, sign, values in (("+", 1, own.plus), ("-", -1, own.minus)):
        shown = painted(found[strand], 2000)[1000:1300]
        np.testing.assert_allclose(shown, sign * values, rtol=5e-3)


@pytest.mark.parametrize("bin", [3, 64, 1000])
def test_bins_have_the_greatest_activation_of_their_bases(client, run_dir, bin):
    found = track(client, 1, "chrA", 100, 2000, bin).json()["+"]
    size = 1 << (bin - 1).bit_length()
    whole = dense_values(
        gi.FeatureStore(run_dir / "first/features.h5"), GenomicInterval("chrA", 0, 6000), 1
    ).plus
    shown = painted(found, 6000)
    for start in range(100 // size * size, 2000, size):
        top = whole[start : start + size].max()
        assert shown[start : start + size].max() == pytest.approx(top, rel=5e-3)


def test_a_track_from_afar_has_few_bins_however_fine_it_is_asked_for(run_dir):
    run = open_run(run_dir)
    tracks = Tracks(Ground.of(run.specimens))
    specimen = run.specimens[0]
    place = GenomicInterval("chrA", 0, 6000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genointerp.server.tracks.MAX_BINS", 10)
        found = tracks.region(1, specimen, place, 1)
    assert len(found["+"]["start"]) <= 10


def test_the_end_of_a_track_may_lie_beyond_the_contig_and_its_start_not(client):
    assert track(client, start=5900, end=10**9).status_code == 200
    for start, end in ((6000, 7000), (10, 10), (20, 10)):
        found = track(client, start=start, end=end)
        assert found.status_code == 400
        assert found.json()["error"].startswith("chrA: expected 0 <= start < end, start below 6000")


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({"feature": N_FEATURES}, 404, "expected a feature from 0 to 11, found 12"),
        ({"feature": "3;drop"}, 400, "feature: expected a number from 0, found '3;drop'"),
        ({"feature": "-1"}, 400, "feature: expected a number from 0"),
        ({"feature": ""}, 400, "feature: expected a number from 0"),
        ({"chr": "chrZ"}, 404, "expected one that a page of this server has, found 'chrZ'"),
        ({"start": "1e3"}, 400, "start: expected a number from 0"),
        ({"end": "9" * 30}, 400, "end: expected a number from 0"),
        ({"bin": "__import__('os')"}, 400, "bin: expected a number from 0"),
    ],
)
def test_a_track_that_is_not_there_is_one_line(client, query, status, told):
    found = track(client, **query)
    assert found.status_code == status
    assert told in found.json()["error"]
    assert "\n" not in found.json()["error"]


def test_what_fires_in_a_region_is_what_query_lists(client, run_dir):
    found = client.get("/region", params={"chr": "chrA", "start": 1000, "end": 1900}).json()
    listed = gi.query(run_dir / "first/features.h5", "chrA:1,001-1,900", top=None)
    assert found["region"] == "chrA:1,001-1,900"
    assert found["n_features"] == listed["feature"].nunique()
    told = pd.DataFrame(found["features"])
    for column in ("feature", "strand", "max_activation", "covered_share"):
        assert told[column].tolist() == listed[column].head(len(told)).tolist()
    assert told["label"][0] == "tRNA (sense)"


def test_a_huge_region_is_refused(client, monkeypatch):
    query = {"chr": "chrA", "start": 0, "end": 6000}
    for address, name in (
        ("/region", "genointerp.server.tracks.MAX_REGION_BP"),
        ("/genes", "genointerp.server.genes.MAX_GENES_BP"),
    ):
        assert client.get(address, params=query).status_code == 200
        monkeypatch.setattr(name, 5999)
        found = client.get(address, params=query)
        assert found.status_code == 400
        assert "chrA:1-6,000: expected at most 5999 bases, found 6000" in found.json()["error"]


def test_genes_of_a_region_are_text_that_is_never_markup(client):
    found = client.get("/genes", params={"chr": "chrA", "start": 1150, "end": 1400}).json()
    (trna, kinase) = found["genes"]
    assert (trna["name"], trna["start"], trna["end"]) == ("trnX", 1100, 1176)
    assert kinase["product"] == "kinase"
    assert "<" not in kinase["name"]
    assert "script" in kinase["name"]
    nothing = client.get("/genes", params={"chr": "chrA", "start": 3000, "end": 3100})
    assert nothing.json() == {"genes": []}


@pytest.mark.parametrize(
    ("text", "feature", "locus"),
    [
        ("3", 3, None),
        ("f/3", 3, None),
        ("trna", 3, "chrA:1101-1176"),
        ("TRNX", None, "chrA:1101-1176"),
        ("ile", None, "chrA:1101-1176"),
        ("chrB:2,001-2,100", None, "chrB:2001-2100"),
        ("999999999", None, None),
        ("nothing at all", None, None),
        ("", None, None),
        ("__class__ {0.__init__}", None, None),
    ],
)
def test_a_search_finds_features_and_places(client, text, feature, locus):
    found = client.get("/search", params={"text": text}).json()
    features = [one["feature"] for one in found["features"]]
    assert features[:1] == ([] if feature is None else [feature])
    assert found["n_features"] == len(features)
    if locus is None:
        assert feature is not None or found["places"] == []
    else:
        assert locus in [place["locus"] for place in found["places"]]


def test_the_search_of_the_browser_has_capitals_only(client):
    (place,) = client.get("/locate", params={"text": "TRNX"}).json()
    assert place == {"chromosome": "chrA", "start": 1101, "end": 1176, "gene": "TRNX"}
    assert client.get("/locate", params={"text": "NO"}).json() == []


def test_the_sequence_is_read_by_ranges_of_an_indexed_file(client, run_dir):
    genome = gi.read_genome(run_dir / "first.fa")
    index = pd.read_csv(io.StringIO(client.get("/sequence.fa.fai").text), sep="\t", header=None)
    assert index[0].tolist() == ["chrA", EVIL_CONTIG, "chrB"]
    offset = int(index.set_index(0)[2]["chrA"])
    found = client.get("/sequence.fa", headers={"range": f"bytes={offset + 10}-{offset + 29}"})
    assert (found.status_code, found.content) == (206, genome["chrA"].sequence[10:30].tobytes())
    size = int(found.headers["content-range"].rpartition("/")[2])
    whole = client.get("/sequence.fa", headers={"range": f"bytes=0-{size - 1}"}).content
    assert len(whole) == size
    records = whole.decode().split(">")[1:]
    assert [record.split("\n")[0] for record in records] == index[0].tolist()
    assert records[0].split("\n")[1] == genome["chrA"].sequence.tobytes().decode()
    for start, stop in ((0, 3), (4, 9), (size - 5, size), (6000, 6020)):
        piece = client.get("/sequence.fa", headers={"range": f"bytes={start}-{stop - 1}"})
        assert piece.content == whole[start:stop]


@pytest.mark.parametrize(
    "range", ["", "bytes=5-", "bytes=9-5", f"bytes=0-{MAX_BYTES}", "x", "bytes=99999999-99999999"]
)
def test_a_range_that_is_none_is_one_line(client, range, monkeypatch):
    monkeypatch.setattr("genointerp.server.sequence.MAX_BYTES", 1000)
    found = client.get("/sequence.fa", headers={"range": range})
    assert found.status_code == 400
    assert found.json()["error"].startswith("range: expected")


def test_every_link_of_a_page_leads_to_an_answer(client):
    targets = set()
    for address in ("/index.html", "/browse.html", "/features/3.html"):
        found = client.get(address)
        assert found.status_code == 200
        page = _Links(found.text)
        assert page.handlers == []
        targets |= {found.url.join(link.split("#")[0]).path for link in page.links}
    # one page of a feature stands for all
    others = [path for path in targets if re.fullmatch(r"/features/(?!3\.).*html", path)]
    assert others
    for path in targets - {*others}:
        assert client.get(path).status_code == 200, path


def test_pages_are_those_of_the_folder(client, run_dir):
    run = open_run(run_dir)
    order = live_features(measure_run(run, []), run)
    index = client.get("/library/features.js").text
    assert f'"feature":{str(order).replace(" ", "")}' in index
    page = client.get("/features/3.html").text
    assert "<title>f/3: tRNA (sense)</title>" in page
    assert 'id="loci-3"' in page
    assert re.findall(r'<img src="([^"]*)"', page) == [
        "../pictures/3/profile.png",
        "../pictures/3/motif.png",
    ]
    script = client.get("/features/3.js").text
    assert '"asks":{"feature":3,"strand":"+"}' in script
    assert 'locus = "chrA:1101-1176"' in script
    # a feature that never fires has a page too
    assert client.get(f"/features/{N_FEATURES - 1}.js").text.endswith("locus = null;\n")


def test_pictures_are_those_of_a_report(client, run_dir):
    embedded = embedded_pictures(3, measure_drawn(open_run(run_dir), [3]), TABLES)
    for name, picture in zip(FIGURES, embedded, strict=True):
        found = client.get(f"/pictures/3/{name}.png")
        assert found.headers["content-type"] == "image/png"
        assert picture.uri.endswith(base64.b64encode(found.content).decode())
    silent = client.get(f"/pictures/{N_FEATURES - 1}/motif.png")
    assert (silent.status_code, silent.json()) == (
        404,
        {"error": "f/11: expected a motif to draw, found none"},
    )


def test_tables_of_the_pages_are_tables(client, run_dir):
    loci = pd.read_csv(io.StringIO(client.get("/tables/loci/feature_3.tsv").text), sep="\t")
    assert loci["start"].tolist() == gi.top(run_dir, 3, flank=10)["start"].tolist()
    curve = pd.read_csv(io.StringIO(client.get("/tables/curves/feature_3.tsv").text), sep="\t")
    assert set(curve["feature"]) == {3}
    features = pd.read_csv(io.StringIO(client.get("/tables/features.tsv").text), sep="\t")
    assert len(features) == N_FEATURES


@pytest.mark.parametrize(
    "address",
    [
        "/tables//etc/passwd",
        "/tables/loci/feature_999.tsv",
        "/tables/sae/cfg.json",
        "/features/12.html",
        "/features/-1.html",
        "/features/99999999999999999999.html",
        "/config.yaml",
        "/pictures/3/other.png",
        "/nothing",
    ],
)
def test_what_no_page_names_is_not_there(client, address):
    assert client.get(address).status_code == 404


def test_hostile_text_is_never_markup(client):
    for address in ("/index.html", "/browse.html", "/features/3.html", "/features/7.html"):
        text = client.get(address).text
        assert "<script>window" not in text
        assert "<img src=x" not in text
    for address in ("/library/features.js", "/library/genomes.js", "/features/3.js"):
        assert "<" not in client.get(address).text
    found = client.get("/search", params={"text": "script"})
    assert found.headers["content-type"] == "application/json"
    assert any(HOSTILE in place["name"] for place in found.json()["places"])


def test_fifty_questions_at_once_have_the_answers_of_one_after_the_other(site):
    questions = [(n % 11, 20 * n, 20 * n + 500) for n in range(50)]
    start = threading.Barrier(50)

    def ask(question):
        feature, first, last = question
        start.wait()
        return site.answers.track(feature, "chrA", first, last, 1), site.answers.region(
            "chrA", first, last
        )

    with ThreadPoolExecutor(50) as pool:
        together = list(pool.map(ask, questions))
    start = threading.Barrier(1)
    assert together == [ask(question) for question in questions]


def test_a_damaged_file_is_the_fault_of_the_server(client, site, monkeypatch):
    from genointerp.core.errors import SchemaError

    def fail(*_):
        raise SchemaError("features.h5", "the checksum that was written", "another one")

    monkeypatch.setattr(site.answers._tracks, "strongest", fail)
    found = client.get("/region", params={"chr": "chrA", "start": 0, "end": 10})
    assert found.status_code == 500
    assert found.json()["error"].startswith("features.h5: expected the checksum")


def test_what_fires_here_and_what_is_found_say_the_family(client):
    found = client.get("/region", params={"chr": "chrA", "start": 1000, "end": 1900}).json()
    told = {one["feature"]: one["circuit"] for one in found["features"]}
    assert told[3].startswith("cycle 1: codon phases ")
    assert told[3].endswith(", 3+7 > 2")
    assert told[5] == ""
    found = client.get("/search", params={"text": "codon phases"}).json()
    assert {one["feature"] for one in found["features"]} == {2, 3, 7}
    assert ">circuit</th>" in client.get("/browse.html").text
