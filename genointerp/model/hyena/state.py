"""State of a StripedHyena 2 network after the tokens before a chunk, block by block.

Explicit filters keep their last inputs, implicit filters the amplitude of each exponential, and
attention its keys and values. Only keys and values grow with the sequence.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


class Tail:
    """The last ``n_lags`` inputs of a filter; zeros before the first token."""

    def __init__(self, n_lags: int) -> None:
        self.n_lags = n_lags
        self._values: Tensor | None = None

    def swap(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch lag d"]:
        """Return the inputs before ``x``, and keep the last inputs of ``x`` instead."""
        before = self._values
        if before is None:
            before = x.new_zeros(x.shape[0], self.n_lags, x.shape[2])
        kept = x[:, max(0, x.shape[1] - self.n_lags) :]
        # a view would keep the whole chunk alive
        self._values = torch.cat([before[:, kept.shape[1] :], kept], dim=1)
        return before

    def repeated(self, n: int) -> "Tail":
        """Return the tails of ``n`` sequences that begin with this one."""
        copy = Tail(self.n_lags)
        if self._values is not None:
            copy._values = self._values.repeat(n, 1, 1)
        return copy


@dataclass
class FilterState:
    """State of a convolution block."""

    projected: Tail
    """Last projections, before the short filter."""
    gated: Tail
    """Last inputs of the inner filter, if it is explicit."""
    modes: Float[Tensor, "batch d pole"] | None = None
    """For an implicit filter: amplitude of each exponential after the last token, in float32."""

    def repeated(self, n: int) -> "FilterState":
        """Return the state of ``n`` sequences that begin with this one."""
        modes = None if self.modes is None else self.modes.repeat(n, 1, 1)
        return FilterState(self.projected.repeated(n), self.gated.repeated(n), modes)


class KeyValueCache:
    """Keys and values of the tokens read so far, in one buffer for the whole sequence."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.n_tokens = 0
        self._buffer: Tensor | None = None

    def extend(
        self, key: Float[Tensor, "batch head token d"], value: Float[Tensor, "batch head token d"]
    ) -> tuple[Float[Tensor, "batch head seen d"], Float[Tensor, "batch head seen d"]]:
        """Add the keys and values of a chunk; return those of all tokens so far."""
        if self._buffer is None:
            batch, heads, _, width = key.shape
            self._buffer = key.new_empty(2, batch, heads, self.capacity, width)
        seen = self.n_tokens + key.shape[2]
        self._buffer[0, :, :, self.n_tokens : seen] = key
        self._buffer[1, :, :, self.n_tokens : seen] = value
        self.n_tokens = seen
        return self._buffer[0, :, :, :seen], self._buffer[1, :, :, :seen]

    def repeated(self, n: int) -> "KeyValueCache":
        """Return the cache of ``n`` sequences that begin with this one."""
        copy = KeyValueCache(self.capacity)
        copy.n_tokens = self.n_tokens
        if self._buffer is not None:
            copy._buffer = self._buffer.repeat(1, n, 1, 1, 1)
        return copy


BlockState = FilterState | KeyValueCache
