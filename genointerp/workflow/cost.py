"""The steps that a run has before it, and about how long each takes on this machine."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from genointerp.workflow.snakemake_log import SnakemakeLog


class Step(NamedTuple):
    """A step of the workflow.

    Parameters
    ----------
    rule
        Its name in the workflow.
    of
        What it is of, such as a genome or a query; empty for a step of the whole run.
    seconds
        Estimate on one core of this machine.
    """

    rule: str
    of: str
    seconds: float


class Cost(NamedTuple):
    """What a step takes on the machine of reference, in CPU seconds.

    Parameters
    ----------
    fixed
        Whatever it is of, most of it to start.
    per_mb
        For each million bases that are read, on both strands.
    is_chained
        Whether other steps wait for it.
    is_of_genome
        Whether it is a step of one genome.
    most
        What is read costs no more than this.
    """

    fixed: float
    per_mb: float
    is_chained: bool = True
    is_of_genome: bool = False
    most: float = math.inf


COSTS: dict[str, Cost] = {
    "harvest": Cost(3, 150, is_of_genome=True),
    "harvest_random": Cost(3, 150, is_chained=False, is_of_genome=True),
    "train_sae": Cost(10, 280, most=85),
    "train_rival": Cost(10, 280, is_chained=False, most=85),
    "encode": Cost(3, 5, is_of_genome=True),
    "encode_rival": Cost(3, 5, is_chained=False, is_of_genome=True),
    "annotate": Cost(2, 4, is_chained=False, is_of_genome=True),
    "find": Cost(2, 4, is_chained=False, is_of_genome=True),
    "evaluate": Cost(16, 10, is_chained=False),
    "associate": Cost(6, 6),
    "baselines": Cost(10, 30, is_chained=False),
    "preselect": Cost(3, 5),
    "ablate": Cost(20, 0),
    "steer": Cost(30, 0, is_chained=False),
    "paint": Cost(60, 0, is_chained=False),
    "edit": Cost(60, 0, is_chained=False),
    "explain": Cost(30, 0, is_chained=False),
    "circuit": Cost(20, 150, is_chained=False),
    "diff": Cost(10, 500, is_chained=False),
    "twin": Cost(20, 435),
    "twin_of_other": Cost(20, 435),
    "match": Cost(20, 60),
    "across": Cost(20, 10, is_chained=False),
    "similar": Cost(10, 25, is_chained=False, most=50),
    "rank": Cost(5, 1),
    "dossier": Cost(4, 1),
    "backtest": Cost(4, 30),
    "label": Cost(5, 180, is_chained=False),
    "score": Cost(5, 70, is_chained=False),
    "report": Cost(18, 10),
}
"""By rule, from the benchmarks of a run of the demo and of one of 48 kb. A training is of ten
passes and six million tokens at most, and losses are of 25,000 bases of each strand."""

OTHER = Cost(3, 0, is_chained=False)
"""Of a rule without an entry."""

JOB = 2.0
"""Seconds in which Snakemake starts a job."""

TRANSFORMS_S = 0.035
"""Seconds that the transforms of `speed` take on the machine of reference: one core, as a matrix
product of numpy may not."""


def planned(listing: str) -> list[tuple[str, str]]:
    r"""Return rule and wildcards of each job that a dry run of Snakemake prints, in its order.

    Examples
    --------
    >>> planned("rule encode:\n    input: a\n    wildcards: genome=phage\nlocalrule all:\n")
    [('encode', 'phage')]
    """
    log = SnakemakeLog()
    for line in listing.splitlines():
        log.read(line)
    return [(job.rule, job.of) for job in log.begun]


def estimate(
    jobs: Iterable[tuple[str, str]], bases: Mapping[str, int], *, speed: float = 1.0
) -> list[Step]:
    """Return the jobs with an estimate of their time.

    A step of a genome that is not named costs as much as one of the mean genome.

    Parameters
    ----------
    bases
        Bases that are read of each genome, on each strand.
    speed
        Of this machine, in times of the one of reference.
    """
    steps = []
    for rule, of in jobs:
        cost = COSTS.get(rule, OTHER)
        own = sum(bases.get(name, 0) for name in of.split())
        others = sum(bases.values()) / (max(len(bases), 1) if cost.is_of_genome else 1)
        n_mb = (own or others) / 1e6
        steps.append(
            Step(rule, of, JOB + (cost.fixed + min(cost.per_mb * n_mb, cost.most)) / speed)
        )
    return steps


def elapsed(steps: Iterable[Step], cores: int) -> float:
    """Return the seconds until all steps have ended: steps that wait for each other take turns."""
    steps = list(steps)
    chain = sum(step.seconds for step in steps if COSTS.get(step.rule, OTHER).is_chained)
    return max(sum(step.seconds for step in steps) / cores, chain)


def speed() -> float:
    """Return how fast one core of this machine computes now, in times of the one of reference.

    It takes a fraction of a second.
    """
    rows = np.random.default_rng(0).standard_normal((256, 4096))
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(5):
            np.fft.rfft(rows)
        times.append(time.perf_counter() - begin)
    return TRANSFORMS_S / min(times)


def as_lines(steps: Sequence[Step], cores: int) -> list[str]:
    """Return the steps as lines, and a last line for all of them."""
    lines = [f"{step.rule} {step.of}".rstrip() for step in steps]
    width = max(map(len, lines), default=0)
    shown = [
        f"{line.ljust(width)}  {duration(step.seconds)}"
        for line, step in zip(lines, steps, strict=True)
    ]
    if not steps:
        return ["nothing to do: every step is done"]
    total = duration(elapsed(steps, cores))
    return [*shown, f"{len(steps)} steps, {total} on {cores} cores (an estimate)"]


def duration(seconds: float) -> str:
    """Return a time in words that promise no more than is known.

    Examples
    --------
    >>> duration(42.0), duration(170.0), duration(4000.0)
    ('about 40 seconds', 'about 3 minutes', 'about 1.1 hours')
    """
    if seconds < 95:
        return f"about {max(5, round(seconds / 10) * 10)} seconds"
    if seconds < 3000:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.1f} hours"
