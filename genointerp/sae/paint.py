"""Painting: change the amounts of features in activations, token by token, and keep all else."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.sae.dictionary import Dictionary

LARGEST = 1e15
"""Amounts from here on are refused: the squares of such states are beyond float32, and a model that
normalises them by their size would compute with zeros, without a word."""


class Column(NamedTuple):
    """A feature whose amount is changed; only where another feature fires, if one is named."""

    feature: int
    when: int | None = None


@dataclass(frozen=True, eq=False)
class Targets:
    """What becomes of the amounts of features at some tokens of a batch.

    At a place, the amount ``f`` of a column becomes ``max(keep f + add, least)``. That sets it
    (``keep=0``), adds to it (``keep=1``), scales it (``add=0``), raises it to ``least``, and leaves
    it as it is with ``keep=1, add=0, least=-inf``.

    Parameters
    ----------
    columns
        The features.
    token
        Token of each place, counted from the beginning of the sequence.
    rule
        ``keep``, ``add`` and ``least``, on the last axis; the latter two are in model units.
    row
        Row of the batch of each place; None if the places are those of every row.
    n_rows
        Number of rows that ``row`` counts; it has no meaning without ``row``.
    """

    columns: tuple[Column, ...]
    token: Int64[Tensor, " place"]
    rule: Float[Tensor, "place column 3"]
    row: Int64[Tensor, " place"] | None = None
    n_rows: int = 1

    def within(self, first: int, n: int) -> "Targets":
        """Return the places at ``n`` tokens from ``first`` on, with tokens counted from there."""
        inside = (self.token >= first) & (self.token < first + n)
        row = None if self.row is None else self.row[inside]
        token, rule = self.token[inside] - first, self.rule[inside]
        return replace(self, token=token, rule=rule, row=row)

    def for_every_row(self) -> "Targets":
        """Return targets of one row as those of every row of a batch, however many it has."""
        assert self.n_rows == 1, "the rows have targets of their own"
        return replace(self, row=None)

    def repeated(self, n: int) -> "Targets":
        """Return targets without rows for each of ``n`` rows of a batch."""
        assert self.row is None, "the targets have rows of their own"
        row = torch.arange(n, device=self.token.device).repeat_interleave(len(self.token))
        rule = self.rule.repeat(n, 1, 1)
        return Targets(self.columns, self.token.repeat(n), rule, row, n)

    def to(self, like: Tensor) -> "Targets":
        """Move the targets to the device and the dtype of a tensor."""
        row = None if self.row is None else self.row.to(like.device)
        return replace(self, token=self.token.to(like.device), rule=self.rule.to(like), row=row)


@dataclass(frozen=True, eq=False)
class Painter:
    """A function that paints activations, as a model's edits take it.

    Parameters
    ----------
    dictionary
        Dictionary of the site, which encodes the columns and keeps the error.
    targets
        What becomes of the amounts. Their tokens count from the beginning of the sequence, however
        the sequence is read.
    directions
        Vector along which the change of each column is written, instead of the direction of its
        feature: a control.

    Raises
    ------
    InputError
        If the dictionary does not reconstruct what it reads, or an amount is `LARGEST` or more.
    UnknownNameError
        If it has no such feature.
    """

    dictionary: Dictionary
    targets: Targets
    directions: Float[Tensor, "column d"] | None = None
    _moved: dict[torch.device, Targets] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.dictionary.check_reconstructs()
        for column in self.targets.columns:
            for feature in (column.feature, column.when):
                if feature is not None:
                    self.dictionary.header.check_feature(feature)
        sizes = self.targets.rule.masked_fill(self.targets.rule == -torch.inf, 0).abs()
        largest = float(sizes.max()) if sizes.numel() else 0.0
        if not largest < LARGEST:
            raise InputError("painting", f"amounts and factors below {LARGEST:g}", f"{largest:g}")

    def __call__(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        """Paint whole sequences."""
        return self.at(x, 0)

    @torch.no_grad()
    def at(self, x: Float[Tensor, "batch token d"], first: int) -> Float[Tensor, "batch token d"]:
        """Paint consecutive tokens, of which the first has index ``first`` in the sequence.

        A token without a place is returned bit by bit as it came.

        Notes
        -----
        ``x + sum_i (P_i - f_i(x)) d_i`` with ``P_i = max(keep f_i + add, least)``. As with a
        splice, the amounts read again from the result are not P, so nothing is painted twice.

        Raises
        ------
        InputError
            If the targets are of another number of rows.
        """
        targets = self._here(x).within(first, x.shape[1])
        if not len(targets.token):
            return x
        if targets.row is None:
            targets = targets.repeated(len(x))
        elif targets.n_rows != len(x):
            expected = f"a batch of {targets.n_rows} sequences, as the targets have"
            raise InputError("painting", expected, str(len(x)))
        at = targets.row, targets.token
        out = x.clone()
        out[at] = self._painted(x[at], targets).to(x)
        return out

    def _painted(self, x: Float[Tensor, "place d"], targets: Targets) -> Float[Tensor, "place d"]:
        wide = x.to(self.dictionary.sae.b_dec)
        delta = change(self.dictionary, wide, targets)
        directions = self.directions
        if directions is None:
            directions = self.dictionary.directions[[it.feature for it in targets.columns]]
        return wide + delta @ directions.to(wide)

    def _here(self, x: Tensor) -> Targets:
        """Return the targets on the device of activations; the dictionary follows them."""
        if x.device not in self._moved:
            self._moved[x.device] = self.targets.to(self.dictionary.to(x.device).sae.b_dec)
        return self._moved[x.device]


def change(
    dictionary: Dictionary, x: Float[Tensor, "place d"], targets: Targets
) -> Float[Tensor, "place column"]:
    """Return how much more of each column there is to be at each place, in model units.

    Notes
    -----
    ``max((keep - 1) f + add, least - f)``, which is exactly 0 where nothing is to change; and 0
    where the feature of the condition is silent.
    """
    sought = _features(targets.columns)
    f = dictionary.sae.amounts_of(x, torch.tensor(sought, device=x.device))
    own = f[:, [sought.index(column.feature) for column in targets.columns]]
    keep, add, least = targets.rule.unbind(2)
    delta = torch.maximum((keep - 1) * own + add, least - own)
    for i, column in enumerate(targets.columns):
        if column.when is not None:
            delta[:, i] *= f[:, sought.index(column.when)] > 0
    return delta


def _features(columns: Sequence[Column]) -> list[int]:
    both = [feature for column in columns for feature in column if feature is not None]
    return list(dict.fromkeys(both))
