"""Joint ablation of the features of a higher concept, and of those of each of its parts."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64

from genointerp.annotation.concepts import ConceptElements
from genointerp.annotation.higher import HigherConcept, define_higher, part_name
from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import marking_features, marks_on_test
from genointerp.core.errors import InputError
from genointerp.core.identity import Identity
from genointerp.core.nearest import unknown
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Genome
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.edge import MEDIATION
from genointerp.store.table.table import conform
from genointerp.wiring.bench import Bench, ConceptBases, Losses, MediationConfig, Reading
from genointerp.wiring.group import Change, Member, effects_elsewhere, joint_effects, joint_synergy
from genointerp.wiring.stack import Stack

_log = logging.getLogger(__name__)


class MarkScores(NamedTuple):
    """F1 on test of each feature with a part, and of a detector that always fires."""

    f1: tuple[float, ...]
    always_on: float


@dataclass(frozen=True)
class HigherGroup:
    """A higher concept, and the features of each of its parts.

    Parameters
    ----------
    parts
        Features of the upper dictionary that mark each part, by the name that
        `genointerp.annotation.higher.part_name` gives to it.
    scores
        How well they mark it on test, if known.
    """

    name: str
    parts: Mapping[str, tuple[int, ...]]
    scores: Mapping[str, MarkScores] = field(default_factory=dict)

    @property
    def features(self) -> tuple[int, ...]:
        """The features of all parts, each once."""
        return tuple(dict.fromkeys(it for features in self.parts.values() for it in features))

    @property
    def is_disjoint(self) -> bool:
        """Whether two parts or more have features, and none is of two of them."""
        sizes = [len(features) for features in self.parts.values() if features]
        return len(sizes) > 1 and len(self.features) == sum(sizes)


def find_marks(
    higher: Mapping[str, HigherConcept],
    specimens: Sequence[Specimen],
    associations: pd.DataFrame,
    *,
    split: AssociateConfig,
    n: int,
    leave_out: bool = False,
    progress: Progress = silent,
) -> list[HigherGroup]:
    """Find the features that mark each part of higher concepts best, on fit.

    See :func:`genointerp.association.summary.marking_features`. A part that is a concept is looked
    up in the associations; the bases before or behind elements are compared with every feature
    here, in the same way.

    Parameters
    ----------
    specimens
        Genomes of the associations, with the elements of the concepts.
    split
        Configuration of the associations.
    n
        Features of a part, at most.
    leave_out
        Leave out, and log, a higher concept that has no marks, instead of raising.

    Raises
    ------
    InputError
        If no feature marks a part of a higher concept.
    UnknownNameError
        If a part is of a concept that the associations do not have.
    """
    sides = {
        part_name(name, key): part
        for name, one in higher.items()
        for key, part in one.parts.items()
        if part.bases != "all"
    }
    tables = [associations]
    if sides:
        placed = [_with_parts(specimen, higher, list(sides)) for specimen in specimens]
        tables.append(associate(placed, config=split, matched=False, progress=progress))
    known, groups = associations["concept"].unique().tolist(), []
    for name, one in higher.items():
        marks: dict[str, tuple[int, ...]] = {}
        scores = {}
        lacking = [it.of for it in one.parts.values() if it.bases == "all" and it.of not in known]
        if lacking and leave_out:
            _log.warning("higher concept %s: no associations of %s", name, ", ".join(lacking))
            continue
        if lacking:
            raise unknown("concept of the associations", lacking[0], known)
        for key, part in one.parts.items():
            own = part_name(name, key)
            concept, table = (own, tables[-1]) if own in sides else (part.of, associations)
            elements = specimens[0].needs("elements")
            orientation = elements.orientations(part.of)[0]
            marks[own] = tuple(marking_features(table, concept, orientation, n))
            if marks[own]:
                f1, always_on = marks_on_test(table, concept, orientation, marks[own])
                scores[own] = MarkScores(tuple(f1), always_on)
        group = HigherGroup(name, marks, scores)
        if not group.features and leave_out:
            _log.warning("higher concept %s: no feature marks a part of it", name)
            continue
        if not group.features:
            raise InputError(f"higher concept {name}", "a feature that marks a part of it", "none")
        groups.append(group)
    return groups


def measure_higher(
    stack: Stack,
    genome: Genome,
    store: FeatureStore,
    groups: Sequence[HigherGroup],
    *,
    elements: ConceptElements,
    config: MediationConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Take the features of higher concepts out, as a table of the schema ``MEDIATION``.

    Parameters
    ----------
    store
        Features of ``genome`` with the upper dictionary.
    elements
        Stretches of the higher concepts and their parts in ``genome``, of `define_higher`.
    progress
        Called with (higher concepts done, higher concepts in all).

    Notes
    -----
    Effects are those of `genointerp.wiring.mediation.measure_groups`. Each higher concept has a row
    for the whole, in which the features of all parts are taken out and the loss is counted on the
    bases of its stretches; and a row for each part, in which the features of that part are taken
    out, and the loss is counted on the bases of the part, on those of the other parts and on those
    outside of the stretches. All rows are of the same windows. They are drawn around elements of
    each part in turn, so that short parts have more of the bases of the whole than in the genome.

    For the synergy of the whole, its parts are what is taken out one by one. It is NaN if a feature
    is of two parts, since it would count twice, and if only one part has features. In a matched
    group each feature of the whole is replaced by one other feature, in the whole as in its parts;
    it is matched on the bases of the parts that it marks, and the one before each.

    Raises
    ------
    InputError
        If the genome has no stretch of a higher concept.
    MismatchError
        If the features are of another dictionary or genome.
    """
    config = MediationConfig() if config is None else config
    stack.dictionaries[-1].header.identity.check(store.identity, "dictionary")
    Identity("genome", genome_sha256=genome.sha256).check(store.identity, "genome")
    bench, rows = Bench(stack, genome, store, config), []
    bases = ConceptBases(elements, genome)
    for done, group in enumerate(groups, 1):
        rows += _rows(bench, group, bases)
        progress(done, len(groups))
    return conform(pd.DataFrame(rows, columns=MEDIATION.names), MEDIATION, where="mediation")


def _with_parts(
    specimen: Specimen, higher: Mapping[str, HigherConcept], parts: Sequence[str]
) -> Specimen:
    """Return a specimen whose elements are those of some parts alone."""
    elements = define_higher(higher, specimen.needs("elements"), specimen.needs("sequence"))
    table = elements.table[elements.table["concept"].isin(parts)].reset_index(drop=True)
    concepts = {name: elements.concepts[name] for name in parts}
    return replace(specimen, elements=ConceptElements(table, concepts))


def _rows(bench: Bench, group: HigherGroup, bases: ConceptBases) -> list[dict[str, Any]]:
    """Test one higher concept."""
    if bases.elements.of(group.name).empty:
        raise InputError(f"higher concept {group.name}", "a stretch of it in the genome", "none")
    places = [group.name, *group.parts]
    windows = bench.around_elements(bases, list(group.parts))
    reads = [_placed(bench.read(window, bases, places)) for window in windows]
    top = len(bench.stack.sites) - 1
    members = [Member(top, feature) for feature in group.features]
    where = {
        member: [i for i, own in enumerate(group.parts.values(), 1) if member.feature in own]
        for member in members
    }
    draws = [members, *bench.matched(group.name, members, reads, where=where)]
    changes, found = [Change()], []
    parts = {group.name: group.features, **group.parts}
    own_draws = [
        [[draw[group.features.index(it)] for it in own] for draw in draws] for own in parts.values()
    ]
    first = {}
    for number, drawn in enumerate(own_draws):
        if drawn[0]:
            first[number] = len(changes)
            changes += [Change(tuple(draw)) for draw in drawn]
    losses = bench.losses(reads, changes, members[-1])
    for number, (name, drawn) in enumerate(zip(parts, own_draws, strict=True)):
        row: dict[str, Any] = {
            "group": name,
            "features": ",".join(map(bench.name, drawn[0])),
            "n_features": len(drawn[0]),
            "marks_f1": "",
            "concept": name,
            "n_windows": len(reads),
            "n_bases": int(losses.n_bases[number].sum()),
        }
        if name in group.scores:
            f1, always_on = group.scores[name]
            row |= {"marks_f1": ",".join(f"{it:.3g}" for it in f1), "marks_f1_always_on": always_on}
        if drawn[0]:
            own = slice(first[number], first[number] + len(draws))
            row |= _effects(losses, number, own, len(group.parts))
            row["matched_firing"] = bench.matched_firing(drawn, reads, [number])
        found.append(row)
    if group.is_disjoint:
        effect = losses.effects(0)[1:].reshape(-1, len(draws))
        found[0] |= joint_synergy(effect[0], effect[1:].sum(0))
    return found


def _placed(read: Reading) -> Reading:
    """Add to the whole and its parts: the other parts of each part, and what is outside."""
    whole, parts = read.places[0], read.places[1:]
    others = [np.delete(parts, number, 0).any(0) & ~own for number, own in enumerate(parts)]
    return read._replace(places=np.stack([whole, *parts, *others, ~whole]))


def _effects(losses: Losses, number: int, own: slice, n_parts: int) -> dict[str, Any]:
    """Return the effects of the whole (0) or of a part, by the changes that take it out."""

    def at(place: int) -> Float64[np.ndarray, " group"]:
        return losses.effects(place)[own]

    found = {
        **joint_effects(at(number)),
        "effect_se": losses.standard_error(number, own.start),
    }
    far = {"outside": 1 + 2 * n_parts} | ({"other_parts": n_parts + number} if number else {})
    for name, place in far.items():
        found |= effects_elsewhere(name, at(place), losses.standard_error(place, own.start))
    return found
