"""What is collected, and in which order: nothing that needs an optional package which is absent."""

from importlib.util import find_spec

import pytest

collect_ignore = (
    []
    if find_spec("triton")
    else ["genointerp/sae/kernel/triton_rows.py", "tests/sae/triton_reference.py"]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with modules of slow tests: a long one at the end would leave the other cores idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
