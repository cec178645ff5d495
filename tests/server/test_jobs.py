"""Work for the model: one piece at a time, with an end."""

from threading import Event

import pytest

from genointerp.core.errors import InputError, UnknownNameError
from genointerp.server.jobs import MAX_WAITING, N_KEPT, Jobs


@pytest.fixture
def jobs():
    found = Jobs()
    yield found
    found.close()


def ended(job):
    """Wait for a job, whatever its end."""
    job.future.exception(timeout=60)
    return job.state


def held(gate):
    """Work that reports until a gate is open."""

    def work(report):
        while not gate.wait(0.005):
            report(1, 2)
        return "opened"

    return work


def test_one_piece_is_under_way_at_a_time_in_the_order_in_which_they_came(jobs):
    gate, order = Event(), []
    first = jobs.add(held(gate))
    others = [jobs.add(lambda _, number=number: order.append(number)) for number in range(3)]
    assert [jobs.told(job.number)["ahead"] for job in (first, *others)] == [0, 1, 2, 3]
    assert {job.state for job in others} == {"waiting"}
    gate.set()
    assert [ended(job) for job in (first, *others)] == ["done"] * 4
    assert (order, jobs.result(first.number, str)) == ([0, 1, 2], "opened")
    with pytest.raises(InputError, match="job 1: expected one that was asked this, found another"):
        jobs.result(first.number, int)


def test_work_is_cancelled_while_it_waits_and_while_it_is_under_way(jobs):
    first, second = jobs.add(held(Event())), jobs.add(lambda _: "never")
    assert jobs.cancel(second.number)["state"] == "cancelled"
    jobs.cancel(first.number)
    assert ended(first) == "cancelled"
    with pytest.raises(InputError, match=r"job 1: expected one that is done, found .* cancelled"):
        jobs.result(first.number, object)


def test_what_fails_is_one_line_and_does_not_stop_what_comes_after(jobs):
    def wrong(_):
        raise InputError("dose", "a finite one", "inf")

    def broken(_):
        raise RuntimeError("out of\n  memory")

    told = [jobs.add(work) for work in (wrong, broken, lambda _: 7)]
    assert [ended(job) for job in told] == ["failed", "failed", "done"]
    assert [job.error for job in told] == [
        "dose: expected a finite one, found inf",
        "RuntimeError: out of memory",
        "",
    ]


def test_few_may_wait_and_few_are_kept(jobs):
    gate = Event()
    waiting = [jobs.add(held(gate)) for _ in range(MAX_WAITING)]
    with pytest.raises(InputError, match=f"at most {MAX_WAITING - 1} that wait"):
        jobs.add(held(gate))
    gate.set()
    assert {ended(job) for job in waiting} == {"done"}
    for _ in range(N_KEPT):
        ended(jobs.add(lambda _: None))
    with pytest.raises(UnknownNameError, match="job: expected one of the last"):
        jobs.get(1)
