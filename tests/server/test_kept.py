"""What was made last is kept, up to a total size."""

from genointerp.server.kept import Kept


def test_what_was_asked_for_longest_ago_goes_first():
    made = []

    def make(key):
        made.append(key)
        return key * "x"

    kept = Kept(make, most=6, size=len)
    assert [kept.get(size) for size in (1, 2, 3, 1)] == ["x", "xx", "xxx", "x"]
    assert made == [1, 2, 3]
    # 1 + 3 + 2 are 6 letters: the 2 that was asked for longest ago is made again
    kept.get(2)
    kept.get(4)
    assert made == [1, 2, 3, 4]
    kept.get(3)
    assert made == [1, 2, 3, 4, 3]


def test_the_last_one_is_kept_however_large():
    made = []
    kept = Kept(lambda key: made.append(key) or "x" * 100, most=1, size=len)
    assert len({kept.get("a"), kept.get("a")}) == 1
    assert made == ["a"]
