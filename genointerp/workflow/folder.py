"""Find the shipped workflow: inside an installed package, or next to it in a checkout."""

from pathlib import Path

import genointerp
from genointerp.core.errors import InputError


def workflow_folder() -> Path:
    """Return the folder that holds the Snakefile, its rules, configurations and profiles.

    Raises
    ------
    InputError
        If the installation lacks the workflow.
    """
    package = Path(genointerp.__file__).parent
    for folder in (package / "_data" / "workflows", package.parent / "workflows"):
        if (folder / "Snakefile").is_file():
            return folder
    raise InputError(str(package), "the workflow's Snakefile in the installation", "none")
