"""The configuration of a run of a user's own genomes: what is known of them, chosen and shown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genointerp.annotation.finders.registry import FINDERS, installed_finders
from genointerp.annotation.read import read_annotation
from genointerp.core.arguments import SHIPPED
from genointerp.core.errors import InputError, SequenceError
from genointerp.core.files import read_json_object
from genointerp.genome.file import kind_of, read_bytes
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.workflow.config import ANNOTATORS, FOLDERS, resolve_run_config
from genointerp.workflow.folder import workflow_folder
from genointerp.workflow.inputs import RECORD
from genointerp.workflow.size import FOR_CONTROLS, MOST_BASES, STRETCH, Choice, choose

DICTIONARY = f"{SHIPPED}nano"
"""The dictionary that is used where none is trained."""

INSTALL = 'pip install "genointerp[annotate]"'
"""How to get the finders."""

BESIDE = (".gff3", ".gff", ".gff3.gz", ".gff.gz")
"""Endings of an annotation that lies next to a sequence."""

WHOLE = ("region", "source", "gap", "assembly_gap")
"""Types of elements that say nothing of biology: a GenBank file may have no others."""

_ENDINGS = re.compile(r"\.(fa|fasta|fna|ffn|gb|gbk|gbff|genbank|txt|seq)$", re.IGNORECASE)


@dataclass(frozen=True)
class Brought:
    """A genome of a user, with its annotation.

    Parameters
    ----------
    name
        Name of its folder in the run directory.
    annotation
        None where it is predicted or there is none.
    source
        Where the annotation comes from, in words.
    """

    name: str
    path: Path
    genome: Genome
    annotation: Path | None
    source: str

    def described(self) -> str:
        """Return the size of the genome in words."""
        contigs = self.genome.values()
        n_bases = sum(contig.length for contig in contigs)
        n_circular = len(self.genome.circular)
        shape = "circular" if n_circular == len(contigs) else f"{n_circular} circular"
        shape = "linear" if n_circular == 0 else shape
        n_contigs = f"{len(contigs)} contig{'s' * (len(contigs) > 1)}"
        n_unknown = sum(int(np.sum(contig.sequence == ord("N"))) for contig in contigs)
        unknown = f", {n_unknown:,} of them unknown (N)" if n_unknown else ""
        return f"{self.path}: {n_contigs}, {shape}, {n_bases:,} bases{unknown}"


def bring(paths: Sequence[Path], annotations: Sequence[Path] = ()) -> list[Brought]:
    """Read genomes, each with the annotation that is given, in its file or next to it.

    Raises
    ------
    InputError
        If there are annotations, but not one for each genome, or one is not of its genome.
    SequenceError
        If a file is no genome.
    """
    if annotations and len(annotations) != len(paths):
        expected = f"an annotation for each of {len(paths)} genomes, in their order"
        raise InputError("annotation", expected, str(len(annotations)))
    names = _names(paths)
    given: Sequence[Path | None] = annotations or [None] * len(paths)
    return [
        _brought(name, path, annotation)
        for name, path, annotation in zip(names, paths, given, strict=True)
    ]


def start_config(brought: Sequence[Brought], *, train: bool) -> dict[str, Any]:
    """Return the resolved configuration of a run of some genomes.

    Parameters
    ----------
    train
        Whether a dictionary is trained on them, in place of the shipped one.
    """
    choice = choose({one.name: one.genome for one in brought})
    values: dict[str, Any] = {"genomes": {one.name: _entry(one, choice) for one in brought}}
    if train:
        values["dictionary"] = str(workflow_folder() / "config" / "dictionary-demo.yaml")
    else:
        values["sae"] = DICTIONARY
    values |= choice.settings()
    return resolve_run_config(values, folder=Path(), where="start")


def run_lines(brought: Sequence[Brought], *, train: bool) -> list[str]:
    """Return what a run of some genomes will do, in lines for its user."""
    choice = choose({one.name: one.genome for one in brought})
    lines = [line for one in brought for line in (one.described(), f"  annotation: {one.source}")]
    if choice.regions:
        names = ", ".join(choice.regions)
        lines.append(
            f"reads {choice.n_bases:,} bases: stretches of {STRETCH:,} spread evenly over {names}, "
            f"since a run reads {MOST_BASES:,} at most"
        )
    else:
        lines.append(f"reads all {choice.n_bases:,} bases, on both strands, with the model nano")
    source = "a dictionary that is trained on them" if train else f"the dictionary {DICTIONARY}"
    lines.append(f"features: from {source}")
    if not choice.has_controls:
        lines.append(
            f"left out, since it reads more than {FOR_CONTROLS:,} bases: baselines and backtest"
        )
    return lines


def check_directory(out: Path, brought: Sequence[Brought]) -> None:
    """Refuse a directory that holds anything else than a run of these genomes.

    Raises
    ------
    InputError
        If it holds a run of other genomes, or something that is no run.
    """
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not (out / RECORD).is_file():
        # a run that was stopped before it began leaves these
        if {path.name for path in out.iterdir()} <= {".lock", ".snakemake", "inputs", "logs"}:
            return
        raise InputError(str(out), "a new or empty directory, or a run (--out)", "other files")
    known = read_json_object(out / RECORD, error=InputError).get("sha256", {})
    found = {name.split(".")[1]: it for name, it in known.items() if name.endswith(".sequence")}
    if found != {one.name: one.genome.sha256 for one in brought}:
        expected = "a run of these genomes, or a new directory (--out)"
        raise InputError(str(out), expected, f"a run of {', '.join(found) or 'others'}")


def _names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file: of letters, digits and underscores, none of them twice."""
    found: list[str] = []
    for path in paths:
        stem = _ENDINGS.sub("", path.name.removesuffix(".gz"))
        name = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_") or "genome"
        if not name[0].isalpha() or name in FOLDERS:
            name = f"genome_{name}"
        taken = {it.lower() for it in found}
        names = [name, *(f"{name}_{number}" for number in range(2, len(paths) + 2))]
        found.append(next(it for it in names if it.lower() not in taken))
    return found


def _brought(name: str, path: Path, annotation: Path | None) -> Brought:
    genome = read_genome(path)
    if annotation is not None:
        return Brought(name, path, genome, annotation, _of(annotation, path, genome))
    if kind_of(read_bytes(path, error=SequenceError)) == "genbank":
        if _n_elements(path, genome):
            return Brought(name, path, genome, path, _of(path, path, genome))
    else:
        stem = _ENDINGS.sub("", path.name.removesuffix(".gz"))
        for ending in BESIDE:
            if (beside := path.with_name(f"{stem}{ending}")).is_file():
                source = f"{_of(beside, path, genome)}, found next to the sequence"
                return Brought(name, path, genome, beside, source)
    return Brought(name, path, genome, None, _predicted())


def _of(annotation: Path, path: Path, genome: Genome) -> str:
    source = "in the file itself" if annotation == path else str(annotation)
    n_elements = _n_elements(annotation, genome)
    return f"{n_elements:,} element{'s' * (n_elements != 1)}, {source}"


def _n_elements(annotation: Path, genome: Genome) -> int:
    """Return the number of elements, without those that only say what a contig is."""
    return sum(one.type not in WHOLE for one in read_annotation(annotation, genome))


def _predicted() -> str:
    installed = installed_finders(ANNOTATORS)
    missing = [name for name in ANNOTATORS if name not in installed]
    lacking = [f"{name} ({FINDERS[name].finds})" for name in missing]
    get = f"; not installed: {', '.join(lacking)}: {INSTALL}" if missing else ""
    if not installed:
        return f"none, so that features get no concepts and nothing is ranked{get}"
    return f"none given; predicted by {', '.join(installed)}{get}"


def _entry(one: Brought, choice: Choice) -> dict[str, Any]:
    entry: dict[str, Any] = {"sequence": str(one.path.resolve())}
    if one.annotation is not None:
        entry["annotation"] = str(one.annotation.resolve())
    else:
        entry["annotate_with"] = installed_finders(ANNOTATORS)
    if one.name in choice.regions:
        entry["regions"] = list(choice.regions[one.name])
    return entry
