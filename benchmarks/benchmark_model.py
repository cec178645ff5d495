"""The forward pass of each shipped model beside its arithmetic floor.

The floor is 2 x parameters x bases over the rate of matrix products in the same run, once at the
model's own largest shape and once square and large: what no implementation of this network in
float32 falls below while each base takes part in each weight once.
"""

import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import REPEATS, cpu_seconds
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load_model

SHIPPED = Path(str(resources.files("genointerp.model"))) / "weights"
FULL = {
    "models": sorted(path.name for path in SHIPPED.iterdir()),
    "windows": [2048, 8192],
    "bp": 32_768,
    "square": 2048,
}


def measure(
    folder: Path, *, models: list[str], windows: list[int], bp: int, square: int
) -> dict[str, float]:
    found: dict[str, float] = {}
    for device in devices():
        rate = product_rate((square, square, square), device)
        found[f"{device}_square_gflops"] = rate / 1e9
        for name in models:
            model = load_model(name, device=device)
            for window in windows:
                figures = forward(model, window, max(1, bp // window), device, rate)
                found |= {f"{device}_{name}_{window}_{key}": x for key, x in figures.items()}
    return found


def devices() -> Iterator[str]:
    yield "cpu"
    if torch.cuda.is_available():
        yield "cuda"


def forward(
    model: DnaModel, window: int, n_windows: int, device: str, square_rate: float
) -> dict[str, float]:
    tokens = torch.from_numpy(np.random.default_rng(0).integers(0, 4, (n_windows, window)))
    weights = [p for p in model.network.parameters() if p.ndim == 2]
    rows, columns = max((tuple(p.shape) for p in weights), key=np.prod)
    own_rate = product_rate((window, columns, rows), device)
    seconds = device_seconds(lambda: [model.log_probs(row[None]) for row in tokens], device)
    n_flops = 2 * sum(p.numel() for p in model.network.parameters()) * n_windows * window
    return {
        "bases_per_s": n_windows * window / seconds,
        "own_shape_gflops": own_rate / 1e9,
        "times_floor_own_shape": seconds * own_rate / n_flops,
        "times_floor_square": seconds * square_rate / n_flops,
    }


def product_rate(shape: tuple[int, int, int], device: str) -> float:
    """Floating-point operations a second of one matrix product in float32."""
    n, k, m = shape
    left, right = torch.randn(n, k, device=device), torch.randn(k, m, device=device)
    repeats = min(64, max(1, 2**32 // (2 * n * k * m)))

    def products() -> None:
        for _ in range(repeats):
            torch.mm(left, right)

    products()
    return 2 * n * k * m * repeats / device_seconds(products, device)


def device_seconds(function: Callable[[], object], device: str) -> float:
    if device == "cpu":
        return cpu_seconds(function)
    function()
    return min(_cuda_seconds(function) for _ in range(REPEATS))


def _cuda_seconds(function: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    function()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def benchmark_model(tmp_path):
    found = measure(tmp_path, models=["nano"], windows=[64], bp=128, square=32)
    assert found["cpu_nano_64_times_floor_square"] > 0
