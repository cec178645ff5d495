"""From a feature of a dictionary and a mode to an edit of activations."""

import math
from typing import NamedTuple

import torch

from genointerp.core.config import check_choice
from genointerp.core.errors import ConfigError, InputError
from genointerp.intervention.editing.config import Mode
from genointerp.model.edited.changes import Splices
from genointerp.model.edits import FeatureReader
from genointerp.sae.config import JOINABLE
from genointerp.sae.dictionary import Dictionary

READABLE = (*JOINABLE, "tied_batch_topk")
"""Architectures whose features are read each on its own, by a threshold."""


class FeatureEdit(NamedTuple):
    """A feature and its new amount."""

    feature: int
    splices: Splices


def feature_edit(
    dictionary: Dictionary, feature: int, mode: Mode, value: float | None
) -> FeatureEdit:
    """Return the edit of a feature of a dictionary; see its parts for the errors."""
    return FeatureEdit(feature, new_amount(feature_reader(dictionary, feature), mode, value))


def feature_reader(dictionary: Dictionary, feature: int) -> FeatureReader:
    """Return what reads one feature without the others of its dictionary.

    Raises
    ------
    InputError
        If features of the architecture compete, so that one alone cannot be read.
    UnknownNameError
        If the dictionary has no such feature.
    """
    header, sae = dictionary.header, dictionary.sae
    header.check_feature(feature)
    if header.config.architecture not in READABLE:
        expected = f"a dictionary whose features are read alone ({', '.join(READABLE)})"
        raise InputError(str(header.folder), expected, header.config.architecture)
    own = slice(feature, feature + 1)
    return FeatureReader(
        read=sae.W_enc.detach()[:, own].T.float().cpu().clone(),
        bias=sae.b_enc.detach()[own].float().cpu().clone(),
        threshold=sae.threshold.detach().expand(sae.n_features)[own].float().cpu().clone(),
        direction=dictionary.directions[own].float().cpu().clone(),
    )


def new_amount(reader: FeatureReader, mode: Mode, value: float | None) -> Splices:
    """Return the new amount of a feature.

    Parameters
    ----------
    value
        Factor of ``scale``, or amount of ``set`` in units of the activations; None for ``ablate``.

    Raises
    ------
    ConfigError
        If the mode is unknown, or needs a finite value and has none, or has one in vain.
    """
    check_choice("mode", mode, Mode)
    if (mode == "ablate") != (value is None) or not math.isfinite(value or 0.0):
        expected = "none for ablate, and a finite number for scale and set"
        raise ConfigError(f"value of {mode}", expected, str(value))
    number = 0.0 if value is None else value
    gain = torch.full_like(reader.bias, number if mode == "scale" else 0.0)
    return Splices(reader, gain, torch.full_like(reader.bias, number if mode == "set" else 0.0))
