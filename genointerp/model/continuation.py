"""Continue to read: what a causal model expects next, without reading earlier tokens again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from genointerp.core.errors import InputError

_PIECE = 4096
"""Tokens that are read at once, so that memory does not grow with the length of a prompt."""

Step = Callable[[Int[Tensor, "batch token"], int, int], Float[Tensor, "batch last symbol"]]
"""Function of the next tokens of each sequence, the index of the first of them, and a number n.

It returns ``log p(symbol)``, in nats, for the symbol after each of the last n tokens.
"""


@dataclass
class Continuation:
    """Sequences of equal length that a model is reading, one token or several at a time.

    Parameters
    ----------
    step
        Function that reads on.
    n_tokens
        Most tokens that may be read in all.
    copied
        Function of a number n. It returns a step for n sequences, each of which has read what the
        one sequence of this continuation has read.
    """

    step: Step
    n_tokens: int
    copied: Callable[[int], Step]
    n_read: int = field(default=0, init=False)

    def read(self, tokens: Int[Tensor, "batch token"]) -> Float[Tensor, "batch symbol"]:
        """Read the next tokens; return the log probabilities of the symbol that follows, in nats.

        Raises
        ------
        InputError
            If there is no token, or there are more than may still be read.
        """
        for piece in self._pieces(tokens):
            log_p = self._advance(piece, 1)
        return log_p[:, 0]

    def read_each(self, tokens: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token symbol"]:
        """Read the next tokens; return, for each, those of the symbol that follows it.

        Raises
        ------
        InputError
            As :meth:`read` does.
        """
        found = [self._advance(piece, piece.shape[1]) for piece in self._pieces(tokens)]
        return torch.cat(found, 1)

    def branch(self, n: int) -> "Continuation":
        """Return ``n`` sequences that begin with the one that was read here, which stays as it is.

        They may be read on independently of it.
        """
        branched = Continuation(self.copied(n), self.n_tokens, self._not_again)
        branched.n_read = self.n_read
        return branched

    def _pieces(self, tokens: Int[Tensor, "batch token"]) -> Iterator[Int[Tensor, "batch piece"]]:
        room = self.n_tokens - self.n_read
        if not 1 <= tokens.shape[1] <= room:
            raise InputError("continuation", f"1 to {room} more tokens", str(tokens.shape[1]))
        yield from torch.split(tokens, _PIECE, 1)

    def _advance(
        self, piece: Int[Tensor, "batch token"], last: int
    ) -> Float[Tensor, "batch last symbol"]:
        log_p = self.step(piece, self.n_read, last)
        self.n_read += piece.shape[1]
        return log_p

    def _not_again(self, _n: int) -> Step:
        raise InputError("continuation", "one sequence to branch off from", "a branch")
