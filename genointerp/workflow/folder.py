"""Find the shipped workflow: inside an installed package, or next to it in a checkout."""

from pathlib import Path

from genointerp.core.errors import InputError
from genointerp.core.version import PACKAGE_FOLDER


def workflow_folder() -> Path:
    """Return the folder that holds the Snakefile, its rules, configurations and profiles.

    Raises
    ------
    InputError
        If the installation lacks the workflow.
    """
    for folder in (PACKAGE_FOLDER / "_data" / "workflows", PACKAGE_FOLDER.parent / "workflows"):
        if (folder / "Snakefile").is_file():
            return folder
    raise InputError(str(PACKAGE_FOLDER), "the workflow's Snakefile in the installation", "none")
