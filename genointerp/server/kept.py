"""What was made last and may be asked for again, from any thread."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values that were made last, up to a total size.

    Parameters
    ----------
    make
        Makes the value of a key. Two threads may make the same value at the same time.
    most
        Largest total size; the value that was asked for last is always kept.
    size
        Size of a value; each counts as one if not given.
    """

    def __init__(
        self,
        make: Callable[[Key], Value],
        *,
        most: int,
        size: Callable[[Value], int] = lambda _: 1,
    ) -> None:
        self._make, self._most, self._size = make, most, size
        self._values: dict[Key, Value] = {}
        self._lock = Lock()

    def get(self, key: Key) -> Value:
        """Return the value of a key, which is made if it is not there."""
        with self._lock:
            if key in self._values:
                # the last one asked for stands last
                self._values[key] = self._values.pop(key)
                return self._values[key]
        value = self._make(key)
        with self._lock:
            self._values[key] = value
            while (
                len(self._values) > 1 and sum(map(self._size, self._values.values())) > self._most
            ):
                del self._values[next(iter(self._values))]
        return value
