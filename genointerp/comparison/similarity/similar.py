"""How alike two models are on the same bases, next to what composition and nearness give."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.annotation.raster import contig_offsets, element_bases
from genointerp.comparison.similarity.config import N_GROUPS, SimilarConfig
from genointerp.comparison.similarity.measures import (
    debiased_cka,
    jackknife,
    mutual_neighbours,
    nearest,
    residual,
    ridge_errors,
    svcca,
)
from genointerp.comparison.similarity.sampled import Place, Sample, draw_sample, read_sample
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.genome.letters import UNKNOWN, base_codes
from genointerp.store.activation.store import ActivationStore
from genointerp.store.table.schema.similarity import SIMILARITY
from genointerp.store.table.table import conform

_log = logging.getLogger(__name__)

LAST_BASES = 5
"""Bases, up to and including one, whose effect is taken out."""

MEASURES = ("cka", "svcca", "neighbours", "r2_b_from_a", "r2_a_from_b")

_NEAR = (30, 300)
_SPARE = 4
_PHASES = ("CDS_phase0", "CDS_phase1", "CDS_phase2")
_X = Float64[np.ndarray, "base d"]
_Y = Float64[np.ndarray, "base e"]


class Known(NamedTuple):
    """What is known of one genome besides activations: its bases and, perhaps, its elements."""

    sequence: Genome
    elements: ConceptElements | None = None


class Others(NamedTuple):
    """Further activations of the same genomes, as far as there are any.

    Parameters
    ----------
    twin_a, twin_b
        The model of a or b with random weights, at the same site.
    ceiling
        What should be as like a as anything can: the same site of the model from another training.
    """

    twin_a: Sequence[ActivationStore] = ()
    twin_b: Sequence[ActivationStore] = ()
    ceiling: Sequence[ActivationStore] = ()


class _Measured(NamedTuple):
    """Values of each measure: of all bases, and without each group of blocks in turn."""

    value: dict[str, float]
    without: dict[str, list[float]]


def compare_activations(
    a: Sequence[ActivationStore],
    b: Sequence[ActivationStore],
    others: Others | None = None,
    known: Sequence[Known] = (),
    config: SimilarConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Compare the activations of two models or sites on bases that both have read.

    Parameters
    ----------
    a, b
        Activations of each genome. Models, widths and tokens may differ.
    others
        Activations that the likeness is compared with.
    known
        Sequences of the genomes of a, in their order, for what the last bases explain.

    Returns
    -------
    pandas.DataFrame
        Schema ``SIMILARITY``: a row for each measure and comparison.

    Raises
    ------
    InputError
        If fewer than 200 bases are left.
    MismatchError
        If the genomes differ, or both are the same model and site; if a twin is of another site.

    Notes
    -----
    Intervals are those of the jackknife over 20 groups of blocks of 16,384 bases (halved on short
    genomes until there are 40), both strands together;
    an excess is one of paired groups. For R^2 the regression is kept and test varies.
    """
    config, others = config or SimilarConfig(), others or Others()
    b = _in_order(a, b)
    _check_differ(a[0], b[0])
    aside = {name: _in_order(a, it) for name, it in others._asdict().items() if len(it)}
    _check_others(a, b, aside)
    sample = draw_sample(
        [a, b, *aside.values()], every=config.every, n_bases=config.n_bases, margin=_NEAR[1]
    )
    _log.info("similar: %s bases, both strands counted", f"{sample.n_bases:,}")
    x, y = read_sample(a, sample), read_sample(b, sample)
    found = measure_likeness(x, y, sample.block, config)
    steps = _comparisons(b, x, y, aside, known, sample, config)
    rows = [*_rows("found", found, found, sample.n_bases)]
    for number, (name, make) in enumerate(steps.items(), start=1):
        rows += make(name, found)
        progress(number, len(steps))
    table = pd.DataFrame(rows, columns=SIMILARITY.names)
    return conform(_with_ceiling(table), SIMILARITY, where="similarity")


_Make = Callable[[str, _Measured], list[dict[str, object]]]


def _comparisons(
    b: Sequence[ActivationStore],
    x: _X,
    y: _Y,
    aside: Mapping[str, Sequence[ActivationStore]],
    known: Sequence[Known],
    sample: Sample,
    config: SimilarConfig,
) -> dict[str, _Make]:
    """Return how the rows of each comparison are made, in the order of the table."""
    n = sample.n_bases

    def against(left: _X, right: _Y) -> _Make:
        def make(name: str, found: _Measured) -> list[dict[str, object]]:
            return _rows(name, measure_likeness(left, right, sample.block, config), found, n)

        return make

    def rotated(name: str, _: _Measured) -> list[dict[str, object]]:
        draw = rng(config.seed, "rotations of activations")
        shifts = draw.integers(n // 10, n - n // 10, config.n_rotations).tolist()
        return _drawn(
            name, [_values(x, np.roll(y, it, axis=0), sample, config) for it in shifts], n
        )

    def near(name: str, _: _Measured) -> list[dict[str, object]]:
        draw = rng(config.seed, "near bases")
        places = np.arange(_NEAR[0], _NEAR[1] + 1, 3)
        moved = draw.choice(places, min(config.n_near, len(places)), replace=False).tolist()
        others = [read_sample(b, sample.shifted(int(by))) for by in moved]
        return _drawn(name, [_values(x, it, sample, config) for it in others], n)

    steps: dict[str, _Make] = {"rotation": rotated, "rotation_3": near}
    if known:
        design = composition_design(known, sample)
        steps["residual"] = against(
            residual(x, design, sample.block), residual(y, design, sample.block)
        )
    read = {name: read_sample(stores, sample) for name, stores in aside.items()}
    if "twin_b" in read:
        steps["twin_of_b"] = against(x, read["twin_b"])
    if "twin_a" in read:
        steps["twin_of_a"] = against(read["twin_a"], y)
    if "twin_a" in read and "twin_b" in read:
        steps["twins"] = against(read["twin_a"], read["twin_b"])
    if "ceiling" in read:
        steps["ceiling"] = against(x, read["ceiling"])
    return steps


def measure_likeness(
    x: _X, y: _Y, block: Int64[np.ndarray, " base"], config: SimilarConfig
) -> _Measured:
    """Return each measure of two sets of activations, of all bases and without each group."""
    # of each two blocks one is fit and one is test
    group = block // 2 % N_GROUPS
    n_near = min(_SPARE * config.n_neighbours, len(x) - 1)
    neighbours = nearest(x, n_near), nearest(y, n_near)
    ridge = ridge_errors(x, y, block), ridge_errors(y, x, block)
    test = block % 2 == 1
    every = np.ones(len(x), np.bool_)

    def measured(kept: Bool[np.ndarray, " base"]) -> dict[str, float]:
        return {
            "cka": debiased_cka(x[kept], y[kept]),
            "svcca": svcca(x[kept], y[kept], variance=config.variance),
            "neighbours": mutual_neighbours(*neighbours, kept, config.n_neighbours),
            "r2_b_from_a": ridge[0].r2(kept[test]),
            "r2_a_from_b": ridge[1].r2(kept[test]),
        }

    left_out = [measured(group != number) for number in np.unique(group).tolist()]
    without = {name: [one[name] for one in left_out] for name in MEASURES}
    return _Measured(measured(every), without)


def _values(x: _X, y: _Y, sample: Sample, config: SimilarConfig) -> dict[str, float]:
    """Return each measure of all bases."""
    n = config.n_neighbours
    every = np.ones(len(x), np.bool_)
    own = nearest(x, n), nearest(y, n)
    return {
        "cka": debiased_cka(x, y),
        "svcca": svcca(x, y, variance=config.variance),
        "neighbours": mutual_neighbours(*own, every, n),
        "r2_b_from_a": _r2(x, y, sample.block),
        "r2_a_from_b": _r2(y, x, sample.block),
    }


def _r2(x: _X, y: _Y, block: Int64[np.ndarray, " base"]) -> float:
    found = ridge_errors(x, y, block)
    return found.r2(np.ones(len(found.error), np.bool_))


def _rows(
    name: str, measured: _Measured, found: _Measured, n_bases: int
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for measure in MEASURES:
        value = measured.value[measure]
        low, high = jackknife(value, measured.without[measure])
        row = {"measure": measure, "comparison": name, "value": value, "low": low, "high": high}
        excess = found.value[measure] - value
        pairs = zip(found.without[measure], measured.without[measure], strict=True)
        ends = jackknife(excess, [one - other for one, other in pairs])
        if name == "found":
            excess, ends = float("nan"), (float("nan"), float("nan"))
        row |= {"excess": excess, "excess_low": ends[0], "excess_high": ends[1]}
        rows.append(row | {"n_bases": n_bases})
    return rows


def _drawn(
    name: str, values: Sequence[Mapping[str, float]], n_bases: int
) -> list[dict[str, object]]:
    """Return the mean of draws of a null, with the range that holds 95 % of them."""
    rows: list[dict[str, object]] = []
    for measure in MEASURES:
        drawn = np.array([one[measure] for one in values])
        low, high = np.quantile(drawn, [0.025, 0.975])
        row = {"measure": measure, "comparison": name, "value": float(drawn.mean())}
        row |= {"low": float(low), "high": float(high), "n_bases": n_bases}
        rows.append(row | dict.fromkeys(("excess", "excess_low", "excess_high"), float("nan")))
    return rows


def _with_ceiling(table: pd.DataFrame) -> pd.DataFrame:
    """Add the share of the ceiling; NaN without one."""
    top = table[table["comparison"] == "ceiling"].set_index("measure")["value"]
    ceiling = table["measure"].map(top).to_numpy(np.float64)
    return table.assign(of_ceiling=table["value"].to_numpy(np.float64) / ceiling)


def composition_design(
    known: Sequence[Known], sample: Sample
) -> Float64[np.ndarray, "base column"]:
    """Return what the last five bases and the phase in a codon are at each base, as 0 and 1.

    Columns are each base at each place, each pair of neighbouring bases, and the three phases of
    coding sequences read in sense, where elements are known.
    """
    found = []
    for place in sample.places:
        own = known[place.genome]
        codes = base_codes(own.sequence[place.seqid].sequence)
        step = -1 if place.strand == "+" else 1
        at = place.base[:, None] + step * np.arange(LAST_BASES)[None, :]
        inside = (at >= 0) & (at < len(codes))
        letter = np.where(inside, codes[np.clip(at, 0, len(codes) - 1)], UNKNOWN).astype(np.int64)
        if place.strand == "-":
            letter = np.where(letter < UNKNOWN, UNKNOWN - 1 - letter, UNKNOWN)
        single = (letter[:, :, None] == np.arange(UNKNOWN)).reshape(len(at), -1)
        pair = letter[:, :-1] * UNKNOWN + letter[:, 1:]
        pair = np.where((letter[:, :-1] < UNKNOWN) & (letter[:, 1:] < UNKNOWN), pair, -1)
        double = (pair[:, :, None] == np.arange(UNKNOWN**2)).reshape(len(at), -1)
        found.append(np.concatenate([single, double, _phases(own, place)], axis=1))
    return np.concatenate(found).astype(np.float64)


def _phases(own: Known, place: Place) -> Bool[np.ndarray, "base phase"]:
    elements = own.elements
    if elements is None or not set(_PHASES) <= set(elements.names):
        return np.zeros((len(place.base), 0), np.bool_)
    lengths = own.sequence.lengths
    offset = contig_offsets(lengths)[place.seqid]
    columns = [
        np.isin(
            place.base + offset, element_bases(elements, lengths, name, strand=place.strand).row
        )
        for name in _PHASES
    ]
    return np.stack(columns, axis=1)


def _in_order(
    own: Sequence[ActivationStore], other: Sequence[ActivationStore]
) -> list[ActivationStore]:
    """Return the stores of others in the order of the genomes of ``own``."""
    known = [store.identity for store in own]
    for store in other:
        store.identity.find(known, "genome")
    back = [store.identity for store in other]
    found = [other[store.identity.find(back, "genome")] for store in own]
    if len(other) != len(own):
        expected = f"{len(own)} genomes, each once"
        raise MismatchError(str(other[0].path), expected, f"{len(other)} activations files")
    return found


def _check_others(
    a: Sequence[ActivationStore],
    b: Sequence[ActivationStore],
    aside: Mapping[str, Sequence[ActivationStore]],
) -> None:
    """Refuse twins of another site or of the same weights, and a ceiling that is a itself."""
    for name, model in (("twin_a", a), ("twin_b", b)):
        if name in aside:
            model[0].identity.check(aside[name][0].identity, "site")
            model[0].identity.check_differs(aside[name][0].identity, "model")
            if aside[name][0].d_in != model[0].d_in:
                expected = f"activations of {model[0].d_in} columns, as {model[0].path} has"
                raise InputError(str(aside[name][0].path), expected, str(aside[name][0].d_in))
    if "ceiling" in aside:
        _check_differ(a[0], aside["ceiling"][0])


def _check_differ(own: ActivationStore, other: ActivationStore) -> None:
    """Refuse the same site of the same model twice."""
    if own.header.site == other.header.site:
        own.identity.check_differs(other.identity, "model")
