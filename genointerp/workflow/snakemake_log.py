"""What Snakemake says of its jobs, line by line."""

import re
from dataclasses import dataclass

_COUNT = re.compile(r"^(\w+) +(\d+)$")
_RULE = re.compile(r"^(?:local)?rule (\w+):$")
_DETAIL = re.compile(r"^    (jobid|log|wildcards): (.*)$")
_ERROR = re.compile(r"^Error in (?:rule|group) ")
_FINISHED = re.compile(r"^Finished jobid: (\d+) ")
_TARGET = "all"


@dataclass
class Job:
    """A job that has begun, or of a dry run one that would.

    Parameters
    ----------
    rule
        Its name in the workflow.
    of
        Its wildcards, such as a genome; empty for a step of the whole run.
    log
        Its log, from the run directory.
    """

    rule: str
    of: str = ""
    log: str = ""

    @property
    def step(self) -> str:
        """Name of the step: that of its log, such as ``ecoli/harvest``, or its rule."""
        return (
            self.log.removeprefix("logs/").removesuffix(".log") or f"{self.rule} {self.of}".strip()
        )


class SnakemakeLog:
    """The jobs of a log or of the listing of a dry run, without the target that wants the others.

    Examples
    --------
    >>> log = SnakemakeLog()
    >>> for line in ["localrule encode:", "    jobid: 4", "    wildcards: genome=phage"]:
    ...     log.read(line)
    >>> log.begun
    [Job(rule='encode', of='phage', log='')]
    >>> log.read("Finished jobid: 4 (Rule: encode)")
    Job(rule='encode', of='phage', log='')
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """Number of jobs of each rule that the run has in all."""
        self.begun: list[Job] = []
        """In the order in which they began."""
        self.running: dict[str, Job] = {}
        """By number."""
        self._latest: Job | None = None
        self._has_failed = False
        self._is_counting = False

    def read(self, line: str) -> Job | None:
        """Take a line; return the job that has ended by it, if one has."""
        if line == "Job stats:":
            self._is_counting, self.counts = True, {}
        elif self._is_counting and (count := _COUNT.match(line)):
            self._is_counting = count[1] != "total"
            if count[1] not in ("total", _TARGET):
                self.counts[count[1]] = int(count[2])
        elif rule := _RULE.match(line):
            self._latest = None if rule[1] == _TARGET else Job(rule[1])
            self._has_failed = False
            if self._latest is not None:
                self.begun.append(self._latest)
        elif _ERROR.match(line):
            # what follows is said of the job that failed, and not of the latest
            self._latest, self._has_failed = None, True
        elif detail := _DETAIL.match(line):
            self._take(*detail.groups())
        elif finished := _FINISHED.match(line):
            return self.running.pop(finished[1], None)
        return None

    def _take(self, name: str, value: str) -> None:
        job = self._latest
        if job is None:
            if self._has_failed and name == "jobid":
                self.running.pop(value, None)
        elif name == "jobid":
            self.running[value] = job
        elif name == "log":
            job.log = value.partition(",")[0].partition(" ")[0]
        else:
            job.of = " ".join(pair.partition("=")[2] for pair in value.split(", "))
