"""Tiny DnaModels whose tokens are words, and whose activations say which word was read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import torch
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.model.hooks import apply_edits
from genointerp.model.protocol import Chunk, ModelSpec, TokenSpans

BOS, EOS, UNKNOWN = 0, 1, 2
SINGLE = ("A", "C", "G", "T")
# longest match from the left: where a match ends depends on where it began, until both agree
MERGES = ("AA", "AAA", "AC", "ACGT", "CG", "GG", "GGA", "TT", "TTT", "TACA", "CAC")

SPEC = ModelSpec(
    name="words",
    sha256="w" * 64,
    sites=("blocks.0",),
    default_site="blocks.0",
    d_site=8,
    context=1000,
    attention_backend="none",
    chunked=True,
)


class WordModel:
    """Site ``blocks.0`` is, at each token: its A, C, G, T; length; id; tokens read; a constant.

    ``words`` are read from the left, the longest that fits; ``k`` bases at a time where all words
    are as long. Special tokens stand around every sequence.
    """

    def __init__(self, words: Sequence[str], *, k: int = 0, reads="left", ends=True):
        self.words = ("<s>", "</s>", "<unk>", *SINGLE, *words)
        self.k = k
        self.ids = {word: i for i, word in enumerate(self.words)}
        self.longest = max(map(len, words))
        self.spec = replace(SPEC, bases_per_token=k, reads=reads, chunked=reads == "left")
        self.before, self.after = ([BOS], [EOS]) if ends else ([], [])

    def tokenize(self, sequence) -> TokenSpans:
        text, rows, at = sequence.tobytes().decode(), [], 0
        while at < len(text):
            sizes = (self.k, 1) if self.k else range(self.longest, 0, -1)
            size = next(
                (n for n in sizes if text[at : at + n] in self.ids and at + n <= len(text)), 1
            )
            rows.append((self.ids.get(text[at : at + size], UNKNOWN), at, at + size))
            at += size
        special = [(i, -1, -1) for i in self.before], [(i, -1, -1) for i in self.after]
        ids, start, end = np.array([*special[0], *rows, *special[1]], np.int64).reshape(-1, 3).T
        return TokenSpans(ids, start, end)

    def run(self, tokens: Tensor, *, capture, edits=()) -> Mapping[str, Tensor]:
        x = torch.zeros(*tokens.shape, 8)
        for i, row in enumerate(tokens.tolist()):
            for j, token in enumerate(row):
                word = self.words[token] if token > UNKNOWN else ""
                x[i, j] = torch.tensor([*map(word.count, SINGLE), len(word), token, j + 1, 1.0])
        return {"blocks.0": apply_edits(x, edits)} if capture else {}

    def prefill(self, tokens: Tensor, *, chunk: int, capture, edits=()):
        if not self.spec.chunked:
            raise InputError("prefill", "a causal model", "words")
        x = self.run(tokens, capture=capture, edits=edits)
        for start in range(0, tokens.shape[1], chunk):
            yield Chunk(start, {site: it[:, start : start + chunk] for site, it in x.items()})

    def log_probs(self, tokens: Tensor, *, edits=()) -> Tensor:
        """The log probability of a token is minus a tenth of (its id + the constant before it)."""
        x = self.run(tokens, capture=["blocks.0"], edits=edits)["blocks.0"]
        log_p = -(tokens[:, 1:] + x[:, :-1, 7]) / 10
        return log_p.masked_fill(tokens[:, 1:] <= UNKNOWN, torch.nan)


def kmer_model(k=3, **options) -> WordModel:
    return WordModel(["".join(word) for word in product("ACGT", repeat=k)], k=k, **options)


def merge_model(**options) -> WordModel:
    return WordModel(MERGES, **options)
