"""What needs an optional package is not collected where that is not installed."""

from importlib.util import find_spec

collect_ignore = (
    []
    if find_spec("triton")
    else ["genointerp/sae/kernel/triton_rows.py", "tests/sae/triton_reference.py"]
)
