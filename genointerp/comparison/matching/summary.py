"""The shares of features that are matched, next to those of the nulls, by density."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from genointerp.comparison.matching.compared import DECILES, Compared, Partners, Side, Under
from genointerp.comparison.matching.config import MatchConfig

SIDES = ("a", "b")

RESIDUAL = "_residual"
"""Ending of the names of comparisons with the means by the last bases taken out."""

_INTERVAL = (0.025, 0.975)

_NAMES = {"far": "rotation", "near": "rotation_3"}


class _Shares(NamedTuple):
    """Shares that are matched, of all features (the first) and of each tenth by density."""

    share: Float64[np.ndarray, " part"]
    drawn: Float64[np.ndarray, "part draw"]
    mean_r: Float64[np.ndarray, " part"]
    n_features: Int64[np.ndarray, " part"]


def summarise(
    found: Compared,
    rotated: Mapping[str, Sequence[Partners]],
    against: Mapping[str, Compared],
    config: MatchConfig,
) -> pd.DataFrame:
    """Return the shares of both sides, in the columns of ``MATCH_SUMMARY``.

    Parameters
    ----------
    rotated
        The best of each feature under each rotation, by kind of rotation.
    against
        Comparisons with the twin of either model (``twin_of_a``, ``twin_of_b``), of both twins
        (``twins``) and with another seed (``ceiling``), as far as they were made.

    Notes
    -----
    Intervals hold 95 % of the draws of blocks; all comparisons have the same draws, so that an
    excess is one of paired draws. Those of rotations hold 95 % of the rotations.
    """
    frames = []
    for number, name_of_side in enumerate(SIDES):
        rows = {}
        for name, compared in _of_side({"found": found, **against}, number).items():
            for ending, under in (("", compared.plain), (RESIDUAL, compared.residual)):
                if under is not None:
                    rows[name + ending] = _shares(compared.sides[number], under, number, config)
        side = found.sides[number]
        for kind, partners in rotated.items():
            rows[_NAMES[kind]] = _rotated_shares(side, partners, number, config)
        frames += [_rows(name_of_side, name, one, rows) for name, one in rows.items()]
    return pd.concat(frames, ignore_index=True)


def _of_side(compared: Mapping[str, Compared], number: int) -> dict[str, Compared]:
    """Return the comparisons that say something of the features of one side."""
    own = ("twin_of_b", "twin_of_a")[number]
    names = {"found": "found", own: "twin", "twins": "twins"}
    if number == 0:
        names["ceiling"] = "ceiling"
    return {names[name]: one for name, one in compared.items() if name in names}


def _shares(side: Side, under: Under, number: int, config: MatchConfig) -> _Shares:
    return _Shares(
        under.shares(side, number, config.min_r),
        under.drawn_shares(side, number, config.min_r),
        _means(under.partners.r[number], side),
        _sizes(side),
    )


def _rotated_shares(
    side: Side, partners: Sequence[Partners], number: int, config: MatchConfig
) -> _Shares:
    is_matched = np.stack([one.is_matched(number, config.min_r) for one in partners], axis=1)
    shares = np.stack([side.share(is_matched, decile) for decile in range(DECILES + 1)])
    means = np.mean([_means(one.r[number], side) for one in partners], axis=0)
    return _Shares(shares.mean(axis=1), shares, means, _sizes(side))


def _means(r: Float64[np.ndarray, " feature"], side: Side) -> Float64[np.ndarray, " part"]:
    parts = [r[side.members(decile)] for decile in range(DECILES + 1)]
    return np.array([part.mean() if len(part) else np.nan for part in parts])


def _sizes(side: Side) -> Int64[np.ndarray, " part"]:
    sizes = [int(side.members(decile).sum()) for decile in range(DECILES + 1)]
    return np.array(sizes, dtype=np.int64)


def _rows(side: str, name: str, own: _Shares, rows: Mapping[str, _Shares]) -> pd.DataFrame:
    """Return the rows of one comparison: all features, then each tenth."""
    ending = RESIDUAL if name.endswith(RESIDUAL) else ""
    base, ceiling = rows["found" + ending], rows.get("ceiling" + ending)
    nothing = np.full(len(own.share), np.nan)
    excess, of_ceiling = (nothing,) * 3, (nothing,) * 3
    is_found = name == "found" + ending
    if not is_found:
        # rotations are no draws of blocks: what varies is what was found
        less = own.share[:, None] if name in _NAMES.values() else own.drawn
        excess = base.share - own.share, *_interval(base.drawn - less)
    elif ceiling is not None:
        of_ceiling = _ratio(own.share, ceiling.share), *_interval(_ratio(own.drawn, ceiling.drawn))
    low, high = _interval(own.drawn)
    return pd.DataFrame(
        {
            "side": side,
            "comparison": name,
            "decile": np.arange(len(own.share)),
            "n_features": own.n_features,
            "share": own.share,
            "share_low": low,
            "share_high": high,
            "mean_r": own.mean_r,
            **dict(zip(("excess", "excess_low", "excess_high"), excess, strict=True)),
            **dict(
                zip(("of_ceiling", "of_ceiling_low", "of_ceiling_high"), of_ceiling, strict=True)
            ),
        }
    )


def _ratio(a: Float64[np.ndarray, "..."], b: Float64[np.ndarray, "..."]) -> np.ndarray:
    return np.asarray(np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0))


def _interval(
    drawn: Float64[np.ndarray, "part draw"],
) -> tuple[Float64[np.ndarray, " part"], Float64[np.ndarray, " part"]]:
    """Return the ends of the interval; NaN where a draw has no share."""
    low, high = np.quantile(drawn, _INTERVAL, axis=1)
    return low, high
