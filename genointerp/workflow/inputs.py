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

RECORD = "inputs.json"
"""Name of the record in the run directory."""

FILES = ("dictionary", "concepts", "associate", "rank", "dossier")
"""Keys of the configuration that name a file."""


@dataclass
class InputRecord:
    """The recorded inputs of a run directory.

    Parameters
    ----------
    sha256
        By role, such as ``genomes.ecoli.sequence``. That of a sequence is of names, topologies
        and bases, as provenance has it; that of anything else of the bytes of its files.
    known
        sha256 by path, with the size, times and inode that the file had when it was read.
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

    def update(self, config: Mapping[str, Any]) -> None:
        """Bring the record up to date with the files that a resolved configuration names.

        A file is read again where its size, one of its times or its inode has changed.
        """
        before, self.known = self.known, {}
        self.sha256 = {
            role: self._digest(paths, before, is_genome=role.endswith(".sequence"))
            for role, paths in _named_files(config)
        }

    def _digest(
        self, paths: Sequence[Path], before: Mapping[str, list[Any]], *, is_genome: bool
    ) -> str:
        found = []
        for path in paths:
            key = f"genome {path}" if is_genome else str(path)
            state = path.stat()
            # nothing that copies a file sets its ctime
            seen = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
            known = before.get(key, self.known.get(key, []))
            if known[:-1] == seen:
                self.known[key] = known
            else:
                digest = read_genome(path).sha256 if is_genome else sha256_file(path)
                self.known[key] = [*seen, digest]
            found.append(self.known[key][-1])
        return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()


def input_digests(config: Mapping[str, Any], run_dir: Path) -> dict[str, str]:
    """Return the sha256 of every input of a resolved configuration, by its role."""
    record = InputRecord.read(run_dir / RECORD)
    record.update(config)
    return record.sha256


def _named_files(config: Mapping[str, Any]) -> Iterator[tuple[str, list[Path]]]:
    for name, genome in config["genomes"].items():
        for key in ("sequence", "annotation"):
            if key in genome:
                yield f"genomes.{name}.{key}", [Path(genome[key])]
    concepts = {"concepts": str(annotations_folder() / "concepts.yaml")}
    for key, path in (concepts | {key: config[key] for key in FILES if key in config}).items():
        yield key, [Path(path)]
    if "random_dictionary" in config.get("baselines", {}):
        yield "random_dictionary", [Path(config["baselines"]["random_dictionary"])]
    weights = [*_weights(config["model"]["name"]), *_weights(config["model"].get("checkpoint", ""))]
    if weights:
        yield "model", weights


def _weights(name: str) -> list[Path]:
    """Return the local files of a model: of a folder, a file or a shipped model."""
    shipped = PACKAGE_FOLDER / "model" / "weights" / name
    path = Path(name) if "/" in name else shipped
    if not name or path.is_file():
        return [path] if name else []
    return sorted(file for file in path.glob("*") if file.is_file())
