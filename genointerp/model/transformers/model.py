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
from genointerp.model.hooks import hooked
from genointerp.model.protocol import Chunk, Edit, ModelSpec, TokenSpans
from genointerp.model.tokenizer.base import DnaTokenizer
from genointerp.model.transformers.layout import Family, find_sites, find_trunk


@dataclass(frozen=True)
class LoadedNetwork:
    """A network with what is needed to run it.

    Parameters
    ----------
    network
        A ``PreTrainedModel`` with its head, in evaluation mode, where it is to run.
    family
        Where its blocks are.
    tokenizer
        From bases to its tokens.
    backend
        The kernels that its attention uses.
    max_tokens
        Tokens that it has positions for; None where positions are rotary.
    up_to
        Where blocks above a site were not loaded, that site.
    """

    network: Any
    family: Family
    tokenizer: DnaTokenizer
    backend: AttentionBackend
    max_tokens: int | None = None
    up_to: str | None = None


class TransformersModel:
    """A masked model: it reads both sides, so that it has neither chunks nor a likelihood.

    Special tokens are among the tokens, and their activations among the activations.
    """

    def __init__(self, loaded: LoadedNetwork, spec: ModelSpec) -> None:
        self.loaded = loaded
        self._spec = spec
        self._sites = find_sites(loaded.network, loaded.family)
        self._trunk = find_trunk(loaded.network, loaded.family)
        # a model that is spread over devices takes its tokens where its embedding is
        self.device = next(loaded.network.parameters()).device

    @property
    def spec(self) -> ModelSpec:
        """Identity and shape."""
        return self._spec

    def tokenize(self, sequence: UInt8[np.ndarray, " bp"]) -> TokenSpans:
        """Return the tokens of a sequence, special ones included."""
        return self.loaded.tokenizer.encode(sequence)

    @torch.inference_mode()
    def run(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        capture: Sequence[str],
        edits: Sequence[Edit] = (),
    ) -> Mapping[str, Float[Tensor, "batch token d"]]:
        """Return the activations at each site of ``capture``, computing nothing above the last."""
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
        """Refuse: each token depends on those to its right as well.

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

    def _refuse(self, where: str, expected: str) -> NoReturn:
        raise InputError(where, expected, f"the masked model {self._spec.name}")

    def _hooked(
        self, capture: Sequence[str], edits: Sequence[Edit], offset: int = 0
    ) -> AbstractContextManager[dict[str, Float[Tensor, "batch token d"]]]:
        wanted = [name for name in self._sites if name in capture]
        last = wanted[-1] if wanted else None
        return hooked(self._sites, capture=capture, edits=edits, stop_after=last, offset=offset)

    def _forward(self, tokens: Int[Tensor, "batch token"], **options: Any) -> Any:  # noqa: ANN401
        limit = self.loaded.max_tokens
        if limit is not None and tokens.shape[1] > limit:
            expected = f"at most the {limit} tokens that {self._spec.name} has positions for"
            raise InputError("tokens", expected, str(tokens.shape[1]))
        with self.loaded.backend.kernels():
            return self._trunk(input_ids=tokens.to(self.device), **options)
