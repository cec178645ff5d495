"""Prompts by their versions: what stands in the files of ``prompts/``."""

from functools import cache
from importlib.resources import files


@cache
def prompt_text(version: str) -> str:
    """Return the text of a prompt, without blanks around it.

    Parameters
    ----------
    version
        Name of its file, without the suffix. Another text has another version.

    Examples
    --------
    >>> prompt_text("label-1").splitlines()[0]
    'You say what a feature of a DNA language model responds to.'
    """
    place = files("genointerp.labelling") / "prompts" / f"{version}.txt"
    return place.read_text(encoding="utf-8").strip()
