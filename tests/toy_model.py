"""A tiny DnaModel whose activations can be computed by hand: it counts what it has read."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from genointerp.model.continuation import Continuation, Step
from genointerp.model.gradient import in_graph, usable_begin
from genointerp.model.hooks import hooked
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

TOKENS = np.full(256, 4, dtype=np.int64)
TOKENS[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)


class Mixer(nn.Module):
    """What lies before a base: GC share of the last 8, run of equal bases, bases read."""

    def forward(self, one_hot: Tensor, tokens: Tensor) -> Tensor:
        gc = (one_hot[..., 1] + one_hot[..., 2]).cumsum(1)
        before = torch.cat([gc.new_zeros(len(gc), 8), gc], 1)[:, : gc.shape[1]]
        read = (torch.arange(1, gc.shape[1] + 1) / 1000).expand_as(gc)
        run = torch.tensor([runs(row) for row in tokens.tolist()])
        nothing = torch.zeros_like(gc)
        parts = [*[nothing] * 4, (gc - before) / 8, run.float(), read, nothing]
        return torch.stack(parts, -1)


class Mlp(nn.Module):
    """What the token alone tells: its one-hot code, and a constant."""

    def forward(self, one_hot: Tensor) -> Tensor:
        nothing = torch.zeros_like(one_hot[..., :1])
        return torch.cat([one_hot, *[nothing] * 3, nothing + 1], -1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.mixer, self.mlp = Mixer(), Mlp()

    def forward(self, one_hot: Tensor, tokens: Tensor) -> Tensor:
        return self.mixer(one_hot, tokens) + self.mlp(one_hot)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(torch.eye(5, 4))
        self.block = Block()

    def forward(self, tokens: Tensor) -> Tensor:
        """The logits: the next base is thought to repeat the present one."""
        return self.block(self.embedding(tokens), tokens)[..., :4]


class ToyDnaModel:
    """Site ``blocks.0`` is, at each token: one-hot of the base, GC share of the last 8 bases,
    length of the run of equal bases, number of bases read (in thousands), and a constant."""

    spec = ModelSpec(
        name="toy",
        sha256="0" * 64,
        sites=("blocks.0",),
        default_site="blocks.0",
        d_site=8,
        context=64,
        attention_backend="none",
        chunked=True,
    )
    symbols = Symbols(np.arange(4), (b"A", b"C", b"G", b"T"))

    network = Network().eval()
    sites: ClassVar = {
        EMBEDDING: network.embedding,
        "blocks.0.mixer": network.block.mixer,
        "blocks.0.mlp": network.block.mlp,
        "blocks.0": network.block,
    }

    def tokenize(self, sequence) -> TokenSpans:
        start = np.arange(len(sequence), dtype=np.int64)
        return TokenSpans(TOKENS[sequence], start, start + 1)

    @torch.inference_mode()
    def run(
        self, tokens: Tensor, *, capture: Sequence[str], edits: Sequence[Edit] = ()
    ) -> Mapping[str, Tensor]:
        with hooked(self.sites, capture=capture, edits=edits) as captured:
            self.network(tokens)
        return captured

    def prefill(
        self, tokens: Tensor, *, chunk: int, capture: Sequence[str], edits: Sequence[Edit] = ()
    ) -> Iterator[Chunk]:
        whole = self.run(tokens, capture=capture, edits=edits)
        for start in range(0, tokens.shape[1], chunk):
            yield Chunk(start, {site: x[:, start : start + chunk] for site, x in whole.items()})

    def log_probs(self, tokens: Tensor, *, edits: Sequence[Edit] = ()) -> Tensor:
        log_p = self.next_log_probs(tokens, edits=edits)
        target = tokens[:, 1:]
        chosen = log_p.gather(2, target.clamp(max=3)[..., None])[..., 0]
        return chosen.masked_fill(target > 3, torch.nan)

    @torch.inference_mode()
    def next_log_probs(self, tokens: Tensor, *, edits: Sequence[Edit] = ()) -> Tensor:
        """The next base is thought to repeat the present one, as sure as the one-hot is large."""
        with hooked(self.sites, edits=edits):
            logits = self.network(tokens)
        return logits[:, :-1].log_softmax(-1)

    def continuation(self, n_tokens: int, *, edits: Sequence[Edit] = ()) -> Continuation:
        """It reads everything again for each token."""
        self.run(torch.zeros(1, 1, dtype=torch.int64), capture=[], edits=edits)
        read: list[Tensor] = []

        def step(before: list[Tensor], tokens: Tensor, _first: int, last: int) -> Tensor:
            before.append(tokens)
            whole = torch.cat([*before, tokens[:, :1]], 1)
            return self.next_log_probs(whole, edits=edits)[:, -last:]

        def copied(n: int) -> Step:
            return partial(step, [tokens.repeat(n, 1) for tokens in read])

        return Continuation(partial(step, read), n_tokens, copied)

    def trace(
        self,
        tokens: Tensor,
        *,
        capture: Sequence[str] = (),
        edits: Sequence[Edit] = (),
        begin: SiteActivations | None = None,
        logits: bool = True,
    ) -> Traced:
        if begin is not None:
            begin = usable_begin(begin, tokens, sites=self.sites, d_site=8, capture=capture)
            edits = [begin.as_edit(), *edits]
        with in_graph(self.sites, capture=capture, edits=edits, stop_after=None) as captured:
            found = self.network(tokens)
        return Traced(captured, found if logits else None)


def runs(tokens: Sequence[int]) -> list[int]:
    """Length of the run of equal tokens that each belongs to, so far."""
    lengths: list[int] = []
    for i, token in enumerate(tokens):
        lengths.append(lengths[-1] + 1 if i and token == tokens[i - 1] else 1)
    return lengths
