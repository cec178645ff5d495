"""The complete `associate`, with both nulls, at several sizes of the dictionary.

As many features fire at a base whatever the size, so that the activations are as many and the
tested pairs grow. Features know nothing of the elements, so that the thresholds are low and the
pairs as dense as they can be. Each size runs in a process of its own, for its peak memory.
"""

import time
from pathlib import Path
from typing import Any

from benchmarks.benchmark_counts import make_elements
from benchmarks.benchmark_feature_scale import BUILD, drawn_genome, run
from genointerp.association.associate import associate
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import FeatureStore

FULL = {
    "part": {"bp": 464_000, "k": 64, "n_concepts": 20, "n_features": [512, 2048, 16_384]},
    "whole": {"bp": 4_640_000, "k": 64, "n_concepts": 20, "n_features": [16_384]},
}

WHOLE = """
import json, sys
from pathlib import Path
from benchmarks.benchmark_nulls import measure_whole
path, bp, n_concepts = sys.argv[1:]
print(json.dumps(measure_whole(Path(path), int(bp), int(n_concepts))))
"""


def measure(folder: Path, *, part: dict[str, Any], whole: dict[str, Any]) -> dict[str, float]:
    # the loops are compiled by the first process that calls them
    measure_sizes(folder, bp=300_000, k=1, n_concepts=2, n_features=[8])
    found = {f"part_{name}": value for name, value in measure_sizes(folder, **part).items()}
    return found | {
        f"whole_{name}": value for name, value in measure_sizes(folder, **whole).items()
    }


def measure_sizes(
    folder: Path, *, bp: int, k: int, n_concepts: int, n_features: list[int]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for size in n_features:
        path = folder / "whole.h5"
        n_hits = run(BUILD, path, bp, size, k, "none")["n_hits"]
        complete = run(WHOLE, path, bp, n_concepts) | {"n_hits": n_hits}
        path.unlink()
        found |= {f"{name}_at_{size}": value for name, value in complete.items()}
    return found


def measure_whole(path: Path, bp: int, n_concepts: int) -> dict[str, float]:
    """Associate with the defaults; what comes before the first tested pair is the counts."""
    import resource

    clock, cpu = time.perf_counter(), time.process_time()
    store = FeatureStore(path)
    elements = make_elements(bp, n_concepts)
    specimen = Specimen("chr", store, sequence=drawn_genome(bp), elements=elements)
    counted = [cpu]

    def progress(done: int, _: int) -> None:
        if done <= store.n_features:
            counted[0] = time.process_time()

    table = associate([specimen], progress=progress)
    done = time.process_time()
    return {
        "wall_s": time.perf_counter() - clock,
        "cpu_s": done - cpu,
        "counts_cpu_s": counted[0] - cpu,
        "nulls_cpu_s": done - counted[0],
        "n_pairs": int(table["p_value"].notna().sum()),
        "n_matched_pairs": int(table["p_matched"].notna().sum()),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def benchmark_nulls(tmp_path):
    size = {"bp": 500_000, "k": 4, "n_concepts": 2, "n_features": [48]}
    found = measure(tmp_path, part=size, whole=size)
    assert 48 <= found["whole_n_pairs_at_48"] == found["part_n_pairs_at_48"]
    assert abs(found["whole_n_hits_at_48"] / (2 * 500_000) - 4) < 0.5
