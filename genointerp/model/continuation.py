"""Reading on: what a causal model expects next, without reading again what came before."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from genointerp.core.errors import InputError

_PIECE = 4096
"""tokens that are read at once: memory does not grow with the length of a prompt"""


@dataclass
class Continuation:
    """Sequences of one length that a model is reading, token by token or many at once.

    Parameters
    ----------
    step
        Takes the next tokens of each sequence and the index of the first of them; returns
        ``log p(symbol)`` of what may follow the last, in nats.
    n_tokens
        How many tokens may be read in all.
    """

    step: Callable[[Int[Tensor, "batch token"], int], Float[Tensor, "batch symbol"]]
    n_tokens: int
    n_read: int = field(default=0, init=False)

    def read(self, tokens: Int[Tensor, "batch token"]) -> Float[Tensor, "batch symbol"]:
        """Read the next tokens; return the log probabilities of what may follow, in nats.

        Raises
        ------
        InputError
            If there is no token, or if there are more than may be read.
        """
        room = self.n_tokens - self.n_read
        if not 1 <= tokens.shape[1] <= room:
            raise InputError("continuation", f"1 to {room} tokens more", str(tokens.shape[1]))
        for piece in torch.split(tokens, _PIECE, 1):
            log_p = self.step(piece, self.n_read)
            self.n_read += piece.shape[1]
        return log_p
