"""Dictionaries on disk: ``cfg.json`` and ``sae_weights.safetensors``, as SAELens reads them.

SAELens has no inference class for BatchTopK: such a dictionary is a JumpReLU with one threshold for
all features, and is saved as that. What SAELens does not know is under ``metadata``.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from genointerp.core.config import read_yaml, to_mapping, write_config
from genointerp.core.errors import ConfigError, InputError, SchemaError
from genointerp.core.files import atomic_path
from genointerp.core.provenance import sha256_file
from genointerp.core.version import __version__
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.architecture.topk import TopK
from genointerp.sae.architecture.transcoder import Transcoder
from genointerp.sae.base import SparseAutoencoder, check_sizes, check_tensors
from genointerp.sae.checkpoint import METRICS, metrics_text
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.header import (
    CONFIG,
    NAMES,
    REQUIRED_METADATA,
    SCALE,
    TRAIN_CONFIG,
    WEIGHTS,
    DictionaryHeader,
    read_cfg,
)
from genointerp.sae.train import TrainResult
from genointerp.tensor.files import read_tensors, write_tensors

LOG = "log.json"
DENSITY = "density.json"
_DIGEST = "config_sha256"


def save_sae(sae: SparseAutoencoder, directory: Path, metadata: Mapping[str, Any]) -> None:
    """Write a dictionary as a folder that appears only when both of its files are complete.

    Parameters
    ----------
    metadata
        Plain values; ``Dictionary.load`` also reads ``feature_names``, a mapping from name to
        feature.

    Raises
    ------
    InputError
        If the metadata lack a required entry, or a weight is not finite.
    StorageError
        If the directory cannot be written, or already exists and may not be replaced.
    """
    with atomic_path(directory) as folder:
        folder.mkdir()
        _fill(folder, sae, metadata)


def _fill(folder: Path, sae: SparseAutoencoder, metadata: Mapping[str, Any]) -> None:
    for name in REQUIRED_METADATA:
        if name not in metadata or not (metadata[name] or name == "model_sha256"):
            raise InputError("metadata", f"an entry {name!r}", ", ".join(metadata) or "none")
    tensors = sae.tensors()
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise InputError(name, "finite weights", "NaN or infinity")
    write_tensors(tensors, folder / WEIGHTS)
    _write_json(folder / CONFIG, _cfg(sae, metadata, sha256_file(folder / WEIGHTS)))


def save_training(result: TrainResult, directory: Path) -> None:
    """Write a trained dictionary with its configuration, metrics and final figures."""
    with atomic_path(directory) as folder:
        folder.mkdir()
        write_config(result.config, folder / TRAIN_CONFIG)
        (folder / METRICS).write_text(metrics_text(result.records), encoding="utf-8")
        _write_json(folder / LOG, asdict(result.log))
        _write_json(folder / DENSITY, result.density.tolist())
        scale = [None if math.isnan(it) else it for it in result.scale.tolist()]
        _write_json(folder / SCALE, scale)
        _fill(folder, result.sae, result.metadata)


def is_trained(directory: Path, config: TrainConfig, metadata: Mapping[str, str]) -> bool:
    """Say whether a folder holds the dictionary of a finished training with these settings.

    Parameters
    ----------
    metadata
        Metadata of the activations, such as model and site.
    """
    directory = Path(directory)
    try:
        cfg = read_cfg(directory / CONFIG)
        trained = read_yaml(directory / TRAIN_CONFIG)
    except InputError:
        return False
    of_these = all(cfg["metadata"].get(name) == value for name, value in metadata.items())
    resolved = replace(config, learning_rate=config.peak_rate(cfg["d_in"]))
    return of_these and trained in (to_mapping(config), to_mapping(resolved))


def read_weights(header: DictionaryHeader) -> SparseAutoencoder:
    """Read the weights of a dictionary that this package wrote.

    Raises
    ------
    SchemaError
        If they do not fit the configuration, or if the configuration changed after it was written.
    """
    path, config = header.folder / WEIGHTS, header.config
    tensors = read_tensors(path, error=SchemaError)
    check_sizes(config, header.d_in, tensors, where=str(path))
    sae = _make(config, header.d_in, header.folder / CONFIG)
    check_tensors(sae, tensors, where=str(path))
    sae.fill(tensors, where=str(path))
    _check_digest(read_cfg(header.folder / CONFIG), header.folder / CONFIG)
    return sae


def _cfg(sae: SparseAutoencoder, metadata: Mapping[str, Any], digest: str) -> dict[str, Any]:
    cfg = {
        **saelens_architecture(sae),
        "d_in": sae.d_in,
        "d_sae": sae.n_features,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": False,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {
            "model_name": metadata["model"],
            "hook_name": metadata["site"],
            **metadata,
            "generated_by": f"genointerp {__version__}",
            "weights_sha256": digest,
            "sae": to_mapping(sae.config),
        },
    }
    cfg["metadata"][_DIGEST] = _digest(cfg)
    return cfg


def _digest(cfg: Mapping[str, Any]) -> str:
    """Return the sha256 of a configuration without itself and the names, which people may edit."""
    own = {name: it for name, it in cfg["metadata"].items() if name not in (_DIGEST, NAMES)}
    text = json.dumps({**cfg, "metadata": own}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_digest(cfg: Mapping[str, Any], path: Path) -> None:
    """Refuse a configuration that changed after it was written; early ones have no digest."""
    expected = cfg["metadata"].get(_DIGEST)
    if expected is not None and expected != (found := _digest(cfg)):
        raise SchemaError(f"{path}: metadata.{_DIGEST}", f"{found[:12]}", repr(expected)[:20])


def saelens_architecture(sae: SparseAutoencoder) -> dict[str, Any]:
    """Return the entries of ``cfg.json`` with which SAELens computes the same at inference."""
    if isinstance(sae, TopK):
        return {"architecture": "topk", "k": sae.config.k, "rescale_acts_by_decoder_norm": False}
    if isinstance(sae, Transcoder):
        return {"architecture": "jumprelu_transcoder", "d_out": sae.b_dec.shape[0]}
    own = {"relu": "standard", "gated": "gated"}
    return {"architecture": own.get(sae.config.architecture, "jumprelu")}


def _make(config: SaeConfig, d_in: int, path: Path) -> SparseAutoencoder:
    try:
        sae = make_sae(config, sum(config.widths) or d_in)
    except ConfigError as error:
        raise SchemaError(str(path), "widths that fit the architecture", str(error)) from error
    if sae.d_in != d_in:
        raise SchemaError(f"{path}: d_in", f"{sae.d_in}, as metadata.sae has it", str(d_in))
    return sae


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
