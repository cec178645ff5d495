"""Passages of a genome, or given sequences, as batches of tokens for a model.

Where merges of bases fall depends on where reading begins, so a window is tokenised as a whole,
with the bases around its kept ones. A token belongs to the window that holds its first base, and is
cut at the end of the kept bases. If the first kept bases are inside a token that began before them,
that token is kept too, for those bases. So with any tokenizer, the rows of a window tile its kept
bases, and the rows of all windows tile every base that is read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int, Int64, UInt8
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.genome.letters import normalise_sequence, reverse_complement
from genointerp.genome.windows import Window, window_sequence
from genointerp.model.protocol import DnaModel, Edit, TokenSpans


class Passage(NamedTuple):
    """The bases that a model reads in one pass, 5' to 3', and their window."""

    window: Window
    bases: UInt8[np.ndarray, " bp"]


def genome_passages(genome: Genome, windows: Iterable[Window]) -> Iterator[Passage]:
    """Yield the bases of each window of a genome."""
    for window in windows:
        yield Passage(window, window_sequence(genome, window))


def sequence_passages(
    sequences: Iterable[str | UInt8[np.ndarray, " bp"]], *, strands: Sequence[Strand] = ("+",)
) -> Iterator[Passage]:
    """Yield sequences as passages, each whole and without a warm-up.

    Parameters
    ----------
    sequences
        Texts, or ASCII codes, in upper or lower case. The window of the first is on the contig
        ``sequence 1``, and so on.
    strands
        Strands on which each sequence is read, one after the other.

    Raises
    ------
    SequenceError
        If a letter is not an IUPAC nucleotide code.
    InputError
        If a sequence has no base.
    """
    for number, sequence in enumerate(sequences, 1):
        name = f"sequence {number}"
        letters = sequence.encode() if isinstance(sequence, str) else sequence.tobytes()
        if not letters:
            raise InputError(name, "at least one base", "none")
        bases = normalise_sequence(letters, where=name)
        for strand in strands:
            window = Window(GenomicInterval(name, 0, len(bases), strand), 0)
            yield Passage(window, bases if strand == "+" else reverse_complement(bases))


@dataclass(frozen=True)
class WindowTokens:
    """The tokens of one window, in reading order.

    Parameters
    ----------
    window
        The window.
    spans
        Tokens with their spans in the bases read, counted from the first base of the window
        (warm-up included).
    """

    window: Window
    spans: TokenSpans

    @cached_property
    def n_kept(self) -> Int64[np.ndarray, " token"]:
        """Number of kept bases that each token covers; 0 for special tokens."""
        first, last = self.window.warmup, self.window.warmup + self.window.kept.length
        end, start = np.minimum(self.spans.end, last), np.maximum(self.spans.start, first)
        covered: Int64[np.ndarray, " token"] = np.maximum(end - start, 0)
        return covered

    @cached_property
    def rows(self) -> slice:
        """From the first token with a kept base to the last; special tokens may be between them."""
        kept = np.flatnonzero(self.n_kept)
        return slice(int(kept[0]), int(kept[-1]) + 1) if len(kept) else slice(0, 0)

    @property
    def begun(self) -> Bool[np.ndarray, " token"]:
        """Which tokens begin at a kept base."""
        start = self.spans.start - self.window.warmup
        found: Bool[np.ndarray, " token"] = (start >= 0) & (start < self.window.kept.length)
        return found & (self.spans.start >= 0)

    @property
    def real(self) -> slice:
        """The tokens without the special ones around the window."""
        bases = np.flatnonzero(self.spans.start >= 0)
        return slice(int(bases[0]), int(bases[-1]) + 1) if len(bases) else slice(0, 0)


@dataclass(frozen=True)
class TokenBatch:
    """Passages of equally many tokens, which a model reads in one pass.

    Parameters
    ----------
    windows
        Window of each row of ``ids``.
    ids
        Token ids.
    """

    windows: tuple[WindowTokens, ...]
    ids: Int[Tensor, "batch token"]

    @classmethod
    def of(cls, windows: Sequence[WindowTokens]) -> "TokenBatch":
        """Make a batch of the tokens of passages."""
        ids = torch.from_numpy(np.stack([read.spans.ids for read in windows]))
        return cls(tuple(windows), ids)

    def only(self, row: int) -> "TokenBatch":
        """Return one passage of the batch as a batch of its own."""
        return TokenBatch(self.windows[row : row + 1], self.ids[row : row + 1])

    def repeated(self, n: int) -> "TokenBatch":
        """Return ``n`` copies of a batch of one passage."""
        return TokenBatch(self.windows * n, self.ids.expand(n, -1))

    def within(self, edits: Sequence[Edit]) -> Sequence[Edit]:
        """Restrict edits to the tokens without the special ones around the passages."""
        real = self.windows[0].real
        if real == slice(0, self.ids.shape[1]):
            return edits
        return [
            replace(
                edit,
                start=max(edit.start, real.start),
                end=real.stop if edit.end is None else min(edit.end, real.stop),
            )
            for edit in edits
        ]


def tokenised(model: DnaModel, passage: Passage) -> WindowTokens:
    """Return the tokens of a passage."""
    return WindowTokens(passage.window, model.tokenize(passage.bases))


def token_batches(model: DnaModel, passages: Iterable[Passage], size: int) -> Iterator[TokenBatch]:
    """Group consecutive passages of equally many tokens, at most ``size`` in a batch."""
    group: list[WindowTokens] = []
    for passage in passages:
        read = tokenised(model, passage)
        if group and (len(group) == size or len(read.spans.ids) != len(group[0].spans.ids)):
            yield TokenBatch.of(group)
            group = []
        group.append(read)
    if group:
        yield TokenBatch.of(group)
