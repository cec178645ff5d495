"""Folders of edited models: a record, the changes, and the files of the parent, byte by byte.

They are specified in ``docs/schema/edited-model-v1.md``. Other libraries do not take such a folder
for a model, so that nobody reads the parent from it by mistake.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import atomic_path, read_json_object
from genointerp.core.identity import Identity
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.model.edited.changes import Changes, apply_changes, network_of
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel
from genointerp.model.load_options import LoadOptions
from genointerp.model.presets import PRESETS
from genointerp.model.protocol import DnaModel
from genointerp.model.transformers.model import TransformersModel
from genointerp.tensor.files import read_tensors, write_tensors

RECORD = "edit.json"
CHANGES = "edits.safetensors"
PARENT = "parent"
FORMAT = "genointerp::edited-model"
VERSION = 1


@dataclass(frozen=True)
class EditRecord:
    """What an edited model says of itself.

    Parameters
    ----------
    parent, parent_sha256
        Name and sha256 of the model that was edited.
    site
        As in :class:`~genointerp.model.edited.changes.Changes`.
    changes_sha256
        sha256 of the file of changes.
    is_by_name
        Whether the parent is loaded by its name, since the folder does not hold its files.
    """

    parent: str
    parent_sha256: str
    site: str
    changes_sha256: str
    is_by_name: bool = False

    @property
    def sha256(self) -> str:
        """sha256 of the edited model: of its parent's, the site, and that of the changes."""
        text = json.dumps([self.parent_sha256, self.site, self.changes_sha256])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def name(self) -> str:
        """Name of the edited model, which is its parent's with the beginning of its sha256."""
        return f"{self.parent}-edit-{self.sha256[:8]}"


def is_edited(folder: Path) -> bool:
    """Say whether a path is the folder of an edited model."""
    return (folder / RECORD).is_file()


def read_record(folder: Path) -> EditRecord:
    """Read what an edited model says of itself.

    Raises
    ------
    SchemaError
        If a file is missing or damaged, or the changes are not those that were written.
    """
    path = folder / RECORD
    values = read_json_object(path, error=SchemaError)
    format, version = values.get("format"), values.get("format-version")
    if (format, version) != (FORMAT, VERSION):
        raise SchemaError(str(path), f"{FORMAT} of version {VERSION}", f"{format}, {version}")
    keys = {"parent": "parent", "parent-sha256": "parent_sha256", "site": "site"}
    keys["changes-sha256"] = "changes_sha256"
    for key in keys:
        if not isinstance(values.get(key), str):
            raise SchemaError(f"{path}: {key}", "a text", repr(values.get(key)))
    record = EditRecord(
        **{name: values[key] for key, name in keys.items()},
        is_by_name=values.get("parent-by-name") is True,
    )
    for key, expected in (("name", record.name), ("sha256", record.sha256)):
        if (found := values.get(key)) != expected:
            raise SchemaError(f"{path}: {key}", f"{expected}, as follows from the rest", f"{found}")
    for part in (CHANGES,) if record.is_by_name else (CHANGES, PARENT):
        if not (folder / part).exists():
            raise SchemaError(str(folder / part), "this part of an edited model", "none")
    if (found := sha256_file(folder / CHANGES)) != record.changes_sha256:
        expected = f"changes of sha256 {record.changes_sha256[:12]}"
        raise SchemaError(str(folder / CHANGES), expected, found[:12])
    return record


def read_provenance_of(folder: Path) -> dict[str, Any]:
    """Return the recipe of an edited model and the sha256 of what it was made from."""
    found = read_json_object(folder / RECORD, error=SchemaError).get("provenance")
    return found if isinstance(found, dict) else {}


def load_edited(
    folder: Path, options: LoadOptions, load: Callable[[str, LoadOptions], DnaModel]
) -> DnaModel:
    """Load an edited model: its parent, which is then changed.

    Parameters
    ----------
    load
        Loads a model by its name and options, as `genointerp.model.registry.load` does.

    Raises
    ------
    InputError
        If the options name weights other than those of the folder, or a parent that the folder does
        not hold cannot be found or downloaded.
    SchemaError
        If a file is missing or damaged, or the changes do not fit the parent.
    MismatchError
        If the files of the parent are those of another model.
    """
    record, own = read_record(folder), folder / PARENT
    for name in () if record.is_by_name else ("checkpoint", "revision"):
        if getattr(options, name) is not None:
            raise InputError(name, f"none for the edited model in {folder}", "one")
    options.refuse_random_weights(str(folder))
    kept = replace(options, of_parent=False)
    if record.is_by_name:
        own = Path(record.parent)
        parent = load(record.parent, kept)
    elif record.parent in PRESETS:
        parent = load(record.parent, replace(kept, checkpoint=own))
    else:
        parent = load(str(own), kept)
    recorded = Identity(
        str(folder / RECORD), model=record.parent, model_sha256=record.parent_sha256
    )
    found = Identity(str(own), model=parent.spec.name, model_sha256=parent.spec.sha256)
    recorded.check(found, "model")
    changes = Changes.of(
        record.site,
        read_tensors(folder / CHANGES, error=SchemaError),
        where=str(folder / CHANGES),
    )
    apply_changes(parent, changes)
    spec = replace(
        parent.spec,
        name=record.name,
        sha256=record.sha256,
        parent=record.parent,
        parent_sha256=record.parent_sha256,
        of_parent=options.of_parent,
    )
    if isinstance(parent, SingleNucleotideModel):
        return SingleNucleotideModel(parent.network, spec, parent.tokenizer)
    assert isinstance(parent, TransformersModel)
    return type(parent)(parent.loaded, spec)


def write_edited(
    folder: Path,
    parent: DnaModel,
    files: Mapping[str, Path] | None,
    changes: Changes,
    provenance: Provenance,
) -> EditRecord:
    """Write an edited model; more files may be added to the folder.

    Parameters
    ----------
    parent
        The model that is edited, unchanged.
    files
        Its files by their names inside its folder, as :func:`parent_files` gives them; None for a
        parent that shall be loaded by its name.

    Raises
    ------
    InputError
        If the model is of a kind that cannot be edited.
    """
    network_of(parent)
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in (files or {}).items():
        place = folder / PARENT / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    write_tensors(changes.tensors(), folder / CHANGES)
    spec = parent.spec
    changes_sha256 = sha256_file(folder / CHANGES)
    record = EditRecord(spec.name, spec.sha256, changes.site, changes_sha256, files is None)
    values = {
        "format": FORMAT,
        "format-version": VERSION,
        "name": record.name,
        "sha256": record.sha256,
        "parent": record.parent,
        "parent-sha256": record.parent_sha256,
        **({"parent-by-name": True} if record.is_by_name else {}),
        "site": record.site,
        "changes-sha256": record.changes_sha256,
        "provenance": json.loads(provenance.as_json()),
    }
    (folder / RECORD).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return record


def parent_files(folder: Path) -> dict[str, Path]:
    """Return the files of a model by their names in its folder, without what is not its own.

    Raises
    ------
    SchemaError
        If the folder holds no model.
    """
    if is_edited(folder):
        own = {name: folder / name for name in (RECORD, CHANGES)}
        if read_record(folder).is_by_name:
            return own
        inner = parent_files(folder / PARENT)
        return own | {f"{PARENT}/{name}": path for name, path in inner.items()}
    found = [
        path for pattern in _PATTERNS for path in sorted(folder.glob(pattern)) if path.is_file()
    ]
    if not any(path.suffix in (".safetensors", ".bin") for path in found):
        raise SchemaError(str(folder), "a folder with the weights of a model", "none")
    return {path.name: path for path in found}


_PATTERNS = (
    *("config.json", "generation_config.json", "model*.safetensors", "pytorch_model*.bin"),
    *("*.index.json", "tokenizer*", "special_tokens_map.json", "vocab.txt", "vocab.json"),
    *("merges.txt", "added_tokens.json", "preprocessor_config.json", "tuning.json"),
)


def restore_parent(folder: Path, out: Path) -> EditRecord:
    """Write the files of the parent of an edited model, bit by bit, and return the record.

    Raises
    ------
    InputError
        If the folder does not hold the parent.
    SchemaError
        If the folder is not that of an edited model, or damaged.
    """
    record = read_record(folder)
    if record.is_by_name:
        expected = f"a folder that holds its parent; this one is an edit of {record.parent}"
        raise InputError("undo", f"{expected} as published", str(folder))
    with atomic_path(out) as temporary:
        for name, path in parent_files(folder / PARENT).items():
            place = temporary / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    return record
