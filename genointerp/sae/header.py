"""What a dictionary on disk says of itself beside its weights. Torch-free."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genointerp.core.errors import SchemaError
from genointerp.core.files import read_json_object
from genointerp.core.identity import Identity

CONFIG = "cfg.json"
WEIGHTS = "sae_weights.safetensors"
REQUIRED_METADATA = ("model", "model_sha256", "site")
"""What a saved dictionary must say of the activations it was trained on.

Only ``model_sha256`` may be empty: the weights are then known by the name of the model alone.
"""


def read_cfg(path: Path) -> dict[str, Any]:
    """Read the configuration of a dictionary that this package wrote.

    Raises
    ------
    SchemaError
        If there is none, or it lacks what every dictionary says.
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


def dictionary_identity(metadata: Mapping[str, Any], where: Path) -> Identity:
    """Return what a dictionary was trained on, as its metadata say."""
    return Identity(
        str(where),
        model=metadata["model"],
        model_sha256=metadata["model_sha256"],
        site=metadata["site"],
        d_in=metadata["d_in"],
        only_there=metadata.get("only_there", ""),
    )
