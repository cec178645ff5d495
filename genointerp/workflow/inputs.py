"""The inputs of a run by content, so that steps run again if an input was replaced.

File times do not suffice: ``cp -p`` and ``rsync -t`` may replace a file by an older one.
Each step therefore has the sha256 of its inputs among its parameters.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genointerp.annotation.catalogue import annotations_folder
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, read_json_object, replacing
from genointerp.core.provenance import sha256_file
from genointerp.core.version import PACKAGE_FOLDER
from genointerp.genome.read import read_genome
from genointerp.workflow.config import compared, named_files

RECORD = "inputs.json"
"""Name of the record in the run directory."""


@dataclass
class InputRecord:
    """The recorded inputs of a run directory.

    Parameters
    ----------
    sha256
        By role, such as ``genomes.ecoli.sequence``. That of a sequence is of names, topologies
        and bases, as provenance has it; that of anything else of the bytes of its files.
    known
        sha256 by role and name, with the size, times and inode that the file had when it was read.
    checked
        Settings of the model and its windows that were found to be possible.
    """

    sha256: dict[str, str] = field(default_factory=dict)
    known: dict[str, list[Any]] = field(default_factory=dict)
    checked: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, path: Path) -> "InputRecord":
        """Read a record; return an empty one if there is none or it cannot be read."""
        try:
            values = read_json_object(path, error=InputError)
            return cls(dict(values["sha256"]), dict(values["known"]), values["checked"])
        except (InputError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        """Write the record if it has changed."""
        values = {"sha256": self.sha256, "known": self.known, "checked": self.checked}
        text = json.dumps(values, indent=1) + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return
        with replacing(), atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def update(self, config: Mapping[str, Any], folder: Path) -> None:
        """Bring the record up to date with the files that a resolved configuration names.

        A file is read again where its size, one of its times or its inode has changed.

        Parameters
        ----------
        folder
            Folder to which its paths are relative.
        """
        before, self.known = self.known, {}
        self.sha256 = {
            role: self._digest(role, paths, before) for role, paths in _files(config, folder)
        }

    def _digest(self, role: str, paths: Sequence[Path], before: Mapping[str, list[Any]]) -> str:
        found = []
        for path in paths:
            key = f"{role} {path.name}"
            state = path.stat()
            # nothing that copies a file sets its ctime
            seen = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
            known = before.get(key, [])
            if known[:-1] != seen:
                is_genome = role.endswith(".sequence")
                known = [*seen, read_genome(path).sha256 if is_genome else sha256_file(path)]
            self.known[key] = known
            found.append(known[-1])
        return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()


def weights_digest(config: Mapping[str, Any], folder: Path) -> str | None:
    """Return the sha256 of the local weights of the model; None if there are none."""
    roles = dict(_files({**config, "genomes": {}}, folder))
    return InputRecord()._digest("model", roles["model"], {}) if "model" in roles else None


def input_digests(config: Mapping[str, Any], run_dir: Path) -> dict[str, str]:
    """Return the sha256 of every input of the configuration of a run directory, by its role."""
    record = InputRecord.read(run_dir / RECORD)
    record.update(config, run_dir)
    return record.sha256


def _files(config: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, list[Path]]]:
    concepts = {"concepts": str(annotations_folder() / "concepts.yaml")}
    for role, path in (concepts | named_files(config)).items():
        yield role, [folder / path]
    model = config["model"]
    weights = folder if "/" in model["name"] else PACKAGE_FOLDER / "model" / "weights"
    paths = [weights / model["name"]]
    if "checkpoint" in model:
        paths.append(folder / model["checkpoint"])
    asked = [("model", paths)]
    asked += [(role, [folder / entry[key]]) for role, entry, key in compared(config)]
    for role, places in asked:
        files = [file for path in places for file in _files_of(path)]
        if files:
            yield role, files


def _files_of(path: Path) -> list[Path]:
    """Return a file, or the files of a folder of weights; none where there is no such folder."""
    return [path] if path.is_file() else sorted(it for it in path.glob("*") if it.is_file())
