"""Training a dictionary with this package and with its peers, side by side in one run.

``python -m benchmarks.peers --python PYTHON --activations STORE --out FILE``, where PYTHON is an
environment in which ``sae-lens``, ``dictionary-learning`` and ``eai-sparsify`` are installed. Each
library runs in a process of its own, on one thread; steps are asked of them in turn, so that what
slows the machine down slows all alike.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.run import machine, rounded
from benchmarks.timing import cpu_seconds
from genointerp.core.seed import rng
from genointerp.store.activation.store import ActivationStore

SPEED = {"d_in": 512, "n_features": 8192, "k": 64, "batch": 4096, "n_steps": 1000}
"""Rows are drawn at random: time depends on the sizes alone."""
QUALITY = {"d_in": 0, "n_features": 2048, "k": 16, "batch": 2048, "n_steps": 300}
"""Rows are those of the activations, of whatever width they are."""
RUNS = (
    ("genointerp", "batch_topk"),
    ("genointerp", "topk"),
    ("sae-lens", "batch_topk"),
    ("sae-lens", "topk"),
    ("dictionary-learning", "batch_topk"),
    ("dictionary-learning", "topk"),
    ("eai-sparsify", "topk"),
)
ROUND_STEPS = 25
"""Steps that a library trains before the next one has its turn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="of the peers' environment")
    parser.add_argument("--activations", type=Path, required=True, help="rows to train on")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pythons = {library: arguments.python for library, _ in RUNS} | {"genointerp": sys.executable}
    rows = standardised(ActivationStore(arguments.activations))
    quality = {**QUALITY, "d_in": rows.shape[1]}
    results = {
        "peers_speed": {"size": SPEED, "found": measure_speed(RUNS, pythons, SPEED, repeats=3)},
        "peers_quality": {
            "size": quality, "found": measure_quality(RUNS, pythons, quality, rows)
        },
    }  # fmt: skip
    names = ("sae-lens", "dictionary-learning", "eai-sparsify", "torch")
    listing = f"from importlib.metadata import version; print(*map(version, {names!r}))"
    versions = subprocess.run(
        [arguments.python, "-c", listing], capture_output=True, text=True, check=True
    ).stdout.split()
    record = {
        "genointerp": version("genointerp"),
        "machine": machine(),
        "peers": dict(zip(names, versions, strict=True)),
        "results": results,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=2) + "\n")


def measure_speed(
    runs: tuple[tuple[str, str], ...],
    pythons: Mapping[str, Path | str],
    size: Mapping[str, int],
    *,
    repeats: int,
) -> dict[str, float]:
    """Return tokens per second, multiple of the product and peak memory of each run.

    A tenth of the features counts as dead, so that the auxiliary loss is active in every library.
    """
    rows = rng(0, "speed").standard_normal((2 * size["batch"], size["d_in"])).astype(np.float32)
    product = product_seconds(size)
    seconds: dict[tuple[str, str], list[float]] = {run: [] for run in runs}
    peak: dict[tuple[str, str], float] = {}
    with workers(runs, pythons, size, rows, rows) as started:
        for _ in range(repeats + 1):  # the first warms up
            for run, worker in started.items():
                found = ask(worker, do="steps", count=1, dead=True)
                seconds[run].append(found["seconds"])
                peak[run] = found["peak_mib"]
            product = min(product, product_seconds(size))
    result = {"product_s": rounded(product)}
    for run in runs:
        least, name = min(seconds[run][1:]), label(run)
        result[f"{name}_tokens_per_s"] = rounded(size["batch"] / least)
        result[f"{name}_times_product"] = rounded(least / product)
        result[f"{name}_peak_mib"] = rounded(peak[run])
    return result


def measure_quality(
    runs: tuple[tuple[str, str], ...],
    pythons: Mapping[str, Path | str],
    size: Mapping[str, int],
    rows: np.ndarray,
) -> dict[str, float]:
    """Return FVU, L0 and dead share on held-out rows after the same tokens, and CPU seconds."""
    n_held = max(size["batch"], len(rows) // 10)
    order = rng(0, "rows of the peers").permutation(len(rows) - n_held)
    result: dict[str, float] = {"n_tokens": size["batch"] * size["n_steps"]}
    with workers(runs, pythons, size, rows[order], rows[-n_held:]) as started:
        spent = dict.fromkeys(started, 0.0)
        for done in range(0, size["n_steps"], ROUND_STEPS):
            count = min(ROUND_STEPS, size["n_steps"] - done)
            for run, worker in started.items():
                found = ask(worker, do="steps", count=count, dead=False)
                spent[run] += found["seconds"] * count
        for run, worker in started.items():
            found = ask(worker, do="evaluate")
            result |= {f"{label(run)}_{name}": rounded(value) for name, value in found.items()}
            result[f"{label(run)}_tokens_per_s"] = rounded(result["n_tokens"] / spent[run])
    return result


def standardised(store: ActivationStore) -> np.ndarray:
    """Rows with their mean subtracted, over the root mean square of what is left: of all alike."""
    rows = store.rows(0, store.n_tokens).astype(np.float32)
    rows -= rows.mean(0, dtype=np.float64).astype(np.float32)
    rows /= np.sqrt(np.mean(rows**2, dtype=np.float64)).astype(np.float32)
    return rows


def product_seconds(size: Mapping[str, int]) -> float:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(size["batch"], size["d_in"], generator=generator)
    weight = torch.randn(size["n_features"], size["d_in"], generator=generator).t()
    return cpu_seconds(lambda: x @ weight, repeats=2)


@contextlib.contextmanager
def workers(
    runs: tuple[tuple[str, str], ...],
    pythons: Mapping[str, Path | str],
    size: Mapping[str, int],
    fit: np.ndarray,
    held_out: np.ndarray,
) -> Iterator[dict[tuple[str, str], subprocess.Popen[str]]]:
    """Start a process for each run, all on the same rows; end them at the close."""
    script = Path(__file__).with_name("peer_worker.py")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        paths = [str(Path(folder) / name) for name in ("fit.npy", "held_out.npy")]
        for path, rows in zip(paths, (fit, held_out), strict=True):
            np.save(path, rows)
        started = {}
        for library, architecture in runs:
            command = [pythons[library], "-W", "ignore", script, library, architecture]
            started[library, architecture] = stack.enter_context(
                subprocess.Popen(
                    [*command, json.dumps(dict(size)), *paths],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
                )
            )
        try:
            for worker in started.values():
                receive(worker)
            yield started
        finally:
            for worker in started.values():
                worker.kill()


def ask(worker: subprocess.Popen[str], **request: object) -> dict[str, Any]:
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(request) + "\n")
    worker.stdin.flush()
    return receive(worker)


def receive(worker: subprocess.Popen[str]) -> dict[str, Any]:
    assert worker.stdout is not None
    for line in worker.stdout:  # libraries print, too
        if line.startswith("ANSWER "):
            return dict(json.loads(line.removeprefix("ANSWER ")))
    raise RuntimeError(f"expected an answer of {worker.args!r}, found its end")


def label(run: tuple[str, str]) -> str:
    return f"{run[0]}_{run[1]}".replace("-", "_")


if __name__ == "__main__":
    main()
