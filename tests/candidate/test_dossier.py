import json
from dataclasses import replace
from math import comb
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from genointerp.annotation.gff3.file import read_gff3, write_gff3
from genointerp.candidate.config import RankConfig
from genointerp.candidate.dossier import checks
from genointerp.candidate.dossier.checks import check_candidate
from genointerp.candidate.dossier.dossier import make_dossiers, nearest_directions
from genointerp.candidate.dossier.experiment import EXPERIMENTS, propose
from genointerp.candidate.dossier.file import as_mapping, read_dossier
from genointerp.candidate.evidence.locus import DossierConfig, locus_evidence
from genointerp.candidate.evidence.pattern import Pattern
from genointerp.candidate.flags import FLAGS, Comparison, Flag, Key
from genointerp.cli.main import app
from genointerp.command.find.dossier import dossier as write_dossiers
from genointerp.core.config import to_mapping
from genointerp.core.errors import ConfigError, InputError, SchemaError, StorageError
from genointerp.core.files import replacing
from genointerp.core.provenance import Provenance
from genointerp.genome.read import write_fasta
from genointerp.page.browser import Loci
from genointerp.page.dossier import dossier_part
from genointerp.page.table import Links
from genointerp.store.table.schema.candidate import CANDIDATES, LOCUS_EVIDENCE
from genointerp.store.table.table import conform, read_provenance, read_table, write_table
from tests.candidate.loci_of_one_genome import (
    MISSING,
    PREDICTED,
    QUIET,
    element,
    judged,
    predicted,
)

HOSTILE = "</script><script>window.stolen=1</script>;=\n"


@pytest.fixture
def candidates():
    table = pd.DataFrame(
        {
            "rank": [1, 2],
            "feature": [0, 1],
            "score": [0.5, 0.25],
            "density": [0.05, 0.2],
            "n_loci": [4, 9],
            "best_concept": ["", "tRNA"],
            "best_f1": [np.nan, 0.25],
            "unexplained": [1.0, 0.25],
            "loss_effect": [0.0125, np.nan],
            "gc_auroc": [0.5, np.nan],
            "n_genomes": [1, 1],
            "flags": ["few_loci", "explained,dense"],
            "top_region": ["c:151-180", "c:1-2"],
        }
    )
    return conform(table, CANDIDATES, where="test")


def outcomes(candidates, evidence, row=0, **changes):
    values = {**candidates.to_dict("records")[row], **changes}
    found = check_candidate(values, evidence, RankConfig(), DossierConfig())
    return {check.check: check for check in found}


def test_each_flag_is_a_check_with_its_threshold_and_value(one_genome, candidates):
    found = outcomes(candidates, judged(one_genome, PREDICTED))
    assert list(found) == [
        *(flag.name for flag in FLAGS),
        "one_kind",
        "annotation_missing",
        "masked",
    ]
    few = found["few_loci"]
    assert (few.outcome, dict(few.values), dict(few.thresholds)) == (
        "not ruled out",
        {"n_loci": 4.0},
        {"few_loci": 5.0},
    )
    assert found["dense"].outcome == "ruled out"
    assert found["dense"].thresholds == {"dense": 0.1}


def test_a_check_whose_value_is_undefined_is_not_said_to_be_ruled_out(one_genome, candidates):
    evidence = judged(one_genome)
    assert outcomes(candidates, evidence, gc_auroc=np.nan)["gc_shortcut"].outcome == "not examined"
    assert outcomes(candidates, evidence)["gc_shortcut"].outcome == "ruled out"
    assert outcomes(candidates, evidence)["annotation_missing"].outcome == "not examined"
    assert outcomes(candidates, evidence)["masked"].outcome == "not examined"
    assert outcomes(candidates, evidence)["masked"].reason == "no finder of low complexity was run"
    assert outcomes(candidates, evidence)["annotation_missing"].reason == "no finder was run"


COMPLETE = {
    **dict.fromkeys((c.name for c in CANDIDATES.columns if c.kind == "float64"), 0.5),
    **{"flags": "", "n_loci": 20, "n_genomes": 2, "n_read": 2, "n_families": 9, "period": 3},
}
"""A row on which everything was measured and no flag was raised."""


def examined(candidates, one_genome, **changes):
    found = outcomes(candidates, judged(one_genome, PREDICTED), **{**COMPLETE, **changes})
    return {name: (check.outcome, check.reason) for name, check in found.items()}


def test_where_all_was_measured_and_nothing_raised_every_flag_is_ruled_out(candidates, one_genome):
    found = examined(candidates, one_genome)
    assert {found[flag.name] for flag in FLAGS} == {("ruled out", "")}


@pytest.mark.parametrize(
    ("changes", "flag", "reason"),
    [
        pytest.param({"n_read": 1, "n_genomes": 1}, "single_genome", "one genome was read", id="1"),
        pytest.param({"seen_share": np.nan}, "memorised", checks.UNDEFINED["seen_share"],
                     id="no-unseen-genome"),
        pytest.param({"n_loci": 2}, "one_family", "it has too few loci to compare", id="few"),
        pytest.param({"stability": np.nan}, "unstable", checks.UNDEFINED["stability"],
                     id="one-seed"),
    ],
)  # fmt: skip
def test_what_could_not_be_examined_is_not_said_to_be_ruled_out(
    candidates, one_genome, changes, flag, reason
):
    assert examined(candidates, one_genome, **changes)[flag] == ("not examined", reason)


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_a_flag_that_was_raised_is_never_not_examined(candidates, one_genome, flag):
    unknown = {**dict.fromkeys(checks.UNDEFINED, np.nan), "flags": flag.name, "n_read": 1}
    assert examined(candidates, one_genome, **unknown)[flag.name] == ("not ruled out", "")


@pytest.mark.parametrize("column", sorted(checks.UNDEFINED))
def test_each_column_that_may_be_undefined_has_its_reason(candidates, one_genome, column):
    found = examined(candidates, one_genome, **{column: np.nan})
    named = {flag.name for flag in FLAGS if column in flag.columns}
    assert named
    for name in (flag.name for flag in FLAGS):
        expected = (
            ("not examined", checks.UNDEFINED[column]) if name in named else ("ruled out", "")
        )
        assert found[name] == expected


def test_that_no_concept_attracts_a_feature_rules_attraction_out(candidates, one_genome):
    assert examined(candidates, one_genome, attraction=np.nan)["attracted"] == ("ruled out", "")


def test_a_check_of_a_column_that_an_older_table_lacks_is_not_examined(candidates, one_genome):
    found = outcomes(candidates, judged(one_genome))
    assert "periodicity" not in candidates.columns
    assert found["periodic"].outcome == "not examined"
    assert found["periodic"].reason == "the table of candidates has no column periodicity"
    assert found["periodic"].values == {"periodicity": None, "period": None}


def test_loci_that_lie_in_one_kind_of_element_are_told_by_their_chance():
    frame = pd.DataFrame(
        {
            "element_type": ["tRNA"] * 3 + ["CDS"] * 6 + ["CDS"],
            "status": ["annotated"] * 9 + ["nothing hits"],
            "distance": [0.0] * 9 + [40.0],
            "type_share": [0.01, 0.02, 0.01] + [0.8] * 7,
        }
    )
    expected = 2 * sum(comb(10, k) * 0.02**k * 0.98 ** (10 - k) for k in range(3, 11))
    found = checks.commonest_type(frame)
    assert (found.type, found.n_loci) == ("tRNA", 3)
    assert found.chance == pytest.approx(expected)
    genes = checks.commonest_type(frame.iloc[3:])
    assert (genes.type, genes.n_loci, genes.chance) == ("CDS", 6, pytest.approx(0.5767168))
    assert checks.commonest_type(frame.iloc[9:]) is None


def test_a_candidate_of_one_kind_is_not_ruled_out(one_genome, candidates):
    evidence = judged(one_genome)
    # the gene holds a tenth of the bases: one locus of four in it is no wonder
    assert evidence["type_share"].tolist() == [0.1] * 4
    assert outcomes(candidates, evidence)["one_kind"].outcome == "ruled out"
    inside = evidence.assign(status="annotated", distance=0.0)
    check = outcomes(candidates, inside)["one_kind"]
    assert check.outcome == "not ruled out"
    assert check.values == {"one_kind": pytest.approx(1e-4)}
    assert "4 of 4 in CDS" in check.claim
    assert outcomes(candidates, evidence.head(0))["one_kind"][1:3] == (
        *("not examined", "it has no locus"),
    )
    outside = evidence.assign(status="nothing hits")
    assert outcomes(candidates, outside)["one_kind"].values == {"one_kind": 1.0}


def test_a_dossier_prints_the_thresholds_that_the_ranking_had(one_genome, candidates):
    row = {**candidates.to_dict("records")[0], **COMPLETE}
    ranked = RankConfig(dense=0.02, attracted=2.0)
    found = {
        check.check: check
        for check in check_candidate(row, judged(one_genome), ranked, DossierConfig())
    }
    assert found["dense"].rule == "density >= dense (0.02)"
    assert found["dense"].thresholds == {"dense": 0.02}
    assert "2^2 times as common" in found["attracted"].claim


def test_the_page_prints_the_thresholds_that_the_ranking_had(one_genome, candidates):
    searched = replace(one_genome, predictions=PREDICTED)
    dossier, *_ = make_dossiers(candidates, [searched], RankConfig(dense=0.02), QUIET)
    written = as_mapping(dossier, Provenance({}, {}))
    table = dossier_part(written, Links(Loci([one_genome]))).checks
    column = [head.name for head in table.columns].index("raised_where")
    rules = [row[column].text for row in table.rows]
    assert "density >= dense (0.02)" in rules
    assert "n_loci < few_loci (5)" in rules


def test_a_check_has_the_values_of_its_columns_and_keys(one_genome, candidates, monkeypatch):
    rule = (Comparison("n_loci", "<", Key("few_loci")), Comparison("density", "<", Key("dense")))
    own = Flag("own", rule, "{few_loci:g} or more", join=" or ")
    monkeypatch.setattr(checks, "FLAGS", (own,))
    found = outcomes(candidates, judged(one_genome))["own"]
    assert found.values == {"n_loci": 4, "density": 0.05}
    assert found.thresholds == {"few_loci": 5.0, "dense": 0.1}
    assert found.rule == "n_loci < few_loci (5) or density < dense (0.1)"
    assert found.claim == "5 or more"
    assert found.outcome == "ruled out"
    assert outcomes(candidates, judged(one_genome), density=np.nan)["own"].outcome == (
        "not examined"
    )


def test_missing_annotation_and_low_complexity_are_checks_of_the_loci(one_genome, candidates):
    found = outcomes(candidates, judged(one_genome, PREDICTED))
    assert found["annotation_missing"].values == {"annotation_missing": 0.25}
    assert found["annotation_missing"].outcome == "ruled out"
    assert found["masked"].values == {"masked": 0.125}
    genes = [element("CDS", start, end, tool="x") for start, end in (MISSING, (2000, 2100))]
    half = outcomes(candidates, judged(one_genome, predicted(*genes)))
    assert half["annotation_missing"].outcome == "not ruled out"
    assert half["masked"].outcome == "not examined"


def test_nearest_directions_are_those_of_a_loop_and_leave_out_the_feature_itself():
    decoder = np.random.default_rng(1).normal(size=(9, 4)) * 3
    cosine = {
        other: decoder[2]
        @ decoder[other]
        / np.linalg.norm(decoder[2])
        / np.linalg.norm(decoder[other])
        for other in range(9)
        if other != 2
    }
    expected = sorted(cosine, key=lambda other: -cosine[other])[:3]
    found = nearest_directions(decoder, 2, 3)
    assert [feature for feature, _ in found] == expected
    assert [value for _, value in found] == pytest.approx([cosine[one] for one in expected])


def test_a_dossier_tells_context_neighbours_ablation_and_what_to_test(one_genome, candidates):
    decoder = np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    patterned = candidates.to_dict("records")
    searched = replace(one_genome, predictions=PREDICTED)
    first, second = make_dossiers(candidates, [searched], RankConfig(), QUIET, decoder=decoder)
    assert first.candidate == pytest.approx(patterned[0], nan_ok=True)
    assert first.context["n_loci"].tolist() == [2, 1, 1]
    assert first.context["status"].tolist()[0] == "nothing hits"
    assert first.neighbours[["feature", "best_concept"]].values.tolist() == [[1, "tRNA"], [2, ""]]
    assert first.neighbours["cosine"].tolist() == pytest.approx([0.6, -1.0])
    assert first.ablation == {"loss_effect": 0.0125}
    assert second.ablation == {}
    assert first.next[0].startswith("First settle what is not ruled out: few_loci (too few loci")
    assert "unstable (the table of candidates has no column stability)" in first.next[1]
    assert first.motif is not None
    # it never fires, so that there is nothing to align
    assert second.motif is None
    assert second.loci.empty


def test_each_pattern_class_has_its_own_experiment():
    assert set(EXPERIMENTS) == set(get_args(Pattern))
    assert len({propose(pattern) for pattern in EXPERIMENTS} - {propose("")}) == len(EXPERIMENTS)


def test_from_an_unknown_pattern_no_experiment_follows():
    assert propose("") == propose("nonsense") not in EXPERIMENTS.values()


@pytest.fixture
def files(one_genome, candidates, tmp_path):
    write_fasta(one_genome.sequence, tmp_path / "c.fa")
    write_gff3(one_genome.annotation, tmp_path / "c.gff3")
    evil = element("tRNA", *MISSING, tool=HOSTILE)
    write_gff3(predicted(evil), tmp_path / "predicted.gff3")
    inputs = {"features-0": one_genome.features.sha256}
    record = Provenance(to_mapping(RankConfig(merge_gap=7)), inputs)
    write_table(candidates, tmp_path / "candidates.tsv", CANDIDATES, record)
    return {
        "candidates": tmp_path / "candidates.tsv",
        "features": one_genome.features.path,
        "genome": tmp_path / "c.fa",
        "annotations": tmp_path / "c.gff3",
        "predictions": tmp_path / "predicted.gff3",
    }


def test_the_files_of_a_dossier_hold_the_same_loci(files, one_genome, tmp_path):
    out = tmp_path / "dossiers"
    write_dossiers(**files, out=out, config=QUIET)
    names = sorted(path.name for path in out.iterdir())
    kinds = ["fasta", "gff3", "json"]
    assert names == [
        *sorted(f"feature_0.{kind}" for kind in [*kinds, "meme"]),
        *(f"feature_1.{kind}" for kind in kinds),
        "locus_evidence.tsv",
        "locus_evidence.tsv-metadata.json",
    ]
    table = read_table(out / "locus_evidence.tsv", LOCUS_EVIDENCE)
    loci = read_dossier(out / "feature_0.json")["loci"]
    assert [one["start"] for one in loci] == table["start"].tolist()
    parts = [e.parts[0] for e in read_gff3(out / "feature_0.gff3", one_genome.sequence)]
    assert sorted(part.start for part in parts) == sorted(table["start"].tolist())
    headers = [x for x in (out / "feature_0.fasta").read_text().splitlines() if x[0] == ">"]
    assert [x.split()[0] for x in headers] == [f">feature_0_locus_{n}" for n in range(1, 5)]


def test_hostile_text_ends_neither_a_line_nor_an_attribute_nor_the_json(
    files, one_genome, tmp_path
):
    out = tmp_path / "dossiers"
    write_dossiers(**files, out=out, config=QUIET)
    found = read_dossier(out / "feature_0.json")["loci"][1]["found_by"]
    assert found == f"{HOSTILE}:tRNA"
    (locus,) = (
        e for e in read_gff3(out / "feature_0.gff3", one_genome.sequence) if e.id.endswith("_2")
    )
    assert locus.attribute("found_by") == found
    assert set(locus.attributes) >= {"ID", "candidate_rank", "status", "element", "found_by"}
    headers = [x for x in (out / "feature_0.fasta").read_text().splitlines() if "=" in x]
    assert len(headers) == 4


def test_the_loci_are_those_of_the_ranking(files, one_genome, tmp_path):
    (first, _) = write_dossiers(**files, out=tmp_path / "dossiers", config=QUIET)
    told = RankConfig(merge_gap=7)
    again = locus_evidence([one_genome], pd.DataFrame([first.candidate]), told, QUIET)
    assert first.loci["end"].tolist() == again["end"].tolist()


def test_a_folder_of_something_else_stays_and_the_same_input_gives_the_same_bytes(files, tmp_path):
    out = tmp_path / "dossiers"
    out.mkdir()
    (out / "feature_99.json").write_text("of another run\n")
    with pytest.raises(StorageError, match=r"dossiers: expected nothing, or the same result"):
        write_dossiers(**files, out=out, config=QUIET)
    assert [path.name for path in out.iterdir()] == ["feature_99.json"]
    with replacing():
        write_dossiers(**files, out=out, config=QUIET)
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert "feature_99.json" not in first
    write_dossiers(**files, out=out, config=QUIET)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_without_candidates_there_is_an_empty_table_and_no_dossier(files, candidates, tmp_path):
    inputs = read_provenance(files["candidates"], CANDIDATES)["inputs"]
    record = Provenance(to_mapping(RankConfig()), inputs)
    write_table(candidates.head(0), tmp_path / "none.tsv", CANDIDATES, record)
    files["candidates"] = tmp_path / "none.tsv"
    assert write_dossiers(**files, out=tmp_path / "d") == []
    assert read_table(tmp_path / "d" / "locus_evidence.tsv", LOCUS_EVIDENCE).empty


def test_files_that_do_not_belong_together_are_refused(files, tmp_path):
    with pytest.raises(InputError, match="expected its annotation"):
        write_dossiers(**{**files, "annotations": ()})
    with pytest.raises(InputError, match="features: expected those of the candidates, found none"):
        write_dossiers(**{**files, "features": None})
    write_table(
        read_table(files["candidates"], CANDIDATES),
        tmp_path / "other.tsv",
        CANDIDATES,
        Provenance({"nonsense": 1}, {}),
    )
    with pytest.raises(ConfigError, match=r"other\.tsv: config: expected one of the keys"):
        write_dossiers(**{**files, "candidates": tmp_path / "other.tsv"}, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_dossier_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "feature_0.json"
    path.write_text(json.dumps({"format": "genointerp::dossier", "format-version": 2}))
    with pytest.raises(SchemaError, match=r"expected genointerp::dossier version 1, found .* 2"):
        read_dossier(path)


def test_the_command_writes_them_and_says_so_on_the_standard_output(files, tmp_path, capsys):
    config = tmp_path / "few.yaml"
    config.write_text("n_candidates: 1\nn_shuffles: 0\n")
    line = ["dossier", str(files["candidates"])]
    line += [word for name in [*files][1:4] for word in (f"--{name}", str(files[name]))]
    line += ["--config", str(config), "--out", str(tmp_path / "d")]
    app(line, standalone_mode=False)
    assert capsys.readouterr().out == f"1 dossiers -> {tmp_path / 'd'}\n"
    assert [path.name for path in (tmp_path / "d").glob("feature_*.json")] == ["feature_0.json"]
