"""The one rule by which a name that is not known is answered with the nearest ones that are."""

from collections.abc import Iterable

from genointerp.core.errors import UnknownNameError

N_NEAREST = 3
"""Most names that are suggested."""

_LEAST_LETTERS = 3
"""A shorter text is part of too many names."""


def suggested(name: object, known: Iterable[str]) -> str:
    """Return a name that is not known as an error shows it, with the nearest ones that are.

    Examples
    --------
    >>> suggested("rceA", ["recA", "recB", "dnaA"])
    "'rceA' (did you mean 'recA'?)"
    >>> suggested("genomez", ["genomes"]), suggested("x", ["genomes"])
    ("'genomez' (did you mean 'genomes'?)", "'x'")
    """
    return f"{name!r}{hinted(str(name), known)}"


def unknown(where: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """Return the error that a name is none of those that there are."""
    names = list(known)
    return UnknownNameError(where, f"one of {', '.join(names)}", suggested(name, names))


def hinted(name: str, known: Iterable[str]) -> str:
    """Return the nearest known names as the end of a message; nothing where none is near."""
    near = nearest(name, known)
    return f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that somebody may have meant, the most likely first.

    These are names that differ by a slip for each three letters, at least one, where a slip is a
    letter too many, one missing, another letter, or two that changed places. Upper and lower case
    are the same letter. Where there are fewer than three, names follow that begin with the text, or
    hold it, if it has three letters at least.

    Examples
    --------
    >>> nearest("RRSB", ["rrsA", "rrsB"]), nearest("evo2", ["nano", "evo2_7b", "evo2_1b"])
    (['rrsB', 'rrsA'], ['evo2_1b', 'evo2_7b'])
    """
    own = name.lower()
    limit = max(1, len(own) // 3)
    found = []
    for one in set(known):
        slips = _slips(own, one.lower(), limit)
        if slips <= limit:
            # letters that changed places are a likelier slip than another letter
            is_other = sorted(own) != sorted(one.lower()), own[:1] != one[:1].lower()
            found.append((slips, *is_other, one))
        elif len(own) >= _LEAST_LETTERS and own in one.lower():
            found.append((limit + 1, not one.lower().startswith(own), False, one))
    return [one for *_, one in sorted(found)[:N_NEAREST]]


def _slips(a: str, b: str, limit: int) -> int:
    """Return the edit distance with transpositions of neighbours; more than the limit if it is."""
    # the difference in length, and letters that the other lacks, are slips each
    if abs(len(a) - len(b)) > limit or len(set(a) - set(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        above, before, row = before, row, [i]
        for j, other in enumerate(b, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]
