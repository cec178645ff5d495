"""`verify`: whether a file of this package is whole."""

from pathlib import Path

from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths, is_run
from genointerp.core.errors import InputError
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.verify import Check
from genointerp.store.verify import verify as run_checks
from genointerp.store.verify_run import verify_run


def verify(file: StrPath, *, input: OneOrMorePaths = ()) -> list[Check]:
    """Run every check of a features or activations file, of a table, or of all of these of a run.

    See :func:`genointerp.store.verify.verify` and
    :func:`genointerp.store.verify_run.verify_run`.

    Parameters
    ----------
    file
        The file, which may be any that has its metadata next to it, such as BED; or a run
        directory, whose features, activations and tables are also checked against each other.
    input
        Files that it must have been made from, by sha256.

    Raises
    ------
    InputError
        If inputs are given for a run, whose files name their own.
    """
    if is_run(file):
        if as_paths(input):
            raise InputError("input", "none, since a run names its own", str(len(as_paths(input))))
        return verify_run(RunFolder.open(file))
    return run_checks(Path(file), inputs=as_paths(input))
