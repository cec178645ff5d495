"""Files that features were made with, found next to them, in their run or in the package."""

from collections.abc import Iterator
from pathlib import Path

from genointerp.core.arguments import SHIPPED, StrPath
from genointerp.core.errors import InputError
from genointerp.core.run_directory import is_run
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import find_specimens
from genointerp.sae.header import read_header
from genointerp.sae.shipped import shipped_dictionaries
from genointerp.store.feature.run_folder import RunFolder, run_around
from genointerp.store.feature.store import FeatureStore


def one_with_sequence(features: StrPath, genome: StrPath | None = None) -> Specimen:
    """Open one genome by its features, with its sequence.

    Parameters
    ----------
    features
        A features file, a catalogue or a run directory.
    genome
        Its sequence, or the name of one of several. Where None, a run measures the genome that its
        configuration says, and a features file in a run directory has the sequence of the run.

    Raises
    ------
    InputError
        If the sequence is not known, or which of several genomes is meant.
    MismatchError
        If the sequence is of another genome.
    """
    if genome is None and is_run(features):
        genome = RunFolder.open(features).measured
    if genome is None and (found := run_around(features)) is not None:
        run, name = found
        genome = run.genomes[name].sequence
    (specimen,) = find_specimens(features, genome=genome or ()).one().open("sequence")
    return specimen


def own_dictionary(store: FeatureStore, given: StrPath | None = None) -> Path:
    """Return the folder of the dictionary of features.

    Parameters
    ----------
    given
        A folder, which is returned as it is. Where None, a folder ``sae`` next to the features file
        or one level up, as in a run, and then the shipped dictionaries, are looked at: the one
        whose weights have the sha256 that the features were made with.

    Raises
    ------
    InputError
        If there is none.
    """
    if given is not None:
        return Path(given)
    for folder in _dictionaries_around(store.path):
        if read_header(folder).sha256 == store.header.sae_sha256:
            return Path(folder)
    expected = f"the dictionary of {store.path} (sha256 {store.header.sae_sha256[:12]})"
    raise InputError("sae", f"{expected}, since no such is next to it or shipped", "none")


def _dictionaries_around(features: Path) -> Iterator[Path]:
    folder = Path(features).resolve().parent
    for near in (folder / "sae", folder.parent / "sae"):
        if (near / "cfg.json").is_file():
            yield near
    yield from (Path(f"{SHIPPED}{name}") for name in shipped_dictionaries())
