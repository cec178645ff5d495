"""Measure the baselines of the default models, for each genome, as JSON.

``python -m scripts.measure_baselines corpus.npz``. They are Markov models of both strands of the
training corpus, in which genomes have the weights with which windows are drawn; their mixture; the
same with counts of the genome itself up to the base that is read, as in DNA compressors; and
general compressors, if they are installed (``apt-get install zpaq xz-utils``). It takes minutes for
each genome and 4 GB; nothing here depends on a model.
"""

import argparse
import json
import logging
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from genointerp.core.files import atomic_path
from genointerp.core.provenance import sha256_file
from genointerp.genome.letters import reverse_complement_codes
from genointerp.pretraining.context_mixing import mixture_bits
from genointerp.pretraining.markov import MAX_ORDER, MarkovModel
from scripts.default_model_genomes import (
    STRETCH,
    JudgedGenome,
    TrainingGenome,
    judged_genomes,
    mean_bits,
    rounded,
    training_genomes,
)

log = logging.getLogger(__name__)
OUT = Path(__file__).with_name("baselines.json")
COMPRESSORS = {
    "zpaq -m5": ["zpaq", "add", "out", "genome.txt", "-method", "5", "-threads", "1"],
    "xz -9e": ["xz", "-9e", "--keep", "--suffix=.out", "genome.txt"],
}


def main() -> None:
    """Parse the arguments, measure one genome after the other, and write after each."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="corpus.npz of scripts/corpus/assemble.py")
    parser.add_argument("--out", type=Path, default=OUT, help="JSON file; other genomes are kept")
    parser.add_argument("--genome", action="append", help="repeatable; all if not given")
    parser.add_argument("--only", choices=["mixture", "compressors"], help="both if not given")
    arguments = parser.parse_args()
    genomes = [
        genome
        for genome in judged_genomes(arguments.corpus)
        if arguments.genome is None or genome.name in arguments.genome
    ]
    corpus_sha256 = sha256_file(arguments.corpus)
    if arguments.only != "compressors":
        for name, found in mixtures(training_genomes(arguments.corpus), genomes):
            record(arguments.out, corpus_sha256, name, found)
    if arguments.only != "mixture":
        for genome in genomes:
            record(arguments.out, corpus_sha256, genome.name, {"compressors": compress(genome)})


def mixtures(
    training: list[TrainingGenome], genomes: list[JudgedGenome]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the figures of each genome."""
    markov = MarkovModel(MAX_ORDER, np.concatenate([genome.tokens for genome in genomes]))
    for number, genome in enumerate(training):
        for tokens in (genome.tokens, reverse_complement_codes(genome.tokens)):
            markov.add(tokens, weight=genome.weight)
        log.info("counted %d of %d training genomes", number + 1, len(training))
    for judged in genomes:
        yield judged.name, figures(markov, judged)
        log.info("%s: read", judged.name)


def figures(markov: MarkovModel, genome: JudgedGenome) -> dict[str, Any]:
    """Return the figures of one genome."""
    tokens = genome.tokens
    found = mixture_bits(markov, tokens)
    # the unknown base after each contig is not a base of the genome
    ends = np.cumsum([contig.length + 1 for contig in genome.genome.values()]) - 1
    corpus_mixture, mixture = (np.delete(bits, ends) for bits in found[2:])
    values: dict[str, Any] = {
        "split": genome.split,
        "genome_sha256": genome.genome.sha256,
        "n_bases": int((tokens <= 3).sum()),
        "corpus_markov": ordered(found.corpus_orders),
        "own_markov": ordered(found.own_orders),
        "corpus_mixture": mean_bits(corpus_mixture, genome.classes),
        "mixture": mean_bits(mixture, genome.classes),
    }
    if genome.name == STRETCH[0]:
        stretch = slice(*STRETCH[1:])
        values["mixture"]["stretch"] = rounded(mixture[stretch])
        values["corpus_mixture"]["stretch"] = rounded(corpus_mixture[stretch])
    return values


def ordered(bits: list[float]) -> dict[str, Any]:
    """Return the figures of all orders, and the best order, chosen on the genome itself."""
    best = int(np.argmin(bits))
    return {
        "best_order": best,
        "bits_per_base": round(bits[best], 4),
        "by_order": [round(value, 4) for value in bits],
    }


def compress(genome: JudgedGenome) -> dict[str, Any]:
    """Return the figures of the installed compressors on the letters of the genome."""
    letters = b"".join(contig.sequence.tobytes() for contig in genome.genome.values())
    found = {}
    for name, command in COMPRESSORS.items():
        if shutil.which(command[0]) is None:
            log.warning("%s is not installed", command[0])
            continue
        with TemporaryDirectory() as folder:
            (Path(folder) / "genome.txt").write_bytes(letters)
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            (packed,) = (path for path in Path(folder).iterdir() if "out" in path.name)
            n_bits = 8 * packed.stat().st_size
        found[name] = {
            "bits_per_base": round(n_bits / len(letters), 4),
            "version": version(command[0]),
        }
        log.info("%s: %s %s", genome.name, name, found[name])
    return found


def version(tool: str) -> str:
    """Return the text in which a tool states its version."""
    option = [] if tool == "zpaq" else ["--version"]
    shown = subprocess.run([tool, *option], capture_output=True, text=True, check=False)
    return shown.stdout.splitlines()[0].partition(",")[0]


def record(out: Path, corpus_sha256: str, name: str, found: dict[str, Any]) -> None:
    """Add the figures of one genome to those in the file."""
    kept = json.loads(out.read_text()) if out.exists() else {"genomes": {}}
    genomes = kept["genomes"]
    genomes[name] = genomes.get(name, {}) | found
    with atomic_path(out) as temporary:
        content = {"corpus_sha256": corpus_sha256, "genomes": dict(sorted(genomes.items()))}
        temporary.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
