"""Weights from the Hugging Face hub, if its client is installed."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.core.errors import InputError


def snapshot(hub_id: str, *, files: Sequence[str], revision: str | None = None) -> tuple[Path, str]:
    """Download some files of a repository, or find them in the cache.

    Parameters
    ----------
    files
        Names or glob patterns.
    revision
        Branch, tag or commit; None means the main branch.

    Returns
    -------
    The folder that holds the files, and their commit.

    Raises
    ------
    InputError
        If the client is not installed or the hub cannot be reached; the message says how to get the
        files by hand.
    """
    by_hand = f"`hf download {hub_id} --local-dir FOLDER` and `--checkpoint FOLDER`"
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        install = 'pip install "genointerp[transformers]"'
        expected = f"huggingface_hub ({install}), or elsewhere {by_hand}"
        raise InputError(hub_id, expected, "it is not installed") from error
    try:
        folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=list(files)))
    # these include the client's own errors, such as for an unknown repository or a missing network
    except (OSError, ValueError) as error:
        found = str(error).strip().partition("\n")[0]
        raise InputError(hub_id, f"weights that can be downloaded, or {by_hand}", found) from error
    # in the cache, the folder of a snapshot is named after its commit
    return folder, folder.name
