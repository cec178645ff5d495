"""Groups of features that are tested together, what is changed for that, and what follows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from genointerp.core.errors import InputError

BELOW = "below:"
"""Beginning of a feature of the lower dictionary, where a group is written as text."""


class Member(NamedTuple):
    """A feature of one of the dictionaries, which are counted from the lowest."""

    level: int
    feature: int


@dataclass(frozen=True)
class Group:
    """Features that are tested together, and the concept on whose bases the loss is counted.

    Parameters
    ----------
    members
        If the first is of a lower site than the last, what the first does to the last, and through
        it, is measured too.
    concept
        Name of a concept; empty for all bases around those on which the last feature fires.
    """

    name: str
    members: tuple[Member, ...]
    concept: str = ""

    @classmethod
    def parse(cls, text: str, n_levels: int, *, concept: str = "") -> "Group":
        """Read a group such as ``127,86,82`` or ``below:97,127``; > and + separate, too.

        Examples
        --------
        >>> Group.parse("below:97,127", 2).members
        (Member(level=0, feature=97), Member(level=1, feature=127))
        """
        members = []
        for word in re.split("[,>+]", text):
            number, is_below = word.strip().removeprefix(BELOW), word.strip().startswith(BELOW)
            if not number.isdecimal() or (is_below and n_levels < 2):
                expected = "numbers of features, like 127,86"
                expected += f", {BELOW}97 for one of the dictionary below"
                raise InputError(f"group {text}", expected, word or "nothing")
            members.append(Member(0 if is_below else n_levels - 1, int(number)))
        if len(set(members)) < max(2, len(members)):
            raise InputError(f"group {text}", "two different features or more", text)
        return cls(text, tuple(members), concept)


class Change(NamedTuple):
    """What is different in one copy of a window: features that are out, and pinned ones."""

    out: tuple[Member, ...] = ()
    pinned: tuple[Member, ...] = ()


class Plan:
    """The changes that the test of a group needs, and what follows from their losses.

    The first change is none. Of each list below, the first is of the group and the others are of
    the matched groups.
    """

    def __init__(self, group: Group, matched: Sequence[tuple[Member, ...]], n_levels: int) -> None:
        self.changes = [Change()]
        groups = [group.members, *matched]
        self.joint = [self._add(Change(members)) for members in groups]
        self.single = [[self._add(Change((it,))) for it in members] for members in groups]
        first, last = group.members[0], group.members[-1]
        self.mediates = n_levels > 1 and first.level < last.level
        pins = [members[-1] for members in groups] if self.mediates else []
        self.pinned = [self._add(Change((first,), (pin,))) for pin in pins]

    def _add(self, change: Change) -> int:
        self.changes.append(change)
        return len(self.changes) - 1

    def together(self, effect: Float64[np.ndarray, " change"]) -> dict[str, float]:
        """Return the effects of the group, and its synergy."""
        parts = np.array([effect[each].sum() for each in self.single])
        return joint_effects(effect[self.joint]) | joint_synergy(effect[self.joint], parts)

    def mediation(
        self, effect: Float64[np.ndarray, " change"], target: Float64[np.ndarray, " change"]
    ) -> dict[str, float]:
        """Return what the first feature does to the last, and through it."""
        names = ["target_lost", "target_lost_null", "target_lost_p"]
        names += ["source_effect", "mediated", "mediated_null", "mediated_p"]
        if not self.mediates:
            return dict.fromkeys(names, np.nan)
        first = [each[0] for each in self.single]
        lost = 1 - target[first] / target[0] if target[0] else np.full(len(first), np.nan)
        alone = effect[first[0]]
        mediated = 1 - effect[self.pinned] / (alone or np.nan)
        values = [lost[0], np.median(lost[1:]), _share_as_high(lost)]
        values += [alone, mediated[0], np.median(mediated[1:]), _share_as_high(mediated)]
        return dict(zip(names, map(float, values), strict=True))


def joint_effects(joint: Float64[np.ndarray, " group"]) -> dict[str, float]:
    """Return the effect of a group next to those of matched groups, which follow it."""
    return {
        "effect": float(joint[0]),
        "effect_null": float(joint[1:].mean()),
        "effect_p": _share_as_high(joint),
        "effect_p_two_sided": _share_as_high(np.abs(joint)),
    }


def effects_elsewhere(
    name: str, joint: Float64[np.ndarray, " group"], se: float
) -> dict[str, float]:
    """Return an effect on other bases, its standard error, and the mean of matched groups."""
    values = [float(joint[0]), se, float(joint[1:].mean())]
    return dict(zip([name, f"{name}_se", f"{name}_null"], values, strict=True))


def joint_synergy(
    joint: Float64[np.ndarray, " group"], parts: Float64[np.ndarray, " group"]
) -> dict[str, float]:
    """Return the synergy of a group, of which the parts have these effects together."""
    synergy = (joint - parts) / np.abs(np.where(joint == 0, np.nan, joint))
    return {
        "effect_parts": float(parts[0]),
        "synergy": float(synergy[0]),
        "synergy_null": float(np.nanmedian(synergy[1:])) if not _lacks(synergy) else np.nan,
        "synergy_p": _share_as_high(np.abs(synergy)),
    }


def _share_as_high(values: Float64[np.ndarray, " group"]) -> float:
    """Return the share of matched groups that are as high as the first, with one added."""
    if _lacks(values):
        return np.nan
    null = values[1:][~np.isnan(values[1:])]
    return float((1 + (null >= values[0]).sum()) / (1 + len(null)))


def _lacks(values: Float64[np.ndarray, " group"]) -> bool:
    return bool(np.isnan(values[0]) or np.isnan(values[1:]).all())
