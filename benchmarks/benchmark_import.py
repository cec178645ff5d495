"""What `import genointerp` costs next to the start of Python, and what each first use adds."""

import subprocess
import sys
from pathlib import Path

FULL = {"repeats": 5}

_STEPS = ("import genointerp as gi", "gi.query", "gi.plot", "gi.load_model")
"""In turn, in one process: each pays for what those before it have not loaded."""
_TIMED = "import time; s = time.process_time(); {}; print(time.process_time() - s)\n"


def measure(folder: Path, *, repeats: int) -> dict[str, float]:
    """Return the least CPU seconds of each step over several processes."""
    code = "".join(_TIMED.format(step) for step in _STEPS)
    runs = [[float(line) for line in _output(code, folder).splitlines()] for _ in range(repeats)]
    least = [min(column) for column in zip(*runs, strict=True)]
    return {
        f"s_{step.split()[1] if ' ' in step else step}": s
        for step, s in zip(_STEPS, least, strict=True)
    }


def _output(code: str, folder: Path) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def benchmark_import(tmp_path: Path) -> None:
    assert set(measure(tmp_path, repeats=1)) == {
        "s_genointerp",
        "s_gi.query",
        "s_gi.plot",
        "s_gi.load_model",
    }
