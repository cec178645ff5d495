"""A corpus of genomes in one array, from which training windows are drawn."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from genointerp.core.errors import SchemaError
from genointerp.core.files import atomic_path, replacing
from genointerp.core.provenance import sha256_file
from genointerp.genome.letters import reverse_complement_codes
from genointerp.pretraining.repeats import repeated_bases

if TYPE_CHECKING:
    from genointerp.pretraining.pretrain import Stage

_KEYS = (
    "sequence",
    "contig_start",
    "contig_length",
    "contig_genome",
    "genome_name",
    "genome_weight",
    "genome_split",
    "rna_contig",
    "rna_start",
    "rna_end",
)
REPEAT_WEIGHT = 0.1
"""Weight, in the loss, of a base in a repeat of its genome, except in RNA genes."""


class Batch(NamedTuple):
    """Windows, and the weight of each of their bases in the loss."""

    tokens: UInt8[np.ndarray, "batch token"]
    weight: Float32[np.ndarray, "batch token"]


@dataclass(frozen=True)
class Corpus:
    """Training contigs and the RNA genes on them.

    Parameters
    ----------
    sequence
        Tokens of all contigs, end to end: A 0, C 1, G 2, T 3, anything else 4.
    start, length
        Start in ``sequence`` and length of each training contig, in bp.
    weight
        Probability of drawing a window from each contig.
    rna_contig, rna_start, rna_end
        Index of the contig and half-open forward coordinates of each RNA gene.
    rna_weight
        Probability of drawing each RNA gene.
    repeated
        Bases of ``sequence`` that have the weight `REPEAT_WEIGHT` in the loss.
    """

    sequence: UInt8[np.ndarray, " bp"]
    start: Int64[np.ndarray, " contig"]
    length: Int64[np.ndarray, " contig"]
    weight: Float64[np.ndarray, " contig"]
    rna_contig: Int64[np.ndarray, " rna"]
    rna_start: Int64[np.ndarray, " rna"]
    rna_end: Int64[np.ndarray, " rna"]
    rna_weight: Float64[np.ndarray, " rna"]
    repeated: Bool[np.ndarray, " bp"]

    def batch(self, stage: "Stage", generator: np.random.Generator, *, rna_share: float) -> Batch:
        """Draw windows of ``stage.length + 1`` tokens, each on a random strand.

        A share of them holds an RNA gene, drawn by the weight of its genome, at a random place in
        the window; the others start anywhere. A window that would leave its contig is moved inside;
        if the contig is shorter than the window, the rest is filled with the unknown base.
        """
        windows = np.empty((stage.batch, stage.length + 1), dtype=np.uint8)
        weight = np.ones(windows.shape, dtype=np.float32)
        for i in range(stage.batch):
            if len(self.rna_start) and generator.random() < rna_share:
                contig, first = self._around_rna(generator, stage.length + 1)
            else:
                contig = int(generator.choice(len(self.start), p=self.weight))
                first = int(generator.integers(0, max(1, self.length[contig] - stage.length)))
            windows[i], repeated = self._cut(contig, first, stage.length + 1)
            weight[i, repeated] = REPEAT_WEIGHT
            if generator.random() < 0.5:
                windows[i] = reverse_complement_codes(windows[i])
                weight[i] = weight[i, ::-1]
        return Batch(windows, weight)

    def _around_rna(self, generator: np.random.Generator, size: int) -> tuple[int, int]:
        rna = int(generator.choice(len(self.rna_start), p=self.rna_weight))
        # from the window that begins with the gene's last base to the one that ends with its first
        first = int(generator.integers(self.rna_start[rna] - size + 1, self.rna_end[rna]))
        return int(self.rna_contig[rna]), first

    def _cut(
        self, contig: int, first: int, size: int
    ) -> tuple[UInt8[np.ndarray, " token"], Bool[np.ndarray, " token"]]:
        first = max(0, min(first, int(self.length[contig]) - size))
        begin = int(self.start[contig]) + first
        end = int(self.start[contig] + min(first + size, self.length[contig]))
        missing = (0, size - (end - begin))
        return (
            np.pad(self.sequence[begin:end], missing, constant_values=4),
            np.pad(self.repeated[begin:end], missing, constant_values=False),
        )


def read_corpus(path: Path, split: str = "train") -> Corpus:
    """Read one split of a corpus file that ``scripts/corpus/assemble.py`` wrote.

    The result is cached next to the file, as ``<name>.<split>.npz``, as long as the corpus is the
    same, since finding the repeats takes half a minute.

    Raises
    ------
    SchemaError
        If an array is missing, or no genome is in that split.
    """
    kept = path.with_suffix(f".{split}.npz")
    digest = sha256_file(path)
    if kept.exists():
        with np.load(kept) as arrays:
            if str(arrays["corpus_sha256"]) == digest:
                return Corpus(**{item.name: arrays[item.name] for item in fields(Corpus)})
    corpus = _read(path, split)
    arrays = {item.name: getattr(corpus, item.name) for item in fields(Corpus)}
    with replacing(), atomic_path(kept) as temporary, temporary.open("wb") as handle:
        np.savez(handle, corpus_sha256=digest, **arrays)
    return corpus


def _read(path: Path, split: str) -> Corpus:
    with np.load(path) as arrays:
        missing = [key for key in _KEYS if key not in arrays]
        if missing:
            raise SchemaError(str(path), f"arrays {', '.join(_KEYS)}", f"no {missing[0]}")
        data = {key: arrays[key] for key in _KEYS}
    keep = np.flatnonzero(data["genome_split"][data["contig_genome"]] == split)
    if not len(keep):
        raise SchemaError(str(path), f"genomes of the split {split!r}", "none")
    genome = data["contig_genome"][keep]
    length = data["contig_length"][keep].astype(np.int64)
    share = length / np.bincount(genome, weights=length)[genome]
    start = data["contig_start"][keep].astype(np.int64)
    rna = _rna_genes(data, keep)
    return Corpus(
        data["sequence"],
        start,
        length,
        _normalised(data["genome_weight"][genome] * share),
        repeated=_repeated(data["sequence"], start, length, genome, rna),
        **rna,
    )


def _repeated(
    sequence: UInt8[np.ndarray, " bp"],
    start: Int64[np.ndarray, " contig"],
    length: Int64[np.ndarray, " contig"],
    genome: np.ndarray,
    rna: dict[str, np.ndarray],
) -> Bool[np.ndarray, " bp"]:
    """Mark the repeats of each genome, except RNA genes, which have copies and should be learnt."""
    repeated = np.zeros(len(sequence), dtype=bool)
    for number in np.unique(genome):
        contigs = np.flatnonzero(genome == number)
        spans = [slice(start[i], start[i] + length[i]) for i in contigs]
        parts = [np.append(sequence[span], np.uint8(4)) for span in spans]
        found = np.split(repeated_bases(np.concatenate(parts)), np.cumsum([len(p) for p in parts]))
        for span, marks in zip(spans, found, strict=False):
            repeated[span] = marks[:-1]
    for contig, first, end in zip(rna["rna_contig"], rna["rna_start"], rna["rna_end"], strict=True):
        repeated[start[contig] + first : start[contig] + end] = False
    return repeated


def _rna_genes(
    data: dict[str, np.ndarray], keep: Int64[np.ndarray, " contig"]
) -> dict[str, np.ndarray]:
    index = np.full(len(data["contig_start"]), -1, dtype=np.int64)
    index[keep] = np.arange(len(keep))
    contig = index[data["rna_contig"]]
    chosen = contig >= 0
    genome = data["contig_genome"][data["rna_contig"][chosen]]
    first, end = data["rna_start"][chosen], data["rna_end"][chosen]
    # by the root of the length, since tRNA genes, which are many and short, would take all windows
    size = np.sqrt(end.astype(np.float64) - first)
    per_genome = np.bincount(genome, weights=size)[genome] if len(genome) else np.ones(0)
    return {
        "rna_contig": contig[chosen],
        "rna_start": first.astype(np.int64),
        "rna_end": end.astype(np.int64),
        "rna_weight": _normalised(data["genome_weight"][genome] * size / per_genome),
    }


def _normalised(weight: np.ndarray) -> Float64[np.ndarray, " item"]:
    return weight.astype(np.float64) / weight.sum() if len(weight) else weight.astype(np.float64)
