"""Continue to read: what a causal model expects next, without reading earlier tokens again."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from genointerp.core.errors import InputError

_PIECE = 4096
"""Tokens that are read at once, so that memory does not grow with the length of a prompt."""


@dataclass
class Continuation:
    """Sequences of equal length that a model is reading, one token or several at a time.

    Parameters
    ----------
    step
        Function of the next tokens of each sequence and the index of the first of them. It returns
        ``log p(symbol)``, in nats, for the symbol after the last token.
    n_tokens
        Most tokens that may be read in all.
    """

    step: Callable[[Int[Tensor, "batch token"], int], Float[Tensor, "batch symbol"]]
    n_tokens: int
    n_read: int = field(default=0, init=False)

    def read(self, tokens: Int[Tensor, "batch token"]) -> Float[Tensor, "batch symbol"]:
        """Read the next tokens; return the log probabilities of the symbol that follows, in nats.

        Raises
        ------
        InputError
            If there is no token, or there are more than may still be read.
        """
        room = self.n_tokens - self.n_read
        if not 1 <= tokens.shape[1] <= room:
            raise InputError("continuation", f"1 to {room} more tokens", str(tokens.shape[1]))
        for piece in torch.split(tokens, _PIECE, 1):
            log_p = self.step(piece, self.n_read)
            self.n_read += piece.shape[1]
        return log_p
