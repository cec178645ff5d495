"""A causal network whose tokens are bases, as a :class:`~genointerp.model.protocol.DnaModel`."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from genointerp.core.errors import InputError
from genointerp.core.nearest import unknown
from genointerp.model.attention import AttentionBackend
from genointerp.model.continuation import Continuation, Step
from genointerp.model.gradient import check_precision, in_graph, usable_begin
from genointerp.model.hooks import hooked
from genointerp.model.hyena.network import AttentionMixer, StripedHyena
from genointerp.model.hyena.state import BlockState
from genointerp.model.protocol import (
    EMBEDDING,
    Chunk,
    Edit,
    ModelSpec,
    SiteActivations,
    Symbols,
    TokenSpans,
    Traced,
)
from genointerp.model.tokenizer.base import DnaTokenizer


class SingleNucleotideModel:
    """StripedHyena 2 over bases.

    Parameters
    ----------
    network
        Network, on the device or devices on which it is to run. Blocks above the last site that is
        wanted may be missing; it then gives activations but no probabilities.
    spec
        Identity and shape; ``sites`` are those of the blocks that the network has.
    tokenizer
        Tokenizer with one token for each base and no special tokens.
    """

    def __init__(self, network: StripedHyena, spec: ModelSpec, tokenizer: DnaTokenizer) -> None:
        self.network = network.eval().requires_grad_(requires_grad=False)
        self.tokenizer = tokenizer
        self._spec = spec
        self._sites = network_sites(network)
        bases = (b"A", b"C", b"G", b"T")
        self.symbols = Symbols(np.array([tokenizer.base_ids[base] for base in bases]), bases)
        self._base_ids = torch.from_numpy(self.symbols.ids).to(self.device)
        size = max(network.config.vocab_size, tokenizer.vocab_size)
        self._column = torch.full((size,), -1, device=self.device)
        self._column[self._base_ids] = torch.arange(4, device=self.device)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec})"

    @property
    def spec(self) -> ModelSpec:
        """Identity and shape."""
        return self._spec

    @property
    def device(self) -> torch.device:
        """Device of the tokens and of the probabilities."""
        return self.network.embedding_layer.weight.device

    def tokenize(self, sequence: UInt8[np.ndarray, " bp"]) -> TokenSpans:
        """Return one token for each base."""
        return self.tokenizer.encode(sequence)

    @torch.inference_mode()
    def run(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        capture: Sequence[str],
        edits: Sequence[Edit] = (),
    ) -> Mapping[str, Float[Tensor, "batch token d"]]:
        """Return the activations at each site of ``capture``; no later site is computed."""
        last = self._last(capture)
        with hooked(self._sites, capture=capture, edits=edits, stop_after=last) as captured:
            if last is not None:
                self.network.stream(tokens.to(self.device))
        return captured

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
        attention in blocks up to the last site of ``capture``.
        """
        if chunk < 1:
            raise InputError("chunk", "at least 1 token", str(chunk))
        with hooked(self._sites, capture=capture, edits=edits):
            # names are checked now, not when the first chunk is requested
            last = self._last(capture)
        return self._chunks(tokens, chunk, capture, edits, last)

    def _chunks(
        self,
        tokens: Int[Tensor, "batch token"],
        chunk: int,
        capture: Sequence[str],
        edits: Sequence[Edit],
        last: str | None,
    ) -> Iterator[Chunk]:
        states = self.network.states(tokens.shape[1])
        for start in range(0, tokens.shape[1], chunk):
            hooks = hooked(self._sites, capture=capture, edits=edits, stop_after=last, offset=start)
            with torch.inference_mode(), hooks as captured:
                if last is not None:
                    piece = tokens[:, start : start + chunk].to(self.device)
                    self.network.stream(piece, states)
            yield Chunk(start, captured)

    @torch.inference_mode()
    def log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1"]:
        """Return ``log p(base i | bases before i)`` in nats, for i from 1; NaN at unknown bases.

        Raises
        ------
        InputError
            If the network was loaded without its last blocks.
        """
        return self._of_targets(self.next_log_probs(tokens, edits=edits), tokens)

    @torch.inference_mode()
    def log_probs_from(
        self,
        site: str,
        x: Float[Tensor, "batch token d"],
        tokens: Int[Tensor, "batch token"],
        *,
        first: int = 0,
    ) -> Float[Tensor, "batch token_minus_1"]:
        """Return the log probabilities with ``x`` as the output of a block; only later blocks run.

        Parameters
        ----------
        first
            Index of the first token at which rows of ``x`` differ: those before it run through the
            blocks only once.

        Raises
        ------
        UnknownNameError
            If ``site`` is no block of the network.
        InputError
            If the network was loaded without its last blocks.
        """
        return self._of_targets(self.next_log_probs_from(site, x, tokens, first=first), tokens)

    @torch.inference_mode()
    def next_log_probs_from(
        self,
        site: str,
        x: Float[Tensor, "batch token d"],
        tokens: Int[Tensor, "batch token"],
        *,
        first: int = 0,
    ) -> Float[Tensor, "batch token_minus_1 4"]:
        """Return the log probabilities of A, C, G and T, as :meth:`log_probs_from` those of one.

        Raises
        ------
        UnknownNameError
            If ``site`` is no block of the network.
        InputError
            If the network was loaded without its last blocks.
        """
        self._check_whole()
        if site not in self.spec.sites:
            raise unknown("site", site, self.spec.sites)
        above = self.spec.sites.index(site) + 1
        if not 0 < first < x.shape[1]:
            stream = self.network.stream_from(x, above)
        else:
            states = self.network.states(x.shape[1])
            before = self.network.stream_from(x[:1, :first], above, states)
            copies = [state.repeated(len(x)) for state in states]
            after = self.network.stream_from(x[:, first:], above, copies)
            stream = torch.cat([before.expand(len(x), -1, -1), after], dim=1)
        return self._base_log_probs(self.network.unembed(stream)[:, :-1])

    @torch.inference_mode()
    def next_log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1 4"]:
        """Return the log probabilities of A, C, G and T in nats, for tokens from 1.

        Raises
        ------
        InputError
            If the network was loaded without its last blocks.
        """
        self._check_whole()
        with hooked(self._sites, edits=edits):
            stream = self.network.stream(tokens.to(self.device))
        return self._base_log_probs(self.network.unembed(stream)[:, :-1])

    def continuation(self, n_tokens: int, *, edits: Sequence[Edit] = ()) -> Continuation:
        """Return a continuation that has read nothing and may read up to ``n_tokens`` tokens.

        Raises
        ------
        UnknownNameError
            If an edit is at no site of the network.
        InputError
            If the network was loaded without its last blocks.
        """
        self._check_whole()
        with hooked(self._sites, edits=edits):
            pass  # an unknown site is an error now, not at the first token
        states = self.network.states(n_tokens)
        step = partial(self._next, states, edits)
        return Continuation(step, n_tokens, partial(self._copied, states, edits))

    def _copied(self, states: Sequence[BlockState], edits: Sequence[Edit], n: int) -> Step:
        return partial(self._next, [state.repeated(n) for state in states], edits)

    @torch.inference_mode()
    def _next(
        self,
        states: Sequence[BlockState],
        edits: Sequence[Edit],
        tokens: Int[Tensor, "batch token"],
        first: int,
        last: int,
    ) -> Float[Tensor, "batch last 4"]:
        with hooked(self._sites, edits=edits, offset=first):
            stream = self.network.stream(tokens.to(self.device), states)
        return self._base_log_probs(self.network.unembed(stream[:, -last:]))

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

        If ``begin`` is at the output of a block, only the blocks above it run.
        """
        check_precision(self._spec)
        if logits:
            self._check_whole()
        sites, first = self._sites, None
        if begin is not None:
            begin = usable_begin(
                begin, tokens, sites=sites, d_site=self._spec.d_site, capture=capture
            )
            first = self._first_above(begin.site)
            if first is None:
                edits = [begin.as_edit(), *edits]
            else:
                # it takes the place of the site's module, so that edits and captures work as usual
                sites = {**sites, begin.site: nn.Identity()}
        last = None if logits else self._last(capture)
        out = None
        with in_graph(sites, capture=capture, edits=edits, stop_after=last) as captured:
            if begin is None or first is None:
                stream = self.network.stream(tokens.to(self.device))
            else:
                x = begin.x.to(self.network.embedding_layer.weight)
                stream = self.network.stream_from(sites[begin.site](x), first)
            if logits:
                out = self.network.unembed(stream)[..., self._base_ids]
        return Traced(captured, out)

    def _first_above(self, site: str) -> int | None:
        """Return the block whose whole input is a site; None if there is none."""
        if site == EMBEDDING:
            return 0
        return self.spec.sites.index(site) + 1 if site in self.spec.sites else None

    def _check_whole(self) -> None:
        n_blocks, whole = len(self.network.blocks), len(self.network.config.mixers)
        if n_blocks < whole:
            found = f"only blocks.0 to blocks.{n_blocks - 1}"
            raise InputError("log_probs", f"a model loaded with all {whole} blocks", found)

    def _base_log_probs(self, logits: Float[Tensor, "*batch vocab"]) -> Float[Tensor, "*batch 4"]:
        return logits[..., self._base_ids].float().log_softmax(-1)

    def _of_targets(
        self,
        log_p: Float[Tensor, "batch token_minus_1 4"],
        tokens: Int[Tensor, "batch token"],
    ) -> Float[Tensor, "batch token_minus_1"]:
        target = self._column[tokens[:, 1:].to(self.device)]
        chosen: Tensor = log_p.gather(2, target.clamp(min=0)[..., None])[..., 0]
        return chosen.masked_fill(target < 0, torch.nan)

    def _last(self, capture: Sequence[str]) -> str | None:
        """Return the site of ``capture`` that is computed last."""
        order = [name for name in self._sites if name in capture]
        return order[-1] if order else None


def network_sites(network: StripedHyena) -> dict[str, nn.Module]:
    """Return the modules whose outputs can be captured and edited, in the order of computation."""
    sites: dict[str, nn.Module] = {EMBEDDING: network.embedding_layer}
    for i, block in enumerate(network.blocks):
        sites[f"blocks.{i}.mixer"] = block.get_submodule("mixer")
        sites[f"blocks.{i}.mlp"] = block.get_submodule("mlp")
        sites[f"blocks.{i}"] = block
    return sites


def use_backend(network: StripedHyena, backend: AttentionBackend) -> None:
    """Make the attention of a network use the kernels of a backend."""
    for module in network.modules():
        if isinstance(module, AttentionMixer):
            module.backend = backend
