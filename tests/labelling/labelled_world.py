"""A genome in which it is known what every feature marks, for the tests of labels."""

from typing import NamedTuple

import numpy as np

from genointerp.association.config import AssociateConfig
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Contig, Genome
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen

LENGTH = 40_000
MOTIF = "TATAAT"
SPLIT = AssociateConfig(test=("test",), n_shifts=199, top_per_concept=3)
FEATURES = {"gene": 0, "antisense": 1, "start": 2, "motif": 3, "period": 4, "noise": 5, "dense": 6}
_PAIRED = {"A": "T", "C": "G", "G": "C", "T": "A"}


class World(NamedTuple):
    """A specimen, and where each strand of each contig has the motif (its last base)."""

    specimen: Specimen
    motif: dict[str, np.ndarray]


def complement(text):
    return "".join(_PAIRED[letter] for letter in reversed(text))


def genes():
    """Genes of 300 bases, irregular, so that no rotation brings them back upon themselves."""
    places = [900 * i + 7 * i * i % 500 + 50 for i in range(43)]
    return [(start, start + 300, "+-"[i % 2]) for i, start in enumerate(places)]


def make_world(folder, *, on_test=True):
    """Features of `FEATURES`; without ``on_test`` they fire at random on the test contig."""
    rng = np.random.default_rng(5)
    letters = {name: rng.choice(list("ACGT"), LENGTH) for name in ("fit", "test")}
    texts = {name: "".join(found) for name, found in letters.items()}
    dense = silence(2 * LENGTH, len(FEATURES))
    ends = {}
    for number, name in enumerate(("fit", "test")):
        own = {strand: dense[strand][number * LENGTH : (number + 1) * LENGTH] for strand in "+-"}
        for start, end, strand in genes():
            other = "-" if strand == "+" else "+"
            own[strand][start:end, 0] = 2
            own[other][start:end, 1] = 2
            first = start if strand == "+" else end - 1
            own[strand][max(first - 25, 0) : first + 26, 2] = 1
        for strand in "+-":
            word = MOTIF if strand == "+" else complement(MOTIF)
            found = [i for i in range(LENGTH) if texts[name].startswith(word, i)]
            # one base after the motif in reading direction
            at = [i + len(word) if strand == "+" else i - 1 for i in found]
            at = np.array([i for i in at if 0 <= i < LENGTH], dtype=int)
            own[strand][at, 3] = 3
            ends[f"{name}{strand}"] = at
            places = np.arange(100, LENGTH - 100, 700)
            for step in range(0, 60, 12):
                own[strand][places + step + 350, 4] = 1
            own[strand][rng.random(LENGTH) < 0.003, 5] = 1
            own[strand][:, 6] = 1
        if name == "test" and not on_test:
            for strand in "+-":
                own[strand][:] = rng.random((LENGTH, len(FEATURES))) < 0.01
    genome = Genome(
        Contig(name, np.frombuffer(text.encode(), np.uint8)) for name, text in texts.items()
    )
    contigs = contigs_of(fit=LENGTH, test=LENGTH)
    store = make_store(folder / "f.h5", dense, contigs, genome_sha256=genome.sha256)
    elements = make_elements(
        *(("gene", name, *place) for name in ("fit", "test") for place in genes())
    )
    return World(specimen(store, elements, sequence=genome), ends)
