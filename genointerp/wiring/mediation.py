"""Tests of whether features work together: joint ablation, and a feature pinned in the middle.

A group of features is a circuit only if it does something that its members do not do one by one, or
if what one does goes through another. Everything is done with matched groups too, whose features
are drawn from those that come nearest in how often and how strongly they fire on the same bases.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from genointerp.annotation.concepts import ConceptElements
from genointerp.core.errors import InputError
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.edge import MEDIATION
from genointerp.store.table.table import conform
from genointerp.wiring.bench import Bench, ConceptBases, MediationConfig, Reading
from genointerp.wiring.group import Group, Plan, effects_elsewhere
from genointerp.wiring.stack import Stack


def measure_groups(
    stack: Stack,
    genome: Genome,
    store: FeatureStore,
    groups: Sequence[Group],
    *,
    elements: ConceptElements | None = None,
    config: MediationConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Test whether groups of features work together, as a table of the schema ``MEDIATION``.

    Parameters
    ----------
    stack
        One or two dictionaries of the model.
    store
        Features of ``genome`` with the upper dictionary.
    elements
        Elements of the concepts of the groups.
    progress
        Called with (groups done, groups in all).

    Notes
    -----
    E is the loss with some features taken out, ``x - f_i d_i`` at each token, less the loss of the
    model as it is; nats per base, over the kept bases of the windows in the concept. Amounts are
    those that the features have at that moment: a feature that is taken out at the upper site is
    taken out of what is left after those below were.

    ``synergy = (E_all - sum of E_i) / |E_all|``: above 0 if the features cost more together than
    one by one, below 0 if less, as where one does nothing without the other. For a first feature A
    of the lower site and a last one B of the upper,
    ``target_lost = 1 - sum f_B without A / sum f_B``, and
    ``mediated = 1 - E_A with B pinned / E_A``, where B is pinned by giving it the amount at each
    token that it has if A is there.

    Nulls are of matched groups: each feature is replaced by another of its site that is not in the
    group, drawn from those nearest in log number of tokens plus log mean activation, over the bases
    on which the loss is counted and the one before each. For ``target_lost`` only A is replaced,
    for ``mediated`` only B. p-values are ``(1 + #{null >= observed}) / (1 + n_matched)``, of
    synergy and in ``effect_p_two_sided`` with absolute values; the others are one-sided, so an
    effect below that of all matched groups has an ``effect_p`` of 1.

    Raises
    ------
    InputError
        If a group has no feature of the upper dictionary, or its concept no element.
    MismatchError
        If the features are of another dictionary or genome.
    UnknownNameError
        If a dictionary has no such feature.
    """
    config = MediationConfig() if config is None else config
    stack.dictionaries[-1].header.identity.check(store.identity, "dictionary")
    Identity("genome", genome_sha256=genome.sha256).check(store.identity, "genome")
    for group in groups:
        for member in group.members:
            stack.dictionaries[member.level].header.check_feature(member.feature)
    bench, rows = Bench(stack, genome, store, config), []
    bases = None if elements is None else ConceptBases(elements, genome)
    for done, group in enumerate(groups, 1):
        rows.append(_row(bench, group, bases))
        progress(done, len(groups))
    return conform(pd.DataFrame(rows, columns=MEDIATION.names), MEDIATION, where="mediation")


def _row(bench: Bench, group: Group, bases: ConceptBases | None) -> dict[str, Any]:
    """Test one group."""
    reads = _readings(bench, group, bases)
    n_inside = sum(int(read.n_bases()[0]) for read in reads)
    found: dict[str, Any] = {
        "group": group.name,
        "features": ",".join(map(bench.name, group.members)),
        "n_features": len(group.members),
        "marks_f1": "",
        "concept": group.concept,
        "n_windows": len(reads),
        "n_bases": n_inside,
    }
    if not n_inside:
        return found
    matched = bench.matched(group.name, group.members, reads)
    plan = Plan(group, matched, len(bench.stack.sites))
    losses = bench.losses(reads, plan.changes, group.members[-1])
    inside, outside = losses.effects(0), losses.effects(1)
    found |= plan.together(inside) | plan.mediation(inside, losses.target)
    found["effect_se"] = losses.standard_error(0, plan.joint[0])
    found["matched_firing"] = bench.matched_firing([group.members, *matched], reads, [0])
    found |= effects_elsewhere(
        "outside", outside[plan.joint], losses.standard_error(1, plan.joint[0])
    )
    return found


def _readings(bench: Bench, group: Group, bases: ConceptBases | None) -> list[Reading]:
    """Read the windows of a group; their places are the bases in the concept, and the others."""
    if group.concept:
        if bases is None or bases.elements.of(group.concept).empty:
            raise InputError(f"concept {group.concept}", "elements of it in the annotation", "none")
        windows = bench.around_elements(bases, [group.concept])
        reads = [bench.read(window, bases, [group.concept]) for window in windows]
    else:
        last = group.members[-1]
        if last.level != len(bench.stack.sites) - 1:
            expected = f"a last feature of {bench.stack.sites[-1]}, or a concept"
            raise InputError(f"group {group.name}", expected, bench.name(last))
        reads = [bench.read(window) for window in bench.around_firing(last.feature)]
    return [read._replace(places=np.concatenate([read.places, ~read.places])) for read in reads]
