"""The dictionaries that are shipped with the package, in ``sae/weights/``, by their names."""

from pathlib import Path

from genointerp.core.arguments import SHIPPED, StrPath, in_run
from genointerp.core.nearest import unknown
from genointerp.core.version import PACKAGE_FOLDER


def shipped_dictionaries() -> dict[str, Path]:
    """Return the folder of each shipped dictionary by its name, which is that of its model."""
    folders = (PACKAGE_FOLDER / "sae" / "weights").iterdir()
    return {folder.name: folder for folder in sorted(folders) if folder.is_dir()}


def dictionary_folder(source: StrPath) -> Path:
    """Return the folder of a dictionary: of a path, of a run directory, or ``shipped:NAME``.

    Raises
    ------
    UnknownNameError
        If no dictionary of this name is shipped; the message lists those that are.

    Examples
    --------
    >>> dictionary_folder("shipped:nano").name
    'nano'
    """
    name = str(source)
    if not name.startswith(SHIPPED):
        return in_run(source, "sae")
    known = shipped_dictionaries()
    if (name := name.removeprefix(SHIPPED)) not in known:
        raise unknown("dictionary", name, known)
    return known[name]
