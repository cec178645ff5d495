"""What something was made from, and the one check that two things belong together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from genointerp.core.errors import MismatchError

Shared = Literal["model", "site", "width", "genome", "dictionary"]
"""What two things may have in common."""

_LONG_SHA256 = re.compile(r"\b([0-9a-f]{12})[0-9a-f]+\b")


@dataclass(frozen=True)
class Identity:
    """What something was made from, as far as it says.

    Parameters
    ----------
    where
        What this is the identity of, as messages call it; mostly a path.
    model, model_sha256
        Registry name of the model and sha256 of its weights, which may be empty.
    site
        Where in the model activations were taken.
    d_in
        Their width.
    genome_sha256
        As ``Genome.sha256`` gives it.
    dictionary_sha256
        Of the weights of the dictionary.
    files
        The sha256 of the files that a table was made from, by role: ``features``, ``annotations``.
    only_there
        Why no other model will do; part of the message about another one.

    Notes
    -----
    A model is known by the sha256 of its weights. Where one of two things does not know it, as a
    published dictionary, models are compared by name.
    """

    where: str
    model: str | None = None
    model_sha256: str | None = None
    site: str | None = None
    d_in: int | None = None
    genome_sha256: str | None = None
    dictionary_sha256: str | None = None
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    only_there: str = ""

    def check(self, other: "Identity", *shared: Shared) -> None:
        """Refuse another thing that was made from something else.

        What this thing does not say is not asked of the other.

        Raises
        ------
        MismatchError
            Naming the first of ``shared`` that differs.
        """
        for one in shared:
            expected = self._value(one, other)
            if expected and expected != (found := other._value(one, self)):
                reason = f"; {self.only_there}" if one == "model" and self.only_there else ""
                raise MismatchError(
                    other.where,
                    f"{one} {self._text(one, expected)} as in {self.where}",
                    f"{one} {other._text(one, found)}{reason}" if found else f"no {one}",
                )

    def check_differs(self, other: "Identity", *shared: Shared) -> None:
        """Refuse another thing that was made from the same.

        Raises
        ------
        MismatchError
            Naming the first of ``shared`` that does not differ.
        """
        for one in shared:
            if self._value(one, other) == other._value(one, self):
                raise MismatchError(
                    other.where, f"another {one} than that of {self.where}", "the same"
                )

    def find(self, others: Sequence["Identity"], shared: Shared) -> int:
        """Return which of some things has the same model, site, genome or dictionary.

        Raises
        ------
        MismatchError
            If none has.
        """
        for number, other in enumerate(others):
            if self._value(shared, other) == other._value(shared, self):
                return number
        known = [
            f"{shared} {other._text(shared, other._value(shared, self))} as in {other.where}"
            for other in others
        ]
        found = f"{shared} {self._text(shared, self._value(shared, self))}"
        raise MismatchError(self.where, " or ".join(known) or f"a {shared} to be given", found)

    def check_made_from(self, role: str, files: Mapping[str, str]) -> None:
        """Refuse a table that was not made from exactly these files, in whatever order.

        Parameters
        ----------
        role
            Under which ``files`` of the table has them.
        files
            The sha256 of each, by its path.

        Raises
        ------
        MismatchError
            If one of the files is not among those of the table, or one of the table's is none of
            the files.
        """
        own = self.files.get(role, ())
        for path, sha256 in files.items():
            if sha256 not in own:
                found = ", ".join(map(_short, own))
                raise MismatchError(
                    self.where,
                    f"{role} {_short(sha256)} as in {path}",
                    f"{role} {found}" if own else f"no {role}",
                )
        for sha256 in own:
            if sha256 not in files.values():
                expected = f"{role} of {', '.join(files)} alone"
                raise MismatchError(self.where, expected, f"{role} {_short(sha256)} too")

    def _value(self, shared: Shared, other: "Identity") -> str | int | None:
        """Return what is compared with another thing."""
        if shared == "model":
            return self.model_sha256 if self.model_sha256 and other.model_sha256 else self.model
        return {
            "site": self.site,
            "width": self.d_in,
            "genome": self.genome_sha256,
            "dictionary": self.dictionary_sha256,
        }[shared]

    def _text(self, shared: Shared, value: str | int | None) -> str:
        """Return how a message calls what was compared: a sha256 by its first digits."""
        if shared != "model" or self.model is None or value == self.model:
            return _short(str(value))
        return f"{self.model} with weights {_short(str(value))}"


def _short(sha256: str) -> str:
    return _LONG_SHA256.sub(r"\1", sha256)
