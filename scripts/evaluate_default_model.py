"""Bits per base of a shipped model beside Markov models of the same corpus, as JSON.

The Markov models are counted on the training genomes, both strands, with the weights that the
model's windows were drawn with; the best of their orders is chosen on the test genome itself, which
favours them. A second series is counted on the other half of the test genome itself.
"""

import argparse
import json
import logging
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from genointerp.activation.harvest import HarvestConfig
from genointerp.activation.loss import genome_loss
from genointerp.annotation.catalogue import shipped
from genointerp.core.files import atomic_path
from genointerp.core.progress import progress_bar
from genointerp.core.provenance import sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.model.corpus import Corpus, read_corpus, reverse_complement_tokens
from genointerp.model.markov import MAX_ORDER, MarkovModel
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load_model

log = logging.getLogger(__name__)
CONFIG = HarvestConfig(window=4096, warmup=512, strands=("+",))


def main() -> None:
    """Parse the arguments, measure and write."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="corpus.npz of scripts/corpus/assemble.py")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--genome", action="append", help="shipped genome; repeatable")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    markov = count_markov(read_corpus(arguments.corpus), model)
    genomes = {
        name: evaluate(model, markov, read_genome(shipped(name).sequence))
        for name in arguments.genome or ["bsubtilis_168"]
    }
    record = {
        "model": model.spec.name,
        "model_sha256": model.spec.sha256,
        "corpus_sha256": sha256_file(arguments.corpus),
        "strand": "+",
        "window": CONFIG.window,
        "warmup": CONFIG.warmup,
        "genomes": genomes,
    }
    with atomic_path(arguments.out) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")


def count_markov(corpus: Corpus, model: DnaModel) -> MarkovModel:
    """Count the training contigs, both strands, each by the weight of its windows."""
    markov = MarkovModel(MAX_ORDER)
    per_base = corpus.weight / corpus.length
    # rounded, so that the contigs of one genome share one weight exactly
    per_base = np.round(per_base / np.average(per_base, weights=corpus.length), 6)
    separator = np.array([4], dtype=np.uint8)
    for weight in np.unique(per_base):
        parts = []
        for i in np.flatnonzero(per_base == weight):
            tokens = corpus.sequence[corpus.start[i] : corpus.start[i] + corpus.length[i]]
            parts += [tokens, separator, reverse_complement_tokens(tokens), separator]
        markov.add(np.concatenate(parts), weight=float(weight))
        log.info("counted %d contigs", len(parts) // 4)
    return markov


def evaluate(model: DnaModel, markov: MarkovModel, genome: Genome) -> dict[str, object]:
    """Return the figures of one genome."""
    with progress_bar("bits per base (windows)") as progress:
        loss = genome_loss(model, genome, config=CONFIG, progress=progress)
    orders = markov.bits_per_base(tokens_of(model, genome))
    best = int(np.argmin(orders))
    own = own_markov(tokens_of(model, genome))
    return {
        "bits_per_base": round(loss.bits_per_base, 4),
        "n_bases": loss.n_bases,
        "best_markov_order": best,
        "best_markov_bits_per_base": round(orders[best], 4),
        "markov_bits_per_base": [round(bits, 4) for bits in orders],
        "best_own_markov_order": int(np.argmin(own)),
        "best_own_markov_bits_per_base": round(min(own), 4),
        "own_markov_bits_per_base": [round(bits, 4) for bits in own],
    }


def own_markov(tokens: UInt8[np.ndarray, " token"]) -> list[float]:
    """Return bits per base of Markov models counted on one half of the genome, read on the other.

    They know the genome's composition, which the model has to find out in each window.
    """
    half = len(tokens) // 2
    means = []
    for known, read in ((tokens[:half], tokens[half:]), (tokens[half:], tokens[:half])):
        markov = MarkovModel(MAX_ORDER)
        markov.add(known)
        markov.add(reverse_complement_tokens(known))
        means.append(markov.bits_per_base(read))
    return np.mean(means, axis=0).tolist()


def tokens_of(model: DnaModel, genome: Genome) -> UInt8[np.ndarray, " token"]:
    """Return the tokens of all contigs in a row."""
    parts = [model.tokenize(contig.sequence).ids.astype(np.uint8) for contig in genome.values()]
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
