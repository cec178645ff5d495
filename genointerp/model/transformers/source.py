"""Find the files of a transformers model, and combine them with what its preset states."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import read_json_object
from genointerp.model.hub import snapshot
from genointerp.model.load_options import LoadOptions
from genointerp.model.presets import PRESETS, Preset
from genointerp.model.transformers.layout import FAMILIES, Reads

_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
"""Patterns of files of weights, best first; a later one is used if the earlier ones match none."""
_TEXTS = ("*.json", "vocab.txt", "merges.txt")
_AUTO_CLASSES: dict[str, Reads] = {"AutoModelForCausalLM": "left", "AutoModelForMaskedLM": "both"}
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Source:
    """The files of a model.

    Parameters
    ----------
    name
        Name of the preset, or else of the hub repository, or else of the folder.
    folder
        Folder with ``config.json``.
    revision
        Commit of the hub repository; empty for a local folder.
    config
        Content of ``config.json``.
    preset
        Preset of the model, if it has one.
    """

    name: str
    folder: Path
    revision: str
    config: dict[str, Any]
    preset: Preset | None

    @property
    def has_python(self) -> bool:
        """Whether the network is Python code of its repository that must be run."""
        if self.preset is not None and not self.preset.remote_code:
            return False
        return any(key.startswith("AutoModel") for key in self.config.get("auto_map") or {})

    @property
    def reads(self) -> Reads:
        """Whether activations depend on tokens to the ``left`` or on ``both`` sides.

        Raises
        ------
        InputError
            If the code of the repository is neither for a causal nor for a masked model.
        """
        if not self.has_python:
            return FAMILIES[self.config["model_type"]].reads
        for key, reads in _AUTO_CLASSES.items():
            if key in self.config["auto_map"]:
                return reads
        found = ", ".join(self.config["auto_map"])
        raise InputError(f"model {self.name}", f"code for {' or '.join(_AUTO_CLASSES)}", found)

    def weights(self) -> list[Path]:
        """Return the files of weights.

        Raises
        ------
        SchemaError
            If there are none.
        """
        for pattern in _WEIGHTS:
            if found := sorted(self.folder.glob(pattern)):
                return found
        raise SchemaError(str(self.folder), f"weights ({' or '.join(_WEIGHTS)})", "none")


def find_source(name: str, options: LoadOptions) -> Source:
    """Find the files of a preset, a local folder or a hub repository; download what is missing.

    Raises
    ------
    InputError
        If the files cannot be found or downloaded, or if the network is Python code of its
        repository and ``options.trust_remote_code`` is not set.
    SchemaError
        If there is no ``config.json`` with a ``model_type``, or it does not fit the preset.
    """
    preset = PRESETS.get(name) or next((p for p in PRESETS.values() if p.hub_id == name), None)
    if preset is not None:
        name = preset.name
        if preset.remote_code:
            _check_trust(name, options)
    folder, revision = _find_folder(name, preset, options)
    if preset is None and Path(name).is_dir():
        name = Path(name).resolve().name
    config_path = folder / "config.json"
    config = read_json_object(config_path, error=SchemaError)
    if not isinstance(config.get("model_type"), str):
        expected = "a key 'model_type' that holds a str"
        raise SchemaError(str(config_path), expected, repr(config.get("model_type")))
    source = Source(name, folder, revision, config, preset)
    if source.has_python:
        _check_trust(name, options)
    elif config["model_type"] not in FAMILIES:
        expected = f"one of the kinds of model {', '.join(FAMILIES)}"
        raise InputError(str(config_path), expected, repr(config["model_type"]))
    if preset is not None and source.reads != preset.reads:
        expected = f"a network that reads {preset.reads!r}, as {name} does"
        raise SchemaError(str(config_path), expected, repr(config["model_type"]))
    return source


def _check_trust(name: str, options: LoadOptions) -> None:
    if not options.trust_remote_code:
        expected = "trust_remote_code, since its network is Python code of its repository"
        raise InputError(f"model {name}", expected, "no such permission")


def _find_folder(name: str, preset: Preset | None, options: LoadOptions) -> tuple[Path, str]:
    own = preset is None and Path(name).is_dir()
    local = Path(name) if own and options.checkpoint is None else options.checkpoint
    if local is not None:
        if options.revision is not None:
            raise InputError("revision", "a repository of the hub", f"the local folder {local}")
        if not local.is_dir():
            raise InputError("checkpoint", "a folder with config.json", str(local))
        return local, ""
    return _download(name, preset, options)


def _download(name: str, preset: Preset | None, options: LoadOptions) -> tuple[Path, str]:
    """Download what is needed; if there are weights in two formats, only the better ones."""
    hub_id, inside = (name, "") if preset is None else (preset.hub_id, preset.subfolder)
    prefix = f"{inside}/" if inside else ""
    wanted = options.revision or (preset.revision if preset is not None else "") or None
    texts = (*_TEXTS, *(("*.py",) if options.trust_remote_code else ()))
    root, commit = snapshot(hub_id, files=[prefix + file for file in texts], revision=wanted)
    for pattern in _WEIGHTS:
        snapshot(hub_id, files=[prefix + pattern], revision=commit)
        if any((root / inside).glob(pattern)):
            break
    return root / inside, commit if _COMMIT.fullmatch(commit) else ""
