"""Work that takes longer than an answer may: one piece after the other, with progress."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from genointerp.core.errors import GenointerpError, InputError, UnknownNameError
from genointerp.core.progress import Progress

MAX_WAITING = 8
"""Most pieces of work that wait or are under way."""

N_KEPT = 32
"""Number of the last pieces of work whose results are kept."""

Result = TypeVar("Result")


class Cancelled(Exception):
    """Raised out of work that nobody wants any more."""


@dataclass(eq=False)
class Job:
    """One piece of work.

    Parameters
    ----------
    number
        By which it is asked for.
    """

    number: int
    is_cancelled: bool = False
    done: int = 0
    total: int = 0
    future: "Future[object]" = field(default_factory=Future)

    def report(self, done: int, total: int) -> None:
        """Take note of progress; it is here that cancelled work ends."""
        if self.is_cancelled:
            raise Cancelled
        self.done, self.total = done, total

    @property
    def state(self) -> str:
        """One of waiting, running, done, failed and cancelled."""
        if not self.future.done():
            return "running" if self.future.running() else "waiting"
        if self.future.cancelled():
            return "cancelled"
        error = self.future.exception()
        if error is None:
            return "done"
        return "cancelled" if isinstance(error, Cancelled) else "failed"

    @property
    def error(self) -> str:
        """What went wrong, as one line; empty if nothing did."""
        error = self.future.exception() if self.state == "failed" else None
        if error is None or isinstance(error, GenointerpError):
            return "" if error is None else str(error)
        return " ".join(f"{type(error).__name__}: {error}".split())


class Jobs:
    """Pieces of work of any kinds, of which one at a time is under way."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._jobs: dict[int, Job] = {}
        self._lock = Lock()

    def add(self, work: Callable[[Progress], object]) -> Job:
        """Put work at the end of the queue.

        Parameters
        ----------
        work
            Called with what it is to report its progress to.

        Raises
        ------
        InputError
            If too much is waiting.
        """
        with self._lock:
            n = sum(not job.future.done() for job in self._jobs.values())
            if n >= MAX_WAITING:
                raise InputError("queue", f"at most {MAX_WAITING - 1} that wait", str(n))
            job = Job(max(self._jobs, default=0) + 1)
            job.future = self._pool.submit(lambda: _ended(job, work))
            self._jobs[job.number] = job
            # the last of them are never waiting, since fewer may wait than are kept
            for number in list(self._jobs)[:-N_KEPT]:
                del self._jobs[number]
            return job

    def get(self, number: int) -> Job:
        """Return a piece of work.

        Raises
        ------
        UnknownNameError
            If there is none of that number, or it was too long ago.
        """
        job = self._jobs.get(number)
        if job is None:
            raise UnknownNameError("job", f"one of the last {N_KEPT} of this server", str(number))
        return job

    def told(self, number: int) -> dict[str, Any]:
        """Return what a page says of a piece of work."""
        job = self.get(number)
        before = [one for one in list(self._jobs.values()) if one.number < number]
        return {
            "job": number,
            "state": job.state,
            "ahead": sum(not one.future.done() for one in before),
            "done": job.done,
            "total": job.total,
            "error": job.error,
        }

    def result(self, number: int, kind: type[Result]) -> Result:
        """Return what came of work that is done.

        Parameters
        ----------
        kind
            Of the result.

        Raises
        ------
        UnknownNameError
            If there is none of that number.
        InputError
            If it is not done, or gave something else.
        """
        job = self.get(number)
        if job.state != "done":
            raise InputError(f"job {number}", "one that is done", f"one that is {job.state}")
        found = job.future.result()
        if not isinstance(found, kind):
            raise InputError(f"job {number}", "one that was asked this", "another one")
        return found

    def cancel(self, number: int) -> dict[str, Any]:
        """End work at once if it waits, otherwise at its next report of progress; see `told`."""
        job = self.get(number)
        job.is_cancelled = True
        job.future.cancel()
        return self.told(number)

    def close(self) -> None:
        """Cancel all work."""
        for number in list(self._jobs):
            self.cancel(number)
        self._pool.shutdown(wait=False, cancel_futures=True)


def _ended(job: Job, work: Callable[[Progress], object]) -> object:
    result = work(job.report)
    # what was cancelled while its last part was made is not wanted either
    job.report(job.total, job.total)
    return result
