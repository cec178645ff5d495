"""The inputs of a run inside its directory, so that it can be moved and read anywhere.

Next to what a run computes of its inputs, copies of them are small.
"""

import filecmp
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genointerp.core.arguments import SHIPPED
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, replacing
from genointerp.sae.header import CONFIG, SCALE, WEIGHTS
from genointerp.sae.shipped import dictionary_folder
from genointerp.workflow.config import named_files, relative_to, with_files

INPUTS = "inputs"
"""Folder of the copies, one folder for each role."""

KEPT = (CONFIG, WEIGHTS, SCALE)
"""Files of a dictionary that a run copies; a training writes others as well."""

DICTIONARY = "sae"
"""Folder of the dictionary, whether it was trained or is a copy."""


def take_inputs(config: Mapping[str, Any], run_dir: Path) -> dict[str, Any]:
    """Copy what a resolved configuration names; return it with paths relative to the run directory.

    A copy with the same content is left as it is, so that no step runs again. Weights of a model
    are not copied: they may be larger than the run.

    Raises
    ------
    InputError
        If a dictionary is named and the run directory holds one that was trained there.
    """
    copies: dict[str, Path] = {}
    for role, name in named_files(config).items():
        source = Path(name)
        # an annotation may be the file of the sequence
        copies.setdefault(name, run_dir / INPUTS / role / source.name)
        _copy(source, copies[name])
    for copy in copies.values():
        for other in set(copy.parent.iterdir()) - {copy}:
            other.unlink()
    own = with_files(config, lambda _, name: str(copies[name].resolve()))
    if "sae" in own:
        own["sae"] = _take_dictionary(own["sae"], run_dir / DICTIONARY)
    return relative_to(own, run_dir)


def _take_dictionary(source: str, destination: Path) -> str:
    folder = dictionary_folder(source)
    names = [name for name in KEPT if (folder / name).is_file()]
    # what was trained here is nowhere else
    logs = sorted(path.name for path in destination.glob("*") if path.name not in KEPT)
    if folder.resolve() != destination.resolve() and logs:
        expected = (
            f"no dictionary that a run trained, where {source} is named (choose another --out)"
        )
        raise InputError(str(destination), expected, ", ".join(logs))
    is_there = all(
        (destination / name).is_file()
        and filecmp.cmp(folder / name, destination / name, shallow=False)
        for name in names
    )
    if folder.resolve() != destination.resolve() and not is_there:
        with replacing(), atomic_path(destination) as temporary:
            temporary.mkdir()
            for name in names:
                shutil.copyfile(folder / name, temporary / name)
    return source if source.startswith(SHIPPED) else str(destination.resolve())


def _copy(source: Path, destination: Path) -> None:
    if destination.is_file() and filecmp.cmp(source, destination, shallow=False):
        return
    with replacing(), atomic_path(destination) as temporary:
        shutil.copyfile(source, temporary)
