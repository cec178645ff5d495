"""What the rest of the package asks of a DNA language model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, Int64, UInt8
from torch import Tensor

from genointerp.model.continuation import Continuation


@dataclass(frozen=True)
class ModelSpec:
    """Identity and shape of a loaded model.

    Parameters
    ----------
    name
        As in the registry.
    sha256
        Of the weights.
    sites
        Where activations can be taken, first to last.
    default_site
        Where features are best read, by measurement; the middle block where nobody measured.
    d_site
        Width of the activations, the same at every site.
    context
        Longest window in bases that the model was trained on.
    attention_backend
        Attention kernels in use, for provenance.
    reads
        ``left`` for a causal model, whose activations depend on what lies before them; ``both`` for
        a masked one.
    dtype
        Of the weights while the model runs, as torch names it.
    revision
        Commit of the weights where they came from a hub; empty where unknown.
    bases_per_token
        0 where it varies.
    chunked
        Whether :meth:`DnaModel.prefill` is there.
    licence
        Of the weights.
    """

    name: str
    sha256: str
    sites: tuple[str, ...]
    default_site: str
    d_site: int
    context: int
    attention_backend: str
    reads: Literal["left", "both"] = "left"
    dtype: str = "float32"
    revision: str = ""
    bases_per_token: int = 1
    chunked: bool = False
    licence: str = ""

    def __str__(self) -> str:
        return (
            f"{self.name}, {len(self.sites)} sites of {self.d_site} numbers, by default "
            f"{self.default_site}; {self.context:,} bp, reads {self.reads}, {self.dtype}"
        )


class TokenSpans(NamedTuple):
    """Tokens of one sequence and the bases that each covers.

    ``start`` and ``end`` are half-open offsets in the sequence as it was given, in bp; -1 for
    special tokens. The spans of the others tile the sequence.
    """

    ids: Int64[np.ndarray, " token"]
    start: Int64[np.ndarray, " token"]
    end: Int64[np.ndarray, " token"]


@dataclass(frozen=True)
class Edit:
    """A change of the activations at one site while the model runs.

    Parameters
    ----------
    site
        Where.
    function
        From the activations ``(batch, token, d_site)`` to those that the model goes on with.
    start, end
        Only tokens ``[start, end)`` of the sequence are changed; to its last where ``end`` is None.
    """

    site: str
    function: Callable[[Float[Tensor, "batch token d"]], Float[Tensor, "batch token d"]]
    start: int = 0
    end: int | None = None


class Symbols(NamedTuple):
    """What a model gives probabilities to, in the order of the axis ``symbol``.

    ``ids`` are tokens. ``spelling`` holds the upper-case bases of each, and nothing for a token
    that does not belong inside a sequence, such as one that begins a text.
    """

    ids: Int64[np.ndarray, " symbol"]
    spelling: tuple[bytes, ...]


EMBEDDING = "embedding"
"""The site before the first block: what the embedding gives for each token, by its id alone."""


class SiteActivations(NamedTuple):
    """Activations with which a pass begins, in the place of what the model computes at a site."""

    site: str
    x: Float[Tensor, "batch token d"]

    def as_edit(self) -> Edit:
        """Return the edit that puts them in the place of whatever comes to the site."""
        return Edit(self.site, lambda _: self.x)


class Traced(NamedTuple):
    """What one pass computed, as tensors of the autograd graph.

    ``logits[:, i]`` are those of the token after token ``i`` in a causal model, and of token ``i``
    itself in a masked one: a number for each of ``symbols``, before the softmax. None where they
    were not asked for.
    """

    activations: Mapping[str, Float[Tensor, "batch token d"]]
    logits: Float[Tensor, "batch token symbol"] | None


class Chunk(NamedTuple):
    """Activations of consecutive tokens: those from index ``start`` of the sequence on."""

    start: int
    activations: Mapping[str, Float[Tensor, "batch token d"]]


@runtime_checkable
class DnaModel(Protocol):
    """A DNA language model. Every call leaves the model as it was found."""

    @property
    def spec(self) -> ModelSpec:
        """Identity and shape."""
        ...

    def tokenize(self, sequence: UInt8[np.ndarray, " bp"]) -> TokenSpans:
        """Return the tokens of a sequence of upper-case ASCII bases."""
        ...

    def run(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        capture: Sequence[str],
        edits: Sequence[Edit] = (),
    ) -> Mapping[str, Float[Tensor, "batch token d"]]:
        """Return the activations at each site of ``capture``; nothing above the last is computed.

        Raises
        ------
        UnknownNameError
            If the model has no such site.
        """
        ...

    def prefill(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        chunk: int,
        capture: Sequence[str],
        edits: Sequence[Edit] = (),
    ) -> Iterator[Chunk]:
        """Yield what :meth:`run` returns in pieces of at most ``chunk`` tokens.

        Memory does not grow with the length of the sequence but for the keys and values of
        attention.

        Raises
        ------
        UnknownNameError
            If the model has no such site.
        InputError
            If the model cannot read in chunks (``spec.chunked`` is False).
        """
        ...

    def log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1"]:
        """Return ``log p(token i | tokens before i)`` in nats, for i from 1.

        NaN where token i is not one of A, C, G, T. The probability is over those four.
        """
        ...


@runtime_checkable
class GivesDistribution(Protocol):
    """A model that says what it expects, not only how likely what came was."""

    @property
    def symbols(self) -> Symbols:
        """What the probabilities are of: bases where tokens are bases, else words of bases."""
        ...

    def next_log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1 symbol"]:
        """Return ``log p(symbol at i | tokens before i)`` in nats, for i from 1."""
        ...


@runtime_checkable
class StartsAtSite(Protocol):
    """A model that can go on from activations, without what it computed to come there."""

    def log_probs_from(
        self,
        site: str,
        x: Float[Tensor, "batch token d"],
        tokens: Int[Tensor, "batch token"],
        *,
        first: int = 0,
    ) -> Float[Tensor, "batch token_minus_1"]:
        """Return the `log_probs` of tokens with ``x`` in the place of the activations at a site.

        Parameters
        ----------
        first
            Before it all rows of ``x`` are alike, so that they need computing but once.

        Raises
        ------
        UnknownNameError
            If ``site`` is none of ``spec.sites``.
        """
        ...


@runtime_checkable
class Generates(DnaModel, Protocol):
    """A causal model that reads on from what it keeps of the tokens before."""

    @property
    def symbols(self) -> Symbols:
        """What may come next: bases where tokens are bases, else words of bases."""
        ...

    def continuation(self, n_tokens: int, *, edits: Sequence[Edit] = ()) -> Continuation:
        """Return sequences of which nothing is read yet, and at most ``n_tokens`` tokens will be.

        Reading a token costs the same whatever came before, but for attention. Edits are in tokens
        of the whole sequence, as in :meth:`DnaModel.run`, however it is read.

        Raises
        ------
        UnknownNameError
            If an edit is at no site of the model.
        InputError
            If the model was loaded in part, or keeps nothing that is known to be exact.
        """
        ...


@runtime_checkable
class Differentiable(Protocol):
    """A model through which gradients can be taken; its weights never get any."""

    @property
    def symbols(self) -> Symbols:
        """What the logits are of: bases where tokens are bases, else words of bases."""
        ...

    def trace(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        capture: Sequence[str] = (),
        edits: Sequence[Edit] = (),
        begin: SiteActivations | None = None,
        logits: bool = True,
    ) -> Traced:
        """Compute activations and logits of one pass in the autograd graph.

        The graph begins at the first site of ``capture``, in an edit function whose own tensors
        require a gradient, or in ``begin.x`` if that requires one. What is captured lies on the
        way to everything above it, so that ``torch.autograd.grad(y, activations[site])`` is the
        gradient of y, a number computed from ``logits`` or from the activations of a site above,
        with respect to the activations of the site after its edits. The graph lives as long as the
        tensors that are returned; nothing else keeps it.

        Parameters
        ----------
        capture
            Sites as in :meth:`DnaModel.run`, and :data:`EMBEDDING`. The embedding is linear in the
            one-hot code of a token: the gradient by that code is the one by the embedding times the
            embeddings of the tokens.
        edits
            As in :meth:`DnaModel.run`; those at a site below ``begin`` change nothing.
        begin
            The pass goes on from these activations; what lies below is not computed where the
            model can do without. Edits at their site are applied to them. None: from the tokens.
        logits
            Whether logits are wanted; without them nothing above the last captured site is
            computed.

        Raises
        ------
        UnknownNameError
            If the model has no such site.
        InputError
            If the weights are of half precision, in which gradients are lost to rounding; if a site
            of ``capture`` lies below ``begin``; if ``begin.x`` does not fit the tokens; if logits
            are wanted of a model that was loaded without its last blocks.
        """
        ...
