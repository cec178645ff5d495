"""Co-activation of all pairs at all lags, at the size of a genome, compared with two other ways.

The rate of the counts is compared with that of adding ones to random places of a table that fits in
the cache, which is the least that inverted lists have to do; and a tenth of the pairs with the
Fourier transforms of their tracks, which give every lag at once. Each in the same run, in a process
of its own for its peak memory. The last size is the whole of `circuit`: all lags of all pairs on
both strands, with the pooled null, from the file to the edges.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import no_type_check

import numpy as np

from benchmarks import benchmark_feature_scale
from benchmarks.timing import cpu_seconds
from genointerp.association.count.kernels import compiled
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import FeatureStore
from genointerp.wiring.axis import lay_axis
from genointerp.wiring.coactivation import measure_coactivation
from genointerp.wiring.config import LAGS
from genointerp.wiring.count import StrandCount
from genointerp.wiring.null import draw_rotations

FULL = {
    "small": {"bp": 4_640_000, "n_features": 512, "k": 26, "n_sources": 32},
    "large": {"bp": 4_640_000, "n_features": 32_768, "k": 64, "n_sources": 32},
    "whole": {"bp": 4_640_000, "n_features": 512, "k": 26},
}

COUNT = """
import sys
from pathlib import Path
from benchmarks import benchmark_circuit
path, *sizes = sys.argv[1:]
benchmark_circuit.report_counts(Path(path), *map(int, sizes))
"""

WHOLE = """
import sys
from pathlib import Path
from benchmarks import benchmark_circuit
benchmark_circuit.report_whole(Path(sys.argv[1]))
"""


@compiled
@no_type_check
def add_ones(table, place):
    for i in range(len(place)):
        table[place[i]] += 1


def measure(
    folder: Path, *, small: dict[str, int], large: dict[str, int], whole: dict[str, int]
) -> dict[str, float]:
    found = {}
    for name, size in (("small", small), ("large", large)):
        path, (bp, n_features, k, n_sources) = folder / f"{name}.h5", size.values()
        built(path, bp, n_features, k)
        counted = benchmark_feature_scale.run(COUNT, path, n_features, n_sources)
        found |= {f"{name}_{key}": value for key, value in counted.items()}
        path.unlink()
    built(folder / "whole.h5", **whole)
    found |= benchmark_feature_scale.run(WHOLE, folder / "whole.h5")
    return found


def built(path: Path, bp: int, n_features: int, k: int) -> None:
    benchmark_feature_scale.run(benchmark_feature_scale.BUILD, path, bp, n_features, k, "none")


def report_counts(path: Path, n_features: int, n_sources: int) -> None:
    axis = lay_axis([FeatureStore(path)], "+", LAGS)
    rotations = draw_rotations(axis.n_cells, 10, beyond=max(LAGS), seed=0)
    count = StrandCount(axis, np.array(LAGS), rotations, is_opposite=False)
    count.at_lags(0, 1)
    joint = count.at_lags(0, n_sources)
    seconds = cpu_seconds(lambda: count.at_lags(0, n_sources), repeats=1)
    peak = peak_mib()
    n_joint = int(joint.n.sum())
    table = np.zeros(n_features, np.uint32)
    place = np.random.default_rng(0).integers(n_features, size=min(n_joint, 20_000_000))
    add_ones(table, place[:1])
    floor = cpu_seconds(lambda: add_ones(table, place)) / len(place)
    by_fourier = cpu_seconds(lambda: correlated(axis, n_pairs=4), repeats=1) / 4
    found = {
        "joint_firings_per_s": n_joint / seconds,
        "times_floor": seconds / n_joint / floor,
        "fourier_over_lists": by_fourier * n_sources * n_features / seconds,
        "seconds_per_source": seconds / n_sources,
        "peak_mib": peak,
    }
    sys.stdout.write(json.dumps(found))


def report_whole(path: Path) -> None:
    start = time.process_time()
    edges = measure_coactivation([Specimen("chr", FeatureStore(path))]).edges
    seconds = time.process_time() - start
    found = {"whole_seconds": seconds, "whole_peak_mib": peak_mib(), "whole_edges": len(edges)}
    sys.stdout.write(json.dumps(found))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def correlated(axis, n_pairs: int) -> None:
    """Count the joint firings of pairs at every lag, by the transforms of their tracks."""
    for b in range(n_pairs):
        tracks = np.zeros((2, 2 * axis.n_cells), np.float32)
        for track, feature in zip(tracks, (0, b), strict=True):
            track[axis.hits(feature, feature + 1)[0]] = 1
        a, other = np.fft.rfft(tracks)
        np.rint(np.fft.irfft(np.conj(a) * other)).astype(np.int64)


def benchmark_circuit(tmp_path):
    size = {"bp": 20_000, "n_features": 48, "k": 4, "n_sources": 8}
    whole = {name: size[name] for name in ("bp", "n_features", "k")}
    found = measure(tmp_path, small=size, large=size, whole=whole)
    assert found["small_joint_firings_per_s"] > 0
    assert found["large_times_floor"] > 0
    assert found["whole_peak_mib"] > 0
