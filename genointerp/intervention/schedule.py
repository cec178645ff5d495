"""Schedules: a canvas bound to a genome and a dictionary, as what becomes of each token read.

A state of a causal model is that after one of its tokens. It *decides* the next token, and it has
*read* its own. So the token of a base's deciding state is the one before the base's, and a base
that begins what is read has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from genointerp.core.arguments import FeatureName
from genointerp.core.errors import InputError, MismatchError, UnknownNameError
from genointerp.core.feature_names import feature_number
from genointerp.core.identity import Identity
from genointerp.core.seed import rng
from genointerp.feature.specimen_files import labels_around
from genointerp.genome.genome import Genome
from genointerp.genome.interval import Strand
from genointerp.genome.windows import Window
from genointerp.intervention.canvas import IN_UNITS, Canvas, Profile, Stroke
from genointerp.model.protocol import Edit, ModelSpec
from genointerp.reading.harvest import has_site
from genointerp.reading.tokens import WindowTokens
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import DictionaryHeader
from genointerp.sae.paint import Column, Painter, Targets

_UNTOUCHED = (1.0, 0.0, -np.inf)
"""The rule, as in `genointerp.sae.paint.Targets`, that leaves an amount as it is."""
_ENDLESS = 1 << 62
"""Period of a linear contig, on which no place comes twice."""


class Rules(NamedTuple):
    """What becomes of each token of a window, as in `genointerp.sae.paint.Targets`.

    ``painted`` says at which tokens anything is to change, and ``covered`` which belong to a stroke
    whatever its phase.
    """

    rule: Float64[np.ndarray, "token column 3"]
    painted: Bool[np.ndarray, " token"]
    covered: Bool[np.ndarray, " token"]


@dataclass(frozen=True, eq=False)
class Schedule:
    """A canvas bound to a genome and a dictionary.

    Parameters
    ----------
    canvas
        The canvas, whose units are known.
    columns
        The features, with their conditions.
    lines
        The strokes with the columns and amounts that they mean.
    period
        Length of each circular contig; a number without end for linear ones.
    lengths
        Length of each contig.
    shift
        Number of bases by which everything is moved downstream: a control.
    shuffle
        Seed by which the places of each stretch are shuffled, the same way for all features: a
        control. None means that they are in order.
    """

    canvas: Canvas
    columns: tuple[Column, ...]
    lines: "tuple[Line, ...]"
    period: dict[str, int]
    lengths: dict[str, int]
    shift: int = 0
    shuffle: int | None = None

    @classmethod
    def of(
        cls, canvas: Canvas, genome: Genome, header: DictionaryHeader, spec: ModelSpec
    ) -> "Schedule":
        """Bind a canvas.

        Raises
        ------
        MismatchError
            If the canvas is for another genome or dictionary, or the dictionary for another model.
        CoordinateError
            If a stroke leaves its contig.
        UnknownNameError
            If the dictionary has no such feature.
        InputError
            If a unit is not known, two strokes paint one feature in one state, or strokes have
            codon phases or several states and the tokens of the model are not bases. The message
            names the row.
        """
        check_dictionary(header, spec)
        _check_tokens(canvas, spec)
        canvas.identity.check(header.identity, "dictionary")
        canvas.check_inside(genome)
        lines, columns = [], dict[Column, int]()
        for where, stroke in canvas.located():
            lines.append(_line(stroke, canvas, header, columns, where))
        endless = {name: _ENDLESS for name in genome}
        circular = {name: genome[name].length for name in genome.circular}
        found = cls(canvas, tuple(columns), tuple(lines), endless | circular, genome.lengths)
        found._check_once()
        return found

    @property
    def features(self) -> tuple[int, ...]:
        """The features that are painted, ascending."""
        return tuple(sorted({column.feature for column in self.columns}))

    @property
    def painted(self) -> str:
        """What is painted, for tables: profiles by name, and features, separated by commas."""
        profiled: set[int] = set()
        names: list[str] = []
        for line in self.lines:
            if line.profile is not None:
                names.append(f"profile {line.stroke.feature}")
                profiled.update(line.columns)
        own = {it.feature for i, it in enumerate(self.columns) if i not in profiled}
        return ",".join([*dict.fromkeys(names), *(f"f/{feature}" for feature in sorted(own))])

    @property
    def has_order(self) -> bool:
        """Whether the places of a stretch differ, by phase or profile, so that order matters."""
        return any(line.stroke.phase >= 0 or line.profile is not None for line in self.lines)

    def shifted(self, shift: int) -> "Schedule":
        """Return the schedule with everything so many bases further downstream."""
        return replace(self, shift=self.shift + shift)

    def shuffled(self, seed: int) -> "Schedule":
        """Return the schedule with the places of each stretch in random order."""
        return replace(self, shuffle=seed)

    def with_features(self, others: dict[int, int]) -> "Schedule":
        """Return the schedule with other features in the place of those that are painted."""
        columns = (it._replace(feature=others[it.feature]) for it in self.columns)
        return replace(self, columns=tuple(columns))

    def touches(self, window: Window) -> bool:
        """Say whether a window, or what lies within a base of it, has a stroke on its strand."""
        return bool(self._near(window).any())

    def rules(self, read: WindowTokens) -> Rules:
        """Return what becomes of each token of a window."""
        n, spans = len(read.spans.ids), read.spans
        rule = np.tile(_UNTOUCHED, (n, len(self.columns), 1))
        found = Rules(rule, np.zeros(n, np.bool_), np.zeros(n, np.bool_))
        for i in np.flatnonzero(self._near(read.window)).tolist():
            line = self.lines[i]
            offset = spans.end if line.stroke.state == "decides" else spans.start
            place = self._place(line.stroke, read.window, offset)
            inside = (spans.start >= 0) & (place >= 0) & (place < line.stroke.length)
            found.covered[inside] = True
            self._paint(line, place, inside, found)
        return found

    def targets(self, windows: Sequence[WindowTokens]) -> Targets:
        """Return what becomes of the tokens of a batch, a row for each window."""
        rules = [self.rules(read) for read in windows]
        row, token = np.nonzero(np.stack([found.painted for found in rules]))
        rule = np.concatenate([found.rule[found.painted] for found in rules])
        return Targets(
            self.columns,
            torch.from_numpy(token.astype(np.int64)),
            torch.from_numpy(rule).float(),
            torch.from_numpy(row.astype(np.int64)),
            len(rules),
        )

    def edit(self, dictionary: Dictionary, windows: Sequence[WindowTokens]) -> Edit:
        """Return the edit that paints the tokens of a batch; a pass may have it only once."""
        return Edit(dictionary.header.site, Painter(dictionary, self.targets(windows)))

    def _paint(
        self,
        line: "Line",
        place: Int64[np.ndarray, " token"],
        inside: Bool[np.ndarray, " token"],
        found: Rules,
    ) -> None:
        stroke = line.stroke
        if self.shuffle is not None:
            place = np.where(inside, self._order(stroke)[np.where(inside, place, 0)], place)
        if stroke.phase >= 0:
            inside = inside & (place % 3 == stroke.phase)
        found.painted[inside] = True
        token, column = np.flatnonzero(inside)[:, None], np.array(line.columns)
        found.rule[token, column] = line.rule
        if line.profile is not None:
            position = place[inside] - (stroke.state == "decides")
            found.rule[token, column, 1] = stroke.value * line.profile.at(position, stroke.length)

    def _place(
        self, stroke: Stroke, window: Window, offset: Int64[np.ndarray, " token"]
    ) -> Int64[np.ndarray, " token"]:
        """Return the place in a stroke, from its 5' end, of bases at offsets in a window."""
        kept, strand = window.kept, window.kept.strand
        if strand == "-":
            place = stroke.end - 1 - (kept.end - 1 + window.warmup - offset)
        else:
            place = kept.start - window.warmup + offset - stroke.start
        found: Int64[np.ndarray, " token"] = (place - self.shift) % self.period[stroke.seqid]
        return found

    def _order(self, stroke: Stroke) -> Int64[np.ndarray, " place"]:
        name = f"places of {stroke.seqid}:{stroke.start}-{stroke.end}{stroke.strand}"
        return rng(int(self.shuffle or 0), name).permutation(stroke.length)

    def _near(self, window: Window) -> Bool[np.ndarray, " line"]:
        """Return which lines are painted on a token of a window, or just outside."""
        kept = window.kept
        first = kept.start - (window.cooldown if kept.strand == "-" else window.warmup)
        # one token more on either side, for states that decide a base and for a shift
        room = 2 + abs(self.shift)
        first, length = first - room, window.length + 2 * room
        period = self.period.get(kept.seqid, _ENDLESS)
        start, end = self._starts, self._ends
        meets = ((start - first) % period < length) | ((first - start) % period < end - start)
        found: Bool[np.ndarray, " line"] = (
            meets & (self._seqids == kept.seqid) & np.isin(self._strands, [kept.strand, "."])
        )
        return found

    @cached_property
    def _starts(self) -> Int64[np.ndarray, " line"]:
        return np.array([line.stroke.start for line in self.lines], np.int64)

    @cached_property
    def _ends(self) -> Int64[np.ndarray, " line"]:
        return np.array([line.stroke.end for line in self.lines], np.int64)

    @cached_property
    def _seqids(self) -> np.ndarray:
        return np.array([line.stroke.seqid for line in self.lines], object)

    @cached_property
    def _strands(self) -> np.ndarray:
        return np.array([line.stroke.strand for line in self.lines], object)

    def _check_once(self) -> None:
        """Refuse two strokes that paint one feature in one state."""
        groups: dict[tuple[str, Strand, int], list[tuple[str, Stroke]]] = {}
        for (where, stroke), line in zip(self.canvas.located(), self.lines, strict=True):
            strands: tuple[Strand, ...] = ("+", "-") if stroke.strand == "." else (stroke.strand,)
            for feature in {self.columns[column].feature for column in line.columns}:
                for strand in strands:
                    groups.setdefault((stroke.seqid, strand, feature), []).append((where, stroke))
        for (seqid, strand, feature), strokes in groups.items():
            if len(strokes) > 1:
                self._check_group(strokes, self.lengths[seqid], strand, feature)

    def _check_group(
        self, strokes: Sequence[tuple[str, Stroke]], length: int, strand: Strand, feature: int
    ) -> None:
        painted = np.full(length + 2, -1, np.int64)
        for number, (where, stroke) in enumerate(strokes):
            base = _states(stroke, strand)
            period = self.period[stroke.seqid]
            base = base % period if period != _ENDLESS else base
            # the state before the first base of a linear contig has no base of its own
            taken = painted[base + 1]
            if (taken >= 0).any():
                other = strokes[int(taken[taken >= 0][0])][0].rsplit(": ", 1)[1]
                expected = f"one stroke for f/{feature} in one state on {strand}"
                raise InputError(where, expected, f"another in {other}")
            painted[base + 1] = number


@dataclass(frozen=True)
class Line:
    """A stroke in terms of columns and amounts.

    The rule is as in `genointerp.sae.paint.Targets`; what it adds comes from a profile, if any.
    """

    stroke: Stroke
    columns: tuple[int, ...]
    rule: tuple[float, float, float]
    profile: Profile | None = None


def check_dictionary(header: DictionaryHeader, spec: ModelSpec) -> None:
    """Refuse a dictionary of another model, or of a site that the model does not have.

    That of the model that was edited is refused too, unless it was asked for.

    Raises
    ------
    MismatchError
        If it is one.
    """
    name, sha256 = spec.dictionaries_of
    own = Identity(f"model {spec.name}", name, sha256, d_in=spec.d_site)
    header.identity.check(own, "model", "width")
    if not has_site(spec, header.site):
        expected = f"a site of {spec.name} ({spec.sites[0]} to {spec.sites[-1]})"
        raise MismatchError(str(header.folder), expected, header.site)


def _check_tokens(canvas: Canvas, spec: ModelSpec) -> None:
    """Refuse what tokens of several bases cannot carry."""
    if spec.bases_per_token == 1:
        return
    for where, stroke in canvas.located():
        if stroke.phase >= 0:
            expected = f"no phase, since tokens of {spec.name} are not bases"
            raise InputError(f"{where}: phase", expected, str(stroke.phase))
        # the base that a token decides and the one that it begins with are several bases apart
        if stroke.state != (first := canvas.strokes[0].state):
            expected = f"{first} as in row 1, since tokens of {spec.name} are not bases"
            raise InputError(f"{where}: state", expected, stroke.state)


def _line(
    stroke: Stroke,
    canvas: Canvas,
    header: DictionaryHeader,
    columns: dict[Column, int],
    where: str,
) -> Line:
    when = None if stroke.when == "" else _feature(stroke.when, header, f"{where}: when")
    if stroke.mode == "profile":
        profile = canvas.profiles[str(stroke.feature)]
        features = list(profile.features)
        for feature in features:
            header.check_feature(feature)
    else:
        profile, features = None, [_feature(stroke.feature, header, where)]
    if stroke.mode in IN_UNITS and np.isnan(stroke.unit):
        expected = "the unit of the feature (a column, or features to measure it on)"
        raise InputError(f"{where}: unit", expected, "none")
    places = tuple(columns.setdefault(Column(it, when), len(columns)) for it in features)
    amount = stroke.value * stroke.unit
    rule = {
        "set": (0.0, amount, -np.inf),
        "raise": (1.0, 0.0, amount),
        "add": (1.0, amount, -np.inf),
        "scale": (stroke.value, 0.0, -np.inf),
        "ablate": (0.0, 0.0, -np.inf),
        "profile": (0.0, 0.0, -np.inf),
    }[stroke.mode]
    return Line(stroke, places, rule, profile)


def _feature(feature: FeatureName, header: DictionaryHeader, where: str) -> int:
    known = partial(labels_around, header.folder)
    number = feature_number(feature, header.feature_names, where=where, labels=known)
    if not 0 <= number < header.n_features:
        raise UnknownNameError(
            f"{where}: feature", f"a feature from 0 to {header.n_features - 1}", str(number)
        )
    return number


def _states(stroke: Stroke, strand: Strand) -> Int64[np.ndarray, " place"]:
    """Return the base that was read last in each state that a stroke paints, forward."""
    phase, step = (0, 1) if stroke.phase < 0 else (stroke.phase, 3)
    place = np.arange(phase, stroke.length, step) - (stroke.state == "decides")
    return stroke.end - 1 - place if strand == "-" else stroke.start + place
