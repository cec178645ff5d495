"""A tiny DnaModel whose activations can be computed by hand: it counts what it has read."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from genointerp.core.errors import UnknownNameError
from genointerp.model.continuation import Continuation
from genointerp.model.hooks import apply_edits
from genointerp.model.protocol import Chunk, Edit, ModelSpec, Symbols, TokenSpans

TOKENS = np.full(256, 4, dtype=np.int64)
TOKENS[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)
# what looks back is the mixer's, what the token alone tells is the MLP's
LOOKS_BACK = torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 0])
SITES = {"blocks.0.mixer": LOOKS_BACK, "blocks.0.mlp": 1 - LOOKS_BACK, "blocks.0": torch.ones(8)}


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

    def tokenize(self, sequence) -> TokenSpans:
        start = np.arange(len(sequence), dtype=np.int64)
        return TokenSpans(TOKENS[sequence], start, start + 1)

    def run(
        self, tokens: Tensor, *, capture: Sequence[str], edits: Sequence[Edit] = ()
    ) -> Mapping[str, Tensor]:
        for site in [*capture, *(edit.site for edit in edits)]:
            if site not in SITES:
                raise UnknownNameError("site", ", ".join(SITES), site)
        whole = torch.stack([self._row(row) for row in tokens])
        found = {
            site: apply_edits(whole * columns, [edit for edit in edits if edit.site == site])
            for site, columns in SITES.items()
            if site != "blocks.0"
        }
        x = found["blocks.0.mixer"] + found["blocks.0.mlp"]
        found["blocks.0"] = apply_edits(x, [edit for edit in edits if edit.site == "blocks.0"])
        return {site: found[site] for site in capture}

    def prefill(
        self, tokens: Tensor, *, chunk: int, capture: Sequence[str], edits: Sequence[Edit] = ()
    ) -> Iterator[Chunk]:
        whole = self.run(tokens, capture=capture, edits=edits)
        for start in range(0, tokens.shape[1], chunk):
            yield Chunk(start, {site: x[:, start : start + chunk] for site, x in whole.items()})

    def log_probs(self, tokens: Tensor, *, edits: Sequence[Edit] = ()) -> Tensor:
        """The next base is thought to repeat the present one, as sure as the one-hot is large."""
        log_p = self.next_log_probs(tokens, edits=edits)
        target = tokens[:, 1:]
        chosen = log_p.gather(2, target.clamp(max=3)[..., None])[..., 0]
        return chosen.masked_fill(target > 3, torch.nan)

    def next_log_probs(self, tokens: Tensor, *, edits: Sequence[Edit] = ()) -> Tensor:
        x = self.run(tokens, capture=["blocks.0"], edits=edits)["blocks.0"]
        return x[:, :-1, :4].log_softmax(-1)

    def continuation(self, n_tokens: int, *, edits: Sequence[Edit] = ()) -> Continuation:
        """It reads everything again for each token."""
        self.run(torch.zeros(1, 1, dtype=torch.int64), capture=[], edits=edits)
        read: list[Tensor] = []

        def step(tokens: Tensor, _first: int) -> Tensor:
            read.append(tokens)
            whole = torch.cat([*read, tokens[:, :1]], 1)
            return self.next_log_probs(whole, edits=edits)[:, -1]

        return Continuation(step, n_tokens)

    def _row(self, tokens: Tensor) -> Tensor:
        x = torch.zeros(len(tokens), 8)
        known = tokens < 4
        x[known, tokens[known]] = 1.0
        gc = (x[:, 1] + x[:, 2]).cumsum(0)
        x[:, 4] = (gc - torch.cat([torch.zeros(8), gc])[: len(gc)]) / 8
        run = 0
        for i, token in enumerate(tokens.tolist()):
            run = run + 1 if i and token == int(tokens[i - 1]) else 1
            x[i, 5] = run
        x[:, 6] = torch.arange(1, len(tokens) + 1) / 1000
        x[:, 7] = 1.0
        return x
