"""Causal networks of the transformers library: chunks by a KV cache, and likelihoods."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.model.continuation import Continuation, Step
from genointerp.model.hooks import hooked
from genointerp.model.protocol import Chunk, Edit, ModelSpec
from genointerp.model.transformers.model import LoadedNetwork, TransformersModel

_LOGIT_TOKENS = 1024
"""Tokens whose logits are in memory at once, since a vocabulary is wider than the residual stream.
"""


class CausalTransformersModel(TransformersModel):
    """A model whose activations depend only on tokens to the left."""

    def __init__(self, loaded: LoadedNetwork, spec: ModelSpec) -> None:
        super().__init__(loaded, spec)
        vocabulary = int(loaded.network.config.vocab_size)
        self._column = torch.full((vocabulary,), -1, device=self.device)
        self._column[self._words] = torch.arange(len(self._words), device=self.device)

    def prefill(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        chunk: int,
        capture: Sequence[str],
        edits: Sequence[Edit] = (),
    ) -> Iterator[Chunk]:
        """Yield the result of :meth:`run`, ``chunk`` tokens at a time, by a KV cache.

        Raises
        ------
        InputError
            If ``chunk`` is less than 1, or if the network is Python code of its repository.
        """
        self._check_cache("chunks")
        if chunk < 1:
            raise InputError("chunk", "at least 1 token", str(chunk))
        with self._hooked(capture, edits):
            pass  # an unknown site is an error now, not at the first chunk
        return self._chunks(tokens, chunk, capture, edits)

    def _chunks(
        self,
        tokens: Int[Tensor, "batch token"],
        size: int,
        capture: Sequence[str],
        edits: Sequence[Edit],
    ) -> Iterator[Chunk]:
        cache = self._cache()
        for start in range(0, tokens.shape[1], size):
            piece = tokens[:, start : start + size]
            yield Chunk(start, self._chunk(piece, start, capture, edits, cache))

    @torch.no_grad()
    def _chunk(
        self,
        tokens: Int[Tensor, "batch token"],
        start: int,
        capture: Sequence[str],
        edits: Sequence[Edit],
        cache: Any,  # noqa: ANN401 - a cache of transformers
    ) -> Mapping[str, Float[Tensor, "batch token d"]]:
        with self._hooked(capture, edits, offset=start) as captured:
            self._forward_cached(tokens, cache)
        return captured

    def _check_cache(self, where: str) -> None:
        if not self._spec.chunked:
            expected = "a model of a family whose cache is known to be exact"
            raise InputError(where, expected, self._spec.name)

    def _cache(self) -> Any:  # noqa: ANN401 - a cache of transformers
        from transformers import DynamicCache

        return DynamicCache(config=self._trunk.config)

    def _forward_cached(self, tokens: Int[Tensor, "batch token"], cache: Any) -> Any:  # noqa: ANN401
        return self._forward(tokens, **{self._cache_option(): cache}, use_cache=True)

    def _cache_option(self) -> str:
        """Return the name of the cache argument in the installed version of transformers."""
        options = inspect.signature(self._trunk.forward).parameters
        return "cache" if "cache" in options else "past_key_values"

    @torch.no_grad()
    def log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1"]:
        """Return ``log p(token i | tokens before i)`` in nats, for i from 1.

        The probability is over the four bases if tokens are bases, otherwise over the words that A,
        C, G and T spell. It is NaN if token i is none of them.

        Raises
        ------
        InputError
            If blocks of the model were not loaded.
        """
        out = self._whole(tokens, edits)
        target = self._column[tokens.to(self.device)[:, 1:]]
        parts = zip(self._logits(out), torch.split(target, _LOGIT_TOKENS, 1), strict=True)
        return torch.cat([self._chosen(logits, wanted) for logits, wanted in parts], 1)

    @torch.no_grad()
    def next_log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1 symbol"]:
        """Return the log probabilities of bases, or of words of bases, in nats, for tokens from 1.

        Raises
        ------
        InputError
            If blocks of the model were not loaded.
        """
        parts = self._logits(self._whole(tokens, edits))
        return torch.cat([self._log_p(logits) for logits in parts], 1)

    def continuation(self, n_tokens: int, *, edits: Sequence[Edit] = ()) -> Continuation:
        """Return a continuation that has read nothing and may read up to ``n_tokens`` tokens.

        Raises
        ------
        UnknownNameError
            If an edit is at no site of the model.
        InputError
            If blocks of the model were not loaded, or its network is Python code of its repository.
        """
        self._check_cache("continuation")
        self._check_whole()
        with self._hooked((), edits):
            pass  # an unknown site is an error now, not at the first token
        cache = self._cache()
        step = partial(self._next, cache, edits)
        return Continuation(step, n_tokens, partial(self._copied, cache, edits))

    @torch.no_grad()
    def _copied(self, cache: Any, edits: Sequence[Edit], n: int) -> Step:  # noqa: ANN401
        copy = deepcopy(cache)
        if n > 1:
            copy.batch_repeat_interleave(n)
        return partial(self._next, copy, edits)

    @torch.no_grad()
    def _next(
        self,
        cache: Any,  # noqa: ANN401 - a cache of transformers
        edits: Sequence[Edit],
        tokens: Int[Tensor, "batch token"],
        first: int,
        last: int,
    ) -> Float[Tensor, "batch last symbol"]:
        with self._hooked((), edits, offset=first):
            out = self._forward_cached(tokens, cache)
        head = self.loaded.network.get_output_embeddings()
        streams = out.last_hidden_state[:, -last:].split(_LOGIT_TOKENS, 1)
        return torch.cat([self._log_p(head(stream)) for stream in streams], 1)

    def _whole(self, tokens: Int[Tensor, "batch token"], edits: Sequence[Edit]) -> Any:  # noqa: ANN401
        self._check_whole()
        with hooked(self._sites, edits=edits):
            return self._forward(tokens)

    def _logits(self, out: Any) -> Iterator[Float[Tensor, "batch token vocab"]]:  # noqa: ANN401
        if not self.loaded.family.trunk:
            yield from out.logits[:, :-1].split(_LOGIT_TOKENS, 1)
            return
        head = self.loaded.network.get_output_embeddings()
        for stream in out.last_hidden_state[:, :-1].split(_LOGIT_TOKENS, 1):
            yield head(stream)

    def _chosen(
        self, logits: Float[Tensor, "batch token vocab"], wanted: Int[Tensor, "batch token"]
    ) -> Float[Tensor, "batch token"]:
        chosen = self._log_p(logits).gather(2, wanted.clamp(min=0)[..., None])[..., 0]
        return chosen.masked_fill(wanted < 0, torch.nan)

    def _log_p(self, logits: Float[Tensor, "*batch vocab"]) -> Float[Tensor, "*batch symbol"]:
        return logits.to(self.device)[..., self._words].float().log_softmax(-1)
