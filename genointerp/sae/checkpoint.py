"""Checkpoints: all that a training run needs to go on as if it had never stopped."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from genointerp.core.errors import MismatchError, SchemaError
from genointerp.core.files import atomic_path, may_replace, replacing
from genointerp.core.parsing import parse_json
from genointerp.sae.data import Position
from genointerp.sae.step import Trainer
from genointerp.tensor.files import read_state, write_state

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"

Record = dict[str, float | int | None]
"""One line of metrics.jsonl."""


@dataclass
class Progressed:
    """How far a run has got.

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
    with replacing(), atomic_path(Path(directory) / CHECKPOINT) as temporary:
        write_state(state, temporary)


def restore_checkpoint(
    directory: Path, trainers: Sequence[Trainer], *, identity: str
) -> Progressed | None:
    """Bring trainers to the state on disk, and return how far it had got.

    Returns
    -------
    Progressed or None
        None if there is no checkpoint, or if that of another run may be replaced (``--force``).

    Raises
    ------
    MismatchError
        If the checkpoint is of another configuration or of other data, and may not be replaced.
    SchemaError
        If the file is no checkpoint.
    """
    path = Path(directory) / CHECKPOINT
    if not path.exists():
        return None
    state = _read(path)
    if state.identity != identity and may_replace():
        return None
    if state.identity != identity:
        raise MismatchError(
            str(path),
            "a checkpoint of this configuration and these activations",
            f"that of another ({_difference(state.identity, identity, path)}); --force starts anew",
        )
    try:
        for trainer, own in zip(trainers, state.trainers, strict=True):
            trainer.load_state_dict(own)
    except Exception as error:  # torch raises errors of many classes where parts do not fit
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise SchemaError(str(path), "the state of this training", found) from error
    return state.progressed


def metrics_text(records: Sequence[Record]) -> str:
    """Return records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


class _State(NamedTuple):
    identity: str
    trainers: list[Any]
    progressed: Progressed


def _difference(found: str, expected: str, path: Path) -> str:
    """Describe the first entry in which two identities differ."""
    theirs = _flat(parse_json(found, where=f"{path}: identity", error=SchemaError))
    ours = _flat(json.loads(expected))
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


def _read(path: Path) -> _State:
    state = read_state(path, error=SchemaError)
    kinds = {"identity": str, "trainers": list, "position": list, "records": str}
    if not isinstance(state, dict):
        raise SchemaError(str(path), "a checkpoint", type(state).__name__)
    for key, kind in kinds.items():
        if not isinstance(state.get(key), kind):
            found = type(state.get(key)).__name__
            raise SchemaError(f"{path}: {key}", f"a {kind.__name__} of a checkpoint", found)
    position = state["position"]
    if len(position) != len(Position()) or any(type(it) is not int or it < 0 for it in position):
        raise SchemaError(f"{path}: position", "a place in the data", repr(position)[:200])
    records = parse_json(state["records"], where=f"{path}: records", error=SchemaError)
    if not _are_records(records) or len(records) != len(state["trainers"]):
        raise SchemaError(f"{path}: records", "lines of metrics.jsonl", type(records).__name__)
    progressed = Progressed(Position(*position), records)
    return _State(state["identity"], state["trainers"], progressed)


def _are_records(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(lines, list) and all(isinstance(line, dict) for line in lines) for lines in value
    )
