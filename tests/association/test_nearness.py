"""Whether loci keep to the ends of elements, against sets of bases."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.association.count.label import Label
from genointerp.association.count.tracks import RowTrack
from genointerp.association.count.universe import make_universe
from genointerp.association.null.nearness import Ends
from genointerp.genome.interval import GenomicInterval
from tests.plant import contigs_of, make_elements, make_store, pick, silence
from tests.specimens import specimen

LENGTHS = {"c": 400, "d": 90}
READ = {("c", "+"): (5, 390), ("c", "-"): (0, 400), ("d", "+"): (0, 90), ("d", "-"): (20, 90)}
SIDE = {"c": (30, 380), "d": (0, 90)}
WHOLE = {name: (0, length) for name, length in LENGTHS.items()}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    coverage = {name: [] for name in LENGTHS}
    for (name, strand), place in READ.items():
        coverage[name].append((*place, strand))
    path = tmp_path_factory.mktemp("near") / "f.h5"
    return make_store(path, silence(490, 1), contigs_of(**LENGTHS), coverage=coverage)


def nearness(store, elements, tracks, label, config=None):
    universe = make_universe([(store, tuple(GenomicInterval(n, *at) for n, at in SIDE.items()))])
    ends = Ends([specimen(store, elements)], universe, config or AssociateConfig())
    return ends.nearness(ends.find_peaks(tracks), label)


def naive_rows(strand, side=SIDE):
    """Rows that were read on a strand and lie on the side."""
    return {
        base + (400 if name == "d" else 0)
        for (name, read), (start, end) in READ.items()
        for base in range(start, end)
        if read == strand and side[name][0] <= base < side[name][1]
    }


def naive(rows, values, orientation):
    """Share and chance from sets of bases."""
    maximum = max(float(value.max()) for value in values.values())
    n_loci = n_near = 0
    read_all = near_all = within_all = both_all = out_all = near_out = 0
    anywhere = {
        base + (400 if row[1] == "d" else 0) for row in rows for base in range(row[2], row[3])
    }
    for strand in "+-":
        other = {"+": "-", "-": "+"}[strand]
        wanted = {"sense": strand, "antisense": other, "both": None}[orientation]
        near, within = set(), set()
        for element in {row[5] for row in rows}:
            parts = sorted((row for row in rows if row[5] == element), key=lambda row: row[7])
            if wanted is not None and parts[0][4] not in (wanted, "."):
                continue
            seqid, shift = parts[0][1], 400 if parts[0][1] == "d" else 0
            bases = []
            for _, _, start, end, own, *_ in parts:
                bases += list(range(start, end))[:: -1 if own == "-" else 1]
            within |= {base + shift for base in bases}
            for border in (bases[0], bases[-1]):
                close = range(border - 10, border + 11)
                near |= {base + shift for base in close if 0 <= base < LENGTHS[seqid]}
        read = naive_rows(strand)
        read_all, near_all = read_all + len(read), near_all + len(read & near)
        within_all, both_all = within_all + len(read & within), both_all + len(read & near & within)
        out_all, near_out = out_all + len(read - anywhere), near_out + len(read & near - anywhere)
        loud = sorted(row for row in read if values[strand][row] >= maximum / 2 > 0)
        loci = []
        for row in loud:
            if loci and row - loci[-1][-1] <= 31 and (row < 400) == (loci[-1][-1] < 400):
                loci[-1].append(row)
            else:
                loci.append([row])
        n_loci += len(loci)
        n_near += sum(max(locus, key=lambda row: (values[strand][row], -row)) in near
                      for locus in loci)  # fmt: skip
    if not n_loci:
        return np.nan, np.nan
    rate = max(near_all / read_all, both_all / max(within_all, 1), near_out / max(out_all, 1))
    tail = sum(
        comb(n_loci, k) * rate**k * (1 - rate) ** (n_loci - k) for k in range(n_near, n_loci + 1)
    )
    return n_near / n_loci, tail


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_nearness_is_that_of_sets_of_bases(store, seed):
    rng = np.random.default_rng(seed)
    strandless = bool(rng.random() < 0.3)
    rows = []
    for element in range(int(rng.integers(1, 6))):
        seqid = str(rng.choice(list(LENGTHS)))
        cuts = sorted(rng.choice(LENGTHS[seqid] + 1, 4, replace=False).tolist())
        strand = "." if strandless else str(rng.choice(["+", "-"]))
        parts = [cuts[:2], cuts[2:]] if rng.random() < 0.4 else [cuts[:2]]
        for part, (start, end) in enumerate(parts[::-1] if strand == "-" else parts):
            rows.append(("a", seqid, start, end, strand, element, "e", part, -1))
    concept = Concept("x", types=("x",), strand="none" if strandless else "own")
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["seqid", "start"])
    elements = ConceptElements(table, {"a": concept})
    density = rng.choice([0.0, 0.01, 0.1])
    values = {s: (rng.random(490) < density) * rng.integers(1, 6, 490) for s in "+-"}
    for strand in "+-":
        # what was read beyond the side tells how loud it gets, and nothing else
        unread = [row for row in range(490) if row not in naive_rows(strand, side=WHOLE)]
        values[strand][unread] = 0
    tracks = [
        RowTrack(0, s, np.flatnonzero(values[s]), values[s][values[s] > 0].astype(np.float32))
        for s in "+-"
    ]
    for orientation in ("both",) if strandless else ("sense", "antisense"):
        found = nearness(store, elements, tracks, Label("a", orientation))
        assert found == pytest.approx(naive(rows, values, orientation), nan_ok=True)


def track(*rows):
    return [RowTrack(0, "+", np.array(rows, np.int64), np.ones(len(rows), np.float32))]


def test_to_fire_anywhere_in_short_elements_is_not_to_keep_to_their_ends(store):
    """Elements of 20 bases, all of which are near an end, and one of 150 bases."""
    starts = range(40, 200, 40)
    short = make_elements(*(("a", "c", start, start + 20, "+") for start in starts))
    found = nearness(store, short, track(*(start + 3 for start in starts)), Label("a", "sense"))
    assert found == (1, 1)
    long = make_elements(("a", "c", 50, 200, "+"), ("a", "c", 220, 370, "+"))
    found = nearness(store, long, track(45, 202, 372), Label("a", "sense"))
    # 22 of the 150 bases of each are near its ends and 40 of the 260 read in no element, which is
    # more than 84 of all 860
    assert found == pytest.approx((1, (40 / 260) ** 3))


def test_to_fire_anywhere_in_short_gaps_is_not_to_keep_to_the_ends_around_them(store):
    """Gaps of 20 bases, all of which are near an end of one of the elements beside them."""
    starts = range(0, 400, 80)
    rows = make_elements(*(("a", "c", start, start + 60, s) for start in starts for s in "+-"))
    gaps = track(*(start + 65 for start in starts[:-1]))
    share, chance = nearness(store, rows, gaps, Label("a", "both"))
    assert share == 1
    # 180 of the 360 pairs in no element, most of the others on d: not by all 860 read
    assert chance == pytest.approx(0.5**4)


def test_the_ends_of_a_start_codon_are_those_of_its_coding_sequence(store):
    rows = [("CDS", "c", 50, 200, "+", 0, "e", 0, -1), ("start", "c", 50, 53, "+", 0, "e", 0, -1)]
    concepts = {
        "CDS": Concept("x", types=("CDS",)),
        "start": Concept("x", of="CDS", bases="first_codon"),
    }
    elements = ConceptElements(pd.DataFrame(rows, columns=list(COLUMNS)), concepts)
    peaks = track(50, 201)
    found = nearness(store, elements, peaks, Label("start", "sense"))
    assert found == nearness(store, elements, peaks, Label("CDS", "sense"))
    assert found.share == 1


def test_associations_tell_the_boundary_of_the_pairs_that_are_tested(tmp_path):
    length, dense = 40_000, silence(80_000, 3)
    starts = [900 * i + 13 * i * i % 300 for i in range(1, 40)]
    genes = [(start, start + 400) for start in starts]
    for offset in (0, length):
        for start, end in genes:
            dense["+"][offset + start - 4 : offset + start + 1, 0] = 2
            dense["+"][offset + start + 200 : offset + start + 205, 1] = 2
            # it murmurs all over the gene, and is loud at its end
            dense["+"][offset + start : offset + end, 2] = 0.5
            dense["+"][offset + end - 1 : offset + end + 3, 2] = 2
    store = make_store(tmp_path / "f.h5", dense, contigs_of(fit=length, test=length))
    elements = make_elements(*(("g", s, *g, "+") for s in ("fit", "test") for g in genes))
    config = AssociateConfig(test=("test",), n_shifts=9)
    table = associate([specimen(store, elements)], config=config)
    found = [pick(table, feature, "g", "sense") for feature in range(3)]
    assert [row["boundary_share"] for row in found] == [1, 0, 1]
    assert found[0]["boundary_p"] < 1e-9
    assert found[2]["boundary_p"] < 1e-9
    assert found[1]["boundary_p"] == 1
    untested = table["p_value"].isna()
    assert untested.any()
    assert table.loc[untested, ["boundary_share", "boundary_p"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param({}, 1 / 2, id="half-of-the-maximum"),
        pytest.param({"locus_share": 0.2}, 2 / 3, id="a-fifth-of-it"),
        pytest.param({"merge_gap": 200}, 1.0, id="gaps-closed"),
    ],
)
def test_loci_are_those_of_the_configuration(store, config, expected):
    """Loud at the start of an element and in the middle of it, and faint near its end."""
    elements = make_elements(("gene", "c", 100, 300, "+"))
    row = np.array([100, 200, 299])
    track = RowTrack(0, "+", row, np.array([10.0, 9.0, 3.0], np.float32))
    found = nearness(store, elements, [track], Label("gene", "sense"), AssociateConfig(**config))
    assert found.share == pytest.approx(expected)
