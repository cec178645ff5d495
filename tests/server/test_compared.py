"""What the pages say of features that were compared, and of what cannot be concluded."""

import numpy as np
import pandas as pd
import pyBigWig
import pytest

from genointerp.comparison.matching.config import MatchConfig
from genointerp.core.errors import SchemaError, UnknownNameError
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.page.table import Links
from genointerp.server.compared import divergences as module
from genointerp.server.compared.changed import NO_CONTROL, NO_SECOND, TOO_FEW, Changed
from genointerp.server.compared.divergences import Divergences
from genointerp.server.compared.matched import NO_TWIN, Matched
from genointerp.server.compared.said import FeatureName
from genointerp.store.table.schema.changed import CHANGED_FEATURES
from genointerp.store.table.schema.divergence import DIVERGENCE_BINS
from genointerp.store.table.schema.matching import MATCH_SUMMARY, MATCHES
from genointerp.store.table.table import write_table
from tests.page.conftest import HOSTILE

BLANK = {"string": "", "int64": 0, "float64": 0.5}
LINKS = Links(None, {0: "features/0.html"})


def rows_of(schema, *rows):
    blank = {one.name: BLANK[one.kind] for one in schema.columns}
    return pd.DataFrame([blank | row for row in rows])


def features_of(table):
    """The features of a table of a page, as their links read."""
    return [row[0].text for row in table.rows]


GAINED = {
    "kind": "gained",
    "change": 2.0,
    "excess": 1.0,
    "q_value": 0.01,
    "second_excess": 0.5,
    "second_q": 0.02,
    "seeds_q": 0.03,
}


def changed(*rows):
    table = rows_of(
        CHANGED_FEATURES, *({"feature": number} | row for number, row in enumerate(rows))
    )
    return Changed("tuned", "comparisons/diff/tuned/changed.tsv", table)


@pytest.mark.parametrize(
    ("row", "said", "step"),
    [
        ({}, "It was gained: its change exceeds that of the control (q 0.01), the", "every test"),
        (
            {"kind": "", "seeds_q": 0.06},
            "the second seed repeats it (q 0.02), but this is not beyond what seeds differ by (q "
            "0.06): nothing is said of it.",
            "both seeds",
        ),
        ({"kind": "", "second_q": 0.06}, "does not repeat it (q 0.06)", "one seed"),
        ({"kind": "", "second_excess": -1.0}, "does not repeat it (q 0.02)", "one seed"),
        ({"kind": "", "change": -1.0}, "in the other direction", "every test, against its change"),
        ({"kind": "", "q_value": 0.06}, "does not exceed that of the control (q 0.06).", None),
        ({"kind": "", "q_value": np.nan}, "It was not tested", None),
    ],
)
def test_a_feature_is_said_as_far_as_its_tests_went(row, said, step):
    one = changed(GAINED | row, GAINED)
    assert said in one.of(0).said[0]
    (table,) = one.group(LINKS, {0: FeatureName("", "rRNA (sense)")}, "").tables
    if step is None:
        assert features_of(table) == ["1"]
        return
    # what was gained or lost comes first
    assert features_of(table) == (["0", "1"] if step == "every test" else ["1", "0"])
    names = [head.name for head in table.columns]
    told = dict(zip(names, table.rows[features_of(table).index("0")], strict=True))
    assert (told["so_far"].text, told["best_concept"].text) == (step, "rRNA (sense)")
    assert told["feature"].page == "features/0.html"


def test_without_a_control_it_says_what_cannot_be_concluded_and_lists_every_change():
    lone = {"kind": "", "density_control": np.nan, "q_value": np.nan}
    one = changed(lone | {"change": 0.1}, lone | {"change": -3.0})
    assert one.of(0).said == (NO_CONTROL,)
    group = one.group(LINKS, {}, "tuned")
    assert (group.said, group.divergence) == ((NO_CONTROL,), "tuned")
    assert group.tables[0].title == "Change without a control"
    assert features_of(group.tables[0]) == ["1", "0"]


def test_without_a_second_seed_nothing_is_said_of_a_single_feature():
    lone = {"kind": "", "q_value": 0.01, "second_excess": np.nan, "second_q": np.nan}
    one = changed(lone, lone | {"q_value": 0.5}, lone | {"q_value": np.nan})
    assert one.of(0).said == (f"Its change exceeds that of the control (q 0.01). {NO_SECOND}",)
    first = "1 of 2 features that were tested exceed the control with q at most 0.05."
    assert one.group(LINKS, {}, "").said == (first, NO_SECOND)


def test_the_conclusion_counts_what_each_test_leaves():
    few = changed(GAINED | {"kind": "", "q_value": np.nan})
    assert few.group(LINKS, {}, "").said == (TOO_FEW,)
    lost = GAINED | {"kind": "lost", "change": -2.0, "excess": -1.0, "second_excess": -1.0}
    once = GAINED | {"kind": "", "second_q": 0.9}
    twice = GAINED | {"kind": "", "seeds_q": 0.9}
    said = changed(GAINED, lost, lost, once, twice, once | {"q_value": 0.9}).group(LINKS, {}, "")
    assert said.said == (
        "5 of 6 features that were tested exceed the control with q at most 0.05.",
        "The second seed repeats 4 of them. Beyond what seeds differ by, 1 were gained and 2 lost.",
    )


MATCH = {
    "side": "a",
    "decile": 3,
    "partner": 7,
    "r": 0.8,
    "is_mutual": 1,
    "is_matched": 1,
    "one_to_one": 7,
    "n_parts": 1,
    "part_of": -1,
    "residual_r": 0.75,
    "is_residual_matched": 1,
    "twin_r": 0.2,
}


def matched(*rows, summary=()):
    table = rows_of(MATCHES, *({"feature": number} | row for number, row in enumerate(rows)))
    shares = rows_of(MATCH_SUMMARY, *summary) if summary else MATCH_SUMMARY_EMPTY
    return Matched("other", "matches.tsv", table, shares, MatchConfig())


MATCH_SUMMARY_EMPTY = rows_of(MATCH_SUMMARY, {}).iloc[:0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {},
            "It is matched with f/7 of other: each is the other's partner, with r 0.8. Without the "
            "means by the last five bases and the codon phase it is matched too (r 0.75 with its "
            "partner). The nearest feature of the random-weight twin has r 0.2: the excess of r "
            "over the twin is 0.6.",
        ),
        ({"is_residual_matched": 0, "residual_r": 0.1}, "what both do may be composition."),
        ({"residual_r": np.nan}, "without composition was not measured."),
        ({"twin_r": np.nan}, NO_TWIN),
        ({"n_parts": 3}, "other has split it: it is the partner of 3 features there, with r of at"),
        ({"part_of": 7}, "f/7 of other is the partner of several features of this dictionary"),
        (
            {"is_matched": 0, "r": 0.4},
            "It has no match: the nearest feature is f/7 of other, r 0.4, where 0.7 is needed.",
        ),
        ({"is_matched": 0, "is_mutual": 0}, "r 0.8, whose own partner is another feature."),
        ({"is_matched": 0, "partner": -1, "r": 0.0}, "no feature of other fires where it does."),
        (
            {"decile": 0, "n_bases": 12, "is_matched": 0},
            "It was not tested: of the bases that both have read it fires on 12, and 100 are "
            "needed.",
        ),
    ],
)
def test_a_match_is_said_with_what_is_left_after_the_nulls(row, said):
    assert said in " ".join(matched(MATCH | row).of(0).said)


def test_what_a_row_does_not_know_is_no_card():
    one = matched(MATCH | {"one_to_one": -1, "residual_partner": -1, "partner_concept": "rRNA"})
    names = [head.name for head, _ in one.of(0).facts]
    assert "partner" in names
    assert "over_twin" in names
    assert not {"one_to_one", "part_of", "residual_partner", "concept"} & set(names)
    # a feature of the other dictionary with that number says nothing of this one
    assert matched(MATCH | {"side": "b"}).of(0) is None


def test_features_without_a_match_are_listed_of_either_side_the_loneliest_first():
    none = MATCH | {"is_matched": 0}
    one = matched(
        none | {"r": 0.3, "partner": -1},
        none | {"r": 0.1},
        MATCH,
        none | {"decile": 0, "r": np.nan},
        none | {"side": "b", "r": 0.2, "feature": 0},
    )
    own, other = one.group(LINKS, {0: FeatureName("mine", "tRNA (sense)")}).tables
    assert (features_of(own), features_of(other)) == (["1", "0"], ["0"])
    assert [cell.text for cell in own.rows[1][:3]] == ["0", "mine", "tRNA (sense)"]
    partner = [head.name for head in own.columns].index("partner")
    assert [row[partner].text for row in own.rows] == ["7", ""]
    # 0 of the other dictionary is not the feature 0 that has a page
    assert (own.rows[1][0].page, other.rows[0][0].page) == ("features/0.html", None)


def test_the_share_is_said_next_to_the_twin_or_with_what_its_lack_means():
    summary = [
        {"side": "a", "comparison": name, "n_features": 10, "share": 0.25, "excess": 0.125}
        for name in ("found", "twin", "rotation")
    ]
    first, second = matched(MATCH, summary=summary).group(LINKS, {}).said
    assert first == (
        "Of 10 features that fire on enough bases, a share of 0.25 (0.5 to 0.5) is matched; 0.25 "
        "(0.5 to 0.5) is matched with the random-weight twin."
    )
    assert second == "The excess over the twin is 0.125 (0.5 to 0.5)."
    alone = matched(MATCH | {"twin_r": np.nan}, summary=summary[:1])
    assert alone.group(LINKS, {}).said[1:] == (NO_TWIN,)


def test_the_pages_have_what_was_compared_and_escape_it(client):
    listed, own = (client.get(path).text for path in ("/compared.html", "/features/3.html"))
    assert "Changed in one" in listed
    assert "Matched with one" in listed
    assert 'id="compared"' in own
    assert own.count("comparisons/diff/one/changed.tsv of the run") == 1
    assert not any(HOSTILE in page for page in (listed, own))
    assert 'href="compared.html"' in client.get("/").text
    assert 'data-divergence="one"' in client.get("/browse.html").text


@pytest.fixture(scope="module")
def diverged(tmp_path_factory):
    """A comparison of a run on its first genome: bins everywhere, bases of chrA on +."""
    run = tmp_path_factory.mktemp("diverged")
    place = run / "comparisons" / "diff" / "near"
    bins = [
        ("chrA", start, start + 1000, strand, kl, 0.25, kl - 0.25)
        for start in (0, 1000)
        for strand, kl in (("+", 1.5 + start), ("-", 0.5))
    ]
    frame = pd.DataFrame(bins, columns=DIVERGENCE_BINS.names)
    write_table(frame, place / "divergence.bins.tsv", DIVERGENCE_BINS, Provenance({}, {}))
    (place / "tracks").mkdir()
    with pyBigWig.open(str(place / "tracks" / "kl.plus.bw"), "w") as track:
        track.addHeader([("chrA", 6000)])
        track.addEntries(["chrA"] * 3, [10, 11, 14], ends=[11, 12, 15], values=[1.0, 3.0, 2.0])
    config = {"comparisons": {"diff": {"near": {"genome": "first", "tuned": "./tuned"}}}}
    return Divergences(run, config), place


def test_near_by_the_divergence_is_that_of_each_base_and_its_control_that_of_bins(diverged):
    found = diverged[0].region("near", "first", GenomicInterval("chrA", 9, 15), 1)
    assert found["kl"]["+"] == {"start": [10, 11, 14], "end": [11, 12, 15], "value": [1, 3, 2]}
    assert found["kl"]["-"] == {"start": [0], "end": [1000], "value": [-0.5]}
    assert found["control_kl"]["+"] == {"start": [0], "end": [1000], "value": [0.25]}
    coarse = diverged[0].region("near", "first", GenomicInterval("chrA", 9, 15), 2)["kl"]["+"]
    assert coarse == {"start": [10, 14], "end": [12, 15], "value": [3, 2]}


def test_from_afar_the_divergence_is_that_of_bins(diverged, monkeypatch):
    monkeypatch.setattr(module, "NEAR_BP", 5)
    found = diverged[0].region("near", "first", GenomicInterval("chrA", 990, 1010), 1)
    assert found["kl"]["+"] == {"start": [0, 1000], "end": [1000, 2000], "value": [1.5, 1000.0]}


def test_a_genome_that_was_not_compared_has_no_divergence(diverged):
    found = diverged[0].region("near", "second", GenomicInterval("chrA", 9, 15), 1)
    assert {tuple(side["value"]) for it in found.values() for side in it.values()} == {()}


def test_the_track_shows_the_control_over_the_model_on_one_scale(diverged):
    track = diverged[0].options("near")
    assert track["name"] == "divergence of near (KL in nats, next to its control in grey)"
    asked = [(one["asks"]["measure"], one["asks"]["side"]) for one in track["tracks"]]
    assert asked == [("kl", "+"), ("kl", "-"), ("control_kl", "+"), ("control_kl", "-")]
    assert {one["max"] for one in track["tracks"]} == {1001.5}
    with pytest.raises(UnknownNameError, match="found 'far'"):
        diverged[0].options("far")


def test_a_damaged_track_is_one_line(diverged):
    found, place = diverged
    whole = (place / "tracks" / "kl.plus.bw").read_bytes()
    (place / "tracks" / "kl.minus.bw").write_bytes(b"x" * len(whole))
    with pytest.raises(SchemaError, match=r"kl.minus.bw: expected a bigWig file"):
        found.region("near", "first", GenomicInterval("chrA", 9, 15), 1)
    (place / "tracks" / "kl.minus.bw").unlink()


def test_the_server_answers_for_a_divergence(client):
    assert client.get("/divergence/options", params={"divergence": "one"}).status_code == 200
    query = {"divergence": "one", "chr": "chrA", "start": 0, "end": 100, "bin": 1}
    found = client.get("/divergence", params=query).json()
    assert found["kl"] == {strand: {"start": [], "end": [], "value": []} for strand in "+-"}
    assert client.get("/divergence", params=query | {"divergence": "x"}).status_code == 404
