"""What is known of a run at work: how far its steps are, the time that is left, their warnings."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping

from genointerp.core.messages import WARNING, Warnings
from genointerp.core.progress import share_of
from genointerp.workflow.cost import Step, duration, elapsed, estimate
from genointerp.workflow.snakemake_log import Job, SnakemakeLog

_log = logging.getLogger(__name__)

ERROR = "genointerp: "
"""Beginning of the one line with which a command ends that cannot go on."""

_SURE_AFTER = 0.1


class Account:
    """Follows a run by what Snakemake and its steps say.

    The time that is left is estimated from the costs of the rules; once a tenth of the run is over,
    by the pace that it has had so far.

    Parameters
    ----------
    bases
        Bases that are read of each genome, on each strand.
    cores
        Threads that all steps together may use.
    speed
        Of this machine, in times of the one of reference.
    show
        Called with a line for each step that is done, and for each error.
    clock
        Seconds since any one moment.
    """

    def __init__(
        self,
        bases: Mapping[str, int],
        *,
        cores: int,
        speed: float,
        show: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bases = bases
        self._cores = cores
        self._speed = speed
        self._show = show
        self._clock = clock
        self._begun = clock()
        self._log = SnakemakeLog()
        self._since: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._n_done: Counter[str] = Counter()
        self._warnings = Warnings()

    def of_snakemake(self, line: str) -> None:
        """Take a line of Snakemake's log."""
        ended = self._log.read(line)
        for job in self._log.running.values():
            self._since.setdefault(job.step, self._clock())
        if ended is not None:
            self._end(ended)

    def of_step(self, step: str, line: str) -> None:
        """Take a line of the log of a step, such as ``ecoli/harvest``."""
        _log.debug("%s: %s", step, line)
        if line.startswith(WARNING):
            self._warnings.add(line.removeprefix(WARNING), by=step)
        elif line.startswith(ERROR):
            self._show(f"{step}: {line.removeprefix(ERROR)}")
        elif (share := share_of(line)) is not None:
            self._shares[step] = share
        else:
            self._said[step] = line

    def status(self) -> str:
        """Return in one line where the run is: steps done, those at work, time gone and left."""
        if not self._log.counts:
            return "planning the steps"
        at_work = []
        for job in self._log.running.values():
            share = self._shares.get(job.step)
            at_work.append(job.step if share is None else f"{job.step} {share:.0%}")
        n_done, n_steps = self._n_done.total(), sum(self._log.counts.values())
        gone = duration(self._clock() - self._begun).removeprefix("about ")
        now = ", ".join(at_work) or "nothing"
        return f"{n_done} of {n_steps} steps done; {now} at work; {gone} gone, {self._left()}"

    def warnings(self) -> list[str]:
        """Return the warnings of all steps in lines, each kind once."""
        return self._warnings.lines()

    def _end(self, job: Job) -> None:
        self._n_done[job.rule] += 1
        n_done, n_steps = self._n_done.total(), sum(self._log.counts.values())
        said = self._said.get(job.step)
        result = f"{job.step}: {said}" if said else job.step
        left = f" ({self._left()})" if n_done < n_steps else ""
        self._show(f"{n_done} of {n_steps} steps done: {result}{left}")

    def _left(self) -> str:
        whole = elapsed(self._steps(self._log.counts), self._cores)
        seconds = self._seconds_left()
        if whole - seconds > _SURE_AFTER * whole:
            seconds *= (self._clock() - self._begun) / (whole - seconds)
        return f"{duration(seconds)} left"

    def _seconds_left(self) -> float:
        running = list(self._log.running.values())
        waiting = Counter(self._log.counts) - self._n_done - Counter(job.rule for job in running)
        steps = self._steps(waiting)
        for job in running:
            (step,) = estimate([(job.rule, job.of)], self._bases, speed=self._speed)
            share = self._shares.get(job.step)
            gone = self._clock() - self._since[job.step]
            left = step.seconds - gone if share is None else step.seconds * (1 - share)
            steps.append(step._replace(seconds=max(left, 0.0)))
        return elapsed(steps, self._cores)

    def _steps(self, counts: Mapping[str, int]) -> list[Step]:
        jobs = [(rule, "") for rule, count in counts.items() for _ in range(count)]
        return estimate(jobs, self._bases, speed=self._speed)
