"""Worlds in which features and annotation know nothing of each other."""

import numpy as np

from genointerp.genome.genome import Contig, Genome
from tests.plant import contigs_of, make_elements, make_store, silence

LENGTH = 8000
ELEMENT = 60
BLOCK = 200


def clustered(rng, n, weight=None):
    """A track on a circle of LENGTH bases: n runs of 25 bases, each of one height."""
    track = np.zeros(LENGTH, np.float32)
    starts = rng.choice(LENGTH, n, p=weight)
    for start in starts:
        track[np.arange(start, start + 25) % LENGTH] = rng.choice([1, 2, 3, 4])
    return track


def sequence(rng):
    """Bases in blocks that are poor or rich in GC."""
    share = np.repeat(rng.choice([0.35, 0.65], LENGTH // BLOCK), BLOCK)
    is_gc = rng.random(LENGTH) < share
    bases = np.where(is_gc, rng.choice([67, 71], LENGTH), rng.choice([65, 84], LENGTH))
    return bases.astype(np.uint8)


def gc_of(bases, length):
    """GC content of the stretch that begins at each base, around the circle."""
    is_gc = np.isin(bases, [67, 71])
    return np.mean([np.roll(is_gc, -offset) for offset in range(length)], axis=0)


def place_elements(rng, chance, n=24):
    """Elements that begin at a base with its chance, on either strand, none upon another."""
    taken = np.zeros((2, LENGTH), bool)
    placed = []
    while len(placed) < n:
        start, strand = int(rng.integers(LENGTH - ELEMENT)), int(rng.integers(2))
        stretch = slice(start, start + ELEMENT)
        if rng.random() < chance[start] and not taken[strand, stretch].any():
            taken[strand, stretch] = True
            placed.append((start, start + ELEMENT, "+-"[strand]))
    return placed


def make_world(folder, *, seed, n_features, gc_bias=False, fit_is_test=False):
    """Store, elements and genome; with ``gc_bias`` both prefer GC, each for itself."""
    rng = np.random.default_rng(seed)
    sides = {name: sequence(rng) for name in ("fit", "test")}
    dense = silence(2 * LENGTH, n_features)
    places = {}
    for index, (name, bases) in enumerate(sides.items()):
        is_rich = gc_of(bases, ELEMENT) >= 0.6
        places[name] = place_elements(rng, np.where(is_rich | (not gc_bias), 1.0, 0.25))
        weight = np.where((gc_of(bases, 25) >= 0.6) & gc_bias, 6.0, 1.0)
        rows = slice(index * LENGTH, (index + 1) * LENGTH)
        for strand in "+-":
            for feature in range(n_features):
                dense[strand][rows, feature] = clustered(rng, 60, weight / weight.sum())
    if fit_is_test:
        places["fit"] = places["test"]
        for strand in "+-":
            dense[strand][:LENGTH] = dense[strand][LENGTH:]
    elements = make_elements(
        *(("a", name, *place) for name, placed in places.items() for place in placed)
    )
    genome = Genome([Contig(name, bases) for name, bases in sides.items()])
    contigs = contigs_of(fit=LENGTH, test=LENGTH)
    store = make_store(folder / "f.h5", dense, contigs, genome_sha256=genome.sha256)
    return store, elements, genome
