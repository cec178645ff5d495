"""Folders of tuned models: weights with which a training of the parent went on, and a record.

They are specified in ``docs/schema/tuned-model-v1.md``. The folder is a model like any other, which
other libraries read too; the record says whose weights it began with.
"""

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import read_json_object
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel
from genointerp.model.protocol import DnaModel
from genointerp.model.tokenizer.base import nano_tokenizer
from genointerp.model.transformers.causal import CausalTransformersModel
from genointerp.model.transformers.loading import sha256_files

RECORD = "tuning.json"
FORMAT = "genointerp::tuned-model"
VERSION = 1
_NO_TOKENIZER = ("config.json", "generation_config.json")
_KEYS = {
    "parent": "parent",
    "parent-sha256": "parent_sha256",
    "sha256": "sha256",
    "preset": "preset",
}


@dataclass(frozen=True)
class TuningRecord:
    """What a tuned model says of itself.

    Parameters
    ----------
    parent, parent_sha256
        Name and sha256 of the model with whose weights the training began.
    sha256
        Of the weights of the tuned model.
    preset
        The preset of transformers whose tokenizer and context it has; empty if it has none.
    bits
        Bits per base of the parent and of the tuned model (``model``) on ``windows`` that were
        trained on, ``held-out`` stretches and the bases of the ``plant``. What was not measured is
        left out.
    """

    parent: str
    parent_sha256: str
    sha256: str
    preset: str = ""
    bits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the tuned model, which is its parent's with the beginning of its sha256."""
        return f"{self.parent}-tuned-{self.sha256[:8]}"

    def __str__(self) -> str:
        parts = [
            f"{what} {values['model']:.4f} (parent {values['parent']:.4f})"
            for what, values in self.bits.items()
        ]
        return f"{self.name}: bits per base: {', '.join(parts) or 'not measured'}"


def is_tuned(folder: Path) -> bool:
    """Say whether a path is the folder of a tuned model."""
    return (folder / RECORD).is_file()


def read_tuning(folder: Path) -> TuningRecord:
    """Read what a tuned model says of itself.

    Raises
    ------
    SchemaError
        If the record is missing or damaged.
    """
    path = folder / RECORD
    values = read_json_object(path, error=SchemaError)
    format, version = values.get("format"), values.get("format-version")
    if (format, version) != (FORMAT, VERSION):
        raise SchemaError(str(path), f"{FORMAT} of version {VERSION}", f"{format}, {version}")
    for key in _KEYS:
        if not isinstance(values.get(key), str):
            raise SchemaError(f"{path}: {key}", "a text", repr(values.get(key)))
    bits = values.get("bits-per-base")
    if not isinstance(bits, dict) or not all(map(_is_pair, bits.values())):
        expected = "the numbers 'parent' and 'model' for each kind of bases"
        raise SchemaError(f"{path}: bits-per-base", expected, repr(bits))
    record = TuningRecord(**{name: values[key] for key, name in _KEYS.items()}, bits=bits)
    if (found := values.get("name")) != record.name:
        expected = f"{record.name}, as follows from the rest"
        raise SchemaError(f"{path}: name", expected, f"{found}")
    return record


def read_tuning_provenance(folder: Path) -> dict[str, Any]:
    """Return the settings of a tuning and the sha256 of what it was made from."""
    found = read_json_object(folder / RECORD, error=SchemaError).get("provenance")
    return found if isinstance(found, dict) else {}


def as_tuned(model: DnaModel, folder: Path, record: TuningRecord, *, of_parent: bool) -> DnaModel:
    """Return a model that was loaded from the folder of a tuned one with its name and parent.

    Raises
    ------
    SchemaError
        If the weights are not those of the record.
    """
    spec = model.spec
    if spec.sha256 != record.sha256:
        expected = f"weights of sha256 {record.sha256[:12]} as in {RECORD}"
        raise SchemaError(str(folder), expected, spec.sha256[:12])
    spec = replace(
        spec,
        name=record.name,
        parent=record.parent,
        parent_sha256=record.parent_sha256,
        of_parent=of_parent,
    )
    if isinstance(model, SingleNucleotideModel):
        return SingleNucleotideModel(model.network, spec, model.tokenizer)
    assert isinstance(model, CausalTransformersModel)
    return CausalTransformersModel(model.loaded, spec)


def check_savable(model: DnaModel) -> None:
    """Refuse a model that cannot be written as a folder.

    Raises
    ------
    InputError
        If it is neither a StripedHyena 2 with the tokenizer of the shipped models nor a causal
        model of a family of transformers.
    """
    if isinstance(model, SingleNucleotideModel) and model.tokenizer.name == nano_tokenizer().name:
        return
    if isinstance(model, CausalTransformersModel) and model.loaded.family.trunk:
        return
    expected = "a StripedHyena 2 like nano, or a causal model of a family of transformers"
    raise InputError("model", expected, f"{model.spec.name}, which cannot be tuned")


def write_tuned(
    folder: Path,
    model: DnaModel,
    files: Mapping[str, Path],
    provenance: Provenance,
    *,
    preset: str = "",
    bits: Mapping[str, Mapping[str, float]],
) -> TuningRecord:
    """Write a tuned model as a folder that ``load_model`` takes, and return its record.

    Parameters
    ----------
    model
        A model with the spec of its parent and with weights of its own.
    files
        Files of the parent by their names in its folder, of which those of a tokenizer are copied.

    Raises
    ------
    InputError
        If the model is of a kind that cannot be written.
    """
    check_savable(model)
    folder.mkdir(parents=True, exist_ok=True)
    spec = model.spec
    if isinstance(model, SingleNucleotideModel):
        save_model(
            model.network,
            folder,
            name=spec.name,
            context=spec.context,
            default_site=spec.default_site,
            licence=spec.licence,
        )
        sha256 = sha256_file(folder / "model.safetensors")
    else:
        assert isinstance(model, CausalTransformersModel)
        model.loaded.network.save_pretrained(folder)
        for name, path in files.items():
            if not (name in _NO_TOKENIZER or name.startswith(("model", "pytorch_model"))):
                shutil.copyfile(path, folder / name)
        sha256 = sha256_files(sorted(folder.glob("model*.safetensors")))
    known = {
        what: dict(values)
        for what, values in bits.items()
        if all(map(math.isfinite, values.values()))
    }
    record = TuningRecord(spec.name, spec.sha256, sha256, preset, known)
    _write_record(folder, record, provenance)
    if isinstance(model, SingleNucleotideModel):
        _rename(folder / "config.json", record.name)
    return record


def _write_record(folder: Path, record: TuningRecord, provenance: Provenance) -> None:
    values = {
        "format": FORMAT,
        "format-version": VERSION,
        "name": record.name,
        **{key: getattr(record, name) for key, name in _KEYS.items()},
        "bits-per-base": record.bits,
        "provenance": json.loads(provenance.as_json()),
    }
    (folder / RECORD).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _rename(path: Path, name: str) -> None:
    """Give the model of a configuration the name that follows from its weights."""
    values = read_json_object(path, error=SchemaError) | {"name": name}
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _is_pair(values: object) -> bool:
    return (
        isinstance(values, dict)
        and values.keys() == {"parent", "model"}
        and all(isinstance(it, int | float) for it in values.values())
    )
