"""A canvas: where and how the amounts of features are to be changed, in coordinates of a genome.

Its file is specified in ``docs/schema/tables.md``; `genointerp.intervention.schedule` turns it into
what becomes of each state of a model.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.annotation.raster import element_bases
from genointerp.core.arguments import FeatureName, StrPath
from genointerp.core.errors import CoordinateError, InputError, SchemaError
from genointerp.core.identity import Identity
from genointerp.core.notebook import facts_table
from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.store.feature.store import STRANDS, FeatureStore
from genointerp.store.table.identity import SAE
from genointerp.store.table.schema.intervention import CANVAS, PROFILES
from genointerp.store.table.table import (
    conform,
    empty_table,
    has_metadata,
    read_provenance,
    read_table,
    read_written,
    write_table,
)

Mode = Literal["set", "raise", "add", "scale", "ablate", "profile"]
State = Literal["decides", "reads"]

IN_UNITS = ("set", "raise", "add")
"""Modes whose value is a dose, in units of the feature; that of a profile is in its own units."""
_LAST_POSITION = 1_000_000
"""Position up to which a profile may go; no element is as long."""


@dataclass(frozen=True)
class Stroke:
    """One row of a canvas: what becomes of one feature on one stretch.

    Parameters
    ----------
    seqid, start, end
        The stretch ``[start, end)``, 0-based, forward strand; it may go beyond the length of a
        circular contig, by less than a turn.
    strand
        Reading strand that is painted; both where ``"."``.
    feature
        Number or name of a feature; in the mode ``profile``, name of a profile.
    mode
        ``set`` the amount, ``raise`` it to a least one, ``add`` to it, ``scale`` it, ``ablate`` it;
        or follow a ``profile``.
    value
        Dose, in units of the feature. A factor in the modes ``scale`` and ``profile``. It has no
        meaning for ``ablate``.
    phase
        Only each third base is painted: the first, second or third (0, 1, 2) of the stretch as it
        is read, and so on; every base where it is -1.
    when
        Only where this feature fires; everywhere where empty.
    state
        Which state of the model belongs to a base: that which ``decides`` it, after the base before
        it was read; or that after it was read (``reads``).
    concept
        Concept on whose bases the unit was or is to be measured; where empty, on all on which the
        feature fires.
    unit
        Activation that dose 1 means, in model units; NaN where it is not known.
    """

    seqid: str
    start: int
    end: int
    strand: Strand
    feature: FeatureName
    mode: Mode
    value: float = math.nan
    phase: int = -1
    when: FeatureName = ""
    state: State = "decides"
    concept: str = ""
    unit: float = math.nan

    @property
    def length(self) -> int:
        """Number of bases of the stretch."""
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class Profile:
    """The mean course of the amounts of some features over the elements of a concept.

    Parameters
    ----------
    features
        Features of the columns.
    course
        Mean amount, in model units, in the state before the first base of the element was read, and
        then in that after each of its bases.
    """

    features: tuple[int, ...]
    course: Float64[np.ndarray, "state feature"]

    def at(self, position: Int64[np.ndarray, " place"], length: int) -> np.ndarray:
        """Return the amounts on an element of ``length`` bases, of a row for each position.

        Parameters
        ----------
        position
            Base of the element that was read last, from 0; -1 before the first.

        Notes
        -----
        The course is stretched to the length, and interpolated linearly between its states.
        """
        last = len(self.course) - 1
        place = (position + 1) * (last / length)
        below = np.minimum(place.astype(np.int64), last)
        share = (place - below)[:, None]
        above = np.minimum(below + 1, last)
        amounts: np.ndarray = (1 - share) * self.course[below] + share * self.course[above]
        return amounts


@dataclass(frozen=True, repr=False)
class Canvas:
    """Where and how features are set: strokes, whose order has no meaning.

    Parameters
    ----------
    strokes
        The rows.
    profiles
        The profiles that strokes name.
    identity
        Genome and dictionary that it was made for, as far as it says; errors name it by its place.

    Raises
    ------
    SchemaError
        If a stroke is no stretch, its value is not finite, or a word is not one of its column.
    """

    strokes: tuple[Stroke, ...]
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    identity: Identity = field(default_factory=lambda: Identity("canvas"))

    def __post_init__(self) -> None:
        for where, stroke in self.located():
            _check(stroke, where, self.profiles)

    def __repr__(self) -> str:
        n_features = len({str(stroke.feature) for stroke in self.strokes})
        return f"Canvas({len(self.strokes):,} strokes of {n_features:,} features)"

    def _repr_html_(self) -> str:
        modes = [stroke.mode for stroke in self.strokes]
        return facts_table(repr(self), {mode: str(modes.count(mode)) for mode in sorted({*modes})})

    @classmethod
    def read(cls, path: StrPath, *, profiles: StrPath | None = None) -> "Canvas":
        """Read a canvas.

        Parameters
        ----------
        path
            A table that `write` wrote, or a ``.tsv`` or ``.csv`` of these columns that anybody
            wrote. Such a file does not say which genome and dictionary it is for.
        profiles
            Table of the profiles that it names.

        Raises
        ------
        SchemaError
            If the file is no canvas; the message names the row.
        """
        identity = Identity(str(path))
        if has_metadata(path):
            table = read_table(path, CANVAS)
            inputs = read_provenance(path, CANVAS).get("inputs") or {}
            identity = Identity(
                str(path), genome_sha256=inputs.get("genome"), dictionary_sha256=inputs.get(SAE)
            )
        else:
            table = read_written(path, CANVAS)
        return cls.from_table(
            table, profiles={} if profiles is None else read_profiles(profiles), identity=identity
        )

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        profiles: Mapping[str, Profile] | None = None,
        identity: Identity | None = None,
    ) -> "Canvas":
        """Return the canvas of a table with the columns of the file, optional ones or not."""
        identity = Identity("canvas") if identity is None else identity
        rows = conform(table, CANVAS, where=identity.where).to_dict("records")
        for number, row in enumerate(rows, 1):
            _check_words(row, f"{identity.where}: row {number}")
        strokes = tuple(Stroke(**{str(name): it for name, it in row.items()}) for row in rows)
        return cls(strokes, profiles or {}, identity)

    def table(self) -> pd.DataFrame:
        """Return the strokes as a table with all columns of the file."""
        names = [it.name for it in fields(Stroke)]
        table = pd.DataFrame([asdict(stroke) for stroke in self.strokes], columns=names)
        texts = {name: table[name].map(str) for name in ("feature", "when")}
        return conform(table.assign(**texts), CANVAS, where=self.identity.where)

    def write(self, path: StrPath) -> None:
        """Write the canvas, with the genome and the dictionary that it is for, as it says.

        The profiles that it names stand in a table ``.profiles`` of the same name.

        Raises
        ------
        InputError
            If the suffix is not that of a table.
        """
        inputs = {"genome": self.identity.genome_sha256, SAE: self.identity.dictionary_sha256}
        known = {name: sha256 for name, sha256 in inputs.items() if sha256}
        out = Path(path)
        write_table(self.table(), out, CANVAS, Provenance({}, known))
        if self.profiles:
            beside = out.with_name(f"{out.stem}.profiles{out.suffix}")
            write_table(self.profile_table(), beside, PROFILES, Provenance({}, known))

    def profile_table(self) -> pd.DataFrame:
        """Return the profiles as a table, as `read_profiles` reads it; amounts of 0 have no row.

        Each profile has all rows of its last position, which say how long it is.
        """
        tables = [_rows_of(name, profile) for name, profile in self.profiles.items()]
        if not tables:
            return empty_table(PROFILES)
        found = pd.concat(tables, ignore_index=True)
        return conform(found, PROFILES, where=self.identity.where)

    @property
    def lacks_units(self) -> bool:
        """Whether a stroke is in units that are not known."""
        return any(it.mode in IN_UNITS and math.isnan(it.unit) for it in self.strokes)

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts that strokes name, by their unit or by a profile, in order of first use."""
        names = (
            str(it.feature) if it.mode == "profile" else it.concept
            for it in self.strokes
            if it.mode == "profile" or it.concept
        )
        return tuple(dict.fromkeys(names))

    def located(self) -> Iterator[tuple[str, Stroke]]:
        """Yield each stroke with its place, as errors call it."""
        for number, stroke in enumerate(self.strokes, 1):
            yield f"{self.identity.where}: row {number}", stroke

    def check_inside(self, genome: Genome) -> None:
        """Refuse a genome that the canvas is not for, and strokes that leave its contigs.

        Raises
        ------
        MismatchError
            If the canvas names another genome.
        CoordinateError
            If a stroke is on no contig, or ends beyond it; the message names the row.
        """
        self.identity.check(Identity("genome", genome_sha256=genome.sha256), "genome")
        for where, stroke in self.located():
            if stroke.seqid not in genome:
                raise CoordinateError(where, f"one of {', '.join(genome)}", stroke.seqid)
            contig = genome[stroke.seqid]
            beyond = stroke.end > contig.length
            turns = contig.circular and stroke.start < contig.length >= stroke.length
            if beyond and not turns:
                raise CoordinateError(where, f"end <= {contig.length}", f"end={stroke.end}")

    def frame_on(self, place: GenomicInterval, length: int) -> int | None:
        """Return the frame of a place in which the phases of strokes on it count.

        Parameters
        ----------
        place
            A place with a strand.
        length
            Length of its contig.

        Returns
        -------
        int or None
            Number of bases (0, 1, 2) from the 5' end of the place to the nearest that has phase 0.
            None where no stroke on the place has phases, or they have no common frame.
        """
        frames = set()
        for stroke in self.strokes:
            if stroke.phase < 0 or (stroke.seqid, stroke.strand) != (place.seqid, place.strand):
                continue
            # what goes over the origin lies on the places behind it too
            for turn in (0, length):
                start, end = place.start + turn, place.end + turn
                if stroke.start < end and start < stroke.end:
                    first = stroke.start - start if place.strand == "+" else end - stroke.end
                    frames.add(first % 3)
        return frames.pop() if len(frames) == 1 else None

    def times(self, dose: float) -> "Canvas":
        """Return the canvas with all doses multiplied; factors of ``scale`` are no doses."""
        changed = [
            replace(stroke, value=stroke.value * dose)
            if stroke.mode in (*IN_UNITS, "profile")
            else stroke
            for stroke in self.strokes
        ]
        return replace(self, strokes=tuple(changed))

    def with_units(
        self, features: FeatureStore, elements: ConceptElements | None = None
    ) -> "Canvas":
        """Return the canvas with the units that it lacks, measured on features of a genome.

        Parameters
        ----------
        features
            Features of the dictionary on a genome, which need not be that of the canvas.
        elements
            Elements of that genome, if strokes name concepts.

        Notes
        -----
        The unit of a feature is its mean activation over the (base, reading strand) pairs of its
        concept, read in sense, on which it fires; over all on which it fires if the stroke names no
        concept.

        Raises
        ------
        InputError
            If the feature does not fire there, or a concept is named and no elements are known.
        UnknownNameError
            If there is no such feature or concept.
        """
        known: dict[tuple[int, str], float] = {}
        strokes = []
        for where, stroke in self.located():
            if stroke.mode in IN_UNITS and math.isnan(stroke.unit):
                key = features.find_feature(stroke.feature), stroke.concept
                if key not in known:
                    known[key] = _unit(features, elements, *key, where)
                stroke = replace(stroke, unit=known[key])
            strokes.append(stroke)
        return replace(self, strokes=tuple(strokes))

    def flat(self) -> "Canvas | None":
        """Return the canvas without codon phases: the mean over the three, on every base.

        None where no stroke has a phase, or where those of one feature on one stretch have modes
        that have no mean; ``set`` and ``ablate`` have one.
        """
        if all(stroke.phase < 0 for stroke in self.strokes):
            return None
        kept = [stroke for stroke in self.strokes if stroke.phase < 0]
        groups: dict[Stroke, list[Stroke]] = {}
        for stroke in self.strokes:
            if stroke.phase >= 0:
                key = replace(stroke, phase=-1, mode="set", concept="", value=0.0, unit=0.0)
                groups.setdefault(key, []).append(stroke)
        for group in groups.values():
            modes: set[Mode] = {stroke.mode for stroke in group}
            if modes <= {"set", "ablate"}:
                modes = {"set"}
            if len(modes) > 1:
                return None
            kept.append(_mean_of(replace(group[0], phase=-1, mode=modes.pop()), group))
        return replace(self, strokes=tuple(kept))


def read_profiles(path: StrPath) -> dict[str, Profile]:
    """Read a table of profiles.

    Raises
    ------
    SchemaError
        If the file is none, has two rows for one position and feature, or has positions that are
        out of their range.

    Notes
    -----
    A position without a row for a feature has the amount 0.
    """
    table = read_table(path, PROFILES) if has_metadata(path) else read_written(path, PROFILES)
    found = {}
    for name, rows in table.groupby("profile", sort=False):
        where = f"{path}: profile {name}"
        inside = rows["position"].between(-1, _LAST_POSITION).all()
        if not inside or not np.isfinite(rows["amount"]).all():
            expected = f"positions from -1 to {_LAST_POSITION:,}, and finite amounts"
            raise SchemaError(where, expected, "others")
        if (twice := rows.duplicated(["position", "feature"])).any():
            row = rows[twice].iloc[0]
            found_twice = f"two at position {row['position']} of f/{row['feature']}"
            raise SchemaError(where, "one row for each position and feature", found_twice)
        features, column = np.unique(rows["feature"], return_inverse=True)
        course = np.zeros((int(rows["position"].max()) + 2, len(features)))
        course[rows["position"] + 1, column] = rows["amount"]
        if len(course) < 2:
            raise SchemaError(where, "one position or more of an element", "none")
        found[str(name)] = Profile(tuple(features.tolist()), course)
    return found


def _rows_of(name: str, profile: Profile) -> pd.DataFrame:
    """Return the rows of a profile, by position and feature."""
    has_row = profile.course != 0
    has_row[-1] = True
    # a feature that never fires is known by its last row too
    position, column = np.nonzero(has_row)
    return pd.DataFrame(
        {
            "profile": name,
            "position": position - 1,
            "feature": np.array(profile.features, np.int64)[column],
            "amount": profile.course[position, column],
        }
    )


def _check_words(row: Mapping[Any, Any], where: str) -> None:
    """Refuse a word that is not one of its column."""
    for name, words in (("mode", Mode), ("state", State), ("strand", Strand)):
        if row.get(name, get_args(words)[0]) not in get_args(words):
            expected = f"one of {', '.join(get_args(words))}"
            raise SchemaError(f"{where}: {name}", expected, str(row[name]))


def _check(stroke: Stroke, where: str, profiles: Mapping[str, Profile]) -> None:
    _check_words(asdict(stroke), where)
    if not 0 <= stroke.start < stroke.end:
        found = f"start={stroke.start}, end={stroke.end}"
        raise SchemaError(where, "0 <= start < end", found)
    if stroke.mode != "ablate" and not math.isfinite(stroke.value):
        raise SchemaError(f"{where}: value", "a finite number", str(stroke.value))
    if stroke.phase not in (-1, 0, 1, 2):
        raise SchemaError(f"{where}: phase", "0, 1, 2, or -1 for every base", str(stroke.phase))
    if stroke.phase >= 0 and stroke.strand == ".":
        raise SchemaError(f"{where}: strand", "+ or -, as codons have a strand", stroke.strand)
    if not (math.isnan(stroke.unit) or 0 < stroke.unit < math.inf):
        raise SchemaError(f"{where}: unit", "a finite number above 0", str(stroke.unit))
    if stroke.mode == "profile" and stroke.feature not in profiles:
        expected = f"a profile ({', '.join(profiles) or 'none is known'})"
        raise SchemaError(f"{where}: feature", expected, repr(stroke.feature))


def _unit(
    store: FeatureStore, elements: ConceptElements | None, feature: int, concept: str, where: str
) -> float:
    values = []
    for strand in STRANDS:
        track = store.feature(feature, strand)
        inside = np.ones(len(track.row), np.bool_)
        if concept:
            if elements is None:
                raise InputError(where, f"the annotation, to measure on {concept}", "none")
            inside = np.isin(
                track.row, element_bases(elements, store.lengths, concept, strand=strand).row
            )
        values.append(track.value[inside].astype(np.float64))
    found = np.concatenate(values)
    if not len(found):
        place = f"a base of {concept}" if concept else "a base"
        raise InputError(where, f"a unit, or a feature that fires on {place}", f"f/{feature}")
    return float(found.mean())


def _mean_of(key: Stroke, group: Sequence[Stroke]) -> Stroke:
    """Return one stroke that does on every base a third of what a group does on each phase.

    It has the value and the unit of the group, and is otherwise as ``key``.
    """
    if key.mode in ("scale", "profile"):
        # a phase that is not painted keeps what it has; a profile has none to keep
        rest = (3 - len(group)) * (key.mode == "scale")
        return replace(key, value=(sum(it.value for it in group) + rest) / 3, unit=math.nan)
    amounts = [it.value * it.unit for it in group if it.mode != "ablate"]
    units = [it.unit for it in group if it.mode != "ablate"]
    unit = units[0] if units else 1.0
    return replace(key, value=sum(amounts) / (3 * unit), unit=unit)
