"""Tests of whether features work together: joint ablation, and a feature pinned in the middle.

A group of features is a circuit only if it does something that its members do not do one by one, or
if what one does goes through another. Everything is done with matched groups too, whose features
are drawn from those that come nearest in how often and how strongly they fire in the same windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from genointerp.annotation.concepts import ConceptElements
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.genome.windows import Window
from genointerp.model.protocol import Edit, SiteActivations
from genointerp.reading.firing_windows import FiringWindows
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted, run_batch
from genointerp.reading.tokens import TokenBatch, genome_passages, tokenised
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.edge import MEDIATION
from genointerp.store.table.table import conform
from genointerp.wiring.group import Change, Group, Member, Plan
from genointerp.wiring.stack import SiteNodes, Stack

_POOL = 4
"""Number of similar features from which each matched one is drawn, for each that is needed."""


@dataclass(frozen=True)
class MediationConfig:
    """Windows in which features are taken out, and the number of matched groups.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_windows: int = 16
    """Windows of each group, around elements of the concept, or bases on which its last feature
    fires."""
    n_matched: int = 19
    """Number of matched groups."""
    window: int = 320
    """Bases of a window, warm-up included."""
    warmup: int = 256
    """First bases of a window, on which no loss is counted."""
    skip: int = 16
    """First bases of a window at which nothing is taken out."""
    batch: int = 32
    """Copies of a window that the model reads at once."""
    seed: int = 0
    """Random seed of the windows and of the matched groups."""

    def __post_init__(self) -> None:
        for name, least in (("n_windows", 1), ("n_matched", 1), ("batch", 1), ("skip", 0)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"at least {least}", str(getattr(self, name)))
        if not self.skip <= self.warmup < self.window:
            expected = f"skip={self.skip} <= warmup < window={self.window}"
            raise ConfigError("warmup", expected, str(self.warmup))

    def changed(self, **values: int | None) -> "MediationConfig":
        """Return a copy with these values; None keeps a value."""
        given: dict[str, Any] = {name: it for name, it in values.items() if it is not None}
        return replace(self, **given)


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
    group, drawn from those nearest in log number of tokens plus log mean activation in the same
    windows. For ``target_lost`` only A is replaced, for ``mediated`` only B. p-values are
    ``(1 + #{null >= observed}) / (1 + n_matched)``, of synergy with absolute values; the others are
    one-sided, so an effect below that of all matched groups has a p of 1.

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
    bench, rows = _Bench(stack, genome, store, elements, config), []
    for done, group in enumerate(groups, 1):
        rows.append(bench.row(group))
        progress(done, len(groups))
    return conform(pd.DataFrame(rows, columns=MEDIATION.names), MEDIATION, where="mediation")


class _Read(NamedTuple):
    """A window as it was read, and which of its tokens are in the concept."""

    batch: TokenBatch
    nodes: tuple[SiteNodes, ...]
    inside: Bool[np.ndarray, " token"]


class _Sums(NamedTuple):
    """Of each change: nats inside and outside of the concept, and amount of the last feature."""

    inside: Float64[np.ndarray, "window change"]
    outside: Float64[np.ndarray, "window change"]
    target: Float64[np.ndarray, " change"]


@dataclass(frozen=True)
class _Bench:
    stack: Stack
    genome: Genome
    store: FeatureStore
    elements: ConceptElements | None
    config: MediationConfig

    def row(self, group: Group) -> dict[str, Any]:
        """Test one group."""
        reads = [self._read(window, group.concept) for window in self._windows(group)]
        n_inside = np.array([_n_bases(read, read.inside) for read in reads], dtype=np.float64)
        n_outside = np.array([_n_bases(read, ~read.inside) for read in reads])
        found: dict[str, Any] = {
            "group": group.name,
            "features": ",".join(self._text(member) for member in group.members),
            "n_features": len(group.members),
            "concept": group.concept,
            "n_windows": len(reads),
            "n_bases": int(n_inside.sum()),
        }
        if not n_inside.sum():
            return found | {name: np.nan for name in MEDIATION.names if name not in found}
        matched = self._matched(group, reads)
        plan = Plan(group, matched, len(self.stack.sites))
        sums = self._sums(reads, plan.changes, group.members[-1])
        inside = (sums.inside - sums.inside[:, :1]).sum(0) / n_inside.sum()
        outside = (sums.outside - sums.outside[:, :1]).sum(0) / max(1, n_outside.sum())
        by_window = (sums.inside[:, plan.joint[0]] - sums.inside[:, 0]) / np.maximum(n_inside, 1)
        return (
            found
            | plan.together(inside)
            | {
                "effect_se": _standard_error(by_window[n_inside > 0]),
                "outside": outside[plan.joint[0]] if n_outside.sum() else np.nan,
            }
            | plan.mediation(inside, sums.target)
        )

    def _text(self, member: Member) -> str:
        return f"{self.stack.sites[member.level]}/{member.feature}"

    def _windows(self, group: Group) -> list[Window]:
        config, spec = self.config, self.stack.model.spec
        reading = HarvestConfig(window=config.window, warmup=config.warmup)
        if group.concept:
            return [
                window
                for interval in self._elements(group.concept, config.window - config.warmup)
                for window in replace(reading, strands=(interval.strand,)).windows(
                    spec, self.genome, [interval]
                )
            ]
        last = group.members[-1]
        if last.level != len(self.stack.sites) - 1:
            expected = f"a last feature of {self.stack.sites[-1]}, or a concept"
            raise InputError(f"group {group.name}", expected, self._text(last))
        around = FiringWindows(self.store, self.genome, reading, config.n_windows, config.seed)
        return around.of(spec, last.feature)

    def _elements(self, concept: str, length: int) -> list[GenomicInterval]:
        """Draw bases of elements of a concept, and return intervals around them, in sense."""
        if self.elements is None or (found := self.elements.of(concept)).empty:
            raise InputError(f"concept {concept}", "elements of it in the annotation", "none")
        random = rng(self.config.seed, f"windows of {concept}")
        n = min(self.config.n_windows, len(found))
        drawn = found.iloc[np.sort(random.choice(len(found), n, replace=False))]
        intervals = []
        for seqid, start, end, strand in zip(
            drawn["seqid"].astype(str),
            drawn["start"].tolist(),
            drawn["end"].tolist(),
            drawn["strand"].tolist(),
            strict=True,
        ):
            base, bases = int(random.integers(start, end)), self.genome[seqid].length
            first = max(0, min(base - length // 2, bases - length))
            own: Strand = "-" if strand == "-" else "+"
            intervals.append(GenomicInterval(seqid, first, min(first + length, bases), own))
        return intervals

    def _read(self, window: Window, concept: str) -> _Read:
        (passage,) = genome_passages(self.genome, [window])
        batch = TokenBatch.of([tokenised(self.stack.model, passage)])
        read, kept = batch.windows[0], window.kept
        inside = read.begun.copy()
        if concept and self.elements is not None:
            offset = read.spans.start - window.warmup
            base = kept.end - 1 - offset if kept.strand == "-" else kept.start + offset
            table = self.elements.of(concept)
            own = table[(table["seqid"] == kept.seqid) & (table["strand"].isin([kept.strand, "."]))]
            covers = [(base >= row.start) & (base < row.end) for row in own.itertuples()]
            inside &= np.any(covers, axis=0)
        return _Read(batch, self.stack.read(batch), inside)

    def _matched(self, group: Group, reads: Sequence[_Read]) -> list[tuple[Member, ...]]:
        """Draw groups of features that fire as often and as strongly in the windows."""
        random, pools = rng(self.config.seed, f"matched to {group.name}"), []
        for member in group.members:
            hits = [read.nodes[member.level] for read in reads]
            feature = torch.cat([it.feature for it in hits]).cpu().numpy()
            amount = torch.cat([it.amount for it in hits]).double().cpu().numpy()
            width = self.stack.dictionaries[member.level].header.n_features
            others = {it.feature for it in group.members if it.level == member.level}
            order = _similar(feature, amount, width, member.feature, others)
            if len(order) < len(group.members):
                expected = f"{len(group.members)} other features that fire there"
                raise InputError(f"matched to {self._text(member)}", expected, str(len(order)))
            pools.append(order[: max(_POOL * self.config.n_matched, len(group.members))])
        found = []
        for _ in range(self.config.n_matched):
            drawn: list[Member] = []
            for member, pool in zip(group.members, pools, strict=True):
                taken = {it.feature for it in drawn if it.level == member.level}
                free = [it for it in pool.tolist() if it not in taken]
                drawn.append(Member(member.level, int(random.choice(free))))
            found.append(tuple(drawn))
        return found

    @torch.no_grad()
    def _sums(self, reads: Sequence[_Read], changes: Sequence[Change], last: Member) -> _Sums:
        shape = (len(reads), len(changes))
        inside, outside, target = np.zeros(shape), np.zeros(shape), np.zeros(len(changes))
        for number, read in enumerate(reads):
            for first in range(0, len(changes), self.config.batch):
                part = slice(first, first + self.config.batch)
                log_probs, amount = self._run(read, changes[part], last)
                known = ~np.isnan(log_probs) & read.batch.windows[0].begun[1:]
                nats = -np.where(known, log_probs, 0.0)
                inside[number, part] = nats[:, read.inside[1:]].sum(1)
                outside[number, part] = nats[:, ~read.inside[1:]].sum(1)
                target[part] += amount
        return _Sums(inside, outside, target)

    def _run(
        self, read: _Read, changes: Sequence[Change], last: Member
    ) -> tuple[Float64[np.ndarray, "change token_minus_1"], Float64[np.ndarray, " change"]]:
        """Return log probabilities, and the amount of the last feature on the kept tokens."""
        lowest, top = self.stack.sites[0], self.stack.dictionaries[-1]
        x = read.nodes[0].x.expand(len(changes), -1, -1)
        edits = [
            Edit(site, partial(self._edited, read, changes, level))
            for level, site in enumerate(self.stack.sites)
            if level
        ]
        found = run_batch(
            self.stack.model,
            read.batch.repeated(len(changes)),
            Wanted(self.stack.sites[1:], log_probs=True),
            begin=SiteActivations(lowest, self._edited(read, changes, 0, x)),
            edits=edits,
        )
        assert found.log_probs is not None, "log_probs are wanted"
        amount = np.zeros(len(changes))
        if edits and last.level == len(self.stack.sites) - 1:
            above = found.activations[self.stack.sites[-1]]
            amounts = top.amounts(above, [last.feature])[..., 0].double().cpu().numpy()
            amount = amounts[:, read.batch.windows[0].n_kept > 0].sum(1)
        return found.log_probs.double().cpu().numpy(), amount

    def _edited(
        self,
        read: _Read,
        changes: Sequence[Change],
        level: int,
        x: Float[Tensor, "change token d"],
    ) -> Float[Tensor, "change token d"]:
        """Take features of a site out of each copy, and pin others at what they are."""
        dictionary, copies = self.stack.dictionaries[level], x.clone()
        for row, change in enumerate(changes):
            out = [it.feature for it in change.out if it.level == level]
            pinned = [it.feature for it in change.pinned if it.level == level]
            if not out and not pinned:
                continue
            clean = dictionary.amounts(read.nodes[level].x, pinned)
            amounts = torch.cat([clean.new_zeros(len(clean), len(out)), clean], dim=1)
            amounts[: self.config.skip] = torch.nan
            copies[row] = dictionary.splice(x[row], amounts, [*out, *pinned])
        return copies


def _standard_error(values: Float64[np.ndarray, " window"]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


def _n_bases(read: _Read, where: Bool[np.ndarray, " token"]) -> int:
    """Return the number of bases of tokens that are predicted somewhere."""
    window = read.batch.windows[0]
    counted = (window.begun & where)[1:]
    return int((window.spans.end - window.spans.start)[1:][counted].sum())


def _similar(
    feature: Int64[np.ndarray, " hit"],
    amount: Float64[np.ndarray, " hit"],
    n_features: int,
    own: int,
    group: set[int],
) -> Int64[np.ndarray, " other"]:
    """Return the features outside of a group, those that fire most like one of it first."""
    n = np.bincount(feature, minlength=n_features)
    mean = np.bincount(feature, amount, minlength=n_features) / np.maximum(n, 1)
    others = np.array([it for it in np.flatnonzero(n) if it not in group], dtype=np.int64)
    if not n[own]:
        return others
    distance = np.abs(np.log(n[others] / n[own])) + np.abs(np.log(mean[others] / mean[own]))
    return others[np.argsort(distance, kind="stable")]
