"""Work shared among threads gives what one thread gives, in the same order."""

import threading

import pytest

from genointerp.association.threads import spread


@pytest.mark.parametrize("n", [0, 1, 5])
def test_results_come_in_the_order_of_the_items_and_progress_counts_them(n: int) -> None:
    told: list[int] = []
    assert spread(lambda item: item * item, range(n), told.append) == [i * i for i in range(n)]
    assert told == list(range(1, n + 1))


def test_two_items_are_worked_on_at_once_where_there_are_two_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    meeting = threading.Barrier(2, timeout=30)
    assert sorted(spread(lambda _: meeting.wait(), [0, 1])) == [0, 1]


def test_an_error_of_one_item_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        spread(lambda item: 1 // item, [1, 0])
