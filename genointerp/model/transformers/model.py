"""Networks of the transformers library as :class:`~genointerp.model.protocol.DnaModel`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.model.attention import AttentionBackend
from genointerp.model.gradient import check_precision, in_graph, usable_begin
from genointerp.model.hooks import hooked
from genointerp.model.protocol import (
    Chunk,
    Edit,
    ModelSpec,
    SiteActivations,
    Symbols,
    TokenSpans,
    Traced,
)
from genointerp.model.tokenizer.base import DnaTokenizer
from genointerp.model.transformers.layout import Family, find_sites, find_trunk


@dataclass(frozen=True)
class LoadedNetwork:
    """A network and what is needed to run it.

    Parameters
    ----------
    network
        A ``PreTrainedModel`` with its head, in evaluation mode and on its devices.
    family
        Layout of the network.
    tokenizer
        Tokenizer of the model.
    backend
        Attention kernels.
    max_tokens
        Most tokens for which it has positions; None if positions are rotary.
    up_to
        Site above which blocks were not loaded; None if all were.
    """

    network: Any
    family: Family
    tokenizer: DnaTokenizer
    backend: AttentionBackend
    max_tokens: int | None = None
    up_to: str | None = None


class TransformersModel:
    """A masked model: it reads both sides, so it has neither chunks nor a likelihood.

    Tokens, and so activations, include those of special tokens.

    Without gradients it runs under ``no_grad``, not in inference mode: some networks keep tensors
    that they computed, such as rotary tables, and those made in inference mode could not be used
    with gradients later.
    """

    def __init__(self, loaded: LoadedNetwork, spec: ModelSpec) -> None:
        self.loaded = loaded
        self._spec = spec
        self._sites = find_sites(loaded.network, loaded.family)
        self._trunk = find_trunk(loaded.network, loaded.family)
        # if the model is spread over devices, tokens go to that of the embedding
        self.device = next(loaded.network.parameters()).device
        # bases are in the order A, C, G, T, not in that of their ids
        tokenizer = loaded.tokenizer
        ids = np.array(list(tokenizer.base_ids.values()) or tokenizer.word_ids, np.int64)
        spelling = tuple(tokenizer.spelling.get(i, b"") for i in ids.tolist())
        self.symbols = Symbols(ids, spelling)
        self._words = torch.from_numpy(ids).to(self.device)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec})"

    @property
    def spec(self) -> ModelSpec:
        """Identity and shape."""
        return self._spec

    def tokenize(self, sequence: UInt8[np.ndarray, " bp"]) -> TokenSpans:
        """Return the tokens of a sequence, special ones included."""
        return self.loaded.tokenizer.encode(sequence)

    @torch.no_grad()
    def run(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        capture: Sequence[str],
        edits: Sequence[Edit] = (),
    ) -> Mapping[str, Float[Tensor, "batch token d"]]:
        """Return the activations at each site of ``capture``; no later site is computed."""
        with self._hooked(capture, edits) as captured:
            self._forward(tokens)
        return captured

    def prefill(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        chunk: int,
        capture: Sequence[str],
        edits: Sequence[Edit] = (),
    ) -> Iterator[Chunk]:
        """Refuse: activations of a token also depend on tokens to its right.

        Raises
        ------
        InputError
            Always.
        """
        self._refuse("chunks", "a model that reads from left to right")

    def log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1"]:
        """Refuse: a masked model has no left-to-right likelihood.

        Raises
        ------
        InputError
            Always.
        """
        self._refuse("log_probs", "a model with a left-to-right likelihood")

    def trace(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        capture: Sequence[str] = (),
        edits: Sequence[Edit] = (),
        begin: SiteActivations | None = None,
        logits: bool = True,
    ) -> Traced:
        """Compute activations and logits in the autograd graph; see `Differentiable.trace`.

        Sites below ``begin`` are computed too, outside of the graph.
        """
        check_precision(self._spec)
        if logits:
            self._check_whole()
        if begin is not None:
            begin = usable_begin(
                begin, tokens, sites=self._sites, d_site=self._spec.d_site, capture=capture
            )
            edits = [begin.as_edit(), *edits]
        last, found = None if logits else self._last(capture), None
        with in_graph(self._sites, capture=capture, edits=edits, stop_after=last) as captured:
            out = self._forward(tokens, with_head=logits)
            if logits:
                found = out.logits.to(self.device)[..., self._words]
        return Traced(captured, found)

    def _refuse(self, where: str, expected: str) -> NoReturn:
        raise InputError(where, expected, f"the masked model {self._spec.name}")

    def _hooked(
        self, capture: Sequence[str], edits: Sequence[Edit], offset: int = 0
    ) -> AbstractContextManager[dict[str, Float[Tensor, "batch token d"]]]:
        last = self._last(capture)
        return hooked(self._sites, capture=capture, edits=edits, stop_after=last, offset=offset)

    def _last(self, capture: Sequence[str]) -> str | None:
        """Return the site of ``capture`` that is computed last."""
        wanted = [name for name in self._sites if name in capture]
        return wanted[-1] if wanted else None

    def _check_whole(self) -> None:
        if self.loaded.up_to is not None:
            raise InputError("log_probs", "a whole model", f"one loaded up to {self.loaded.up_to}")

    def _forward(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        with_head: bool = False,
        **options: Any,  # noqa: ANN401 - of transformers
    ) -> Any:  # noqa: ANN401 - an output of transformers
        network = self.loaded.network if with_head else self._trunk
        limit = self.loaded.max_tokens
        if limit is not None and tokens.shape[1] > limit:
            expected = f"at most the {limit} tokens that {self._spec.name} has positions for"
            raise InputError("tokens", expected, str(tokens.shape[1]))
        with self.loaded.backend.kernels():
            return network(input_ids=tokens.to(self.device), **options)
