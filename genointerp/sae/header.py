"""Metadata and directions of a dictionary on disk, read without torch."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64
from safetensors.numpy import load_file

from genointerp.core.arguments import SHIPPED, FeatureName, StrPath
from genointerp.core.config import from_mapping, read_yaml
from genointerp.core.errors import ConfigError, SchemaError, UnknownNameError
from genointerp.core.feature_names import check_feature_names, feature_number
from genointerp.core.files import check_is_file, read_json_object, read_text
from genointerp.core.identity import Identity
from genointerp.core.parsing import parse_json
from genointerp.core.provenance import sha256_file
from genointerp.sae.config import SaeConfig
from genointerp.sae.shipped import dictionary_folder, shipped_dictionaries

CONFIG = "cfg.json"
WEIGHTS = "sae_weights.safetensors"
TRAIN_CONFIG = "train_config.yaml"
SCALE = "scale.json"
NAMES = "feature_names"
"""Key of the metadata for the features that have a name."""
REQUIRED_METADATA = ("model", "model_sha256", "site")
"""Metadata that a saved dictionary must have, on the activations it was trained on.

Only ``model_sha256`` may be empty: the weights are then known only by the name of the model.
"""


@dataclass(frozen=True)
class DictionaryHeader:
    """Metadata of a dictionary on disk.

    Parameters
    ----------
    folder
        Folder of the dictionary.
    model, model_sha256
        Registry name of the model, and sha256 of its weights, empty if it is not known.
    site
        Site of the activations that it was trained on.
    d_in
        Width of the activations that it encodes.
    config
        Architecture and number of features.
    sha256
        sha256 of the weights, by which files of features refer to their dictionary.
    feature_names
        Indices of the features that have a name, by name.
    only_there
        Why the dictionary is of no use with any other model; empty if nothing was stated.
    """

    folder: Path
    model: str
    model_sha256: str
    site: str
    d_in: int
    config: SaeConfig
    sha256: str
    feature_names: Mapping[str, int] = field(default_factory=dict)
    only_there: str = ""

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.config.n_features

    @property
    def identity(self) -> Identity:
        """Identity of the dictionary: what it was made from."""
        return Identity(
            str(self.folder),
            model=self.model,
            model_sha256=self.model_sha256,
            site=self.site,
            d_in=self.d_in,
            dictionary_sha256=self.sha256,
            only_there=self.only_there,
        )

    @property
    def seed(self) -> int | None:
        """Seed of the training; None for a dictionary that this package did not train.

        Raises
        ------
        ConfigError
            If the configuration file of the training is damaged.
        """
        path = self.folder / TRAIN_CONFIG
        seed = read_yaml(path).get("seed") if path.exists() else None
        return seed if isinstance(seed, int) else None

    def check_feature(self, feature: int) -> None:
        """Refuse a feature that the dictionary does not have."""
        if not 0 <= feature < self.n_features:
            expected = f"a feature from 0 to {self.n_features - 1}"
            raise UnknownNameError(str(self.folder), expected, str(feature))

    def feature_number(
        self, feature: FeatureName, labels: Callable[[], Mapping[str, Sequence[int]]] = dict
    ) -> int:
        """Return the index of a feature, given by index, by a text like ``f/7``, name or label.

        Parameters
        ----------
        labels
            Returns the features of each label, if it is neither a number nor a name.

        Raises
        ------
        UnknownNameError
            If the dictionary has no such feature.
        """
        where = str(self.folder)
        number = feature_number(feature, self.feature_names, where=where, labels=labels)
        self.check_feature(number)
        return number


def read_header(folder: StrPath) -> DictionaryHeader:
    """Read the metadata of a dictionary of this package.

    Parameters
    ----------
    folder
        Its folder, or ``shipped:NAME``.

    Raises
    ------
    SchemaError
        If a file is missing or malformed, or the weights changed after they were written.
    """
    folder = dictionary_folder(folder)
    cfg, where = read_cfg(folder / CONFIG), folder / CONFIG
    metadata, config = cfg["metadata"], _sae_config(cfg, where)
    names = metadata.get(NAMES, {})
    only_there = metadata.get("only_there", "")
    if not isinstance(only_there, str):
        raise SchemaError(f"{where}: metadata.only_there", "a text", repr(only_there))
    return DictionaryHeader(
        folder=folder,
        model=metadata["model"],
        model_sha256=metadata["model_sha256"],
        site=metadata["site"],
        d_in=cfg["d_in"],
        config=config,
        sha256=_check_weights(folder, metadata["weights_sha256"]),
        feature_names=check_feature_names(
            names, config.n_features, where=f"{where}: metadata.{NAMES}"
        ),
        only_there=only_there,
    )


def shipped_name(header: DictionaryHeader) -> str | None:
    """Return ``shipped:NAME`` of a dictionary whose weights are shipped; None of any other."""
    for name, folder in shipped_dictionaries().items():
        if sha256_file(folder / WEIGHTS) == header.sha256:
            return f"{SHIPPED}{name}"
    return None


def read_cfg(path: Path) -> dict[str, Any]:
    """Read the configuration of a dictionary that this package wrote.

    Raises
    ------
    SchemaError
        If there is no such file, or it lacks a key that every dictionary has.
    """
    if not path.exists():
        raise SchemaError(str(path), "the configuration of a dictionary", "no file")
    cfg = read_json_object(path, error=SchemaError)
    metadata = cfg.get("metadata")
    if not isinstance(metadata, dict):
        raise SchemaError(str(path), "a key 'metadata'", "none")
    for name in (*REQUIRED_METADATA, "weights_sha256", "sae"):
        if name not in metadata:
            raise SchemaError(str(path), f"a key 'metadata.{name}'", "none")
    for name in (*REQUIRED_METADATA, "weights_sha256"):
        if not isinstance(metadata[name], str):
            raise SchemaError(f"{path}: metadata.{name}", "a text", repr(metadata[name]))
    if type(cfg.get("d_in")) is not int or cfg["d_in"] < 1:
        raise SchemaError(str(path), "a width 'd_in'", repr(cfg.get("d_in")))
    return cfg


def read_directions(folder: StrPath) -> Float64[np.ndarray, "n_features d_out"]:
    """Read the directions of a dictionary, a row of ``W_dec`` for each feature.

    Raises
    ------
    SchemaError
        If the folder holds no dictionary.
    """
    path = dictionary_folder(folder) / WEIGHTS
    if not path.exists():
        raise SchemaError(str(path.parent), f"a file {WEIGHTS}", "none")
    check_is_file(path, error=SchemaError)
    try:
        tensors = load_file(path)
    except Exception as error:  # not only its own error, but any for a dtype that numpy lacks
        found = " ".join(str(error).split())
        raise SchemaError(str(path), "safetensors", found) from error
    rows = tensors.get("W_dec")
    if rows is None or rows.ndim != 2:
        found = "none" if rows is None else f"shape {rows.shape}"
        raise SchemaError(f"{path}: W_dec", "a row for each feature", found)
    if rows.dtype.kind != "f" or not np.isfinite(rows).all():
        found = f"{rows.dtype}" if rows.dtype.kind != "f" else "NaN or infinity"
        raise SchemaError(f"{path}: W_dec", "finite numbers", found)
    return rows.astype(np.float64)


def read_scale(folder: StrPath) -> Float64[np.ndarray, " n_features"] | None:
    """Read the scale of each feature, as training measured it.

    Returns
    -------
    array or None
        As from ``genointerp.sae.metrics.firing_scale``: NaN for a feature that did not fire. None
        for a dictionary that an earlier version trained, or that this package did not train.

    Raises
    ------
    SchemaError
        If the file is damaged.
    """
    path = dictionary_folder(folder) / SCALE
    if not path.exists():
        return None
    values = parse_json(read_text(path, error=SchemaError), where=str(path), error=SchemaError)
    numbers = isinstance(values, list) and all(
        it is None or (type(it) is float and 0 < it < math.inf) for it in values
    )
    if not numbers:
        raise SchemaError(str(path), "a number above 0, or null, for each feature", "others")
    return np.array([np.nan if it is None else it for it in values], dtype=np.float64)


def _sae_config(cfg: Mapping[str, Any], path: Path) -> SaeConfig:
    for name in ("architecture", "n_features", "k"):
        if not isinstance(cfg["metadata"]["sae"], dict) or name not in cfg["metadata"]["sae"]:
            raise SchemaError(str(path), f"a key 'metadata.sae.{name}'", "none")
    try:
        config: SaeConfig = from_mapping(SaeConfig, cfg["metadata"]["sae"], where="metadata.sae")
    except ConfigError as error:
        raise SchemaError(str(path), "a valid 'metadata.sae'", str(error)) from error
    return config


def _check_weights(folder: Path, expected: str) -> str:
    path = folder / WEIGHTS
    if not path.exists():
        raise SchemaError(str(folder), f"a file {WEIGHTS}", "none")
    check_is_file(path, error=SchemaError)
    found = sha256_file(path)
    if found != expected:
        raise SchemaError(str(path), f"weights of sha256 {expected[:12]}", found[:12])
    return found
