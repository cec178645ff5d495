"""The state of a training run on disk: what is needed to go on as if nothing had happened."""

import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from genointerp.core.errors import MismatchError, SchemaError
from genointerp.core.files import atomic_path
from genointerp.sae.data import Position
from genointerp.sae.step import Trainer

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"

Record = dict[str, float | int | None]
"""A line of metrics.jsonl."""


@dataclass
class Progressed:
    """How far a run has come.

    Parameters
    ----------
    position
        Place in the data.
    records
        Lines of metrics.jsonl so far, for each dictionary.
    """

    position: Position = field(default_factory=Position)
    records: list[list[Record]] = field(default_factory=list)


def save_checkpoint(
    directory: Path, trainers: Sequence[Trainer], progressed: Progressed, *, identity: str
) -> None:
    """Write weights, optimisers, counters and data position, atomically."""
    state = {
        "identity": identity,
        "trainers": [trainer.state_dict() for trainer in trainers],
        "position": list(progressed.position),
        "records": json.dumps(progressed.records),
    }
    with atomic_path(Path(directory) / CHECKPOINT) as temporary:
        torch.save(state, temporary)


def restore_checkpoint(
    directory: Path, trainers: Sequence[Trainer], *, identity: str
) -> Progressed | None:
    """Bring trainers to the state on disk; None where there is none.

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
            f"another's ({_difference(state['identity'], identity)}); "
            "remove the folder to start anew",
        )
    for trainer, own in zip(trainers, state["trainers"], strict=True):
        trainer.load_state_dict(own)
    return Progressed(Position(*state["position"]), json.loads(state["records"]))


def metrics_text(records: Sequence[Record]) -> str:
    """Return records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def _difference(found: str, expected: str) -> str:
    """Name the first entry of an identity that differs, and what it is."""
    theirs, ours = _flat(json.loads(found)), _flat(json.loads(expected))
    for key in sorted(theirs.keys() | ours.keys()):
        if theirs.get(key) != ours.get(key):
            return f"{key}: {theirs.get(key)!r}, here {ours.get(key)!r}"
    return "of another form"


def _flat(value: Any, key: str = "") -> dict[str, Any]:  # noqa: ANN401 - of any JSON
    if isinstance(value, list):
        value = {str(number): item for number, item in enumerate(value)}
    if not isinstance(value, dict):
        return {key: value}
    entries = [_flat(item, f"{key}.{name}" if key else name) for name, item in value.items()]
    return {name: item for entry in entries for name, item in entry.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {key: state[key] for key in _KEYS}
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise SchemaError(str(path), "a checkpoint", f"{type(error).__name__}") from error


_KEYS = ("identity", "trainers", "position", "records")
