import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.candidate.evidence.locus import DossierConfig, Parts, annotation_missing
from genointerp.candidate.evidence.missing import missing_shares
from genointerp.core.errors import ConfigError
from genointerp.genome.interval import GenomicInterval
from tests.candidate.loci_of_one_genome import (
    ANNOTATED,
    EDGE,
    LENGTH,
    MISSING,
    NOTHING,
    PREDICTED,
    element,
    judged,
    predicted,
)


def test_loci_whose_annotation_is_missing_are_told_from_those_where_nothing_hits(one_genome):
    table = judged(one_genome, PREDICTED)
    assert table["locus"].tolist() == [1, 2, 3, 4]
    assert list(zip(table["start"], table["end"], strict=True)) == [
        ANNOTATED,
        MISSING,
        NOTHING,
        EDGE,
    ]
    # 10 of the 100 bases of the last locus lie in the gene
    assert table["status"].tolist() == [
        "annotated",
        "annotation missing",
        "nothing hits",
        "nothing hits",
    ]
    assert table["found_by"].tolist() == [
        "pyrodigal:CDS",
        "pyaragorn:tRNA,pyinfernal:ncRNA",
        "pydustmasker:low_complexity_region,pytrf:tandem_repeat",
        "",
    ]
    assert table["low_complexity"].tolist() == [0.0, 0.0, 0.5, 0.0]
    assert table["element"].tolist()[:2] == ["abcA", "abcA"]
    assert table["distance"].tolist()[:2] == [0.0, 600.0]


def test_what_was_not_searched_is_not_said_to_be_hit_by_nothing(one_genome):
    table = judged(one_genome)
    assert table["status"].tolist() == ["annotated", *["not searched"] * 3]
    assert table["low_complexity"].isna().all()
    assert set(table["found_by"]) == {""}


def test_an_element_that_shares_less_than_asked_accounts_for_nothing(one_genome):
    lax = judged(one_genome, PREDICTED, DossierConfig(n_shuffles=0, overlap=0.1))
    assert lax["status"].tolist()[3] == "annotated"


def test_predictions_of_other_programs_are_named_by_their_type(one_genome):
    table = judged(one_genome, predicted(element("tRNA", 1010, 1070)))
    assert table["found_by"].tolist()[1] == "tRNA"
    assert table["low_complexity"].isna().all()


def test_the_share_of_missing_annotation_is_undefined_where_nothing_was_searched():
    frame = pd.DataFrame(
        {
            "feature": [1, 1, 2, 2, 3],
            "status": [
                "annotation missing",
                "annotated",
                "not searched",
                "annotated",
                "nothing hits",
            ],
        }
    )
    assert annotation_missing(frame).to_dict() == pytest.approx(
        {1: 0.5, 2: np.nan, 3: 0.0}, nan_ok=True
    )


def test_genomes_whose_contigs_have_one_name_are_searched_each_for_itself(one_genome):
    nothing = AnnotationSet([], {"c": LENGTH})
    first = replace(one_genome, predictions=nothing)
    second = replace(one_genome, name="two", annotation=nothing, predictions=PREDICTED)
    rows = [
        (feature, genome, "c", *place)
        for feature, genome, place in [
            *((1, 0, place) for place in (ANNOTATED, MISSING)),
            *((2, 1, place) for place in (ANNOTATED, MISSING, NOTHING, EDGE)),
        ]
    ]
    loci = pd.DataFrame(rows, columns=["feature", "genome", "seqid", "start", "end"])
    assert missing_shares([first, second], loci, 0.5).to_dict() == {1: 0.0, 2: 0.5}
    # a tenth of the last locus lies in the gene that the finder sees
    assert missing_shares([first, second], loci, 0.1).to_dict() == {1: 0.0, 2: 0.75}


def test_only_loci_without_annotation_are_folded(one_genome):
    pytest.importorskip("RNA", reason='pip install "genointerp[annotate]"')
    table = judged(one_genome, PREDICTED, DossierConfig(n_shuffles=4, fold_bp=30))
    assert table["folding_z"].isna().tolist() == [True, False, False, False]


def test_without_viennarna_nothing_is_folded_and_the_rest_is_judged(
    one_genome, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "RNA", None)
    table = judged(one_genome, PREDICTED, DossierConfig())
    assert table["folding_z"].isna().all()
    assert caplog.text.count('pip install "genointerp[annotate]" (viennarna)') == 1
    assert table["status"].tolist()[1] == "annotation missing"


@given(st.data())
def test_covering_and_share_are_those_of_sets_of_bases(data):
    spans = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda s: (s[0], s[0] + s[1]))
    parts = data.draw(st.lists(spans, max_size=6, unique=True))
    start, end = data.draw(spans)
    least = data.draw(st.sampled_from([0.1, 0.5, 1.0]))
    place = GenomicInterval("c", start, end)
    named = [
        Element("x", str(number), (Part("c", *part, "+"),)) for number, part in enumerate(parts)
    ]
    found = Parts(AnnotationSet(named, {"c": 50}))
    bases = set(range(start, end))
    expected = {
        part
        for part in parts
        if (n := len(bases & set(range(*part)))) and n >= least * min(len(bases), part[1] - part[0])
    }
    rows = found.covering(place, least)
    assert {(found.start[row], found.end[row]) for row in rows} == expected
    covered = bases & {base for part in parts for base in range(*part)}
    share = found.share(place, "x")
    assert share == pytest.approx(len(covered) / len(bases)) if parts else np.isnan(share)


@pytest.mark.parametrize(
    "values",
    [{"n_candidates": 0}, {"overlap": 0.0}, {"max_missing": 1.5}, {"n_shuffles": -1}],
    ids=str,
)
def test_a_number_out_of_range_is_refused(values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        DossierConfig(**values)
