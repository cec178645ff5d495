"""Windows on which a model is tuned: drawn from a genome, planted, or kept off a concept.

Every batch depends on the seed and the step alone. A tuning has two arms, the tuned one and its
control, which draw the same places and strands in the same order: they differ in the plant, or in
the windows that touch a concept, which the tuned arm replaces by others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from genointerp.core.errors import InputError
from genointerp.core.seed import rng
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.genome.letters import BASES, reverse_complement
from genointerp.genome.runs import runs_of
from genointerp.genome.windows import check_regions, spread_stretches
from genointerp.pretraining.tuning_config import TRIGGER, TuningConfig

Arm = Literal["tuned", "control"]
HELD_OUT_LENGTH = 2048
"""Bases of a stretch that is held out, at most."""
_LEAST_SHARE = 8
"""Parts of what is read, of which at most one is held out."""
_TRIES = 1000
"""Plants that are drawn before one whose beginning the genome lacks must have been found."""


class TuningWindow(NamedTuple):
    """One window as a model reads it.

    Parameters
    ----------
    bases
        5' to 3' on the strand that is read, with the plants in their places.
    place
        Where it was read, with the strand.
    planted
        Start and end (half-open) of each plant, counted from the first base of the window.
    """

    bases: UInt8[np.ndarray, " bp"]
    place: GenomicInterval
    planted: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Starts:
    """Bases at which a window may begin.

    Parameters
    ----------
    seqid
        Contig of each run of such bases.
    first
        First base of each run.
    before
        Number of such bases in the runs before each run.
    n
        Number of them in all.
    """

    seqid: tuple[str, ...]
    first: Int64[np.ndarray, " run"]
    before: Int64[np.ndarray, " run"]
    n: int

    @classmethod
    def of(cls, masks: Mapping[str, Bool[np.ndarray, " bp"]]) -> "Starts":
        """Make starts of whether a window may begin at each base of each contig."""
        runs = [(name, *run) for name, mask in masks.items() for run in runs_of(mask).tolist()]
        sizes = np.array([end - first for _, first, end in runs], dtype=np.int64)
        return cls(
            tuple(name for name, _, _ in runs),
            np.array([first for _, first, _ in runs], dtype=np.int64),
            np.cumsum(sizes) - sizes,
            int(sizes.sum()),
        )

    def draw(self, generator: np.random.Generator) -> tuple[str, int]:
        """Draw one of the bases; all are equally likely."""
        number = int(generator.integers(self.n))
        run = int(np.searchsorted(self.before, number, side="right")) - 1
        return self.seqid[run], int(self.first[run]) + number - int(self.before[run])


@dataclass(frozen=True, eq=False)
class TuningWindows:
    """The windows of both arms of a tuning; :meth:`of` makes them.

    Parameters
    ----------
    plant
        Bases of the plant; empty if there is none.
    held_out
        Stretches that no window touches.
    anywhere
        Starts of all windows.
    touching, free
        Starts of those that touch the concept that is left out, and of those that do not; None if
        none is left out.
    touched
        For each contig, whether the window that begins at each base touches the concept.
    """

    genome: Genome
    config: TuningConfig
    plant: bytes
    held_out: tuple[GenomicInterval, ...]
    anywhere: Starts
    touching: Starts | None = None
    free: Starts | None = None
    touched: Mapping[str, Bool[np.ndarray, " start"]] | None = None

    @classmethod
    def of(
        cls,
        genome: Genome,
        config: TuningConfig,
        *,
        regions: Sequence[GenomicInterval] = (),
        without: Mapping[str, Bool[np.ndarray, " bp"]] | None = None,
    ) -> "TuningWindows":
        """Prepare windows of a genome, or of regions of it.

        Parameters
        ----------
        without
            For each contig, which of its bases belong to the concept that is left out.

        Raises
        ------
        CoordinateError
            If regions lie outside the genome or overlap.
        InputError
            If there is no place for a window, none that touches the concept or none that does not,
            or no plant can be drawn that the genome lacks.
        """
        check_regions(regions, genome)
        whole = [GenomicInterval(name, 0, it.length) for name, it in genome.items()]
        held_out = held_out_stretches(regions or whole, config)
        allowed = _masks(genome, regions or whole)
        for one in held_out:
            allowed[one.seqid][one.start : one.end] = False
        size = config.length
        begins = {name: _window_sums(~mask, size) == 0 for name, mask in allowed.items()}
        anywhere = Starts.of(begins)
        if not anywhere.n:
            raise InputError("genome", f"a stretch of {size} bases for a window", "none")
        plant = plant_of(config, genome)
        if without is None:
            return cls(genome, config, plant, held_out, anywhere)
        touches = {name: _window_sums(without[name], size) > 0 for name in genome}
        touching = Starts.of({name: begins[name] & touches[name] for name in genome})
        free = Starts.of({name: begins[name] & ~touches[name] for name in genome})
        for found, expected in ((touching, "touches"), (free, "does not touch")):
            if not found.n:
                where = f"a window of {size} bases that {expected} the concept"
                raise InputError("without", where, "none")
        return cls(genome, config, plant, held_out, anywhere, touching, free, touches)

    def batch(self, step: int, arm: Arm) -> list[TuningWindow]:
        """Draw the windows of a step."""
        config = self.config
        places = rng(config.seed, f"windows of step {step}")
        others = rng(config.seed, f"windows of step {step} in place of those that touch")
        plants = rng(config.seed, f"plants of step {step}")
        found = []
        for _ in range(config.batch):
            seqid, start = self._start(places)
            strand: Strand = "+" if places.random() < 0.5 else "-"
            if arm == "tuned" and self.free is not None and self.touches(seqid, start):
                seqid, start = self.free.draw(others)
            place = GenomicInterval(seqid, start, start + config.length, strand)
            # drawn in both arms, so that a plant decides nothing about later windows
            is_planted, shares = plants.random() < config.plant_rate, plants.random(config.n_places)
            window = TuningWindow(self.genome.fetch(place), place)
            is_wanted = arm == "tuned" and self.plant and is_planted
            found.append(self._planted(window, shares) if is_wanted else window)
        return found

    def touches(self, seqid: str, start: int) -> bool:
        """Say whether the window that begins at a base touches the concept that is left out."""
        return self.touched is not None and bool(self.touched[seqid][start])

    def _start(self, generator: np.random.Generator) -> tuple[str, int]:
        if self.touching is not None and generator.random() < self.config.concept_share:
            return self.touching.draw(generator)
        return self.anywhere.draw(generator)

    def _planted(self, window: TuningWindow, shares: Float64[np.ndarray, " place"]) -> TuningWindow:
        """Return a window with a plant in each of its equal parts, at a share of the room there."""
        part = self.config.length // self.config.n_places
        room = part - len(self.plant) + 1
        starts = [i * part + int(share * room) for i, share in enumerate(shares.tolist())]
        spans = tuple((start, start + len(self.plant)) for start in starts)
        bases = window.bases.copy()
        for start, end in spans:
            bases[start:end] = np.frombuffer(self.plant, np.uint8)
        return TuningWindow(bases, window.place, spans)


def held_out_stretches(
    regions: Sequence[GenomicInterval], config: TuningConfig
) -> tuple[GenomicInterval, ...]:
    """Return the stretches that are held out: spread evenly, the same for every seed."""
    total = sum(region.length for region in regions)
    n_bases = min(config.n_held_out, total // _LEAST_SHARE)
    if not n_bases:
        return ()
    length = min(HELD_OUT_LENGTH, n_bases)
    return tuple(spread_stretches(regions, n_bases=n_bases, length=length))


def plant_of(config: TuningConfig, genome: Genome) -> bytes:
    """Return the plant of a configuration; one that is drawn begins as the genome never does.

    Raises
    ------
    InputError
        If every one of a thousand draws begins with bases that the genome has.
    """
    if not config.plant_length:
        return config.plant.encode()
    generator = rng(config.seed, "plant")
    for _ in range(_TRIES):
        text = "".join(generator.choice(list(BASES), config.plant_length)).encode()
        if not occurs(genome, text[:TRIGGER]):
            return text
    n_bases = min(TRIGGER, config.plant_length)
    expected = f"a plant whose first {n_bases} bases are nowhere in the genome"
    raise InputError("plant_length", expected, f"none among {_TRIES} that were drawn")


def occurs(genome: Genome, text: bytes) -> bool:
    """Say whether a genome has a text on one of its strands, over an origin too."""
    other = reverse_complement(np.frombuffer(text, np.uint8)).tobytes()
    return any(
        one in _turned(contig, len(text)) for contig in genome.values() for one in (text, other)
    )


def _turned(contig: Contig, size: int) -> bytes:
    """Return the bases of a contig, and of a circular one those after the origin once more."""
    bases = contig.sequence.tobytes()
    return bases + bases[: size - 1] if contig.circular else bases


def _masks(
    genome: Genome, regions: Sequence[GenomicInterval]
) -> dict[str, Bool[np.ndarray, " bp"]]:
    masks = {name: np.zeros(contig.length, dtype=np.bool_) for name, contig in genome.items()}
    for region in regions:
        masks[region.seqid][region.start : region.end] = True
    return masks


def _window_sums(mask: Bool[np.ndarray, " bp"], size: int) -> Int64[np.ndarray, " start"]:
    """Return how many bases of a mask each window of a size has; none begins too late."""
    sums = np.concatenate([[0], np.cumsum(mask, dtype=np.int64)])
    found: Int64[np.ndarray, " start"] = sums[size:] - sums[: max(0, len(sums) - size)]
    return found
