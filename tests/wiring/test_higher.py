"""Higher concepts: the features that mark their parts, and what is lost without them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from genointerp.annotation.higher import HigherConcept, HigherPart, define_higher
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import marking_features, marks_on_test
from genointerp.cli.main import app
from genointerp.command.explain.mediate import mediate as mediate_file
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.core.provenance import Provenance
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Contig, Genome
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.association import ASSOCIATIONS, N_COVERED
from genointerp.store.table.schema.edge import MEDIATION
from genointerp.store.table.table import read_provenance, read_table, write_table
from genointerp.wiring.bench import Bench, ConceptBases
from genointerp.wiring.higher import HigherGroup, find_marks, measure_higher
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.wiring.planted_model import PlantedModel
from tests.wiring.test_mediation import CONFIG, genome, naive_losses, planted, stack_of

__all__ = ["genome", "planted"]  # fixtures

PARTS = {"left": HigherPart("t"), "right": HigherPart("t", "behind", 12)}
HIGHER = {"h": HigherConcept("x", PARTS, least=2)}
GROUP = HigherGroup("h", {"h/left": (0,), "h/right": (1,)})


def measure(planted, genome, group=GROUP, config=CONFIG):
    folder, _, store = planted
    elements = make_elements(("t", "c", 100, 110, "+"), ("t", "c", 300, 320, "-"))
    places = define_higher(HIGHER, elements, genome)
    stack = stack_of(folder, "sae")
    table = measure_higher(stack, genome, store, [group], elements=places, config=config)
    return table.set_index("group")


def test_the_parts_of_a_planted_whole_work_and_matched_features_do_not(planted, genome):
    """Predictions are made of channels 5 to 7; of what is left to match, only 7 is one of them."""
    wide = replace(CONFIG, window=24 + 60, n_windows=1)
    found = measure(planted, genome, config=wide)
    assert found.index.tolist() == ["h", "h/left", "h/right"]
    assert found["features"].tolist() == ["blocks.1/0,blocks.1/1", "blocks.1/0", "blocks.1/1"]
    # both elements and what is behind them lie inside of their windows, whole
    assert found["n_bases"].tolist() == [30 + 24, 30, 24]
    assert (found["n_windows"] == 2).all()
    whole = found.loc["h"]
    assert abs(whole["effect"]) > 3 * abs(whole["effect_null"])
    assert whole["effect_p_two_sided"] == pytest.approx(1 / 6)
    # the parts together are counted on the bases of the whole, which are those of both parts
    assert whole["effect_parts"] == pytest.approx(
        (found.loc["h/left", "effect"] * 30 + found.loc["h/left", "other_parts"] * 24
         + found.loc["h/right", "effect"] * 24 + found.loc["h/right", "other_parts"] * 30) / 54
    )  # fmt: skip
    assert np.isnan(whole["other_parts"])
    assert found.loc[["h/left", "h/right"], "synergy"].isna().all()


def test_effects_are_those_of_a_naive_twin(planted, genome):
    elements = make_elements(("t", "c", 100, 110, "+"), ("t", "c", 300, 320, "-"))
    places = define_higher(HIGHER, elements, genome)
    # windows of one base each, which are all of the whole
    config = replace(CONFIG, n_bases=6, n_windows=3, window=CONFIG.warmup + 1)
    bench = Bench(stack_of(planted[0], "sae"), genome, planted[2], config)
    bases = ConceptBases(places, genome)
    windows = bench.around_elements(bases, GROUP.parts)
    table = measure(planted, genome, config=config)
    assert table["n_bases"].tolist() == [12, 6, 6]
    for number, part in enumerate(GROUP.parts):
        own = [window for window in windows if bases.count(part, window.kept)]
        other = [window for window in windows if window not in own]
        out = [(), (5 + number,)]
        for name, chosen in (("effect", own), ("other_parts", other)):
            clean, without = naive_losses(genome, chosen, out)
            assert table.loc[part, name] == pytest.approx(without - clean, abs=1e-6)
    clean, both = naive_losses(genome, windows, [(), (5, 6)])
    assert table.loc["h", "effect"] == pytest.approx(both - clean, abs=1e-6)
    assert np.isnan(table.loc["h", "outside"])


def test_parts_that_share_a_feature_have_no_synergy(planted, genome):
    found = measure(planted, genome, HigherGroup("h", {"h/left": (0, 1), "h/right": (1,)}))
    assert found["n_features"].tolist() == [2, 2, 1]
    assert np.isnan(found.loc["h", "synergy"])
    alone = measure(planted, genome, HigherGroup("h", {"h/left": (0, 1), "h/right": ()}))
    assert np.isnan(alone.loc["h", "synergy"])
    assert np.isnan(alone.loc["h/right", "effect"])
    assert alone.loc["h/right", "n_bases"] > 0


def test_a_genome_without_a_stretch_is_refused(planted, genome):
    folder, _, store = planted
    least = {"h": replace(HIGHER["h"], parts=PARTS | {"u": HigherPart("u")}, least=3)}
    elements = make_elements(("t", "c", 1, 2, "+"), ("u", "c", 50, 52, "-"))
    places = define_higher(least, elements, genome)
    stack = stack_of(folder, "sae")
    with pytest.raises(InputError, match="higher concept h: expected a stretch of it in"):
        measure_higher(stack, genome, store, [GROUP], elements=places, config=CONFIG)


def associations_of(*rows):
    columns = {it.name: [] for it in ASSOCIATIONS.columns if it.status == "REQUIRED"}
    kinds = {it.name: it.kind for it in ASSOCIATIONS.columns}
    for row in rows:
        known = {"concept": "t", "orientation": "sense", "log2_enrichment": 1.0} | row
        for name, values in columns.items():
            empty = "" if kinds[name] == "string" else 0
            values.append(known.get(name, empty))
    numbers = {name: kinds[name] for name in columns if kinds[name] != "string"}
    return pd.DataFrame(columns).astype(numbers)


def mark(feature, f1_fit, f1=0.5, q_value=0.01, **more):
    return {
        "feature": feature,
        "f1_fit": f1_fit,
        "f1": f1,
        "null_f1": 0.1,
        "q_value": q_value,
    } | more


def test_marks_are_chosen_on_fit_alone_and_shown_as_test_has_them():
    table = associations_of(
        mark(0, 0.2), mark(1, 0.9, q_value=0.5), mark(2, 0.8, f1=0.05), mark(3, 0.7),
        mark(4, 0.6, log2_enrichment=-1.0), mark(5, 0.99, orientation="antisense"),
        mark(6, 0.99, concept="u"),
    )  # fmt: skip
    assert marking_features(table, "t", "sense", 5) == [1, 2, 3, 4, 0]
    assert marking_features(table, "t", "sense", 2) == [1, 2]
    table["n_concept_bp"], table.attrs[N_COVERED] = 20, 180
    f1, always_on = marks_on_test(table, "t", "sense", [2, 1])
    assert (f1, always_on) == ([0.05, 0.5], pytest.approx(0.2))


def test_a_side_is_compared_with_every_feature(tmp_path):
    """Feature 1 fires on the 10 bases behind each element of ``fit`` and ``test``."""
    dense = silence(4_000, 3)
    starts = range(100, 3_900, 100)
    for start in starts:
        dense["+"][start + 20 : start + 30, 1] = 1
        dense["+"][start : start + 20, 2] = 1
    dense["+"][::7, 0] = 1
    letters = np.random.default_rng(0).choice(list(b"ACGT"), 4_000).astype(np.uint8)
    sequence = Genome([Contig("fit", letters[:2_000]), Contig("test", letters[2_000:])])
    store = make_store(
        tmp_path / "f.h5",
        dense,
        contigs_of(fit=2_000, test=2_000),
        genome_sha256=sequence.sha256,
    )
    rows = [("t", "fit", at, at + 20, "+") for at in starts if at < 1_990]
    rows += [("t", "test", at - 2_000, at - 1_980, "+") for at in starts if at >= 2_000]
    specimen = Specimen("g", store, sequence, elements=make_elements(*rows))
    split = AssociateConfig(test=("test",), n_shifts=99)
    higher = {
        "h": HigherConcept("x", {"left": HigherPart("t"), "right": HigherPart("t", "behind", 10)})
    }
    table = associations_of(mark(2, 0.9))
    (group,) = find_marks(higher, [specimen], table, split=split, n=1)
    assert group.parts == {"h/left": (2,), "h/right": (1,)}
    assert group.scores["h/right"].f1 == (1.0,)
    assert 0 < group.scores["h/right"].always_on < 1
    only = {"h": HigherConcept("x", {"left": HigherPart("t")})}
    none = associations_of(mark(2, 0.0))
    with pytest.raises(InputError, match="higher concept h: expected a feature that marks a part"):
        find_marks(only, [specimen], none, split=split, n=2)
    other = associations_of(mark(2, 0.9, concept="u"))
    with pytest.raises(UnknownNameError, match="concept of the associations: expected one of u"):
        find_marks(only, [specimen], other, split=split, n=2)
    assert find_marks(only, [specimen], other, split=split, n=2, leave_out=True) == []
    assert find_marks(only, [specimen], none, split=split, n=2, leave_out=True) == []


def test_the_command_writes_the_whole_and_its_parts(planted, tmp_path, monkeypatch):
    folder, model, store = planted
    (tmp_path / "c.yaml").write_text("t: {description: x, types: [tRNA]}\n")
    (tmp_path / "h.yaml").write_text(
        "h: {description: x, parts: {left: {of: t}, right: {of: t}}, join: 5}\n"
    )
    table = associations_of(mark(0, 0.9), mark(1, 0.8))
    table.attrs[N_COVERED] = 800
    made_from = {"sae": Dictionary.load(folder / "sae").header.sha256}
    write_table(table, tmp_path / "a.tsv", ASSOCIATIONS, Provenance({}, made_from))
    catalogue = tmp_path / "catalogue.yaml"
    genomes = (
        "format: genointerp::feature-catalogue\nversion: 1\ngenomes:\n"
        f"  a: {{features: {store.path}, sequence: {folder / 'c.fa'}, "
        f"annotation: {folder / 'c.gff3'}}}\n"
    )
    catalogue.write_text(f"{genomes}associations: a.tsv\n")
    options = {
        "model": model, "sae": folder / "sae", "higher_concepts": tmp_path / "h.yaml",
        "concepts": tmp_path / "c.yaml", "config": CONFIG,
    }  # fmt: skip
    out = tmp_path / "m.tsv"
    found = mediate_file(catalogue, out, "0,2", higher="all", **options)
    assert read_table(out, MEDIATION).equals(found)
    assert found["group"].tolist() == ["0,2", "h", "h/left", "h/right"]
    assert found["features"].tolist()[1:] == ["blocks.1/0,blocks.1/1"] * 3
    assert found["marks_f1"].tolist() == ["", "", "0.5,0.5", "0.5,0.5"]
    inputs = read_provenance(out, MEDIATION)["inputs"]
    assert {"associations", "concepts", "features-a", "annotation-a"} <= set(inputs)
    with pytest.raises(UnknownNameError, match="higher concept: expected one of h, all, found 'k'"):
        mediate_file(catalogue, tmp_path / "n.tsv", higher="k", **options)
    catalogue.write_text(genomes)
    with pytest.raises(InputError, match="associations: expected a run or a catalogue that names"):
        mediate_file(catalogue, tmp_path / "n.tsv", higher="h", **options)
    with pytest.raises(InputError, match="higher-concepts: expected the names of those to take"):
        mediate_file(catalogue, tmp_path / "n.tsv", "0,2", **options)
    with pytest.raises(InputError, match="concept: expected a group whose loss is counted on it"):
        mediate_file(catalogue, tmp_path / "n.tsv", higher="h", concept="t", **options)
    monkeypatch.setattr(
        "genointerp.command.explain.mediate.loaded_or_recorded", lambda *_: PlantedModel()
    )
    line = ["mediate", str(catalogue), "--sae", str(folder / "sae"), "--higher", "h"]
    line += ["--higher-concepts", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "n.tsv")]
    result = CliRunner().invoke(app, line)
    assert "none.yaml: expected a file that can be read" in str(result.exception)
