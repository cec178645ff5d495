"""The verdict on an edit, by thresholds that its settings state."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from genointerp.intervention.editing.config import EditConfig
from genointerp.intervention.editing.effects import PARTS, Effects

Verdict = Literal["clean", "leaky", "never silent", "failed", "not measured"]

_NEAREST = 8
"""Least distance that is called silent: a feature of codons fires on every third base."""
_MOVED = 3.0
"""Least z of a feature that counts as moved."""


@dataclass(frozen=True)
class Summary:
    """The figures of an edit in one row.

    Parameters
    ----------
    verdict
        ``failed`` where less than ``least_bake`` of the edit of activations is reproduced; else
        ``never silent`` where there are too few silent predictions; else ``leaky`` where these
        change by more than ``most_silent_kl``, else ``clean``; ``not measured`` where the feature
        never fires on the genome, or the model is a masked one.
    r2, strength
        As in :class:`~genointerp.intervention.editing.make.Edited`.
    bake
        Share of the edit of activations that is reproduced, over all predictions.
    kl_fires, kl_silent
        Divergence of the edited model from its parent, in nats, where the feature fires and where
        it is silent; the last is NaN where it never is for long enough.
    kl_silent_activation
        Divergence of the edit of activations from the parent on the same silent predictions.
    silent_from
        Tokens since the feature fired from which on predictions count as silent: those of the
        first part that begins at ``silent_after`` or later if there are ``least_silent`` such
        predictions, otherwise the most, of 8 or more at which a part begins, for which there are;
        0 if there are never so many.
    n_silent
        Number of these predictions.
    bake_matched, bake_random
        Median over the other features, and the largest over the random directions.
    n_moved_activation, n_moved
        Features with ``|z| > 3`` on reading again, under the edit of activations and in the edited
        model.
    """

    verdict: Verdict
    r2: float = float("nan")
    strength: float = float("nan")
    bake: float = float("nan")
    kl_fires: float = float("nan")
    kl_silent: float = float("nan")
    kl_silent_activation: float = float("nan")
    silent_from: int = 0
    n_silent: int = 0
    bake_matched: float = float("nan")
    bake_random: float = float("nan")
    n_moved_activation: int = 0
    n_moved: int = 0

    def __str__(self) -> str:
        if np.isnan(self.bake):
            return self.verdict
        r2 = "" if np.isnan(self.r2) else f", held-out R2 {self.r2:.3f}"
        silent = ""
        if self.n_silent:
            when = f"{self.silent_from} tokens or more after it fired ({self.n_silent} tokens)"
            silent = f", KL {self.kl_silent:.2g} nats {when}"
        return f"{self.verdict}: bake {self.bake:.3f}{silent}{r2}"

    def as_mapping(self) -> dict[str, Any]:
        """Return the figures as plain values, with None, which JSON has, for undefined ones."""
        return {
            name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in asdict(self).items()
        }


def summarise_edit(
    found: Effects | None, r2: float, strength: float, config: EditConfig
) -> Summary:
    """Return the summary of the effects of an edit; None if they were not measured."""
    if found is None:
        return Summary("not measured", r2, strength)
    effects, features = found.effects, found.features
    own = effects[effects["edit"] == "feature"].set_index("part")
    whole = effects[effects["part"] == "all"]
    bake, fires = float(own["bake"]["all"]), float(own["kl_edit"]["fires"])
    silent = _silent(own, config)
    matched = whole[whole["edit"] == "matched feature"]["bake"]
    turned = whole[whole["edit"] == "random direction"]["bake"]
    return Summary(
        verdict=_verdict(bake, silent.kl_edit, config),
        r2=r2,
        strength=strength,
        bake=bake,
        kl_fires=fires,
        kl_silent=silent.kl_edit,
        kl_silent_activation=silent.kl_activation,
        silent_from=silent.since,
        n_silent=silent.n,
        bake_matched=float(matched.median()) if len(matched) else float("nan"),
        bake_random=float(turned.max()) if len(turned) else float("nan"),
        n_moved_activation=int((features["z_activation"].abs() > _MOVED).sum()),
        n_moved=int((features["z_edited"].abs() > _MOVED).sum()),
    )


class _Silent(NamedTuple):
    """Divergences on predictions some tokens or more after the feature fired, and their number."""

    kl_edit: float = float("nan")
    kl_activation: float = float("nan")
    since: int = 0
    n: int = 0


def _silent(own: pd.DataFrame, config: EditConfig) -> _Silent:
    """Return what changes at the farthest distance for which there are enough predictions."""
    begins = [least for least in PARTS.values() if least >= _NEAREST]
    first = next((one for one in begins if one >= config.silent_after), begins[-1])
    for since in reversed([one for one in begins if one <= first]):
        parts = own.loc[[part for part, least in PARTS.items() if least >= since]]
        parts = parts[parts["n_tokens"] > 0]
        n = int(parts["n_tokens"].sum())
        if n >= config.least_silent:
            total = parts[["kl_edit", "kl_activation"]].mul(parts["n_tokens"], axis=0).sum()
            return _Silent(float(total.iloc[0] / n), float(total.iloc[1] / n), since, n)
    return _Silent()


def _verdict(bake: float, silent: float, config: EditConfig) -> Verdict:
    if np.isnan(bake):
        return "not measured"
    if bake < config.least_bake:
        return "failed"
    if np.isnan(silent):
        return "never silent"
    return "leaky" if silent > config.most_silent_kl else "clean"
