"""Make text of a file or a server safe for a line, a table or a terminal."""

import re

# control characters of ASCII and Latin-1, and the two line ends of Unicode
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029]+")
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LONGEST = 2000
_COUNT = re.compile("[0-9]{1,18}")


def clean_field(text: str) -> str:
    r"""Return a text as one field of a row: every run of control characters becomes a space.

    Characters of no width, and those that turn the direction of writing, are removed: what is
    written would not be what is read.

    Tabs and line ends would begin another field or row of BED, GFF3 or TSV, or another record of
    FASTA; an escape character would give orders to the terminal that shows it.

    Examples
    --------
    >>> clean_field("yabP\tx\nchr1")
    'yabP x chr1'
    """
    return _CONTROL.sub(" ", _UNSEEN.sub("", text))


def one_line(problem: object) -> str:
    r"""Return the text of an object as one line of readable length.

    Examples
    --------
    >>> one_line(ValueError("first\n   second"))
    'first second'
    """
    text = " ".join(clean_field(str(problem)).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def is_count(text: str) -> bool:
    """Return whether a text is a whole number in ASCII digits that fits in 64 bits.

    Python's ``isdecimal`` and ``int`` know the digits of every script.
    """
    return _COUNT.fullmatch(text) is not None
