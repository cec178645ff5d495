"""`init`: a commented configuration of a run."""

import os
from pathlib import Path
from typing import Any

from genointerp.annotation.finders.registry import installed_finders
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths
from genointerp.core.errors import SequenceError
from genointerp.core.files import atomic_path
from genointerp.genome.file import kind_of, read_bytes
from genointerp.workflow.config import ANNOTATORS
from genointerp.workflow.start import bring
from genointerp.workflow.template import template


def init(genome: OneOrMorePaths = (), out: StrPath = "run.yaml") -> None:
    """Write a configuration in which every key has its default and a line that says what it is.

    Parameters
    ----------
    genome
        FASTA or GenBank, with the annotation that is in it or next to it; a GenBank file without
        elements gets the installed finders. A place is held for one where there is none.
    out
        The YAML file, to whose folder paths are relative.

    Raises
    ------
    SequenceError
        If a file is no genome.

    Examples
    --------
    >>> import genointerp as gi
    >>> gi.init("phage.fa", "phage.yaml")  # doctest: +SKIP
    """
    out = Path(out)
    genomes: dict[str, dict[str, Any]] = {}
    for one in bring(as_paths(genome)):
        entry = {"sequence": one.path}
        # a GenBank file is its own annotation
        if one.annotation not in (None, one.path):
            entry["annotation"] = one.annotation
        genomes[one.name] = {
            key: Path(os.path.relpath(path, out.parent)).as_posix() for key, path in entry.items()
        }
        is_genbank = kind_of(read_bytes(one.path, error=SequenceError)) == "genbank"
        # it would be taken for its own annotation, although it has no elements
        if one.annotation is None and is_genbank:
            genomes[one.name]["annotate_with"] = installed_finders(ANNOTATORS)
    with atomic_path(out) as temporary:
        text = template(genomes or {"my_genome": {"sequence": "genome.fa"}})
        temporary.write_text(text, encoding="utf-8")
