"""What an explanation explains: one number, computed from a pass of a model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.genome.interval import format_region
from genointerp.model.protocol import Symbols, Traced
from genointerp.reading.tokens import WindowTokens
from genointerp.sae.dictionary import Dictionary

Measure = Literal["contrast", "log_odds", "log_p"]
"""How a prediction becomes a number: by its logits against the others, by odds, by likelihood."""


@runtime_checkable
class Explained(Protocol):
    """A number for each row of a batch, which `gradients` can differentiate."""

    def __call__(self, traced: Traced) -> Float[Tensor, " batch"]:
        """Return the number of each row."""
        ...

    def after(self, n_tokens: int) -> "Explained":
        """Return the same number, for passes of which the first ``n_tokens`` tokens are missing."""
        ...


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions of given symbols by a causal model, as one number: a sum over tokens.

    Parameters
    ----------
    token
        Index of each token that is predicted; never 0, which has nothing before it.
    symbol
        Column of the symbol that is asked for at each, whatever is there in a row.
    measure
        ``contrast`` is ``z_b - mean of the other z``, over the logits z; ``log_odds`` is
        ``log p_b - log (1 - p_b)``; ``log_p`` is ``log p_b``. In nats. ``log_p`` is flat where the
        model is certain, so gradients are lost there.
    """

    token: Int64[np.ndarray, " predicted"]
    symbol: Int64[np.ndarray, " predicted"]
    measure: Measure = "contrast"

    @classmethod
    def of(
        cls, read: WindowTokens, symbols: Symbols, measure: Measure = "contrast"
    ) -> "Prediction":
        """Ask for what is there at the kept bases of a window.

        Parameters
        ----------
        symbols
            Those of the model.

        Raises
        ------
        InputError
            If no token begins at a kept base; if one is the first of its window, or is not one of
            the symbols, as an N.
        """
        token = np.flatnonzero(read.begun)
        kept = read.window.kept
        where = f"prediction of {format_region(kept)} on {kept.strand}"
        if not len(token):
            raise InputError(where, "a token that begins at a base that is asked for", "none")
        if token[0] == 0:
            raise InputError(where, "bases before the first one that is asked for", "none")
        ids = read.spans.ids[token]
        known = ids[:, None] == symbols.ids[None]
        others = token[~known.any(axis=1)]
        if len(others):
            expected = "bases that the model can predict (A, C, G and T)"
            number = int(read.spans.start[others[0]]) - read.window.warmup + 1
            raise InputError(where, expected, f"another letter as base {number} of these")
        return cls(token, known.argmax(axis=1), measure)

    def __call__(self, traced: Traced) -> Float[Tensor, " batch"]:
        """Return the sum over the tokens, for each row."""
        assert traced.logits is not None, "logits were not wanted"
        z = traced.logits[:, torch.from_numpy(self.token) - 1].double()
        symbol = torch.from_numpy(self.symbol).to(z.device)
        return MEASURES[self.measure](z, symbol.expand(z.shape[:-1])).sum(1)

    def after(self, n_tokens: int) -> "Prediction":
        """Return the same predictions, for passes without the first tokens."""
        return replace(self, token=self.token - n_tokens)


@dataclass(frozen=True, eq=False)
class PreActivation:
    """The pre-activation of a feature at one token: its activation where it fires, and no kink.

    Parameters
    ----------
    dictionary
        Dictionary of the feature; the pass must capture its site.
    feature, token
        Which feature, at which token.
    """

    dictionary: Dictionary
    feature: int
    token: int

    def __call__(self, traced: Traced) -> Float[Tensor, " batch"]:
        """Return ``x w + b`` at the token, for each row."""
        sae = self.dictionary.sae
        x = traced.activations[self.dictionary.header.site][:, self.token].to(sae.b_enc)
        w, b = sae.W_enc[:, self.feature].detach(), sae.b_enc[self.feature].detach()
        return (x @ w + b).double()

    def after(self, n_tokens: int) -> "PreActivation":
        """Return the same feature at the same base, for passes without the first tokens."""
        return replace(self, token=self.token - n_tokens)


_Measured = Callable[
    [Float[Tensor, "batch predicted symbol"], Int64[Tensor, "batch predicted"]],
    Float[Tensor, "batch predicted"],
]


def contrast(
    z: Float[Tensor, "*place symbol"], symbol: Int64[Tensor, "*place"]
) -> Float[Tensor, "*place"]:
    """Return ``z_b - mean of the other z`` of logits, or of log probabilities: it is the same."""
    n, own = z.shape[-1], _own(z, symbol)
    return (n * own - z.sum(-1)) / (n - 1)


def log_odds(
    z: Float[Tensor, "*place symbol"], symbol: Int64[Tensor, "*place"]
) -> Float[Tensor, "*place"]:
    """Return ``log p_b - log (1 - p_b)``, as ``z_b - log sum of exp of the other z``."""
    others = z.scatter(-1, symbol[..., None], -torch.inf)
    return _own(z, symbol) - others.logsumexp(-1)


def log_p(
    z: Float[Tensor, "*place symbol"], symbol: Int64[Tensor, "*place"]
) -> Float[Tensor, "*place"]:
    """Return ``log p_b``."""
    return _own(z, symbol) - z.logsumexp(-1)


def _own(
    z: Float[Tensor, "*place symbol"], symbol: Int64[Tensor, "*place"]
) -> Float[Tensor, "*place"]:
    own: Tensor = z.gather(-1, symbol[..., None])[..., 0]
    return own


MEASURES: dict[Measure, _Measured] = {"contrast": contrast, "log_odds": log_odds, "log_p": log_p}
"""Each measure of logits, or of log probabilities, by its name."""
