"""A small run directory made by the real writers, with hostile text in its annotation."""

import json
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
import yaml

from genointerp.association.summary import best_per_concept
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.locus import DossierConfig
from genointerp.command.ask import report as command
from genointerp.command.ask.query import query
from genointerp.command.ask.report import report as write_report
from genointerp.command.find.dossier import dossier
from genointerp.core.config import to_mapping
from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome, write_fasta
from genointerp.labelling.label import FeatureLabel, labels_table
from genointerp.labelling.summary import summarise_labels
from genointerp.page import page
from genointerp.page.section import Picture
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureHeader, FeatureStore
from genointerp.store.feature.writer import FeatureWriter
from genointerp.store.table.schema.association import ASSOCIATIONS, BEST_PER_CONCEPT, N_COVERED
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.schema.changed import CHANGED_CONCEPTS, CHANGED_FEATURES
from genointerp.store.table.schema.circuit import CIRCUIT_FAMILIES, CIRCUIT_MEMBERS
from genointerp.store.table.schema.divergence import (
    DIVERGENCE,
    DIVERGENCE_BINS,
    DIVERGENCE_SUMMARY,
    EXTRACTED_TEXTS,
)
from genointerp.store.table.schema.editing import EDIT_EFFECTS
from genointerp.store.table.schema.explanation import EXPLAINED
from genointerp.store.table.schema.intervention import STEERING
from genointerp.store.table.schema.label import LABEL_SCORES, LABEL_SUMMARY, LABELS
from genointerp.store.table.schema.matching import MATCH_SUMMARY, MATCHES
from genointerp.store.table.schema.similarity import SIMILARITY
from genointerp.store.table.table import write_table
from tests.dictionaries import write_directions

PROVENANCE = Provenance(config={"test": ["chrB"]}, inputs={})
HOSTILE = "</script><script>window.stolen=1</script><img src=x onerror='window.stolen=1'>"
N_FEATURES = 12


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    genomes = {
        "first": write_genome(folder, "first", {"chrA": 6000, "c<b>&\"t'g</b>": 2000}, seed=1),
        "second": write_genome(folder, "second", {"chrB": 5000}, seed=2),
    }
    config = {
        "genomes": {
            name: {"sequence": str(fasta), "annotation": str(gff)}
            for name, (fasta, gff) in genomes.items()
        },
        "queries": {"a_tRNA": {"genome": "first", "region": "chrA:1,001-1,900"}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    sae_sha256 = write_dictionary(folder / "sae")
    stores = [
        write_store(folder / name / "features.h5", read_genome(fasta), sae_sha256)
        for name, (fasta, _) in genomes.items()
    ]
    write_tables(folder, stores)
    write_query(folder, config["queries"])
    write_interventions(folder / "interventions")
    write_explanations(folder)
    write_comparisons(folder / "comparisons")
    write_labels(folder, sae_sha256)
    write_members(folder / "circuits" / "members.tsv", sae_sha256)
    dossier(
        folder,
        folder / "dossiers",
        predictions=predictions_of(folder, genomes),
        sae=folder / "sae",
        config=DossierConfig(n_shuffles=0),
    )
    return folder


@pytest.fixture(scope="session")
def page_path(run_dir, tmp_path_factory):
    """The page of the run, with all its pictures and tables."""
    out = tmp_path_factory.mktemp("page") / "report.html"
    write_report(run_dir, out)
    return out


@pytest.fixture(scope="session")
def folder_path(run_dir, tmp_path_factory):
    """The folder of the run, with the pictures of its best feature."""
    out = tmp_path_factory.mktemp("folder") / "pages"
    with mock.patch.object(command, "N_DRAWN", 1):
        write_report(run_dir, out, folder=True)
    return out


@pytest.fixture
def without_drawing(monkeypatch):
    """Pages have no curves and blanks in place of pictures: most of a page's time is drawing."""

    def blank(figure, *, alt, source):
        return Picture("data:image/png;base64,", alt, source)

    monkeypatch.setattr(command, "N_DRAWN", 0)
    monkeypatch.setattr(page, "picture", blank)


def predictions_of(folder: Path, genomes):
    """The finders see what is annotated, and one gene more."""
    predictions = []
    for name, (_, gff) in genomes.items():
        evil = quote(HOSTILE, safe="")
        row = f"chr{'A' if name == 'first' else 'B'}\tx\ttRNA\t2001\t2100\t.\t+\t.\ttool={evil}"
        predictions.append(folder / f"{name}.predicted.gff3")
        predictions[-1].write_text(f"{gff.read_text()}{row}\n")
    return predictions


def write_query(folder: Path, queries):
    """As the rule of the workflow: of the features file, with the associations."""
    for name, asked in queries.items():
        query(
            folder / asked["genome"] / "features.h5",
            asked["region"],
            associations=folder / "associations.parquet",
            out=folder / "queries" / f"{name}.tsv",
        )


def write_interventions(folder: Path):
    """A canvas that was steered and a feature that was edited out, with a control each."""
    steered = [
        (condition, 1.0, f"f/{feature}", place, 100, -0.25 / feature, 0.5 / feature, 0.75)
        for condition, feature in (("canvas", 3), ("matched 1", 7))
        for place in ("downstream 1-8", "inside", HOSTILE)
    ]
    write_table(
        pd.DataFrame(steered, columns=STEERING.names),
        folder / "steer" / "one.tsv",
        STEERING,
        PROVENANCE,
    )
    edited = [
        (edit, draw, 3, part, 40, *np.linspace(0.9, 0.1 + draw, 8))
        for edit, draw in (("feature", 0), ("random direction", 1))
        for part in ("silent 32", "all")
    ]
    place = folder / "edit" / "without_3"
    write_table(
        pd.DataFrame(edited, columns=EDIT_EFFECTS.names),
        place / "effects.tsv",
        EDIT_EFFECTS,
        PROVENANCE,
    )
    (place / "summary.json").write_text(json.dumps({"verdict": "leaky"}))


def write_explanations(folder: Path):
    """A base that was explained on both strands, and a family of features."""
    numbers = (2.5, 0.5, 2.0, 1.75, 0.25, 0.001, 1, 20, 0.125, 0.99, 1.0, 0.9, -0.5, np.nan, 0, 1)
    question = (f"chrA:900 {HOSTILE}", "prediction", "chrA", 899, 900)
    explained = [(*question, strand, "A", "", "contrast", *numbers, "f/3 +1.5") for strand in "+-"]
    write_table(
        pd.DataFrame(explained, columns=EXPLAINED.names),
        folder / "explanations" / "one.summary.tsv",
        EXPLAINED,
        PROVENANCE,
    )
    blank = {"string": HOSTILE, "int64": 3, "float64": 0.5}
    families = pd.DataFrame([{one.name: blank[one.kind] for one in CIRCUIT_FAMILIES.columns}])
    write_table(families, folder / "circuits" / "families.tsv", CIRCUIT_FAMILIES, PROVENANCE)


def write_comparisons(folder: Path):
    """A tuned model and another dictionary, of which each table has a row."""
    blank = {"string": HOSTILE, "int64": 3, "float64": 0.5}
    for name, schema in (
        ("diff/one/divergence.tsv", DIVERGENCE),
        ("diff/one/divergence.bins.tsv", DIVERGENCE_BINS),
        ("diff/one/divergence.summary.tsv", DIVERGENCE_SUMMARY),
        ("diff/one/texts.tsv", EXTRACTED_TEXTS),
        ("diff/one/changed.tsv", CHANGED_FEATURES),
        ("diff/one/changed.concepts.tsv", CHANGED_CONCEPTS),
        ("match/one/matches.tsv", MATCHES),
        ("match/one/matches.summary.tsv", MATCH_SUMMARY),
        ("similar/one/similarity.tsv", SIMILARITY),
    ):
        row = {one.name: blank[one.kind] for one in schema.columns}
        row |= {"seqid": "chrA", "start": 10, "end": 20} if "seqid" in row else {}
        row |= {"side": "a", "twin_r": 0.125} if schema is MATCHES else {}
        write_table(pd.DataFrame([row]), folder / name, schema, PROVENANCE)


def write_labels(folder: Path, sae_sha256: str):
    """A hostile label and an unexplained one of statistics, and one by hand that beats one."""
    made = Provenance({}, {"sae": sae_sha256})
    own = [
        FeatureLabel(4, "after ACG", "composition", motif="ACG"),
        FeatureLabel(5, HOSTILE, "composition", motif="ACG", explanation=HOSTILE),
        FeatureLabel(9, "unexplained", "unclear"),
    ]
    write_table(labels_table(own), folder / "labels.tsv", LABELS, made)
    by_hand = FeatureLabel(4, "mine", "repeat", source="person", author=HOSTILE, date="2026-01-31")
    write_table(labels_table([by_hand]), folder / "hand_labels.tsv", LABELS, made)
    blank = {"string": "statistics", "int64": 1, "float64": 0.25}
    scores = pd.DataFrame([{one.name: blank[one.kind] for one in LABEL_SCORES.columns}] * 2)
    scores = scores.assign(feature=[4, 5], label=["after ACG", HOSTILE], f1=[0.5, 0.75])
    scores = scores.assign(bases="motif ACG +0")
    write_table(scores, folder / "label_scores.tsv", LABEL_SCORES, made)
    summary = summarise_labels(scores)
    write_table(summary, folder / "label_scores.summary.tsv", LABEL_SUMMARY, made)


def write_members(path: Path, sae_sha256: str):
    """Features 3 and 7 are followed by 2 at the next base."""
    told = f"cycle 1: codon phases {HOSTILE}"
    rows = [(2, 1, told, 2, 1, "", ""), (3, 1, told, 1, 0, "", ""), (7, 1, told, 1, 0, "", "")]
    members = pd.DataFrame(rows, columns=CIRCUIT_MEMBERS.names)
    write_table(members, path, CIRCUIT_MEMBERS, Provenance({}, {"sae": sae_sha256}))


def write_genome(folder: Path, name: str, lengths, *, seed):
    generator = np.random.default_rng(seed)
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    genome = Genome(
        Contig(seqid, letters[generator.integers(0, 4, length)])
        for seqid, length in lengths.items()
    )
    fasta, gff = folder / f"{name}.fa", folder / f"{name}.gff3"
    write_fasta(genome, fasta)
    lines = ["##gff-version 3"]
    for seqid in lengths:
        safe = quote(seqid, safe="._-")
        evil = quote(HOSTILE, safe="")
        rows = [
            ("CDS", 201, 800, "+", "0", f"ID={safe}-cds1;gene=abcA;product={evil}"),
            ("tRNA", 1101, 1176, "+", ".", f"ID={safe}-t1;gene=trnX;product=tRNA-Ile"),
            ("CDS", 1301, 1600, "-", "0", f"ID={safe}-cds2;gene={evil};product=kinase"),
        ]
        lines += [
            "\t".join([safe, "test", kind, str(first), str(last), ".", strand, phase, attributes])
            for kind, first, last, strand, phase, attributes in rows
        ]
    gff.write_text("\n".join([*lines, ""]))
    return fasta, gff


def write_store(path: Path, genome: Genome, sae_sha256: str) -> FeatureStore:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = FeatureHeader(
        model="toy",
        model_sha256="m" * 64,
        site="blocks.1",
        genome_sha256=genome.sha256,
        sae_sha256=sae_sha256,
        n_features=N_FEATURES,
        contigs=ContigInfo.of(genome),
    )
    generator = np.random.default_rng(3)
    with FeatureWriter(path, header, PROVENANCE) as writer:
        for seqid, length in genome.lengths.items():
            for strand in "+-":
                dense = generator.random((length, N_FEATURES)) * (
                    generator.random((length, N_FEATURES)) < 0.02
                )
                dense[:, N_FEATURES - 1] = 0
                dense[1100:1176, 3] = 5.0 if strand == "+" else 0.0
                mask = dense > 0
                indptr = np.concatenate([[0], np.cumsum(mask.sum(1))]).astype(np.int64)
                writer.add_window(
                    GenomicInterval(seqid, 0, length, strand),
                    indptr,
                    np.nonzero(mask)[1].astype(np.int64),
                    dense[mask].astype(np.float32),
                )
    return FeatureStore(path)


def association_frame():
    generator = np.random.default_rng(4)
    pairs = [
        (feature, concept, orientation)
        for feature in range(N_FEATURES)
        for concept in ("tRNA", "CDS", "intergenic")
        for orientation in (("both",) if concept == "intergenic" else ("sense", "antisense"))
    ]
    frame = pd.DataFrame(pairs, columns=["feature", "concept", "orientation"])
    for column in ASSOCIATIONS.columns[3:]:
        values = generator.random(len(frame))
        frame[column.name] = (
            values if column.kind == "float64" else (1 + values * 1000).astype(np.int64)
        )
    frame.attrs[N_COVERED] = 4000
    is_trna = (frame["feature"] == 3) & (frame["concept"] == "tRNA")
    told = ["f1_fit", "f1", "null_f1", "q_value"]
    frame.loc[is_trna & (frame["orientation"] == "sense"), told] = 1.0, 0.987654, 0.05, 0.001
    return frame


def candidate_frame():
    return pd.DataFrame(
        {
            "rank": [1, 2, 3],
            "feature": [7, 2, 9],
            "score": [0.75, 0.5, 1e-7],
            "density": [0.02, 0.2, 0.001],
            "n_loci": [1200, 15, 3],
            "best_concept": ["CDS", HOSTILE, ""],
            "best_f1": [0.25, 0.125, np.nan],
            "unexplained": [0.9, 0.8, 0.7],
            "n_genomes": [2, 2, 1],
            "flags": ["", "low_complexity", HOSTILE],
            "top_region": ["chrB:2,001-2,100", "chrA:1,101-1,176", "c<b>&\"t'g</b>:1,301-1,600"],
        }
    )


def write_tables(folder: Path, stores):
    associations = association_frame()
    of = Provenance(PROVENANCE.config, {"sae": stores[0].header.sae_sha256})
    write_table(associations, folder / "associations.parquet", ASSOCIATIONS, of)
    best = best_per_concept(associations)
    write_table(best, folder / "best_per_concept.tsv", BEST_PER_CONCEPT, PROVENANCE)
    inputs = {f"features-{index}": store.sha256 for index, store in enumerate(stores)}
    ranked = Provenance(to_mapping(RankConfig()), inputs)
    write_table(candidate_frame(), folder / "candidates.tsv", CANDIDATES, ranked)
    summary = {"fvu": 0.123456, "l0": 15.5, "best_f1": {"tRNA": 0.987654, HOSTILE: 0.5}}
    summary["provenance"] = json.loads(PROVENANCE.as_json())
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "queries").mkdir()


def write_dictionary(folder: Path) -> str:
    """Directions and the course of a training; returns the sha256 that names the dictionary."""
    sha256 = write_directions(folder, np.random.default_rng(5).normal(size=(N_FEATURES, 4)))
    rows = [{"step": 10 * i, "loss": 1 / (i + 1), "fvu": 0.9**i, "l0": 16} for i in range(20)]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return sha256
