"""Tune a model: go on with its training, on windows of a genome and perhaps a planted text.

The same seed gives the same weights, bit by bit, on the same machine.
"""

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, Int, Int64
from torch import Tensor, nn

from genointerp.core.errors import DivergenceError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.model.gradient import is_precise
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel
from genointerp.model.protocol import DnaModel, TokenSpans
from genointerp.model.transformers.causal import CausalTransformersModel
from genointerp.model.tuned import check_savable
from genointerp.pretraining.pretrain import keep_stable
from genointerp.pretraining.tuning_config import TuningConfig
from genointerp.pretraining.tuning_windows import Arm, TuningWindow, TuningWindows

_IGNORED = -100
"""Target of a token that is none of the model's symbols, such as N."""
MEASURED_STEPS = 32
"""Steps, spread evenly over the training, on whose windows bits are measured."""


def tune_model(
    model: DnaModel, windows: TuningWindows, *, arm: Arm = "tuned", progress: Progress = silent
) -> DnaModel:
    """Return a copy of a model with weights that were trained further; the model stays as it is.

    Parameters
    ----------
    progress
        Called with (steps done, steps in all).

    Notes
    -----
    The loss is the mean of ``-log p(token | tokens before it in its window)`` over tokens that
    spell A, C, G and T, with the probability over the model's symbols, as it is measured. AdamW
    with decoupled weight decay of matrices; the gradient is clipped; dropout is off; long filters
    of a StripedHyena are kept decaying, as in its first training.

    Raises
    ------
    InputError
        If the model is masked, of half precision, in parts or on several devices, or of a kind that
        cannot be trained.
    DivergenceError
        If the loss is no longer finite.
    """
    check_trainable(model)
    config, own = windows.config, _copied(model)
    network = own_network(own)
    for weight in network.parameters():
        weight.requires_grad_()
    optimiser = torch.optim.AdamW(
        _groups(network, config), lr=config.learning_rate, betas=(0.9, 0.98)
    )
    with torch.inference_mode(mode=False), torch.enable_grad():
        for step in range(config.n_steps):
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * config.rate(step)
            loss = batch_loss(own, windows.batch(step, arm))
            if not bool(loss.isfinite()):
                raise DivergenceError(step + 1, float(loss))
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), config.clip_norm)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            keep_stable(network)
            progress(step + 1, config.n_steps)
    network.requires_grad_(requires_grad=False)
    return own


def check_trainable(model: DnaModel) -> None:
    """Refuse a model that cannot be tuned.

    Raises
    ------
    InputError
        If it is masked, of half precision, in parts or on several devices, or of another kind than
        those of `genointerp.model.tuned.check_savable`.
    """
    spec = model.spec
    if spec.reads != "left":
        expected = "a causal model, whose loss is that of each token given those before it"
        raise InputError("model", expected, f"{spec.name}, which reads both ways")
    check_savable(model)
    if not is_precise(spec):
        expected = "a model loaded with dtype float32; half precision loses small steps"
        raise InputError("model", expected, f"{spec.name} in {spec.dtype}")
    n_devices = len({weight.device for weight in own_network(model).parameters()})
    if n_devices > 1:
        raise InputError("device", "one device for a model that is trained", f"{n_devices}")


def own_network(model: DnaModel) -> nn.Module:
    """Return the network of a model that `check_trainable` lets pass."""
    if isinstance(model, SingleNucleotideModel):
        return model.network
    assert isinstance(model, CausalTransformersModel)
    network: nn.Module = model.loaded.network
    return network


def batch_loss(model: DnaModel, windows: Sequence[TuningWindow]) -> Float[Tensor, ""]:
    """Return the mean nats per token of windows, in the autograd graph.

    Merges of bases give windows different numbers of tokens: what stands behind the end of a
    shorter one is not counted.
    """
    assert isinstance(model, SingleNucleotideModel | CausalTransformersModel)
    rows = [model.tokenize(window.bases).ids for window in windows]
    n_tokens = np.array([len(row) for row in rows])
    # a causal model reads nothing of what follows, so any token will do
    ids = torch.from_numpy(
        np.stack([np.pad(row, (0, n_tokens.max() - len(row)), mode="edge") for row in rows])
    )
    is_behind = torch.arange(1, ids.shape[1]) >= torch.from_numpy(n_tokens)[:, None]
    logits = model.trace(ids).logits
    assert logits is not None
    target = symbol_columns(ids[:, 1:], model.symbols.ids)
    target = target.masked_fill(is_behind, _IGNORED).to(logits.device)
    total = F.cross_entropy(
        logits[:, :-1].flatten(0, 1), target.flatten(), ignore_index=_IGNORED, reduction="sum"
    )
    # windows of nothing but N have no loss
    return total / (target != _IGNORED).sum().clamp(min=1)


def symbol_columns(
    ids: Int[Tensor, "batch token"], symbols: Int64[np.ndarray, " symbol"]
) -> Int[Tensor, "batch token"]:
    """Return the column of each token among the symbols; -100 for one that is no symbol."""
    column = torch.full((1 + max(int(symbols.max()), int(ids.max())),), _IGNORED)
    column[torch.from_numpy(symbols)] = torch.arange(len(symbols))
    return column[ids]


class WindowBits(NamedTuple):
    """Bits per base of a model on windows, and on the bases of their plants; NaN if none count."""

    windows: float
    plant: float


def window_bits(model: DnaModel, batches: Iterable[Sequence[TuningWindow]]) -> WindowBits:
    """Measure a model on batches of windows, each read from its first base on.

    A token counts as one of a plant if it begins there.
    """
    nats, n_bases = np.zeros(2), np.zeros(2)
    for window, spans, log_p in _read(model, batches):
        is_known, start = ~np.isnan(log_p), spans.start[1:]
        is_planted = np.zeros_like(is_known)
        for first, end in window.planted:
            is_planted |= (first <= start) & (start < end)
        for part, own in enumerate((is_known, is_known & is_planted)):
            nats[part] -= log_p[own].sum()
            n_bases[part] += (spans.end - spans.start)[1:][own].sum()
    return WindowBits(*(_mean_bits(*pair) for pair in zip(nats, n_bases, strict=True)))


def measured_batches(windows: TuningWindows, arm: Arm) -> Iterator[list[TuningWindow]]:
    """Yield the windows of steps that are spread evenly over a training."""
    n_steps = windows.config.n_steps
    n = min(MEASURED_STEPS, n_steps)
    for number in range(n):
        yield windows.batch((2 * number + 1) * n_steps // (2 * n), arm)


def _read(
    model: DnaModel, batches: Iterable[Sequence[TuningWindow]]
) -> Iterator[tuple[TuningWindow, TokenSpans, Float64[np.ndarray, " token_minus_1"]]]:
    """Yield each window with its tokens and the log probabilities of all but the first."""
    for batch in batches:
        tokenised = [(window, model.tokenize(window.bases)) for window in batch]
        for _, group in groupby(tokenised, key=lambda it: len(it[1].ids)):
            own = [*group]
            ids = torch.from_numpy(np.stack([spans.ids for _, spans in own]))
            rows = model.log_probs(ids).double().cpu().numpy()
            for (window, spans), log_p in zip(own, rows, strict=True):
                yield window, spans, log_p


def _mean_bits(nats: float, n_bases: float) -> float:
    return float(nats / n_bases / math.log(2)) if n_bases else math.nan


def _copied(model: DnaModel) -> DnaModel:
    """Return the same model with weights of its own."""
    if isinstance(model, SingleNucleotideModel):
        return SingleNucleotideModel(copy.deepcopy(model.network), model.spec, model.tokenizer)
    assert isinstance(model, CausalTransformersModel)
    loaded = replace(model.loaded, network=copy.deepcopy(model.loaded.network))
    return CausalTransformersModel(loaded, model.spec)


def _groups(network: nn.Module, config: TuningConfig) -> list[dict[str, Any]]:
    """Return the weights by their decay: only matrices have any."""
    matrices = [it for it in network.parameters() if it.ndim >= 2]
    others = [it for it in network.parameters() if it.ndim < 2]
    return [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
