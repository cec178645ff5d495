"""Stop codons of designs, by frame, over those that composition lets one expect."""

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from genointerp.core.seed import rng

_N_DRAWS = 1000


def stop_codons(designs: UInt8[np.ndarray, "design bp"], frame: int) -> Bool[np.ndarray, "d codon"]:
    """Say which codons of a frame are TAA, TAG or TGA.

    Examples
    --------
    >>> stop_codons(np.array([[*b"ATAGTGAA"]], np.uint8), 1).tolist()
    [[True, True]]
    """
    first, second, third = _codons(designs, frame)
    a, g = (second == ord(it) for it in "AG")
    ends = (a & ((third == ord("A")) | (third == ord("G")))) | (g & (third == ord("A")))
    found: Bool[np.ndarray, "d codon"] = ends & (first == ord("T"))
    return found


def stop_ratio(designs: UInt8[np.ndarray, "design bp"], frame: int) -> float:
    """Return how many stop codons a frame has, over those that its composition lets one expect.

    Notes
    -----
    Expected a codon are ``p1(T) (p2(A) p3(A) + p2(A) p3(G) + p2(G) p3(A))``, with the frequencies
    of bases at each position of the codons of all designs. A raw rate would fall with the share of
    G and C alone. NaN if none are expected, or there is no codon.
    """
    stops = stop_codons(designs, frame)
    if not stops.size:
        return float("nan")
    return _ratio(stops.mean(), *_expected_parts(designs, frame))


def stop_ratio_interval(
    designs: UInt8[np.ndarray, "design bp"], frame: int, *, seed: int
) -> tuple[float, float]:
    """Return the 95 % interval of `stop_ratio`, from designs drawn again with replacement."""
    if designs.shape[1] < frame + 3:
        return float("nan"), float("nan")
    draws = rng(seed, "designs drawn again").integers(len(designs), size=(_N_DRAWS, len(designs)))
    # what is drawn again are counts by design, which is the same and faster
    stops = stop_codons(designs, frame).mean(1)[draws].mean(1)
    parts = [part[draws].mean(1) for part in _by_design(designs, frame)]
    ratios = [_ratio(*row) for row in zip(stops, *parts, strict=True)]
    low, high = (
        np.nanquantile(ratios, [0.025, 0.975]) if np.isfinite(ratios).any() else (np.nan,) * 2
    )
    return float(low), float(high)


def _codons(designs: UInt8[np.ndarray, "design bp"], frame: int) -> tuple[np.ndarray, ...]:
    n_codons = (designs.shape[1] - frame) // 3
    whole = designs[:, frame : frame + 3 * n_codons]
    return tuple(whole[:, position::3] for position in range(3))


def _by_design(
    designs: UInt8[np.ndarray, "design bp"], frame: int
) -> list[Float64[np.ndarray, " design"]]:
    """Return the frequencies of T first, of A and G second, and of A and G third."""
    first, second, third = _codons(designs, frame)
    wanted = ((first, "T"), (second, "A"), (second, "G"), (third, "A"), (third, "G"))
    return [(bases == ord(letter)).mean(1) for bases, letter in wanted]


def _expected_parts(designs: UInt8[np.ndarray, "design bp"], frame: int) -> list[float]:
    return [float(part.mean()) for part in _by_design(designs, frame)]


def _ratio(stops: float, t1: float, a2: float, g2: float, a3: float, g3: float) -> float:
    expected = t1 * (a2 * a3 + a2 * g3 + g2 * a3)
    return float(stops / expected) if expected > 0 else float("nan")
