"""Activations for training, straight from a model and without a file."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from genointerp.core.errors import InputError
from genointerp.core.seed import rng
from genointerp.core.split import held_out_blocks, shuffled_groups
from genointerp.genome.windows import Window
from genointerp.model.protocol import DnaModel
from genointerp.reading.harvest import HarvestPlan
from genointerp.reading.run import KeptRows
from genointerp.store.activation.blocks import window_blocks
from genointerp.store.activation.reading import ReadingConfig


class ModelSource:
    """Rows that a model computes while it reads the windows of genomes in shuffled order.

    The model runs again in every epoch; held-out windows are computed only for evaluation.

    Parameters
    ----------
    model
        Model, which runs in the thread that reads ahead.
    plans
        What to read of each genome; all plans must have the same site.
    config
        Settings as for stores; ``skip_first`` counts rows after the warm-up of a window.

    Attributes
    ----------
    n_rows
        Number of rows; an upper limit if tokens are words, since windows are not tokenised to count
        them.

    Raises
    ------
    InputError
        If there is no genome, or the plans have different sites.
    """

    def __init__(
        self, model: DnaModel, plans: Sequence[HarvestPlan], config: ReadingConfig | None = None
    ) -> None:
        sites = sorted({plan.site for plan in plans})
        if len(sites) != 1:
            raise InputError("genomes", "at least one, at one site", ", ".join(sites) or "none")
        for plan in plans:
            plan.check()
        self.model, self.plans = model, tuple(plans)
        self.config = ReadingConfig() if config is None else config
        self.d_in = model.spec.d_site
        self.widths = (self.d_in,)
        usable = [self._usable(window) for plan in plans for window in plan.windows]
        self.n_rows = sum(usable)
        self.n_skipped = sum(plan.n_bases for plan in plans) - self.n_rows
        kept = [(plan.genome.sha256, [window.kept for window in plan.windows]) for plan in plans]
        self._blocks = window_blocks(kept, self.config.block_bp)

    def chunks(
        self, seed: int, epoch: int, *, eval_share: float, start: int = 0
    ) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield every row to train on once, in an order that depends on seed and epoch.

        Windows that overlap a held-out one, on either strand, are neither trained on nor held out.

        Raises
        ------
        InputError
            If there is only one block of windows.
        """
        yield from self._run(seed, eval_share, f"epoch {epoch}", start, is_held_out=False)

    def held_out(self, seed: int, *, eval_share: float) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield the rows of the held-out blocks, in an order that depends on the seed."""
        yield from self._run(seed, eval_share, "held-out rows", 0, is_held_out=True)

    def _run(
        self, seed: int, share: float, purpose: str, start: int, *, is_held_out: bool
    ) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        blocks, chosen = self._blocks, held_out_blocks(self._blocks.n, share, seed=seed)
        masks = blocks.held_out(chosen) if is_held_out else blocks.to_train_on(chosen)
        wanted = [
            (number, window)
            for number, (plan, mask) in enumerate(zip(self.plans, masks, strict=True))
            for window, is_wanted in zip(plan.windows, mask, strict=True)
            if is_wanted and self._usable(window)
        ]
        n_rows = np.array([self._usable(window) for _, window in wanted], dtype=np.int64)
        size = self.config.rows_at_once(self.d_in)
        groups = shuffled_groups(n_rows, size, seed=seed, purpose=purpose)
        for number, group in enumerate(groups[start:], start):
            rows = self._rows([wanted[index] for index in group])
            generator = rng(seed, f"rows of chunk {number} of {purpose}")
            yield rows[generator.permutation(len(rows))]

    def _rows(self, windows: Sequence[tuple[int, Window]]) -> Float32[np.ndarray, "n d_in"]:
        """Run the model over windows, grouped by genome."""
        found = [np.empty((0, self.d_in), dtype=np.float32)]
        for number, plan in enumerate(self.plans):
            own = [window for genome, window in windows if genome == number]
            found += self._without_first(plan.read(self.model, own))
        return np.concatenate(found)

    def _without_first(self, parts: Iterator[KeptRows]) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        window, left = None, 0
        for tokens, rows, _ in parts:
            if tokens is not window:
                window, left = tokens, self.config.skip_first
            yield rows[left:].float().cpu().numpy()
            left = max(0, left - len(rows))

    def _usable(self, window: Window) -> int:
        return max(0, window.kept.length - self.config.skip_first)
