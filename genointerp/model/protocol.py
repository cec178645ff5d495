"""The protocols of a DNA language model, through which the rest of the package uses it."""

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
        Name in the registry.
    sha256
        sha256 of the weights.
    sites
        Sites at which activations can be taken, first to last.
    default_site
        Site at which features are best read, by measurement; the middle block if none was made.
    d_site
        Width of the activations, the same at every site.
    context
        Longest window, in bases, that the model was trained on.
    attention_backend
        Attention kernels in use, for provenance.
    reads
        ``left`` for a causal model, in which activations depend only on the tokens up to theirs;
        ``both`` for a masked one.
    dtype
        Dtype of the weights while the model runs, by its name in torch.
    revision
        Commit of the weights, if they came from a hub; empty if it is not known.
    bases_per_token
        Bases of a token; 0 if it varies.
    chunked
        Whether :meth:`DnaModel.prefill` is available.
    licence
        Licence of the weights.
    parent, parent_sha256
        For an edited or a tuned model, name and sha256 of the model that it was made from; empty
        for others.
    of_parent
        Whether dictionaries of the parent may be used with it.
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
    parent: str = ""
    parent_sha256: str = ""
    of_parent: bool = False

    @property
    def dictionaries_of(self) -> tuple[str, str]:
        """Name and sha256 of the model whose dictionaries may be used with it."""
        own = self.name, self.sha256
        return (self.parent, self.parent_sha256) if self.of_parent else own

    def __str__(self) -> str:
        return (
            f"{self.name}, {len(self.sites)} sites of {self.d_site} numbers, by default "
            f"{self.default_site}; {self.context:,} bp, reads {self.reads}, {self.dtype}"
        )


class TokenSpans(NamedTuple):
    """Tokens of one sequence and the bases that each covers.

    ``start`` and ``end`` are half-open offsets in the tokenized sequence, in bp; both are -1 for
    special tokens. The spans of the other tokens tile the sequence.
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
        Site of the activations.
    function
        Function from the activations ``(batch, token, d_site)`` to those with which the model goes
        on.
    start, end
        Tokens ``[start, end)`` of the sequence are changed; if ``end`` is None, all from ``start``
        on.
    """

    site: str
    function: Callable[[Float[Tensor, "batch token d"]], Float[Tensor, "batch token d"]]
    start: int = 0
    end: int | None = None


class Symbols(NamedTuple):
    """The symbols of a model, in the order of the axis ``symbol`` of its probabilities.

    ``ids`` are their token ids. ``spelling`` holds the upper-case bases of each; it is empty for a
    token that does not belong inside a sequence, such as one that begins a text.
    """

    ids: Int64[np.ndarray, " symbol"]
    spelling: tuple[bytes, ...]


EMBEDDING = "embedding"
"""The site before the first block: the embedding of each token, which depends only on its id."""


class SiteActivations(NamedTuple):
    """Activations with which a pass begins, instead of those that the model computes at a site."""

    site: str
    x: Float[Tensor, "batch token d"]

    def as_edit(self) -> Edit:
        """Return the edit that replaces the activations at the site by these."""
        return Edit(self.site, lambda _: self.x)


class Traced(NamedTuple):
    """The result of one pass, as tensors of the autograd graph.

    ``logits[:, i]`` are, in a causal model, those of the token after token ``i``, and in a masked
    model those of token ``i`` itself: one number for each of ``symbols``, before the softmax. They
    are None if they were not asked for.
    """

    activations: Mapping[str, Float[Tensor, "batch token d"]]
    logits: Float[Tensor, "batch token symbol"] | None


class Chunk(NamedTuple):
    """Activations of consecutive tokens, of which the first has index ``start`` in the sequence."""

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
        """Yield the result of :meth:`run` in pieces of at most ``chunk`` tokens.

        Memory does not grow with the length of the sequence, except for the keys and values of
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

        The probability is over A, C, G and T; it is NaN if token i is none of them.
        """
        ...


@runtime_checkable
class GivesDistribution(Protocol):
    """A model that gives its distribution over all symbols, not only the likelihood of a token."""

    @property
    def symbols(self) -> Symbols:
        """Symbols of the probabilities: bases if tokens are bases, otherwise words of bases."""
        ...

    def next_log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1 symbol"]:
        """Return ``log p(symbol at i | tokens before i)`` in nats, for i from 1."""
        ...


@runtime_checkable
class StartsAtSite(Protocol):
    """A model that can compute likelihoods from the activations at a site onwards."""

    @property
    def symbols(self) -> Symbols:
        """Symbols of the probabilities: bases if tokens are bases, otherwise words of bases."""
        ...

    def log_probs_from(
        self,
        site: str,
        x: Float[Tensor, "batch token d"],
        tokens: Int[Tensor, "batch token"],
        *,
        first: int = 0,
    ) -> Float[Tensor, "batch token_minus_1"]:
        """Return the `log_probs` of tokens with ``x`` as the activations at a site.

        Parameters
        ----------
        first
            Index of the first token at which rows of ``x`` differ: those before it are computed
            only once.

        Raises
        ------
        UnknownNameError
            If ``site`` is not one of ``spec.sites``.
        """
        ...

    def next_log_probs_from(
        self,
        site: str,
        x: Float[Tensor, "batch token d"],
        tokens: Int[Tensor, "batch token"],
        *,
        first: int = 0,
    ) -> Float[Tensor, "batch token_minus_1 symbol"]:
        """Return the `next_log_probs`, as `log_probs_from` returns the `log_probs`."""
        ...


@runtime_checkable
class Generates(DnaModel, Protocol):
    """A causal model that can continue to read from its state after the tokens before."""

    @property
    def symbols(self) -> Symbols:
        """Symbols that may come next: bases if tokens are bases, otherwise words of bases."""
        ...

    def continuation(self, n_tokens: int, *, edits: Sequence[Edit] = ()) -> Continuation:
        """Return a continuation that has read nothing and may read up to ``n_tokens`` tokens.

        The cost of a token does not depend on how many came before, except for attention. Ranges of
        edits count tokens of the whole sequence, as in :meth:`DnaModel.run`, however it is read.

        Raises
        ------
        UnknownNameError
            If the site of an edit is unknown.
        InputError
            If the model was loaded only in part, or its cache is not known to be exact.
        """
        ...


@runtime_checkable
class Differentiable(Protocol):
    """A model through which gradients can be computed; its weights never get any."""

    @property
    def symbols(self) -> Symbols:
        """Symbols of the logits: bases if tokens are bases, otherwise words of bases."""
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
        require a gradient, or in ``begin.x`` if that requires one. Everything above a captured site
        depends on the captured tensor. So if y is a number computed from ``logits`` or from the
        activations of a site above, ``torch.autograd.grad(y, activations[site])`` is its gradient
        with respect to the activations of the site after its edits. Only the returned tensors keep
        the graph alive.

        Parameters
        ----------
        capture
            Sites as in :meth:`DnaModel.run`, and :data:`EMBEDDING`. The embedding is linear in the
            one-hot code of a token: the gradient by that code is the gradient by the embedding,
            times the embeddings of the tokens.
        edits
            Edits as in :meth:`DnaModel.run`; those at a site below ``begin`` have no effect.
        begin
            Activations from which the pass continues; what is below them is not computed, if the
            model can avoid it. Edits at their site are applied to them. None begins at the tokens.
        logits
            Whether to compute logits; without them, nothing above the last captured site is
            computed.

        Raises
        ------
        UnknownNameError
            If the model has no such site.
        InputError
            If the weights are of half precision, in which gradients are lost to rounding; if a site
            of ``capture`` is below ``begin``; if ``begin.x`` does not fit the tokens; or if logits
            are wanted of a model that was loaded without its last blocks.
        """
        ...
