"""Dictionaries on disk of which the directions are known, written without torch."""

import json

import numpy as np
from safetensors.numpy import save_file

from genointerp.core.provenance import sha256_file
from genointerp.sae.header import read_cfg


def write_directions(folder, rows, **changes):
    """Write directions as a dictionary, whose encoder nobody reads; return its sha256."""
    folder.mkdir(exist_ok=True)
    weights = folder / "sae_weights.safetensors"
    save_file({"W_dec": np.asarray(rows, dtype=np.float32)}, weights)
    origin = {"model": "toy", "model_sha256": "m", "site": "blocks.1", **changes}
    own = {"architecture": "topk", "n_features": len(rows), "k": 1}
    metadata = {**origin, "weights_sha256": sha256_file(weights), "sae": own}
    cfg = {"d_in": np.shape(rows)[1], "metadata": metadata}
    (folder / "cfg.json").write_text(json.dumps(cfg))
    return metadata["weights_sha256"]


def metadata_of(dictionary):
    """Return all that a dictionary says of itself, what its header leaves out too."""
    return read_cfg(dictionary.header.folder / "cfg.json")["metadata"]
