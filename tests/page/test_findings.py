"""Sentences on what a run found, against the tables that they are made of."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from genointerp.core.provenance import Provenance
from genointerp.page.findings import finding_lines, read_findings
from genointerp.page.run import open_run
from genointerp.store.table.schema.association import BESIDE, SIDES
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.table import empty_table, write_table

UNDEFINED = math.nan


def beside_of(*rows):
    """A table with concept, F1, F1 of a detector that always fires, and q of each row."""
    made = [
        {
            "concept": concept,
            "orientation": "sense",
            "feature": number,
            "f1": f1,
            "neuron_or_component": UNDEFINED,
            "sequence_alone": 0.25,
            "probe": UNDEFINED,
            "always_on": always_on,
            "which": "",
            "q_value": q_value,
            "shows": "Shows so much.",
        }
        for number, (concept, f1, always_on, q_value) in enumerate(rows)
    ]
    return pd.DataFrame(made, columns=BESIDE.names)


@pytest.fixture(scope="module")
def run(run_dir):
    return open_run(run_dir)


def texts(group):
    return {one.subject: one.text for one in group}


def test_a_concept_is_found_where_its_feature_beats_chance_and_firing_everywhere(run):
    beside = beside_of(
        ("tRNA", 0.8, 0.1, 0.01), ("CDS", 0.6, 0.595, 0.01), ("intergenic", 0.5, 0.1, 0.2)
    )
    findings = read_findings(run, beside)
    found = texts(findings.found)
    assert found["tRNA (sense)"] == (
        "feature 0 has F1 0.8 (a detector that always fires: 0.1; a model of the sequence alone: "
        "0.25). Shows so much."
    )
    assert not {"CDS (sense)", "intergenic (sense)"} & set(found)
    unknown = texts(findings.unknown)
    assert unknown["concepts that are not shown"].endswith(": CDS, intergenic.")


def test_concepts_that_test_lacks_are_named(run):
    unknown = texts(read_findings(run, beside_of(("tRNA", 0.8, 0.1, 0.01))).unknown)
    names = set(run.specimens[0].elements.names)
    assert set(unknown["concepts that were not tested"].rstrip(".").split(": ")[1].split(", ")) == (
        names - {"tRNA"}
    )


def test_a_run_without_baselines_says_that_they_were_not_measured(run):
    assert "Baselines were not measured" in texts(read_findings(run).unknown)["baselines"]
    assert "baselines" not in texts(read_findings(run, beside_of(("a", 0.8, 0.1, 0.01))).unknown)


def test_the_first_candidate_without_a_flag_is_named_with_its_place(run):
    (candidates,) = (one for one in read_findings(run).found if one.subject == "candidates")
    assert candidates.text == (
        "3 features ranked by how little known concepts explain; no flag speaks against 1 of them. "
        "The first of these is feature 7 (rank 1), strongest at chrB:2,001-2,100."
    )
    assert (candidates.feature, candidates.region) == (7, "chrB:2,001-2,100")


def test_candidates_that_all_have_flags_are_no_finding_of_one(run):
    flagged = replace(run, candidates=run.candidates.assign(flags="gc"))
    (candidates,) = (one for one in read_findings(flagged).found if one.subject == "candidates")
    assert candidates.text.endswith("a flag speaks against each of them.")
    assert candidates.feature is None


def test_shared_sequence_of_fit_and_test_is_a_warning(run, tmp_path):
    row = {"fit_genome": "one", "test_genome": "two", "fit_bp": 10, "test_bp": 10}
    row |= {"shared_kmers": 0.25, "ani": 0.99, "aligned_share": 0.5}
    for similar, subjects in ((1, {"shared sequence"}), (0, set())):
        folder = tmp_path / str(similar)
        folder.mkdir()
        table = pd.DataFrame([{**row, "similar": similar}])[SIDES.names]
        write_table(table, folder / "associations.sides.tsv", SIDES, Provenance({}, {}))
        warnings = texts(read_findings(replace(run, path=folder), beside_of()).warnings)
        assert set(warnings) == subjects
        assert all(text.startswith("25.0% of the 31-mers of two") for text in warnings.values())


def test_an_annotation_that_was_predicted_is_a_warning(run):
    genomes = {"first": {"sequence": "a.fa", "annotate_with": ["pyrodigal"]}, "second": {}}
    warned = texts(read_findings(replace(run, config={**run.config, "genomes": genomes})).warnings)
    assert warned["annotation of first"].startswith("predicted by pyrodigal: ")
    assert "annotation of second" not in warned


def test_the_figures_of_the_dictionary_are_its_limits(run):
    figures = {"fidelity.loss_recovered": 0.95468, "fidelity.fvu": 0.2094, "fidelity.dead_share": 0}
    limits = texts(read_findings(replace(run, summary=figures)).limits)
    assert limits["dictionary"].endswith(
        "0.955 of the loss is recovered, 0.209 of the variance is left unexplained, 0.0% of the "
        "features never fire."
    )
    undefined = replace(run, summary={"fidelity.loss_recovered": None})
    assert "dictionary" not in texts(read_findings(undefined).limits)


def test_a_run_without_annotation_has_findings_too(run):
    bare = replace(run, candidates=empty_table(CANDIDATES))
    lines = finding_lines(read_findings(bare, beside_of()))
    assert lines[0] == "What is not known"
    assert "no feature has a score" in lines[1]
    assert "Limits" in lines
