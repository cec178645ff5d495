"""What ranks is told the same by whichever command, and refuses what does not belong together."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.gff3.file import write_gff3
from genointerp.candidate.backtest import backtest
from genointerp.candidate.rank import rank_evidence
from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import write_fasta
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.association import BASELINES
from genointerp.store.table.schema.candidate import (
    ABLATION,
    BACKTEST,
    BACKTEST_FEATURES,
    CANDIDATES,
)
from genointerp.store.table.table import empty_table, read_provenance, read_table, write_table
from tests.candidate.test_backtest import (
    CODING,
    LENGTH,
    NOVEL,
    SECOND,
    STARTS,
    TRNA,
    TRNAS,
    annotate,
    draw,
)
from tests.dictionaries import write_directions
from tests.plant import make_store
from tests.stores import activation_header, write_activations

SEQIDS = ("fit", "test")
RANDOM_TRNA = 0

UNLABELLED = [name for name in CANDIDATES.names if name != "label"]


def windows_of(seqid, starts):
    """Windows from each start to the next, on both strands."""
    ends = [*starts[1:], LENGTH]
    pairs = list(zip(starts, ends, strict=True))
    return [GenomicInterval(seqid, *pair, strand) for strand in "+-" for pair in pairs]


class Files:
    """A small run: its files by what they are, and the commands upon them."""

    def __init__(self, folder):
        self.folder = folder
        rng = np.random.default_rng(0)
        rows = rng.normal(size=(7, 8))
        # the second tRNA feature is a part of the first, and the other seed has half of them
        rows[SECOND] = rows[TRNA] + 0.1 * rows[SECOND]
        other = rng.normal(size=(9, 8))
        other[:3] = rows[:3]
        self.sae = self.save("sae", rows)
        self.save("other", other)
        self.save("random-sae", rng.normal(size=(3, 8)), model_sha256="r")
        for number, seqid in enumerate(SEQIDS):
            self.write_genome(seqid, number)
        self.write_tables()

    def save(self, name, rows, **changes):
        return write_directions(self.folder / name, rows, **changes)

    def write_genome(self, seqid, number):
        folder, rng = self.folder, np.random.default_rng(number)
        genome = Genome([Contig(seqid, rng.choice(np.frombuffer(b"ACGT", np.uint8), LENGTH))])
        write_fasta(genome, folder / f"{seqid}.fa")
        write_gff3(annotate(seqid), folder / f"{seqid}.gff3")
        contigs = ContigInfo.of(genome)
        dense, noise = draw(rng), {}
        for strand in "+-":
            noise[strand] = (rng.random((LENGTH, 3)) < 0.01).astype(np.float32)
            noise[strand][:, RANDOM_TRNA] = dense[strand][:, TRNA]
        # they fire before the tRNAs too, so that they are not explained even where these are known
        for start, _, strand in TRNAS:
            dense[strand][start - 100 : start, TRNA] = 2
            dense[strand][start - 40 : start, SECOND] = 1
        of = {"genome_sha256": genome.sha256}
        path = folder / f"{seqid}.h5"
        make_store(path, dense, contigs, sae_sha256=self.sae, **of)
        sha256 = sha256_file(folder / "random-sae" / "sae_weights.safetensors")
        path = folder / f"random.{seqid}.h5"
        make_store(path, noise, contigs, sae_sha256=sha256, model_sha256="r", **of)
        # the windows of random weights begin where the tRNAs do, those of the model elsewhere
        for kind, model, starts in (
            ("", "m", list(range(0, LENGTH, 500))),
            ("random.", "r", [0, *STARTS]),
        ):
            header = activation_header(4, contigs=contigs, model_sha256=model, **of)
            x = np.zeros((2 * LENGTH, 4), np.float32)
            path = folder / f"{kind}{seqid}.a.h5"
            write_activations(path, x, header=header, windows=windows_of(seqid, starts))

    def write_tables(self):
        folder = self.folder
        (folder / "rank.yaml").write_text("few_loci: 2\nsplit: 0.9\n")
        quick = {"test": ["test"], "n_shifts": 299, "top_per_concept": 1}
        (folder / "associate.yaml").write_text(yaml.safe_dump(quick))
        line = ["associate", *self.each("{}.h5"), *self.each("{}.gff3", "--annotations")]
        line += ["--config", folder / "associate.yaml", "--out", folder / "associations.parquet"]
        self.call(*line)
        effects = pd.DataFrame({"feature": range(7), "loss_effect": 0.1, "p_value": 0.05})
        effects = effects.assign(loss_effect_matched=0.0, loss_effect_matched_sd=0.1)
        effects = effects.assign(n_tokens=9, n_windows=3)
        inputs = {"sae": self.sae}
        write_table(effects, folder / "ablation.tsv", ABLATION, Provenance({}, inputs))
        inputs = {f"features-{i}": sha256_file(p) for i, p in enumerate(self.each("{}.h5"))}
        write_table(empty_table(BASELINES), folder / "b.tsv", BASELINES, Provenance({}, inputs))

    def each(self, pattern, option=None):
        paths = [self.folder / pattern.format(seqid) for seqid in SEQIDS]
        return paths if option is None else [word for path in paths for word in (option, path)]

    def ranked(self, command, out, *, evidence=True):
        folder = self.folder
        line = [command, *self.each("{}.h5"), *self.each("{}.fa", "--genome"), "--out", out]
        line += ["--associations", folder / "associations.parquet"]
        line += ["--config", folder / "rank.yaml", "--seed", 1]
        if evidence:
            line += [*self.each("{}.a.h5", "--activations"), "--sae", folder / "sae"]
            line += ["--other-sae", folder / "other", "--trained-on", folder / "fit.fa"]
            line += ["--ablation", folder / "ablation.tsv"]
        return line

    def backtest(self, out, *, evidence=True, random=False):
        line = self.ranked("backtest", out, evidence=evidence)
        line += self.each("{}.gff3", "--annotations")
        if random:
            line += self.each("random.{}.h5", "--random-features")
            line += self.each("random.{}.a.h5", "--random-activations")
            line += ["--random-sae", self.folder / "random-sae"]
        return line

    def dossier(self, candidates, out):
        line = ["dossier", candidates, *self.each("{}.h5", "--features"), "--out", out]
        line += [*self.each("{}.fa", "--genome"), *self.each("{}.gff3", "--annotations")]
        return [*line, "--sae", self.folder / "sae"]

    def call(self, *line):
        app([str(word) for word in line], standalone_mode=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("joins"))


@pytest.fixture(scope="module")
def candidates(files):
    out = files.folder / "candidates.tsv"
    files.call(*files.ranked("rank", out))
    return read_table(out, CANDIDATES).set_index("feature")


def test_with_nothing_hidden_the_backtest_ranks_as_rank_does(
    files, candidates, tmp_path, monkeypatch
):
    rankings = []

    def ranking(*arguments):
        rankings.append(rank_evidence(*arguments))
        return rankings[-1]

    monkeypatch.setattr(backtest, "rank_evidence", ranking)
    files.call(*files.backtest(tmp_path / "backtest.tsv"))
    # every feature with every column, those of which nothing tells a class too
    shown = rankings[0].set_index("feature")
    pd.testing.assert_frame_equal(shown, candidates, check_exact=False, rtol=1e-12)
    measured = ["window_bias", "stability", "split_cosine", "seen_share", "loss_effect_p"]
    assert shown[measured].notna().all(axis=None)
    found = read_table(tmp_path / "backtest_features.tsv", BACKTEST_FEATURES)
    assert set(found["feature"]) >= {TRNA, SECOND, CODING}
    assert found["rank_shown"].tolist() == candidates.loc[found["feature"], "rank"].tolist()
    # what is given raises flags, so that the two could differ
    files.call(*files.ranked("rank", tmp_path / "bare.tsv", evidence=False))
    bare = read_table(tmp_path / "bare.tsv", CANDIDATES).set_index("feature")
    flags = [table.loc[found["feature"], "flags"].tolist() for table in (bare, candidates)]
    assert flags[0] != flags[1]


def test_what_was_measured_is_taken_over_and_gives_the_same(files, candidates, tmp_path):
    measured = ["--measured", tmp_path / "bare.tsv"]
    bare = without(files.ranked("rank", tmp_path / "bare.tsv"), "--ablation")
    files.call(*bare)
    files.call(*files.ranked("rank", tmp_path / "again.tsv"), *measured)
    again = read_table(tmp_path / "again.tsv", CANDIDATES).set_index("feature")
    pd.testing.assert_frame_equal(again, candidates)
    assert again["loss_effect"].notna().all()
    tables = []
    for name, options in (("b", ()), ("c", measured)):
        files.call(*files.backtest(tmp_path / f"{name}.tsv"), *options)
        tables.append(read_table(tmp_path / f"{name}_features.tsv", BACKTEST_FEATURES))
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (("--seed", 2), "seed: expected 2, found 1"),
        (("--trained-on", "test.fa"), "trained-on-1: expected .*, found null"),
    ],
)
def test_what_was_measured_on_other_files_or_otherwise_is_refused(
    files, candidates, tmp_path, changed, what
):
    option, value = changed
    line = files.ranked("rank", tmp_path / "again.tsv")
    line += [option, files.folder / value if isinstance(value, str) else value]
    with pytest.raises(MismatchError, match=f"candidates.tsv: provenance: {what}"):
        files.call(*line, "--measured", files.folder / "candidates.tsv")


def test_what_was_measured_without_directions_is_no_substitute(files, tmp_path):
    bare = without(files.ranked("rank", tmp_path / "bare.tsv"), "--sae", "--other-sae")
    files.call(*bare)
    line = files.ranked("rank", tmp_path / "again.tsv")
    with pytest.raises(MismatchError, match=r"bare.tsv: provenance: directions: .*, found null"):
        files.call(*without(line, "--other-sae"), "--measured", tmp_path / "bare.tsv")
    whole = without(line, "--other-sae")
    files.call(*whole)
    with pytest.raises(MismatchError, match=r"again.tsv: provenance: directions: expected null"):
        files.call(*bare, "--measured", tmp_path / "again.tsv")


def test_the_backtest_raises_the_flags_that_rank_would(files, candidates, tmp_path):
    files.call(*files.backtest(tmp_path / "backtest.tsv"))
    found = read_table(tmp_path / "backtest_features.tsv", BACKTEST_FEATURES)
    hidden = found[found["class"] == "tRNA"].set_index("feature")["flags"]
    for feature in (TRNA, SECOND):
        shown = set(candidates.loc[feature, "flags"].split(",")) - {"explained", "attracted"}
        assert shown == set(hidden[feature].split(","))
        assert "split" in shown


def test_loci_that_finders_alone_account_for_are_told_of_the_first_candidates(files, tmp_path):
    line = files.ranked("rank", tmp_path / "c.tsv")
    line += files.each("{}.gff3", "--annotations")
    for seqid in SEQIDS:
        genes = [
            Element("ncRNA", f"n{start}", (Part(seqid, start + 440, start + 480, "+"),))
            for start in (STARTS if seqid == "fit" else [])
        ]
        write_gff3(AnnotationSet(genes, {seqid: LENGTH}), tmp_path / f"{seqid}.gff3")
        line += ["--predictions", tmp_path / f"{seqid}.gff3"]
    (tmp_path / "many.yaml").write_text("loci_each: 99\n")
    files.call(*line, "--config", tmp_path / "many.yaml")
    found = read_table(tmp_path / "c.tsv", CANDIDATES).set_index("feature")["annotation_missing"]
    loci = [x for x in (tmp_path / "c.gff3").read_text().splitlines() if f"feature_{NOVEL}_" in x]
    in_fit = sum(locus.startswith("fit") for locus in loci)
    # all of its loci in the one genome, none in the other
    assert 0 < in_fit < len(loci)
    assert found[NOVEL] == pytest.approx(in_fit / len(loci))
    assert found[TRNA] == 0
    inputs = read_provenance(tmp_path / "c.tsv", CANDIDATES)["inputs"]
    assert inputs["predictions-0"] == sha256_file(tmp_path / "fit.gff3")
    with pytest.raises(InputError, match="specimen fit: expected its annotation"):
        files.call(*without(line, "--annotations"))
    (tmp_path / "few.yaml").write_text("n_reported: 1\n")
    files.call(*line, "--config", tmp_path / "few.yaml", "--force")
    few = read_table(tmp_path / "c.tsv", CANDIDATES)["annotation_missing"]
    assert few.notna().tolist() == [True] + [False] * (len(few) - 1)


def test_both_name_the_same_inputs(files, candidates, tmp_path):
    out = tmp_path / "backtest.tsv"
    files.call(*files.backtest(out))
    ranked = read_provenance(files.folder / "candidates.tsv", CANDIDATES)
    tested = read_provenance(out, BACKTEST)
    assert ranked["inputs"].items() <= tested["inputs"].items()
    assert ranked["config"] == tested["config"]
    known = {"annotations-0", "annotations-1", "concepts"}
    assert tested["inputs"].keys() - ranked["inputs"].keys() == known
    assert ranked["inputs"]["sae"] == files.sae


def test_windows_and_directions_of_random_weights_are_looked_at_too(files, tmp_path):
    files.call(*files.backtest(tmp_path / "b.tsv", random=True))
    table = read_table(tmp_path / "b_features.tsv", BACKTEST_FEATURES)
    flags = table[table["class"] == "tRNA"].set_index(["dictionary", "feature"])["flags"]
    assert "window_start" in flags["random", RANDOM_TRNA].split(",")
    assert "window_start" not in flags["trained", TRNA].split(",")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--random-activations", "activations of random weights: expected as for .*, found none"),
        ("--random-sae", "dictionary of random weights: expected as for the features, found none"),
        ("--sae", "dictionary of random weights: expected none, as for the features, found some"),
        (
            "--random-features",
            "random weights: expected features too, where something else is given, found none",
        ),
    ],
)
def test_random_weights_of_which_less_is_known_are_refused(files, tmp_path, option, message):
    line = files.backtest(tmp_path / "b.tsv", random=True)
    dropped = (option, "--other-sae") if option == "--sae" else (option,)
    with pytest.raises(InputError, match=message):
        files.call(*without(line, *dropped))
    assert list(tmp_path.iterdir()) == []


def without(line, *options):
    """Leave out some options with their values."""
    gone = {i + step for i, word in enumerate(line) if word in options for step in (0, 1)}
    return [word for i, word in enumerate(line) if i not in gone]


def swapped(line, old, new):
    """Give another file in the place of one."""
    assert old in line
    return [new if word == old else word for word in line]


def copied(source, path, **changes):
    """Copy a dictionary, with other words in its configuration or with other weights."""
    path.mkdir()
    cfg = json.loads((source / "cfg.json").read_text())
    cfg["metadata"] |= changes
    (path / "cfg.json").write_text(json.dumps(cfg))
    weights = (source / "sae_weights.safetensors").read_bytes()
    (path / "sae_weights.safetensors").write_bytes(weights)
    return path


@pytest.fixture
def wrong(files, tmp_path):
    """Files that do not belong to the others, by what they are."""
    folder = files.folder
    store = make_store(
        tmp_path / "other.h5", draw(np.random.default_rng(5)),
        ContigInfo.of(Genome([Contig("fit", np.full(LENGTH, ord("A"), np.uint8))])),
        sae_sha256=files.sae,
    )  # fmt: skip
    record = Provenance({}, {"sae": "c" * 64})
    write_table(empty_table(ABLATION), tmp_path / "ablation.tsv", ABLATION, record)
    record = Provenance({}, {"features-0": "c" * 64})
    write_table(empty_table(BASELINES), tmp_path / "b.tsv", BASELINES, record)
    (tmp_path / "concepts.yaml").write_text(
        (annotations_folder() / "concepts.yaml").read_text() + "\n"
    )
    narrow = tmp_path / "narrow"
    write_directions(narrow, np.eye(5))
    return {
        "features": store.path,
        "ablation": tmp_path / "ablation.tsv",
        "baselines": tmp_path / "b.tsv",
        "concepts": tmp_path / "concepts.yaml",
        "site": copied(folder / "other", tmp_path / "site", site="blocks.2"),
        "model": copied(folder / "other", tmp_path / "model", model_sha256="n"),
        "narrow": narrow,
    }


def refused(files, line, message):
    with pytest.raises(MismatchError, match=message):
        files.call(*line)


@pytest.mark.parametrize("command", ["rank", "backtest"])
def test_what_is_of_other_features_or_another_dictionary_is_refused(
    files, wrong, tmp_path, command
):
    folder, out = files.folder, tmp_path / "out" / "o.tsv"
    line = files.ranked("rank", out) if command == "rank" else files.backtest(out)
    cases = [
        (
            swapped(line, folder / "fit.h5", wrong["features"]),
            r"fit\.fa: expected genome \w+ as in .*other\.h5 or genome \w+ as in .*test\.h5, found",
        ),
        (
            swapped(line, folder / "ablation.tsv", wrong["ablation"]),
            r"ablation\.tsv: expected dictionary \w{12} as in .*fit\.h5, found dictionary cccccccc",
        ),
        (
            swapped(line, folder / "sae", folder / "other"),
            r"other: expected dictionary \w{12} as in .*fit\.h5, found dictionary \w{12}",
        ),
        (
            swapped(line, folder / "other", folder / "sae"),
            r"sae: expected another dictionary than that of .*sae, found the same",
        ),
        (
            [*line, "--other-sae", folder / "other"],
            r"other: expected another dictionary than that of .*other, found the same",
        ),
        (
            swapped(line, folder / "other", wrong["site"]),
            r"site: expected site blocks\.1 as in .*fit\.h5, found site blocks\.2",
        ),
        (
            swapped(line, folder / "other", wrong["model"]),
            r"model: expected model toy with weights m as in .*fit\.h5, found .* n$",
        ),
        (
            swapped(line, folder / "other", wrong["narrow"]),
            r"narrow: expected width 8 as in .*sae, found width 5",
        ),
        (
            swapped(line, folder / "fit.a.h5", folder / "test.a.h5"),
            r"test\.a\.h5: expected another genome than that of .*test\.a\.h5, found the same",
        ),
        (
            swapped(line, folder / "fit.a.h5", folder / "random.fit.a.h5"),
            r"random\.fit\.a\.h5: expected model toy with weights m as in .*fit\.h5, found .* r$",
        ),
    ]
    for wrong_line, message in cases:
        refused(files, wrong_line, message)
    assert not out.parent.exists() or not any(out.parent.iterdir())


def test_a_features_file_that_was_left_out_is_told(files, tmp_path):
    folder = files.folder
    line = files.ranked("rank", tmp_path / "o.tsv", evidence=False)
    line = [word for word in line if word != folder / "test.h5"]
    refused(files, line, r"test\.fa: expected genome \w+ as in .*fit\.h5, found genome")


def test_the_backtest_refuses_other_truth_than_that_of_the_associations(files, wrong, tmp_path):
    folder, line = files.folder, files.backtest(tmp_path / "o.tsv")
    other = tmp_path / "fit.gff3"
    other.write_text((folder / "fit.gff3").read_text() + "# one line more\n")
    message = r"associations\.parquet: expected annotations \w{12} as in .*fit\.gff3, found"
    refused(files, swapped(line, folder / "fit.gff3", other), message)
    message = r"expected concepts \w{12} as in .*concepts\.yaml, found"
    refused(files, [*line, "--concepts", wrong["concepts"]], message)
    message = r"b\.tsv: expected features \w{12} as in .*fit\.h5, found features cccccccccccc"
    refused(files, [*line, "--baselines", wrong["baselines"]], message)
    files.call(*line, "--baselines", folder / "b.tsv")


def test_the_backtest_refuses_what_are_no_random_weights_of_the_model(files, tmp_path):
    folder = files.folder
    line = files.backtest(tmp_path / "o.tsv", evidence=False)
    same = files.each("{}.h5", "--random-features")
    refused(files, [*line, *same], r"fit\.h5: expected another model than that of")
    mixed = files.each("random.{}.h5", "--random-features")
    mixed = [mixed[0], mixed[3], mixed[2], mixed[1]]
    message = r"random\.test\.h5: expected genome \w+ as in .*fit\.h5, found genome"
    refused(files, [*line, *mixed], message)
    more = ["--random-sae", folder / "sae"]
    full = without(files.backtest(tmp_path / "o.tsv", random=True), "--random-sae")
    message = r"sae: expected dictionary \w{12} as in .*random\.fit\.h5, found dictionary"
    refused(files, [*full, *more], message)


def test_a_dossier_refuses_candidates_of_other_features_and_another_dictionary(
    files, candidates, wrong, tmp_path
):
    folder = files.folder
    line = files.dossier(folder / "candidates.tsv", tmp_path / "out")
    message = r"sae: expected dictionary \w{12} as in .*fit\.h5, found dictionary \w{12}"
    refused(files, swapped(line, folder / "sae", folder / "random-sae"), message)
    other = tmp_path / "c.tsv"
    record = Provenance(
        read_provenance(folder / "candidates.tsv", CANDIDATES)["config"], {"features-0": "c" * 64}
    )
    write_table(candidates.reset_index()[UNLABELLED], other, CANDIDATES, record)
    message = r"c\.tsv: expected features \w{12} as in .*fit\.h5, found features cccccccccccc"
    refused(files, swapped(line, folder / "candidates.tsv", other), message)
    assert not (tmp_path / "out").exists()
