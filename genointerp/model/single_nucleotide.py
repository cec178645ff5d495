"""A causal network whose tokens are bases, as a :class:`~genointerp.model.protocol.DnaModel`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from genointerp.model.hooks import ForwardStopped, hooked
from genointerp.model.hyena import StripedHyena
from genointerp.model.protocol import Edit, ModelSpec, TokenSpans

_TOKEN = np.full(256, 4, dtype=np.int64)
_TOKEN[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)


class SingleNucleotideModel:
    """StripedHyena 2 over bases: A 0, C 1, G 2, T 3, any ambiguity code 4; no special tokens."""

    def __init__(self, network: StripedHyena, spec: ModelSpec, device: torch.device) -> None:
        self.network = network.to(device).eval().requires_grad_(requires_grad=False)
        self.device = device
        self._spec = spec
        self._sites: dict[str, nn.Module] = dict(zip(spec.sites, network.blocks, strict=True))

    @property
    def spec(self) -> ModelSpec:
        """Identity and shape."""
        return self._spec

    def tokenize(self, sequence: UInt8[np.ndarray, " bp"]) -> TokenSpans:
        """Return one token for each base."""
        start = np.arange(len(sequence), dtype=np.int64)
        return TokenSpans(_TOKEN[sequence], start, start + 1)

    @torch.inference_mode()
    def run(
        self,
        tokens: Int[Tensor, "batch token"],
        *,
        capture: Sequence[str],
        edits: Sequence[Edit] = (),
    ) -> Mapping[str, Float[Tensor, "batch token d"]]:
        """Return the activations at each site of ``capture``, computing nothing above the last."""
        order = [name for name in self._sites if name in capture]
        last = order[-1] if order else None
        hooks = hooked(self._sites, capture=capture, edits=edits, stop_after=last)
        with hooks as captured, suppress(ForwardStopped):
            self.network(tokens.to(self.device))
        return captured

    @torch.inference_mode()
    def log_probs(
        self, tokens: Int[Tensor, "batch token"], *, edits: Sequence[Edit] = ()
    ) -> Float[Tensor, "batch token_minus_1"]:
        """Return ``log p(base i | bases before i)`` in nats, for i from 1; NaN at unknown bases."""
        tokens = tokens.to(self.device)
        with hooked(self._sites, edits=edits):
            logits = self.network(tokens)
        log_p = logits[:, :-1, :4].float().log_softmax(-1)
        target = tokens[:, 1:]
        chosen: Tensor = log_p.gather(2, target.clamp(max=3)[..., None])[..., 0]
        return chosen.masked_fill(target > 3, torch.nan)
