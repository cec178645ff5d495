"""The state of a training run on disk: what is needed to go on as if nothing had happened."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from genointerp.core.errors import MismatchError, SchemaError
from genointerp.core.files import atomic_path
from genointerp.sae.data import Position
from genointerp.sae.step import Trainer

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"


@dataclass
class Progressed:
    """How far a run has come.

    Parameters
    ----------
    position
        Place in the data.
    records
        Lines of metrics.jsonl so far.
    """

    position: Position
    records: list[dict[str, float | int | None]]


def save_checkpoint(
    directory: Path, trainer: Trainer, progressed: Progressed, *, identity: str
) -> None:
    """Write weights, optimiser, counters and data position, atomically."""
    state = {
        "identity": identity,
        "sae": trainer.sae.state_dict(),
        "adam": trainer.adam.state_dict(),
        "silent_tokens": trainer.silent_tokens,
        "step": trainer.step_number,
        "position": list(progressed.position),
        "records": json.dumps(progressed.records),
    }
    with atomic_path(Path(directory) / CHECKPOINT) as temporary:
        torch.save(state, temporary)
    with atomic_path(Path(directory) / METRICS) as temporary:
        temporary.write_text(metrics_text(progressed.records))


def restore_checkpoint(directory: Path, trainer: Trainer, *, identity: str) -> Progressed | None:
    """Bring a trainer to the state on disk; None where there is none.

    Raises
    ------
    MismatchError
        If the checkpoint is of another configuration or of other data.
    SchemaError
        If the file is no checkpoint.
    """
    path = Path(directory) / CHECKPOINT
    if not path.exists():
        return None
    state = _read(path)
    if state["identity"] != identity:
        raise MismatchError(
            str(path),
            "a checkpoint of this configuration and these activations",
            "another's; remove the folder to start anew",
        )
    trainer.sae.load_state_dict(state["sae"])
    trainer.adam.load_state_dict(state["adam"])
    trainer.silent_tokens.copy_(state["silent_tokens"])
    trainer.step_number = state["step"]
    return Progressed(Position(*state["position"]), json.loads(state["records"]))


def metrics_text(records: list[dict[str, float | int | None]]) -> str:
    """Return records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def _read(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, weights_only=True)
        return {key: state[key] for key in _KEYS}
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise SchemaError(str(path), "a checkpoint", f"{type(error).__name__}") from error


_KEYS = ("identity", "sae", "adam", "silent_tokens", "step", "position", "records")
