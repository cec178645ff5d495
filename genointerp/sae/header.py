"""What a dictionary on disk says of itself beside its weights. Torch-free."""

from pathlib import Path
from typing import Any

from genointerp.core.errors import SchemaError
from genointerp.core.files import read_text
from genointerp.core.parsing import parse_json

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
    if not path.is_file():
        raise SchemaError(str(path), "the configuration of a dictionary", "no file")
    cfg = parse_json(read_text(path, error=SchemaError), where=str(path), error=SchemaError)
    metadata = cfg.get("metadata") if isinstance(cfg, dict) else None
    if not isinstance(metadata, dict):
        raise SchemaError(str(path), "a key 'metadata'", "none")
    for name in (*REQUIRED_METADATA, "weights_sha256", "sae"):
        if name not in metadata:
            raise SchemaError(str(path), f"a key 'metadata.{name}'", "none")
    if not isinstance(cfg.get("d_in"), int) or cfg["d_in"] < 1:
        raise SchemaError(str(path), "a width 'd_in'", repr(cfg.get("d_in")))
    return dict(cfg)
