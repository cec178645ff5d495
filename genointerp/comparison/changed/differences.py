"""Baselines without a dictionary: mean differences of activations, and their components.

A mean difference is what a model adds, on average, to what its base computes at the same bases. It
needs no training. It is read by the directions of the dictionary, and by what the loss of the
tuned model becomes without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64, UInt64

from genointerp.annotation.concepts import ConceptElements, Orientation
from genointerp.annotation.raster import contig_offsets, element_bases
from genointerp.comparison.changed.joint_reading import check_together
from genointerp.comparison.changed.patch import Patches
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import ConfigError
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.metrics import RunningMoments
from genointerp.store.feature.store import STRANDS, ReadStrand
from genointerp.store.table.schema.changed import ACTIVATION_DIFFERENCE
from genointerp.store.table.table import conform

MOST_CONCEPTS = 64
"""Most concepts, since a base has a bit for each."""

Vectors = Float64[np.ndarray, "vector d"]


@dataclass(frozen=True)
class DifferenceConfig:
    """How differences of activations are measured.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    places: tuple[int, ...] = (-8, -1, 0, 1, 8)
    """Bases from the start of an element, in reading direction, at which a mean is taken."""
    n_components: int = 5
    """Components of the differences in the table."""
    n_patched: int = 2
    """Concepts of the largest differences whose difference is taken out, besides that of all."""
    n_windows: int = 4
    """Windows, spread over what is read, on which the loss without a difference is measured."""
    n_random: int = 64
    """Random directions, and differences of random pairs, with which each is compared."""
    seed: int = 0
    """Random seed of these."""

    def __post_init__(self) -> None:
        for name in ("n_components", "n_windows", "n_random"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))
        if self.n_patched < 0:
            raise ConfigError("n_patched", "0 or more", str(self.n_patched))


class Group(NamedTuple):
    """Bases over which a difference is averaged."""

    kind: str
    concept: str = ""
    orientation: str = ""
    place: int = 0


def measure_differences(  # noqa: PLR0913 - each is a choice of the user
    models: ModelSet,
    dictionary: Dictionary,
    genome: Genome,
    *,
    elements: ConceptElements | None = None,
    windows: HarvestConfig | None = None,
    config: DifferenceConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> pd.DataFrame:
    """Average the differences of activations at the site of a dictionary, and take them apart.

    Returns
    -------
    pandas.DataFrame
        A row for all bases, for each concept in its own orientation, for places around the starts
        of its elements, and for the components of the differences around their mean.

    Notes
    -----
    ``size = |mean(x' - x)| / sqrt(sum var(x))`` with x of the base model and x' of the tuned one.
    Components are eigenvectors of the covariance of ``x' - x``. ``cosine_p`` is the share of
    differences of random pairs of activations of the base model that are as near to a direction of
    the dictionary. A patch subtracts a mean difference from the tuned model at every token; its
    nulls are random directions, and differences of random pairs of its activations, of equal norm.
    """
    config = DifferenceConfig() if config is None else config
    windows = HarvestConfig() if windows is None else windows
    check_together(dictionary, models.base, list(models.by_role.values())[1:])
    groups = _Groups.of(genome, elements, config.places)
    sums = _Sums(dictionary.header.d_in, len(groups.names), config.n_random, config.seed)
    site = dictionary.header.site
    for found in models.read(
        genome, Wanted((site,)), config=windows, regions=regions, progress=progress
    ):
        passes = {role: list(one.kept(site)) for role, one in found.items()}
        for number, kept in enumerate(passes["base"]):
            rows = {role: own[number].rows.double().cpu().numpy() for role, own in passes.items()}
            members = groups.of_window(kept.tokens.window.kept, kept.n_kept)
            sums.add({str(role): it for role, it in rows.items()}, members, kept.n_kept)
    patches = Patches(models.tuned, genome, site, windows, regions, config.n_windows)
    return _table(sums, groups.names, dictionary, patches, config)


class _Groups:
    """Which groups each base belongs to, by strand and row."""

    def __init__(
        self,
        names: list[Group],
        offsets: Mapping[str, int],
        bits: dict[ReadStrand, UInt64[np.ndarray, " row"]],
        places: dict[ReadStrand, tuple[Int64[np.ndarray, " place"], Int64[np.ndarray, " place"]]],
    ) -> None:
        self.names, self.offsets, self.bits, self.places = names, offsets, bits, places
        self.n_concepts = sum(name.kind == "concept" for name in names)

    @classmethod
    def of(
        cls, genome: Genome, elements: ConceptElements | None, places: Sequence[int]
    ) -> "_Groups":
        lengths = genome.lengths
        offsets, n_rows = contig_offsets(lengths), sum(lengths.values())
        bits = {strand: np.zeros(n_rows, np.uint64) for strand in STRANDS}
        names = [Group("all")]
        starts: dict[ReadStrand, list[tuple[int, int]]] = {strand: [] for strand in STRANDS}
        concepts = [] if elements is None else _own_labels(elements)
        for number, (concept, orientation) in enumerate(concepts):
            assert elements is not None
            names.append(Group("concept", concept, orientation))
            for strand in STRANDS:
                own = strand if orientation == "sense" else None
                rows = element_bases(elements, lengths, concept, strand=own).row
                bits[strand][rows] |= np.uint64(1) << np.uint64(number)
        for concept, orientation in concepts:
            assert elements is not None
            if orientation != "sense":
                continue
            first = len(names)
            names += [Group("place", concept, orientation, place) for place in places]
            for seqid, strand, start in _starts(elements, concept):
                sign = 1 if strand == "+" else -1
                for index, place in enumerate(places):
                    at = start + sign * place
                    if 0 <= at < lengths[seqid]:
                        starts[strand].append((offsets[seqid] + at, first + index))
        by_strand = {}
        for strand, found in starts.items():
            table = np.array(sorted(found), np.int64).reshape(-1, 2)
            by_strand[strand] = (table[:, 0], table[:, 1])
        return cls(names, offsets, bits, by_strand)

    def of_window(
        self, kept: GenomicInterval, n_kept: Int64[np.ndarray, " row"]
    ) -> Float64[np.ndarray, "group row"]:
        """Return how many bases of each token of a window belong to each group."""
        strand: ReadStrand = "+" if kept.strand == "+" else "-"
        first = self.offsets[kept.seqid] + kept.start
        token = np.repeat(np.arange(len(n_kept)), n_kept)
        found = np.zeros((len(self.names), len(n_kept)))
        found[0] = n_kept
        own = self.bits[strand][first : first + kept.length]
        # tokens are in reading order
        own = own if strand == "+" else own[::-1]
        for number in range(self.n_concepts):
            is_of = ((own >> np.uint64(number)) & np.uint64(1)).astype(np.float64)
            found[1 + number] = np.bincount(token, weights=is_of, minlength=len(n_kept))
        rows, groups = self.places[strand]
        low, high = np.searchsorted(rows, [first, first + kept.length])
        at = rows[low:high] - first
        at = at if strand == "+" else kept.length - 1 - at
        np.add.at(found, (groups[low:high], token[at]), 1)
        return found


def _own_labels(elements: ConceptElements) -> list[tuple[str, Orientation]]:
    """Return the concepts that have elements: sense for one with a strand, both for others."""
    found: list[tuple[str, Orientation]] = [
        (name, "sense" if "sense" in elements.orientations(name) else "both")
        for name in elements.names
        if len(elements.of(name))
    ]
    return found[:MOST_CONCEPTS]


def _starts(elements: ConceptElements, concept: str) -> list[tuple[str, ReadStrand, int]]:
    """Return contig, strand and first base, in reading direction, of each element."""
    table = elements.of(concept)
    found: list[tuple[str, ReadStrand, int]] = []
    for _, parts in table[table["strand"].isin(STRANDS)].groupby("element"):
        row = parts.sort_values("part").iloc[0]
        strand: ReadStrand = "+" if row["strand"] == "+" else "-"
        start = int(row["start"]) if strand == "+" else int(row["end"]) - 1
        found.append((str(row["seqid"]), strand, start))
    return found


class _Sums:
    """Sums of differences by group, their second moments, and pairs of random activations."""

    def __init__(self, d: int, n_groups: int, n_pairs: int, seed: int) -> None:
        self.n: Float64[np.ndarray, " group"] = np.zeros(n_groups)
        self.moments = RunningMoments(d)
        self.draw = rng(seed, "pairs of activations")
        self.total = {role: np.zeros((n_groups, d)) for role in ("tuned", "control")}
        self.second = {role: np.zeros((d, d)) for role in ("tuned", "control")}
        self.roles: set[str] = set()
        self.kept: Vectors = np.zeros((2 * n_pairs, d))
        self.n_seen = 0

    def add(
        self,
        rows: Mapping[str, Float64[np.ndarray, "row d"]],
        members: Float64[np.ndarray, "group row"],
        n_kept: Int64[np.ndarray, " row"],
    ) -> None:
        """Add the tokens of one window."""
        base = rows["base"]
        self.n += members.sum(axis=1)
        self.moments.update(base.repeat(n_kept, axis=0))
        for role in ("tuned", "control"):
            if role in rows:
                self.roles.add(role)
                change = rows[role] - base
                self.total[role] += members @ change
                self.second[role] += (change * n_kept[:, None]).T @ change
        self._keep(base)

    def _keep(self, rows: Float64[np.ndarray, "row d"]) -> None:
        """Keep a random sample of all rows (Vitter 1985, algorithm R)."""
        size = len(self.kept)
        number = self.n_seen + np.arange(len(rows))
        slot = np.where(number < size, number, self.draw.integers(0, number + 1))
        for row in np.flatnonzero(slot < size).tolist():
            self.kept[slot[row]] = rows[row]
        self.n_seen += len(rows)

    def means(self, role: str) -> Float64[np.ndarray, "group d"] | None:
        """Return the mean difference of each group; None for a model that was not read."""
        if role not in self.roles:
            return None
        n = self.n[:, None]
        return np.asarray(np.where(n > 0, self.total[role] / np.maximum(n, 1), np.nan))

    def pairs(self) -> Vectors:
        """Return differences of random pairs of activations of the base model that differ."""
        n = min(self.n_seen, len(self.kept)) // 2
        found = self.kept[:n] - self.kept[n : 2 * n]
        return np.asarray(found[np.linalg.norm(found, axis=1) > 0])

    def components(self, role: str) -> tuple[Float64[np.ndarray, " d"], Vectors]:
        """Return the shares and the directions of the components, the largest first."""
        n, mean = self.n[0], self.total[role][0] / self.n[0]
        value, vector = np.linalg.eigh(self.second[role] / n - np.outer(mean, mean))
        value = np.maximum(value[::-1], 0)
        whole = value.sum()
        return value / whole if whole > 0 else value, vector.T[::-1]


def _table(
    sums: _Sums,
    names: Sequence[Group],
    dictionary: Dictionary,
    patches: Patches,
    config: DifferenceConfig,
) -> pd.DataFrame:
    tuned, control = sums.means("tuned"), sums.means("control")
    assert tuned is not None
    spread = float(np.sqrt(sums.moments.total_variance))
    nearest = _Directions(dictionary, sums.pairs())
    size = np.linalg.norm(tuned, axis=1) / spread
    patched = _patched(names, size, sums.n, config)
    rows = []
    for number, name in enumerate(names):
        mean = tuned[number]
        feature, cosine, p = nearest.of(mean)
        own = np.full(mean.shape, np.nan) if control is None else control[number]
        row = {
            **name._asdict(),
            "component": 0,
            "n_bases": round(float(sums.n[number])),
            "size": float(size[number]),
            "control_size": float(np.linalg.norm(own)) / spread,
            "control_cosine": _cosine(mean, own),
            "share": np.nan,
            "feature": feature,
            "cosine": cosine,
            "cosine_p": p,
        }
        if number in patched and size[number] > 0:
            row |= patches.measure(mean, sums.pairs(), config.n_random, config.seed)._asdict()
        rows.append(row)
    share, vectors = sums.components("tuned")
    other = None if control is None else sums.components("control")[1][: config.n_components]
    for number in range(min(config.n_components, len(vectors)) if share.sum() > 0 else 0):
        feature, cosine, p = nearest.of(vectors[number])
        inside = np.nan if other is None else float(np.linalg.norm(other @ vectors[number]))
        rows.append(
            {
                **Group("component")._asdict(),
                "component": number + 1,
                "n_bases": round(float(sums.n[0])),
                "control_cosine": inside,
                "share": float(share[number]),
                "feature": feature,
                "cosine": cosine,
                "cosine_p": p,
            }
        )
    frame = pd.DataFrame(rows, columns=ACTIVATION_DIFFERENCE.names)
    return conform(frame, ACTIVATION_DIFFERENCE, where="activation difference")


def _patched(
    names: Sequence[Group],
    size: Float64[np.ndarray, " group"],
    n: Float64[np.ndarray, " group"],
    config: DifferenceConfig,
) -> set[int]:
    """Return all bases, and the concepts of the largest differences."""
    concepts = [i for i, name in enumerate(names) if name.kind == "concept" and n[i] > 0]
    largest = sorted(concepts, key=lambda i: -size[i])[: config.n_patched]
    return {0, *largest}


class _Directions:
    """Finds the nearest direction of a dictionary, and how near random differences are to one."""

    def __init__(self, dictionary: Dictionary, pairs: Vectors) -> None:
        directions = dictionary.directions.double().cpu().numpy()
        self.rows = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        norm = np.linalg.norm(pairs, axis=1, keepdims=True)
        self.chance = np.abs(pairs / np.where(norm > 0, norm, 1) @ self.rows.T).max(axis=1)

    def of(self, vector: Float64[np.ndarray, " d"]) -> tuple[int, float, float]:
        """Return the feature, the cosine and its p-value; -1 and NaN for a vector of 0."""
        norm = float(np.linalg.norm(vector))
        if not norm > 0:
            return -1, np.nan, np.nan
        cosines = self.rows @ vector / norm
        best = int(np.abs(cosines).argmax())
        n_as_high = int(np.count_nonzero(self.chance >= abs(cosines[best])))
        return best, float(cosines[best]), (1 + n_as_high) / (1 + len(self.chance))


def _cosine(a: Float64[np.ndarray, " d"], b: Float64[np.ndarray, " d"]) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else np.nan
