"""Counts of whole files against loops over bases, readings, elements and thresholds."""

from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.association.count import hits
from genointerp.association.count.hits import feature_blocks
from genointerp.association.count.label import label_cells, list_labels
from genointerp.association.count.tally import Tally
from genointerp.association.count.universe import make_universe
from genointerp.core import metric
from genointerp.core.errors import SchemaError
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureStore
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen, specimens
from tests.store.archives import ARCHIVES

N_FEATURES = 4
LENGTHS = {"c": 40, "d": 25}
CONCEPTS = {
    "gene": Concept("x", types=("gene",)),
    "gene_phase1": Concept("x", of="gene", bases="codon_position_1"),
    "island": Concept("x", types=("island",), strand="none"),
    "empty": Concept("x", types=("nothing",)),
    "whole": Concept("x", types=("whole",), strand="none"),
}
THRESHOLDS = np.array([[0.0, 2.0, 3.0], [1.0, 1.0, 2.5], [0.5, 4.0, 9.0], [0.0, np.inf, np.nan]])


class World(NamedTuple):
    """Genomes in which each concept has overlapping, nested and split elements at random."""

    stores: list[FeatureStore]
    elements: list[ConceptElements]
    dense: list[dict[str, np.ndarray]]
    coverage: list[dict[str, list[tuple[int, int, str]]]]
    sides: list[tuple[GenomicInterval, ...]]

    @property
    def specimens(self):
        return specimens(self.stores, elements=self.elements)


def make_world(folder, seed):
    rng = np.random.default_rng(seed)
    world = World([], [], [], [], [])
    for genome in range(int(rng.integers(1, 3))):
        dense, coverage = {}, {seqid: [] for seqid in LENGTHS}
        for strand in "+-":
            shape = (sum(LENGTHS.values()), N_FEATURES)
            values = rng.integers(1, 5, shape) * (rng.random(shape) < rng.random(N_FEATURES))
            dense[strand] = np.zeros(shape, np.float32)
            for offset, (seqid, length) in zip((0, 40), LENGTHS.items(), strict=True):
                start, end = sorted(rng.choice(length + 1, 2, replace=False).tolist())
                coverage[seqid].append((start, end, strand))
                dense[strand][offset + start : offset + end] = values[offset + start : offset + end]
        path = folder / f"{seed}-{genome}.h5"
        contigs = contigs_of(**LENGTHS)
        options = dict(genome_sha256=str(genome), tile_rows=int(rng.integers(3, 30)))
        world.stores.append(make_store(path, dense, contigs, coverage=coverage, **options))
        world.elements.append(draw_elements(rng))
        world.dense.append(dense)
        world.coverage.append(coverage)
        world.sides.append((GenomicInterval("c", 3, 21), GenomicInterval("c", 24, 38),
                            GenomicInterval("d", 0, 25)))  # fmt: skip
    return world


def draw_elements(rng):
    rows = []
    for concept in ("gene", "gene_phase1", "island"):
        for element in range(int(rng.integers(1, 6))):
            seqid = str(rng.choice(list(LENGTHS)))
            cuts = sorted(rng.choice(LENGTHS[seqid] + 1, 4, replace=False).tolist())
            strand = "." if concept == "island" else str(rng.choice(["+", "-"]))
            parts = [cuts[:2], cuts[2:]] if rng.random() < 0.3 else [cuts[:2]]
            for part, (start, end) in enumerate(parts[::-1] if strand == "-" else parts):
                frame = int(rng.integers(0, 3)) if concept == "gene_phase1" else -1
                rows.append((concept, seqid, start, end, strand, element, "e", part, frame))
    rows += [("whole", seqid, 0, n, ".", i, "w", 0, -1) for i, (seqid, n) in
             enumerate(LENGTHS.items())]  # fmt: skip
    return ConceptElements(pd.DataFrame(rows, columns=list(COLUMNS)), CONCEPTS)


def covered_bases(world):
    """Every (genome, reading, contig, base) that was read and lies on the side."""
    return [
        (genome, strand, seqid, base)
        for genome, coverage in enumerate(world.coverage)
        for seqid in LENGTHS
        for start, end, strand in coverage[seqid]
        for base in range(start, end)
        if any(s.seqid == seqid and s.start <= base < s.end for s in world.sides[genome])
    ]


def bases_of_elements(world, concept, orientation):
    """The bases of each element of a label."""
    found = {}
    for genome, own in enumerate(world.elements):
        for row in own.of(concept).itertuples():
            for base in range(row.start, row.end):
                within = row.end - 1 - base if row.strand == "-" else base - row.start
                if row.frame >= 0 and within % 3 != row.frame:
                    continue
                for strand in "+-":
                    if orientation == "both" or (strand == row.strand) == (orientation == "sense"):
                        bases = found.setdefault((genome, row.element), set())
                        bases.add((genome, strand, row.seqid, base))
    return list(found.values())


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_tallies_equal_loops_over_bases_and_elements(tmp_path_factory, seed):
    world = make_world(tmp_path_factory.mktemp("tally"), seed)
    universe = make_universe(zip(world.stores, world.sides, strict=True))
    names = list_labels(world.specimens)
    labels = label_cells(world.specimens, universe, names, n_stretches=3)
    counter = Tally(world.stores, universe, labels)
    (features,) = feature_blocks(world.stores)
    block = counter.read(features)
    levels, n_hit = counter.levels(block, THRESHOLDS), counter.elements(block, THRESHOLDS)
    ranks = counter.ranks(block)
    cells = covered_bases(world)
    assert universe.n_covered == len(cells)
    assert {label.concept for label in names} == {"gene", "gene_phase1", "island", "whole"}
    offset = {"c": 0, "d": 40}
    for feature in features:
        value = {b: world.dense[b[0]][b[1]][offset[b[2]] + b[3], feature] for b in cells}
        assert counter.maxima(block)[feature] == max(value.values(), default=0)
        for index, label in enumerate(names):
            elements = bases_of_elements(world, *label)
            positive = set().union(*elements) & set(cells)
            assert labels.n_positive[index] == len(positive)
            assert labels.n_elements[index] == sum(bool(e & positive) for e in elements)
            for level, threshold in enumerate(THRESHOLDS[feature]):
                detected = {b for b in cells if value[b] > 0 and value[b] >= threshold}
                assert levels.n_feature[feature, level] == len(detected)
                assert levels.n_both[feature, index, level] == len(detected & positive)
                hit = sum(bool(e & detected) for e in elements)
                assert n_hit[feature, index, level] == hit
            n = np.array([len(positive)])
            found = metric.auroc(ranks.rank[[feature], index], n, len(cells))[0]
            assert found == pytest.approx(naive_auroc(value, positive), nan_ok=True)
            found = metric.average_precision(ranks.precision[[feature], index], n)[0]
            assert found == pytest.approx(naive_average_precision(value, positive), nan_ok=True)


def naive_auroc(value, positive):
    inside = np.array([value[b] for b in positive])[:, None]
    outside = np.array([value[b] for b in value if b not in positive])
    wins = (inside > outside) + (inside == outside) / 2
    return wins.mean() if wins.size else np.nan


def naive_average_precision(value, positive):
    """Area under the steps of precision against recall, one step for each distinct value."""
    area, recall = 0.0, 0.0
    for threshold in sorted(set(value.values()), reverse=True):
        detected = {b for b in value if value[b] >= threshold}
        if positive:
            now = len(detected & positive) / len(positive)
            area += (now - recall) * len(detected & positive) / len(detected)
            recall = now
    return area if positive else np.nan


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_stretches_divide_the_counts_of_their_level(tmp_path_factory, seed):
    world = make_world(tmp_path_factory.mktemp("tally"), seed)
    universe = make_universe(zip(world.stores, world.sides, strict=True))
    labels = label_cells(
        world.specimens,
        universe,
        list_labels(world.specimens),
        n_stretches=4,
    )
    counter = Tally(world.stores, universe, labels)
    block = counter.read(range(N_FEATURES))
    chosen = np.random.default_rng(seed).integers(0, 3, (N_FEATURES, len(labels.names)))
    found = counter.stretches(block, THRESHOLDS, chosen)
    for feature in range(N_FEATURES):
        part = slice(block.start[feature], block.stop[feature])
        values = block.code[part].view(np.float16)
        stretch = labels.patches.stretch[block.place[part]]
        kind = [labels.combination[labels.patches.of_cell == p][0] for p in block.place[part]]
        for index in range(len(labels.names)):
            detected = values >= THRESHOLDS[feature, chosen[feature, index]]
            inside = labels.members[index, kind] > 0
            for number in range(4):
                here = detected & (stretch == number)
                assert found.n_feature[feature, index, number] == here.sum()
                assert found.n_both[feature, index, number] == (here & inside).sum()
    position = np.tile(np.arange(universe.n_bp), 2)
    covered = np.zeros(universe.n_cells, bool)
    for genome in range(len(world.stores)):
        for strand in "+-":
            rows = np.arange(world.stores[genome].n_rows)
            covered[universe.locate(genome, strand, rows).cell] = True
    for number in range(4):
        here = covered & (position * 4 // max(universe.n_bp, 1) == number)
        assert counter.covered_by_stretch[number] == here.sum()
        for index in range(len(labels.names)):
            expected = (here & labels.mask(index)).sum()
            assert counter.positive_by_stretch[index, number] == expected


def test_blocks_cover_every_feature_once_and_hold_no_more_than_they_may(tmp_path, monkeypatch):
    dense = silence(20, 6)
    for feature, n in enumerate([3, 3, 9, 0, 2, 4]):
        dense["+"][:n, feature] = 1
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=20))
    monkeypatch.setattr(hits, "BLOCK_HITS", 6)
    assert feature_blocks([store]) == [range(2), range(2, 3), range(3, 6)]
    monkeypatch.setattr(hits, "BLOCK_FEATURES", 2)
    assert feature_blocks([store]) == [range(2), range(2, 3), range(3, 5), range(5, 6)]


@pytest.mark.parametrize("version", [1, 2])
def test_files_of_every_version_are_counted_alike(version):
    store = FeatureStore(ARCHIVES / f"features-v{version}.h5")
    elements = make_elements(("a", "chrA", 0, 6, "+"), ("a", "chrB", 1, 3, "-"))
    side = (GenomicInterval("chrA", 0, 12), GenomicInterval("chrB", 0, 5))
    universe = make_universe([(store, side)])
    known = [specimen(store, elements)]
    labels = label_cells(known, universe, list_labels(known))
    counter = Tally([store], universe, labels)
    block = counter.read(range(1, 3))
    # features 1 and 2 fire at every third and every fourth of 17 rows, with 2 and 3, on - more
    found = counter.levels(block, np.array([[0.0, 2.25], [3.0, 3.5]]))
    assert found.n_feature.tolist() == [[12, 6], [10, 5]]
    # rows 0 and 3 of the first element; rows 13 and 14 of the second hold row 15 of neither
    assert found.n_both[:, 0].tolist() == [[2, 0], [2, 0]]
    assert counter.maxima(block).tolist() == [2.5, 3.5]


@pytest.mark.parametrize(
    ("path", "index", "value", "message"),
    [
        pytest.param(
            "plus/hits/value", 0, -1.0, "expected finite activations > 0", id="activation-below-0"
        ),
        pytest.param(
            "plus/hits/value", 0, np.nan, "expected finite activations > 0", id="activation-nan"
        ),
        pytest.param("plus/hits/row", 0, 60_000, "expected rows below 20", id="row-beyond-genome"),
        pytest.param(
            "plus/feature_hits", 0, 1, "expected the hits of the index", id="more-hits-than-said"
        ),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, path, index, value, message):
    dense = silence(20, 2)
    dense["+"][5:9, 0] = 1
    store = make_store(tmp_path / "f.h5", dense, (ContigInfo("c", 20, circular=False),))
    elements = make_elements(("a", "c", 0, 6, "+"))
    universe = make_universe([(store, (GenomicInterval("c", 0, 20),))])
    known = [specimen(store, elements)]
    labels = label_cells(known, universe, list_labels(known))
    with h5py.File(store.path, "r+") as file:
        file[path][index] = value
    with pytest.raises(SchemaError, match=message):
        Tally([store], universe, labels).read(range(2))
