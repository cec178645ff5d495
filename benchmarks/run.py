"""Every benchmark at its full size: ``python -m benchmarks.run --out FILE``, from the root.

One thread, CPU seconds. Results are kept as ``benchmarks/results/<version>/<machine>.json``.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import torch

from genointerp import __version__

LIBRARIES = ("torch", "numpy", "scipy", "h5py", "pandas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    parser.add_argument("--only", nargs="*", help="benchmarks to run, such as harvest; all if none")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    for path in sorted(Path(__file__).parent.glob("benchmark_*.py")):
        name = path.stem.removeprefix("benchmark_")
        if arguments.only and name not in arguments.only:
            continue
        module = import_module(f"benchmarks.{path.stem}")
        with tempfile.TemporaryDirectory() as folder:
            found = module.measure(Path(folder), **module.FULL)
        results[name] = {"size": module.FULL, "found": {k: rounded(v) for k, v in found.items()}}
        sys.stdout.write(f"{name}\t{results[name]['found']}\n")
    record = {"genointerp": __version__, "machine": machine(), "results": results}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=2) + "\n")


def machine() -> dict[str, object]:
    """What figures depend upon, and nothing that says whose machine it is."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def rounded(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.4g}")


if __name__ == "__main__":
    main()
