"""Planted features upon a planted annotation: what is hidden must be found, and stay hidden."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import load_concepts
from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.candidate.backtest.backtest import (
    RandomWeights,
    Subject,
    associate_hidden,
    backtest,
    by_density,
    class_features,
    count_read,
    tell_shown,
    verdict,
)
from genointerp.candidate.backtest.hidden import hide
from genointerp.candidate.config import RankConfig
from genointerp.candidate.rank import gather, rank_evidence
from genointerp.cli.main import app
from genointerp.core.errors import InputError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import write_fasta
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.schema.candidate import BACKTEST, BACKTEST_FEATURES
from genointerp.store.table.table import read_table, write_table
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen, specimens

LENGTH = 20_000
CONCEPTS = load_concepts()
TRNA, SECOND, CODING, GAP, EVERYWHERE, NOVEL, MUTE = range(7)
STARTS = [1000 * i + 500 + 7 * i * i % 200 for i in range(19)]
TRNAS = [(s, s + 76, "+-"[i % 2]) for i, s in enumerate(STARTS)]
CODINGS = [(s + 120, s + 270, "-+"[i % 2]) for i, s in enumerate(STARTS)]
SPLIT = AssociateConfig(test=("test",), n_shifts=299, top_per_concept=1)
CONFIG = RankConfig(few_loci=2)


def annotate(seqid, *, without=()):
    """A tRNA and a CDS in each thousand bases, each below a gene."""
    elements = []
    for kind, places, phase in (("tRNA", TRNAS, -1), ("CDS", CODINGS, 0)):
        if kind in without:
            continue
        for i, (start, end, strand) in enumerate(places):
            gene, part = f"gene-{kind}{i}", Part(seqid, start, end, strand)
            elements.append(Element("gene", gene, (part,)))
            parent = {"Parent": (gene,)}
            elements.append(Element(kind, f"{kind}{i}", (part._replace(phase=phase),), parent))
    return AnnotationSet(elements, {seqid: LENGTH})


def draw(rng):
    dense = silence(LENGTH, 7)
    for strand in "+-":
        dense[strand][:, EVERYWHERE] = rng.random(LENGTH) < 0.3
        for start in STARTS:
            dense[strand][start + 450 : start + 470, NOVEL] = 1
    for start, end, strand in TRNAS:
        dense[strand][start:end, TRNA] = 2
        dense[strand][start : start + 20, SECOND] = 1
    for start, end, strand in CODINGS:
        dense[strand][start:end, CODING] = 1
        dense[strand][end : end + 20, GAP] = 1
    return dense


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backtest")
    genomes, stores, random = [], [], []
    for seed, seqid in enumerate(("fit", "test")):
        rng = np.random.default_rng(seed)
        genome = Genome([Contig(seqid, rng.choice(np.frombuffer(b"ACGT", np.uint8), LENGTH))])
        contigs = ContigInfo.of(genome)
        keys = {"genome_sha256": genome.sha256}
        stores.append(make_store(folder / f"{seqid}.h5", draw(rng), contigs, **keys))
        noise = {s: (rng.random((LENGTH, 3)) < 0.01).astype(np.float32) for s in "+-"}
        noise["+"][:, 0] = draw(rng)["+"][:, TRNA]
        noise["-"][:, 0] = draw(rng)["-"][:, TRNA]
        path = folder / f"{seqid}-random.h5"
        random.append(make_store(path, noise, contigs, sae_sha256="r", model_sha256="r", **keys))
        genomes.append(genome)
    known = {"sequence": genomes, "annotation": [annotate("fit"), annotate("test")]}
    own = specimens(stores, **known)
    table = associate(defined(own), config=SPLIT, matched=False)
    return Subject(own, table, SPLIT), RandomWeights(specimens(random, **known))


def defined(specimens, concepts=CONCEPTS):
    return [one.with_concepts(concepts) for one in specimens]


@pytest.fixture(scope="module")
def result(world):
    subject, random = world
    return backtest(subject, CONCEPTS, CONFIG, random=random)


def row_of(result, name):
    return result.classes.set_index("class").loc[name]


def test_each_class_of_the_annotation_is_hidden_once(result):
    assert list(result.classes.columns) == BACKTEST.names
    assert result.classes["class"].tolist() == ["tRNA", "CDS", "start_codon", "stop_codon"]
    assert result.classes["use"].tolist() == ["tuned", "tuned", "reserve", "reserve"]


def test_a_concept_of_another_is_hidden_alone(world):
    full = defined(world[0].specimens)
    hidden = hide(full, CONCEPTS, "stop_codon")
    assert (hidden.gone, hidden.changed) == (("stop_codon",), ())
    for one in full:
        own, shown = hidden.elements[one.genome_sha256], one.elements
        assert "stop_codon" not in own.names
        pd.testing.assert_frame_equal(own.of("CDS"), shown.of("CDS"))
        assert len(own.table) == len(shown.table) - len(shown.of("stop_codon"))


def test_what_goes_with_a_hidden_part_is_what_is_made_of_it(world):
    hidden = hide(defined(world[0].specimens), CONCEPTS, "CDS_phase0")
    assert hidden.gone == ("CDS_phase0",)


def test_the_hidden_class_is_found(result):
    row = row_of(result, "tRNA")
    assert (row["n_class_features"], row["best_feature"], row["n_live"]) == (2, TRNA, 6)
    assert row["best_f1"] == pytest.approx(1.0)
    # of the six, one is everywhere and one tells the coding sequences, which are known
    assert row["rank_best"] <= 4
    assert row["rank_first"] == result.features[result.features["class"] == "tRNA"]["rank"].min()
    assert row["recall_10"] == 1.0
    # of six features two that are early are no evidence
    assert row["p_ranks"] > 0.05
    assert row["verdict"] == "missed"
    assert row["expected_rank_first"] == pytest.approx(7 / 3)


def test_what_goes_with_a_class_and_what_becomes_other_is_told(result):
    row = row_of(result, "CDS")
    names = "CDS,CDS_phase0,CDS_phase1,CDS_phase2,start_codon,stop_codon"
    assert (row["hidden"], row["changed"]) == (names, "intergenic")
    assert row["overlapping"] == ""
    assert row["n_elements"] == 2 * len(CODINGS)
    assert row_of(result, "tRNA")["hidden"] == "tRNA"


def test_elements_count_where_a_base_of_them_was_read(tmp_path):
    coverage = {"c": [(0, 100, "+"), (150, 160, "-")]}
    store = make_store(tmp_path / "f.h5", silence(300, 1), contigs_of(c=300), coverage=coverage)
    # read, its last base read on the other strand, between, beyond
    places = [(10, 20), (99, 110), (159, 170), (120, 140), (200, 250)]
    elements = make_elements(*(("tRNA", "c", *place, "+") for place in places))
    assert count_read([specimen(store, elements)], "tRNA") == 3


def test_a_feature_that_is_explained_when_known_is_a_candidate_when_hidden(world, result):
    subject, _ = world
    evidence = gather(subject.specimens, CONFIG)
    shown = rank_evidence(evidence, subject.associations, CONFIG).set_index("feature")
    hidden = result.features.set_index(["class", "dictionary", "feature"])
    assert "explained" in shown.loc[TRNA, "flags"]
    assert hidden.loc[("tRNA", "trained", TRNA), "flags"] == ""
    assert hidden.loc[("tRNA", "trained", TRNA), "score"] > shown.loc[TRNA, "score"]


@pytest.mark.parametrize("name", ["tRNA", "CDS"])
def test_the_ranking_is_that_of_an_annotation_which_never_had_the_class(world, name):
    subject, _ = world
    hidden = hide(defined(subject.specimens), CONCEPTS, name)
    never = [
        replace(one, annotation=annotate(seqid, without=(name,)))
        for one, seqid in zip(subject.specimens, ("fit", "test"), strict=True)
    ]
    table = associate(defined(never), config=SPLIT, matched=False, offsets=False)
    own = associate_hidden(subject.specimens, hidden, SPLIT)
    pd.testing.assert_frame_equal(own, table)
    evidence = gather(subject.specimens, CONFIG)
    pd.testing.assert_frame_equal(
        rank_evidence(evidence, own, CONFIG), rank_evidence(evidence, table, CONFIG)
    )


@pytest.mark.parametrize("name", ["tRNA", "CDS"])
def test_the_ranks_do_not_change_with_the_known_scores_of_the_class(world, result, name):
    subject, _ = world
    table = subject.associations.copy()
    # scores of the class decide which features are looked up, never where they are
    table.loc[table["concept"] == name, ["precision", "log2_enrichment", "auroc"]] = 0.5
    again = backtest(replace(subject, associations=table), CONCEPTS, CONFIG)
    keys = ["class", "feature", "rank", "score", "flags"]
    trained = result.features[result.features["dictionary"] == "trained"]
    merged = again.features[keys].merge(trained[keys], on=keys[:2], suffixes=("", "_before"))
    assert len(merged) == len(again.features)
    assert (merged["rank"] == merged["rank_before"]).all()
    assert (merged["flags"] == merged["flags_before"]).all()


def test_features_of_a_class_are_told_by_their_best_label_on_fit(world):
    subject, _ = world
    found = class_features(subject.associations, ["tRNA"], CONFIG)
    assert found["feature"].tolist() == [TRNA, SECOND]
    assert found["orientation"].tolist() == ["sense", "sense"]
    coding = class_features(subject.associations, ["CDS", "CDS_phase0"], CONFIG)
    assert coding["feature"].tolist() == [CODING]
    strict = class_features(subject.associations.assign(q_value=0.06), ["tRNA"], CONFIG)
    assert strict.empty


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, True, id="above-always-on"),
        pytest.param({"f1": 0.6}, False, id="below-always-on"),
        pytest.param({"f1": 0.6, "precision": 0.8}, True, id="below-always-on-but-precise"),
        pytest.param({"null_f1": 0.7}, False, id="as-a-rotated-annotation"),
        pytest.param({"f1": 0.09, "precision": 0.9}, False, id="too-little-of-the-class"),
        pytest.param({"q_value": 0.06}, False, id="not-significant"),
        pytest.param({"f1_fit": 0.0}, False, id="nothing-on-fit"),
    ],
)
def test_what_tells_a_class(change, expected):
    # half of 1,000 bases are of the concept: always on has an F1 of 2/3
    values = {
        "feature": 0,
        "concept": "x",
        "orientation": "sense",
        "f1_fit": 0.5,
        "f1": 0.7,
        "null_f1": 0.1,
        "precision": 0.6,
        "n_feature_bp": 400,
        "n_concept_bp": 500,
        "n_both_bp": 240,
        "log2_enrichment": np.log2(240.5 / 200.5),
        "q_value": 0.01,
    }
    table = pd.DataFrame([values | change])
    assert (len(class_features(table, ["x"], RankConfig())) == 1) == expected


def test_the_dictionary_of_random_weights_stands_beside(result):
    row = row_of(result, "tRNA")
    assert row["random_n_class_features"] == 1
    assert row["random_rank_first"] >= 1
    assert row_of(result, "CDS")["random_n_class_features"] == 0
    assert np.isnan(row_of(result, "CDS")["random_rank_first"])


def test_the_order_by_density_has_the_rarest_first():
    table = pd.DataFrame({"feature": [5, 1, 2], "density": [0.1, 0.2, 0.1]})
    assert by_density(table).tolist() == [2, 3, 1]


TOLD = {
    "probe_auroc": 0.95,
    "rank_best": 20.0,
    "n_class_features": 4,
    "n_live": 500,
    "p_ranks": 0.05,
    "p_value": 0.05,
    "share_risen": 0.75,
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "found", id="all-holds"),
        pytest.param({"probe_auroc": np.nan}, "found", id="no-probe"),
        pytest.param({"probe_auroc": 0.9}, "not known", id="a-probe-does-not-tell-it"),
        pytest.param({"rank_best": np.nan, "n_class_features": 0}, "no feature", id="no-feature"),
        pytest.param({"rank_best": 21.0}, "missed", id="late"),
        pytest.param({"p_ranks": 0.051}, "missed", id="all-of-them-at-chance"),
        pytest.param({"p_value": 0.37}, "missed", id="the-first-at-chance"),
        pytest.param({"p_value": 0.37, "n_class_features": 26}, "found", id="no-first-can-tell"),
        pytest.param({"share_risen": 0.5}, "not hidden by annotation", id="as-early-when-shown"),
        pytest.param({"share_risen": 0.5, "rank_best": 21.0}, "missed", id="late-and-as-early"),
    ],
)
def test_the_verdict_is_the_first_that_holds(changes, expected):
    assert verdict({**TOLD, **changes}, within_known=False) == expected


def test_what_tells_a_part_of_a_known_class_cannot_be_early():
    assert verdict(TOLD, within_known=True) == "part of what is known"
    untold = {**TOLD, "rank_best": np.nan, "n_class_features": 0}
    assert verdict(untold, within_known=True) == "no feature"


def test_a_feature_has_risen_where_hiding_halves_its_rank():
    features = pd.DataFrame(
        {"f1_fit": [0.5, 0.9, 0.1], "rank": [10, 3, 7], "rank_shown": [20, 5, 13]}
    )
    assert tell_shown(features) == {
        "rank_first_shown": 5,
        "rank_best_shown": 5,
        "share_risen": pytest.approx(1 / 3),
    }
    assert all(np.isnan(value) for value in tell_shown(features.head(0)).values())


def test_features_that_are_as_early_with_nothing_hidden_are_told(result):
    own = result.features[(result.features["class"] == "tRNA")
                          & (result.features["dictionary"] == "trained")]  # fmt: skip
    row = row_of(result, "tRNA")
    assert row["rank_first_shown"] == own["rank_shown"].min()
    assert row["rank_best_shown"] == own.loc[own["f1_fit"].idxmax(), "rank_shown"]
    assert row["share_risen"] == (2 * own["rank"] <= own["rank_shown"]).mean()


def test_probes_say_which_classes_the_model_knows(world):
    subject, _ = world
    probes = pd.DataFrame(
        {
            "detector": ["linear_probe", "linear_probe", "neuron"],
            "concept": ["tRNA", "CDS_phase2", "CDS"],
            "auroc": [0.7, 0.93, 0.99],
        }
    )
    table = backtest(subject, CONCEPTS, CONFIG, probes=probes).classes.set_index("class")
    assert table.loc[["tRNA", "CDS"], "probe_auroc"].tolist() == [0.7, 0.93]
    assert table["verdict"].eq("not known").tolist() == [True, False, False, False]


def test_the_annotation_of_each_genome_is_needed(world):
    subject, _ = world
    first, second = subject.specimens
    half = replace(subject, specimens=[first, replace(second, annotation=None)])
    with pytest.raises(InputError, match="specimen test: expected its annotation"):
        backtest(half, CONCEPTS, CONFIG)


def test_hiding_all_that_is_known_leaves_nothing_explained(world):
    subject, _ = world
    only = {"tRNA": CONCEPTS["tRNA"]}
    table = associate(defined(subject.specimens, only), config=SPLIT, matched=False)
    found = backtest(replace(subject, associations=table), only, CONFIG)
    assert found.classes["changed"].tolist() == [""]
    assert set(found.features["feature"]) == {TRNA, SECOND}
    assert not found.features["flags"].str.contains("explained").any()


def gff3(path, annotations):
    from genointerp.annotation.gff3.file import write_gff3

    write_gff3(annotations, path)
    return path


@pytest.fixture(scope="module")
def files(world, tmp_path_factory):
    subject, _ = world
    folder = tmp_path_factory.mktemp("files")
    parts = []
    for one in subject.specimens:
        name = one.name
        write_fasta(one.sequence, folder / f"{name}.fa")
        gff3(folder / f"{name}.gff3", one.annotation)
        parts += [str(one.features.path), "--genome", str(folder / f"{name}.fa")]
        parts += ["--annotations", str(folder / f"{name}.gff3")]
    from genointerp.core.config import to_mapping
    from genointerp.core.provenance import Provenance, sha256_file

    inputs = {f"features-{i}": one.features.sha256 for i, one in enumerate(subject.specimens)}
    names = [folder / "fit.gff3", folder / "test.gff3"]
    inputs |= {f"annotations-{i}": sha256_file(path) for i, path in enumerate(names)}
    inputs["concepts"] = sha256_file(annotations_folder() / "concepts.yaml")
    provenance = Provenance(to_mapping(SPLIT), inputs)
    write_table(subject.associations, folder / "associations.parquet", ASSOCIATIONS, provenance)
    (folder / "rank.yaml").write_text("few_loci: 2\n")
    parts += ["--associations", str(folder / "associations.parquet")]
    return [*parts, "--config", str(folder / "rank.yaml")]


def test_the_command_writes_both_tables_and_the_figure(files, result, tmp_path):
    out, figure = tmp_path / "backtest.tsv", tmp_path / "backtest.png"
    ran = CliRunner().invoke(
        app, ["backtest", *files, "--out", str(out), "--figure-out", str(figure)]
    )
    assert ran.exit_code == 0, ran.output
    assert "4 classes hidden: " in ran.output
    table = read_table(out, BACKTEST)
    columns = ["class", "hidden", "best_feature", "rank_first", "rank_best", "recall_50", "p_value"]
    pd.testing.assert_frame_equal(table[columns], result.classes[columns])
    features = read_table(tmp_path / "backtest_features.tsv", BACKTEST_FEATURES)
    assert set(features["dictionary"]) == {"trained"}
    assert figure.stat().st_size > 0


def test_a_genome_that_is_not_that_of_the_features_is_refused(files, tmp_path):
    wrong = [part for part in files if not part.endswith("test.fa")]
    wrong.pop(wrong.index("--genome", wrong.index("--genome") + 1))
    with pytest.raises(InputError, match="specimen test: expected its sequence"):
        app(["backtest", *wrong, "--out", str(tmp_path / "o.tsv")], standalone_mode=False)
    assert list(tmp_path.iterdir()) == []
