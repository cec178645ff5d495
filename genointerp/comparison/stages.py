"""Stage-wise diffing: a dictionary of the base model goes on training along two orders.

One order brings the new data first and then the new model, the other the new model first. A
feature whose direction turns at the step of the model in both was changed by the model, and not by
what the data hold more of.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64

from genointerp.association.null.significance import benjamini_hochberg
from genointerp.comparison.changed.joint_reading import check_together
from genointerp.comparison.config import StagesConfig
from genointerp.comparison.models import ModelSet, Role
from genointerp.comparison.rows import in_batches, read_rows
from genointerp.core.errors import InputError
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import TrainConfig
from genointerp.sae.data import Position, batches, survey
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.metrics import FiringCounts, sparse_codes
from genointerp.sae.source import RowSource
from genointerp.sae.step import Trainer
from genointerp.store.table.schema.latents import STAGES
from genointerp.store.table.table import conform

Cosines = Float64[np.ndarray, " n_features"]

_RATE_SHARE = 0.1
_N_READINGS = 2


class Turns(NamedTuple):
    """Cosines of each direction before and after each step of the two orders.

    Parameters
    ----------
    data_first, model_second
        Steps of the order in which the data come first.
    model_first, data_second
        Steps of the order in which the model comes first.
    """

    data_first: Cosines
    model_second: Cosines
    model_first: Cosines
    data_second: Cosines

    @property
    def turn(self) -> Cosines:
        """1 less the larger cosine of the two steps of the model: 0 unless both turn it."""
        turned: Cosines = 1 - np.maximum(self.model_second, self.model_first)
        return turned


def measure_stages(  # noqa: PLR0913 - each is a choice of the user
    models: ModelSet,
    dictionary: Dictionary,
    genome: Genome,
    old_genome: Genome,
    *,
    windows: HarvestConfig | None = None,
    config: StagesConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> pd.DataFrame:
    """Train a dictionary on along two orders, to the tuned model and to the control.

    Parameters
    ----------
    dictionary
        Dictionary of the base model.
    genome
        The new data: what the tuned model learnt from, in ``regions``, or all of it if empty.
    old_genome
        The old data, of which the tuned model learnt nothing new.
    progress
        Called with (readings and trainings done, in all).

    Returns
    -------
    pandas.DataFrame
        A row for each feature: `genointerp.store.table.schema.latents.STAGES`. Without a control
        its columns and the p-values are NaN.

    Raises
    ------
    InputError
        If the dictionary is a transcoder or a crosscoder, or there are too few bases.
    MismatchError
        If the dictionary is of another model.

    Notes
    -----
    Bricken et al. 2024 (transformer-circuits.pub, "Stage-wise model diffing"). With S the
    dictionary: S goes on training on the new data of the base model, then on the new data of the
    tuned model; and, apart from that, on the old data of the tuned model, then on the new. Dead
    features are not revived, so that a feature that does not fire keeps its direction. The p-value
    of a feature is ``(1 + n) / (1 + m)`` with n of the m features of the control turning as far.
    """
    config = StagesConfig() if config is None else config
    windows = HarvestConfig() if windows is None else windows
    check_stages(models, dictionary)
    others: list[Role] = [role for role in models.by_role if role != "base"]
    n_done, n_steps = 0, _N_READINGS + 1 + 3 * len(others)

    def report(n: int) -> None:
        nonlocal n_done
        n_done += n
        progress(n_done, n_steps)

    rows = []
    for read, where in ((genome, regions), (old_genome, ())):
        rows.append(
            read_rows(
                models,
                read,
                dictionary.header.site,
                windows=windows,
                regions=where,
                n_bases=config.n_bases,
                progress=silent,
            )
        )
        report(1)
    new, old = rows
    sources = {
        (when, role): RowSource(it.of(role), block=it.stretch)
        for when, it in (("new", new), ("old", old))
        for role in models.by_role
    }
    by_data = continued(dictionary.sae, sources["new", "base"], config)
    report(1)
    found = {}
    for role in others:
        found[role] = turns(
            dictionary.sae, by_data, sources["new", role], sources["old", role], config
        )
        report(3)
    return _table(found, _densities(dictionary.sae, sources["new", "base"]))


def check_stages(models: ModelSet, dictionary: Dictionary) -> None:
    """Refuse, before the work, a dictionary that cannot go on training.

    Raises
    ------
    InputError
        If it is a transcoder or a crosscoder.
    MismatchError
        If it is of another model than the base.
    """
    dictionary.check_reconstructs()
    if dictionary.sae.d_in != dictionary.sae.d_row:
        expected = "a dictionary that reconstructs what it reads"
        raise InputError("sae", expected, dictionary.header.config.architecture)
    check_together(dictionary, models.base, list(models.by_role.values())[1:])


def turns(
    sae: SparseAutoencoder,
    by_data: SparseAutoencoder,
    new: RowSource,
    old: RowSource,
    config: StagesConfig,
) -> Turns:
    """Return the cosines of the steps of both orders.

    Parameters
    ----------
    sae, by_data
        The dictionary, and what it becomes on the new data of the base model.
    new, old
        New and old data as the other model reads them.
    """
    both = continued(by_data, new, config)
    by_model = continued(sae, old, config)
    other = continued(by_model, new, config)
    steps = ((sae, by_data), (by_data, both), (sae, by_model), (by_model, other))
    return Turns(*(_cosines(before, after) for before, after in steps))


def continued(sae: SparseAutoencoder, source: RowSource, config: StagesConfig) -> SparseAutoencoder:
    """Return a dictionary of raw rows after more training; the one that is given stays as it is.

    Raises
    ------
    InputError
        If there are too few rows.
    """
    n_rows = round(config.n_passes * 0.9 * source.n_rows)
    training = TrainConfig(
        sae=sae.config,
        n_tokens=max(n_rows, config.batch_tokens),
        batch_tokens=config.batch_tokens,
        warmup_steps=n_rows // config.batch_tokens // 10,
        aux_coefficient=0.0,
        seed=config.seed,
    )
    rate = config.learning_rate or _RATE_SHARE * training.peak_rate(sae.d_in)
    training = replace(training, learning_rate=rate)
    first, own = survey(source, training), deepcopy(sae)
    standard = first.standardiser
    # the inverse of the fold below: from raw rows to standardised ones
    scale = torch.from_numpy(np.broadcast_to(standard.scale, standard.mean.shape).copy())
    own.fold(torch.from_numpy(standard.mean) / -scale, 1 / scale)
    trainer = Trainer(own, training, variance=float(first.variance.sum()))
    following = batches(source, training, Position(), outlier_norm=first.outlier_norm)
    for _, rows in following:
        trainer.step(standard(rows))
        if trainer.step_number == training.n_steps:
            break
    following.close()
    standard.fold(own)
    return own


def stages_in_words(table: pd.DataFrame | None) -> list[str]:
    """Return a line: how many features have turned in both orders, next to the control."""
    if table is None:
        return []
    if table["control_turn"].isna().all():
        feature, turn = table["turn"].idxmax(), table["turn"].max()
        return [f"stages: feature {feature} turns most, by {turn:.2g}; there is no control"]
    beyond = int((table["turn"] > table["control_turn"].max()).sum())
    n_far = int((table["q_value"] <= 0.05).sum())
    return [
        f"stages: of {len(table)} features, {beyond} turn further in both orders than any does "
        f"for the control, {n_far} with q <= .05"
    ]


def _cosines(before: SparseAutoencoder, after: SparseAutoencoder) -> Cosines:
    a, b = (it.W_dec.detach().double().cpu().numpy() for it in (before, after))
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: Cosines = np.einsum("fd,fd->f", a, b) / np.maximum(size, 1e-12)
    return found


def _densities(sae: SparseAutoencoder, source: RowSource) -> Cosines:
    firing = FiringCounts(sae.n_features)
    for rows in in_batches(iter([source.x])):
        firing.update(sparse_codes(sae, torch.from_numpy(rows)).indices, len(rows))
    return firing.density


def _table(found: dict[Role, Turns], density: Cosines) -> pd.DataFrame:
    own, control = found["tuned"], found.get("control")
    nothing = np.full_like(density, np.nan)
    other = Turns(*[nothing] * 4) if control is None else control
    excess = own.turn if control is None else own.turn - other.turn
    columns = {
        "feature": np.arange(len(density)),
        "density": density,
        **own._asdict(),
        "turn": own.turn,
        **{f"control_{name}": it for name, it in other._asdict().items() if name != "data_first"},
        "control_turn": other.turn,
        "excess": excess,
        "p_value": nothing,
        "q_value": nothing,
    }
    if control is not None:
        n_as_far = len(density) - np.searchsorted(np.sort(other.turn), own.turn, side="left")
        columns["p_value"] = (1 + n_as_far) / (1 + len(density))
        columns["q_value"] = benjamini_hochberg(columns["p_value"])
    return conform(pd.DataFrame(columns), STAGES, where="stages")
