"""What a model reads of a window: tokens, and the kept bases that each of them covers.

Where merges of bases fall depends on where the reading begins, so a window is tokenised once, with
all that surrounds its kept bases. A token belongs to the window in which its first base lies, and
ends with that window's kept bases at the latest. Only where the first kept bases lie inside a token
that began before them, it is kept too, for those bases. So the rows of a window tile its kept bases
whatever the tokenizer does, and those of all windows every base that is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Int, Int64
from torch import Tensor

from genointerp.genome.genome import Genome
from genointerp.genome.windows import Window, window_sequence
from genointerp.model.protocol import DnaModel, TokenSpans


@dataclass(frozen=True)
class WindowTokens:
    """The tokens of one window, in reading order.

    Parameters
    ----------
    window
        Which it is.
    spans
        Of its tokens in the bases read: those before the kept ones, those and what follows.
    """

    window: Window
    spans: TokenSpans

    @cached_property
    def n_kept(self) -> Int64[np.ndarray, " token"]:
        """Kept bases that each token covers; 0 for special tokens."""
        first, last = self.window.warmup, self.window.warmup + self.window.kept.length
        end, start = np.minimum(self.spans.end, last), np.maximum(self.spans.start, first)
        covered: Int64[np.ndarray, " token"] = np.maximum(end - start, 0)
        return covered

    @cached_property
    def rows(self) -> slice:
        """From the first token with a kept base to the last; special ones may lie between."""
        kept = np.flatnonzero(self.n_kept)
        return slice(int(kept[0]), int(kept[-1]) + 1) if len(kept) else slice(0, 0)

    @property
    def begun(self) -> Bool[np.ndarray, " token"]:
        """Tokens whose first base is a kept one."""
        start = self.spans.start - self.window.warmup
        found: Bool[np.ndarray, " token"] = (start >= 0) & (start < self.window.kept.length)
        return found & (self.spans.start >= 0)

    @property
    def real(self) -> slice:
        """All but the special tokens around the window."""
        bases = np.flatnonzero(self.spans.start >= 0)
        return slice(int(bases[0]), int(bases[-1]) + 1) if len(bases) else slice(0, 0)


def read_window(model: DnaModel, genome: Genome, window: Window) -> WindowTokens:
    """Return the tokens of a window."""
    return WindowTokens(window, model.tokenize(window_sequence(genome, window)))


def token_batches(
    model: DnaModel, genome: Genome, windows: Sequence[Window], size: int
) -> Iterator[list[WindowTokens]]:
    """Group consecutive windows of equally many tokens, at most ``size`` of them."""
    batch: list[WindowTokens] = []
    for window in windows:
        read = read_window(model, genome, window)
        if batch and (len(batch) == size or len(read.spans.ids) != len(batch[0].spans.ids)):
            yield batch
            batch = []
        batch.append(read)
    if batch:
        yield batch


def stacked(batch: Sequence[WindowTokens]) -> Int[Tensor, "batch token"]:
    """Return the token ids of a batch."""
    return torch.from_numpy(np.stack([read.spans.ids for read in batch]))
