"""Sketch the training genomes of the shipped models, for `associate` to compare test with.

``python -m scripts.corpus.sketch DIR/corpus.npz`` reads what ``assemble.py`` wrote, and writes
``genointerp/model/weights/training_genomes.npz``. The models were trained on the same genomes.
"""

import argparse
from pathlib import Path

import numpy as np

from genointerp.association.training_genomes import SKETCH, TrainingSketch, sketch, write_sketch
from genointerp.genome.letters import base_letters

MODELS = ("nano", "small")


def main() -> None:
    """Parse the arguments and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, default=SKETCH)
    given = parser.parse_args()
    write_sketch(given.out, sketch_corpus(given.corpus))


def sketch_corpus(path: Path) -> TrainingSketch:
    """Return the sketch of the genomes of a corpus that are for training."""
    with np.load(path) as file:
        sequence, names = file["sequence"], file["genome_name"]
        start, length, of = file["contig_start"], file["contig_length"], file["contig_genome"]
        chosen = np.flatnonzero(file["genome_split"] == "train").tolist()
    hashes = []
    for genome in chosen:
        own = np.flatnonzero(of == genome)
        pieces = [base_letters(sequence[start[i] : start[i] + length[i]]) for i in own]
        hashes.append(sketch(pieces))
    return TrainingSketch(MODELS, tuple(str(names[i]) for i in chosen), tuple(hashes))


if __name__ == "__main__":
    main()
