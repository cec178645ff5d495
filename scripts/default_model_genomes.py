"""The genomes of ``corpus.npz`` on which the default models are judged, with bases by class."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from genointerp.annotation.catalogue import catalogue
from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.raster import ReadingStrand, element_bases
from genointerp.annotation.read import read_annotation
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.letters import base_codes, base_letters
from genointerp.genome.read import read_genome

SPLITS = ("test", "validation")
CLASSES: dict[str, tuple[str, ReadingStrand | None]] = {
    "CDS, sense": ("CDS", "+"),
    "CDS, antisense": ("CDS", "-"),
    "tRNA": ("tRNA", None),
    "rRNA": ("rRNA", None),
    "intergenic": ("intergenic", None),
}
STRETCH = ("bsubtilis_168", 0, 400_000)


@dataclass(frozen=True)
class JudgedGenome:
    """A genome of the corpus on which no model was trained.

    Parameters
    ----------
    classes
        Bases of each class of `CLASSES`, if the annotation of the genome is shipped.
    """

    name: str
    split: str
    genome: Genome
    classes: Mapping[str, Bool[np.ndarray, " bp"]]

    @property
    def tokens(self) -> UInt8[np.ndarray, " token"]:
        """Tokens of all contigs, each followed by an unknown base."""
        return _with_gaps([base_codes(contig.sequence) for contig in self.genome.values()])


@dataclass(frozen=True)
class TrainingGenome:
    """A genome on which the models were trained.

    Parameters
    ----------
    tokens
        Tokens of all contigs, each followed by an unknown base.
    weight
        Sampling weight of a base; its mean over all bases of the training genomes is 1.
    """

    tokens: UInt8[np.ndarray, " token"]
    weight: float


def training_genomes(corpus: Path) -> list[TrainingGenome]:
    """Read the training genomes of a corpus, without the repeats that `read_corpus` looks for."""
    data = _arrays(corpus)
    chosen = np.flatnonzero(data["genome_split"] == "train")
    found = [_with_gaps(_contigs(data, i)) for i in chosen.tolist()]
    lengths = np.array([int((tokens <= 3).sum()) for tokens in found])
    weights = data["genome_weight"][chosen]
    per_base = weights / lengths * lengths.sum() / weights.sum()
    return [
        TrainingGenome(tokens, weight)
        for tokens, weight in zip(found, per_base.tolist(), strict=True)
    ]


def judged_genomes(corpus: Path) -> list[JudgedGenome]:
    """Read the test and validation genomes of a corpus, test genomes first."""
    data = _arrays(corpus)
    split = data["genome_split"].tolist()
    wanted = sorted(
        (i for i in range(len(split)) if split[i] in SPLITS), key=lambda i: SPLITS.index(split[i])
    )
    return [_judged(data, i) for i in wanted]


def _arrays(corpus: Path) -> dict[str, Any]:
    with np.load(corpus) as arrays:
        return {key: arrays[key] for key in arrays if not key.startswith("rna")}


def _contigs(data: dict[str, Any], genome: int) -> list[UInt8[np.ndarray, " bp"]]:
    numbers = np.flatnonzero(data["contig_genome"] == genome)
    starts, lengths = data["contig_start"][numbers], data["contig_length"][numbers]
    return [data["sequence"][i : i + n] for i, n in zip(starts, lengths, strict=True)]


def _with_gaps(contigs: list[UInt8[np.ndarray, " bp"]]) -> UInt8[np.ndarray, " token"]:
    gap = np.array([4], dtype=np.uint8)
    return np.concatenate([part for contig in contigs for part in (contig, gap)])


def _judged(data: dict[str, Any], index: int) -> JudgedGenome:
    name = str(data["genome_name"][index])
    contigs = [
        Contig(f"{name}_{number + 1}", base_letters(tokens))
        for number, tokens in enumerate(_contigs(data, index))
    ]
    genome, classes = Genome(contigs), {}
    if name in catalogue():
        annotated = read_genome(catalogue()[name].sequence)
        ours = np.concatenate([contig.sequence for contig in genome.values()])
        theirs = np.concatenate([contig.sequence for contig in annotated.values()])
        if not np.array_equal(ours, theirs):
            raise ValueError(f"{name}: expected the shipped sequence in the corpus, found another")
        classes = class_bases(annotated, catalogue()[name].annotation)
        # only the shipped genome says that it is circular
        genome = annotated
    return JudgedGenome(name, str(data["genome_split"][index]), genome, classes)


def class_bases(genome: Genome, annotation: Path) -> dict[str, Bool[np.ndarray, " bp"]]:
    """Return the bases of each class; classes may overlap."""
    elements = define_elements(read_annotation(annotation, genome), genome, load_concepts())
    found = {}
    for name, (concept, strand) in CLASSES.items():
        found[name] = np.zeros(sum(genome.lengths.values()), dtype=bool)
        found[name][element_bases(elements, genome.lengths, concept, strand=strand).row] = True
    return found


def mean_bits(
    bits: Float32[np.ndarray, " bp"], classes: Mapping[str, Bool[np.ndarray, " bp"]]
) -> dict[str, Any]:
    """Return the mean over the known bases of a genome, and over those of each class."""
    known = ~np.isnan(bits)
    by_class = {name: bits[chosen & known] for name, chosen in classes.items()}
    return {
        "bits_per_base": rounded(bits[known]),
        "by_class": {name: rounded(values) for name, values in by_class.items()},
    }


def rounded(bits: Float32[np.ndarray, " bp"]) -> float:
    """Return the mean to four digits, since further ones would be noise."""
    return round(float(bits.mean(dtype=np.float64)), 4)
