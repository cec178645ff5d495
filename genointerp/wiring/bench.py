"""Windows in which features are taken out, and the losses of the model without them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from genointerp.annotation.concepts import ConceptElements
from genointerp.annotation.raster import ReadingStrand, contig_offsets, element_bases
from genointerp.core.errors import ConfigError, InputError
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
from genointerp.wiring.group import Change, Member
from genointerp.wiring.stack import SiteNodes, Stack

_log = logging.getLogger(__name__)

_POOL = 2
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
    """Windows of each group: at least so many around elements of a concept, at most so many around
    bases on which the last feature fires."""
    n_bases: int = 300
    """Bases of a concept, and of each part of a higher one, at least: more windows than
    ``n_windows`` are drawn until they hold so many, if there are so many."""
    n_marks: int = 4
    """Features of each part of a higher concept, at most."""
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
        least = {"n_windows": 1, "n_bases": 0, "n_marks": 1, "n_matched": 1, "batch": 1, "skip": 0}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise ConfigError(name, f"at least {number}", str(getattr(self, name)))
        if not self.skip <= self.warmup < self.window:
            expected = f"skip={self.skip} <= warmup < window={self.window}"
            raise ConfigError("warmup", expected, str(self.warmup))


class ConceptBases:
    """Which bases of a genome are of concepts, as a strand is read."""

    def __init__(self, elements: ConceptElements, genome: Genome) -> None:
        self.elements = elements
        self._lengths = {name: contig.length for name, contig in genome.items()}
        self._offsets = contig_offsets(self._lengths)
        self._known: dict[tuple[str, Strand], Bool[np.ndarray, " row"]] = {}

    def inside(
        self, concept: str, seqid: str, strand: Strand, base: Int64[np.ndarray, " base"]
    ) -> Bool[np.ndarray, " base"]:
        """Return which bases of a contig are in a concept; they may go around a circular one."""
        row = self._offsets[seqid] + base % self._lengths[seqid]
        return np.asarray(self._rows(concept, strand)[row], np.bool_)

    def count(self, concept: str, interval: GenomicInterval) -> int:
        """Return the number of bases of a concept in an interval, on its strand."""
        base = np.arange(interval.start, interval.end)
        return int(self.inside(concept, interval.seqid, interval.strand, base).sum())

    def element(self, concept: str, interval: GenomicInterval) -> int:
        """Return an element of a concept that an interval touches on its strand; -1 for none."""
        table = self.elements.of(concept)
        is_near = (table["start"] < interval.end) & (table["end"] > interval.start)
        is_near &= (table["seqid"] == interval.seqid) & table["strand"].isin([interval.strand, "."])
        found = table.loc[is_near, "element"]
        return -1 if found.empty else int(found.iloc[0])

    def _rows(self, concept: str, strand: Strand) -> Bool[np.ndarray, " row"]:
        key = (concept, strand)
        if key not in self._known:
            mask = np.zeros(sum(self._lengths.values()), np.bool_)
            own: ReadingStrand = "-" if strand == "-" else "+"
            mask[element_bases(self.elements, self._lengths, concept, strand=own).row] = True
            self._known[key] = mask
        return self._known[key]


class Reading(NamedTuple):
    """A window as it was read, and which of its tokens are in each of some places.

    Parameters
    ----------
    element
        Element of the first concept that it is of, of which other windows may be, too; -1 for none.
    """

    batch: TokenBatch
    nodes: tuple[SiteNodes, ...]
    places: Bool[np.ndarray, "place token"]
    element: int = -1

    def n_bases(self) -> Int64[np.ndarray, " place"]:
        """Return the number of bases of tokens of each place that are predicted somewhere."""
        window = self.batch.windows[0]
        length = np.where(window.begun, window.spans.end - window.spans.start, 0)
        return np.asarray((self.places * length)[:, 1:].sum(1), np.int64)


class Losses(NamedTuple):
    """Of each change: nats in each place of each window, and amount of the last feature."""

    nats: Float64[np.ndarray, "place window change"]
    n_bases: Int64[np.ndarray, "place window"]
    target: Float64[np.ndarray, " change"]
    element: Int64[np.ndarray, " window"]

    def effects(self, place: int) -> Float64[np.ndarray, " change"]:
        """Return what each change adds to the loss in a place, in nats per base."""
        n = int(self.n_bases[place].sum())
        nats = self.nats[place] - self.nats[place, :, :1]
        return np.asarray(nats.sum(0) / n if n else np.full(nats.shape[1], np.nan), np.float64)

    def standard_error(self, place: int, change: int) -> float:
        """Return the standard error of an effect, which is a ratio of sums.

        Windows of one element are not independent: it is over elements, and over the windows that
        are of none. NaN if fewer than two of these have a base of the place.
        """
        n = self.n_bases[place]
        counted = n > 0
        alone = -1 - np.arange(len(n))
        unit = np.unique(
            np.where(self.element < 0, alone, self.element)[counted], return_inverse=True
        )[1]
        n_units = int(unit.max()) + 1 if len(unit) else 0
        if n_units < 2:
            return np.nan
        nats = (self.nats[place, :, change] - self.nats[place, :, 0])[counted]
        left = np.bincount(unit, nats - n[counted] * nats.sum() / n.sum())
        return float(np.sqrt((left**2).sum() * n_units / (n_units - 1)) / n.sum())


@dataclass(frozen=True)
class Bench:
    """A model with its dictionaries, a genome and its features, and how windows are read."""

    stack: Stack
    genome: Genome
    store: FeatureStore
    config: MediationConfig

    def name(self, member: Member) -> str:
        """Return a feature with its site."""
        return f"{self.stack.sites[member.level]}/{member.feature}"

    def around_firing(self, feature: int) -> list[Window]:
        """Return windows around bases on which a feature of the upper dictionary fires."""
        around = FiringWindows(
            self.store, self.genome, self._reading, self.config.n_windows, self.config.seed
        )
        return around.of(self.stack.model.spec, feature)

    def around_elements(self, bases: ConceptBases, concepts: Iterable[str]) -> list[Window]:
        """Return windows, without a base in common on a strand, around elements, in sense.

        Bases of elements are drawn, an element after the other and over again, until the windows
        are as many, and hold as many bases of each concept, as the configuration says.
        """
        spec = self.stack.model.spec
        taken: list[GenomicInterval] = []
        for concept in concepts:
            self._draw(bases, concept, taken)
        return [
            window
            for interval in taken
            for window in replace(self._reading, strands=(interval.strand,)).windows(
                spec, self.genome, [interval]
            )
        ]

    def read(
        self, window: Window, bases: ConceptBases | None = None, concepts: Sequence[str] = ()
    ) -> Reading:
        """Let the model read a window; its places are the concepts, or else the kept bases."""
        (passage,) = genome_passages(self.genome, [window])
        batch = TokenBatch.of([tokenised(self.stack.model, passage)])
        read, kept = batch.windows[0], window.kept
        places = np.tile(read.begun, (max(1, len(concepts)), 1))
        offset = read.spans.start - window.warmup
        base = kept.end - 1 - offset if kept.strand == "-" else kept.start + offset
        for number, concept in enumerate(concepts):
            assert bases is not None, "the bases of concepts are known"
            places[number] &= bases.inside(concept, kept.seqid, kept.strand, base)
        element = bases.element(concepts[0], kept) if bases is not None and concepts else -1
        return Reading(batch, self.stack.read(batch), places, element)

    def matched(
        self,
        name: str,
        members: Sequence[Member],
        reads: Sequence[Reading],
        *,
        where: Mapping[Member, Sequence[int]] | None = None,
    ) -> list[tuple[Member, ...]]:
        """Draw groups of features that fire as often and as strongly where the loss is counted.

        Parameters
        ----------
        name
            Of the group, which gives it a random stream of its own.
        where
            Places in which each feature is matched, on tokens that are in them or before one that
            is; where None, the first place.
        """
        random, pools = rng(self.config.seed, f"matched to {name}"), []
        for member in members:
            feature, amount = self._firing(member.level, reads, where[member] if where else [0])
            width = self.stack.dictionaries[member.level].header.n_features
            others = {it.feature for it in members if it.level == member.level}
            order = _similar(feature, amount, width, member.feature, others, random)
            if len(order) < len(members):
                expected = f"{len(members)} other features that fire there"
                raise InputError(f"matched to {self.name(member)}", expected, str(len(order)))
            pools.append(order[: max(_POOL * self.config.n_matched, len(members))])
        found = []
        for _ in range(self.config.n_matched):
            drawn: list[Member] = []
            for member, pool in zip(members, pools, strict=True):
                taken = {it.feature for it in drawn if it.level == member.level}
                free = [it for it in pool.tolist() if it not in taken]
                drawn.append(Member(member.level, int(random.choice(free))))
            found.append(tuple(drawn))
        return found

    def matched_firing(
        self, groups: Sequence[Sequence[Member]], reads: Sequence[Reading], places: Sequence[int]
    ) -> float:
        """Return how often matched groups fire in places, over how often the first group does.

        It is that of a median group; NaN if the first one does not fire there.
        """
        n = np.zeros(len(groups))
        for level in {member.level for members in groups for member in members}:
            width = self.stack.dictionaries[level].header.n_features
            count = np.bincount(self._firing(level, reads, places)[0], minlength=width)
            for number, members in enumerate(groups):
                n[number] += sum(count[it.feature] for it in members if it.level == level)
        return float(np.median(n[1:]) / n[0]) if n[0] else np.nan

    @torch.no_grad()
    def losses(self, reads: Sequence[Reading], changes: Sequence[Change], last: Member) -> Losses:
        """Return the losses of the model under each change, of which the first should be none.

        Parameters
        ----------
        last
            Feature whose amount on the kept tokens is wanted; only one of an upper site has any.
        """
        n_bases = np.stack([read.n_bases() for read in reads], axis=1)
        nats, target = np.zeros((*n_bases.shape, len(changes))), np.zeros(len(changes))
        for number, read in enumerate(reads):
            for first in range(0, len(changes), self.config.batch):
                part = slice(first, first + self.config.batch)
                log_probs, amount = self._run(read, changes[part], last)
                # the places may hold tokens that are read and not kept
                known = ~np.isnan(log_probs) & read.batch.windows[0].begun[1:]
                lost = -np.where(known, log_probs, 0.0)
                nats[:, number, part] = read.places[:, 1:].astype(np.float64) @ lost.T
                target[part] += amount
        return Losses(nats, n_bases, target, np.array([read.element for read in reads]))

    @property
    def _reading(self) -> HarvestConfig:
        return HarvestConfig(window=self.config.window, warmup=self.config.warmup)

    def _firing(
        self, level: int, reads: Sequence[Reading], places: Sequence[int]
    ) -> tuple[Int64[np.ndarray, " hit"], Float64[np.ndarray, " hit"]]:
        """Return the features that fire on tokens of places, or before one, and how strongly."""
        features, amounts = [], []
        for read in reads:
            nodes = read.nodes[level]
            own = np.asarray(read.places[list(places)].any(0), np.bool_)
            near = np.append(own[1:], np.False_) | own
            kept = near[nodes.token.cpu().numpy()]
            features.append(nodes.feature.cpu().numpy()[kept].astype(np.int64))
            amounts.append(nodes.amount.double().cpu().numpy()[kept])
        return np.concatenate(features), np.concatenate(amounts)

    def _draw(self, bases: ConceptBases, concept: str, taken: list[GenomicInterval]) -> None:
        """Add intervals around elements of a concept to those that there are."""
        config, found = self.config, bases.elements.of(concept)
        random = rng(config.seed, f"windows of {concept}")
        n_bases, full = sum(bases.count(concept, one) for one in taken), set[int]()
        while len(full) < len(found):
            for number in random.permutation(len(found)).tolist():
                if len(taken) >= config.n_windows and n_bases >= config.n_bases:
                    return
                if number in full:
                    continue
                interval = self._around(found.iloc[number], taken, random)
                if interval is None:
                    full.add(number)
                else:
                    taken.append(interval)
                    n_bases += bases.count(concept, interval)
        if n_bases < config.n_bases:
            _log.warning(
                "%s: %d bases in windows without one in common, of %d that were asked for",
                concept,
                n_bases,
                config.n_bases,
            )

    def _around(
        self, element: pd.Series, taken: Sequence[GenomicInterval], random: np.random.Generator
    ) -> GenomicInterval | None:
        """Return an interval around a base of an element, as long as what is kept of a window.

        It has no base in common with those that are taken; None if there is no room for another.
        """
        contig = self.genome[element["seqid"]].length
        length = min(self.config.window - self.config.warmup, contig)
        own: Strand = "-" if element["strand"] == "-" else "+"
        base = np.arange(element["start"], element["end"])
        first = np.clip(base - length // 2, 0, contig - length)
        for one in taken:
            if (one.seqid, one.strand) == (element["seqid"], own):
                first = first[(first >= one.end) | (first + length <= one.start)]
        if not len(first):
            return None
        start = int(random.choice(first))
        return GenomicInterval(element["seqid"], start, start + length, own)

    def _run(
        self, read: Reading, changes: Sequence[Change], last: Member
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
        read: Reading,
        changes: Sequence[Change],
        level: int,
        x: Float[Tensor, "change token d"],
    ) -> Float[Tensor, "change token d"]:
        """Take features of a site out of each copy, and pin others at what they are."""
        named = {it for change in changes for it in (*change.out, *change.pinned)}
        features = sorted(it.feature for it in named if it.level == level)
        if not features:
            return x
        dictionary = self.stack.dictionaries[level]
        column = {Member(level, feature): number for number, feature in enumerate(features)}
        clean = dictionary.amounts(read.nodes[level].x, features)
        amounts = clean.new_full((*x.shape[:2], len(features)), torch.nan)
        for row, change in enumerate(changes):
            for member in change.out:
                if member in column:
                    amounts[row, self.config.skip :, column[member]] = 0
            for member in change.pinned:
                if member in column:
                    own = column[member]
                    amounts[row, self.config.skip :, own] = clean[self.config.skip :, own]
        return dictionary.splice(x, amounts, features)


def _similar(
    feature: Int64[np.ndarray, " hit"],
    amount: Float64[np.ndarray, " hit"],
    n_features: int,
    own: int,
    group: set[int],
    random: np.random.Generator,
) -> Int64[np.ndarray, " other"]:
    """Return the features outside of a group, those that fire most like one of it first.

    They are in random order if that one does not fire.
    """
    n = np.bincount(feature, minlength=n_features)
    mean = np.bincount(feature, amount, minlength=n_features) / np.maximum(n, 1)
    others = np.array([it for it in np.flatnonzero(n) if it not in group], dtype=np.int64)
    if not n[own]:
        return random.permutation(others)
    distance = np.abs(np.log(n[others] / n[own])) + np.abs(np.log(mean[others] / mean[own]))
    return others[np.argsort(distance, kind="stable")]
