"""The verdict on an edit, by thresholds that its settings state."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from genointerp.intervention.editing.config import EditConfig
from genointerp.intervention.editing.effects import PARTS, Effects

Verdict = Literal["clean", "leaky", "failed", "not measured"]

_MOVED = 3.0
"""Least z of a feature that counts as moved."""


@dataclass(frozen=True)
class Summary:
    """The figures of an edit in one row.

    Parameters
    ----------
    verdict
        ``failed`` where less than ``least_bake`` of the edit of activations is reproduced; else
        ``leaky`` where silent predictions change by more than ``most_silent_kl``, else ``clean``;
        ``not measured`` where the feature never fires on the genome, or the model is a masked one.
    r2, strength
        As in :class:`~genointerp.intervention.editing.make.Edited`.
    bake
        Share of the edit of activations that is reproduced, over all predictions.
    kl_fires, kl_silent
        Divergence of the edited model from its parent, in nats; the last over the parts that begin
        ``silent_after`` tokens or more after the feature fired, NaN if it is never silent so long.
    n_silent
        Number of predictions of these parts.
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
    n_silent: int = 0
    bake_matched: float = float("nan")
    bake_random: float = float("nan")
    n_moved_activation: int = 0
    n_moved: int = 0

    def __str__(self) -> str:
        if np.isnan(self.bake):
            return self.verdict
        r2 = "" if np.isnan(self.r2) else f", held-out R2 {self.r2:.3f}"
        silent = f"silent KL {self.kl_silent:.2g} nats over {self.n_silent} tokens"
        return f"{self.verdict}: bake {self.bake:.3f}, {silent}{r2}"

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
    quiet = own.loc[[part for part, least in PARTS.items() if least >= config.silent_after]]
    n = quiet["n_tokens"].sum()
    silent = float((quiet["kl_edit"] * quiet["n_tokens"]).sum() / n) if n else float("nan")
    matched = whole[whole["edit"] == "matched feature"]["bake"]
    turned = whole[whole["edit"] == "random direction"]["bake"]
    return Summary(
        verdict=_verdict(bake, silent, config),
        r2=r2,
        strength=strength,
        bake=bake,
        kl_fires=fires,
        kl_silent=silent,
        n_silent=int(n),
        bake_matched=float(matched.median()) if len(matched) else float("nan"),
        bake_random=float(turned.max()) if len(turned) else float("nan"),
        n_moved_activation=int((features["z_activation"].abs() > _MOVED).sum()),
        n_moved=int((features["z_edited"].abs() > _MOVED).sum()),
    )


def _verdict(bake: float, silent: float, config: EditConfig) -> Verdict:
    if np.isnan(bake):
        return "not measured"
    if bake < config.least_bake:
        return "failed"
    return "leaky" if silent > config.most_silent_kl else "clean"
