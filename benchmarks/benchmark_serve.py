"""The local web application under 50 clients at once: a process of its own, asked over HTTP.

Seconds of the clock, since what a user waits for is measured, not the work: the clients run on the
same cores. Each client looks at a feature of its own: the first answer reads it from the file,
the next ones are those of panning.
"""

import http.client
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import yaml

from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import write_fasta
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureHeader
from genointerp.store.feature.writer import FeatureWriter
from genointerp.store.table.schema.association import BEST_PER_CONCEPT
from genointerp.store.table.table import empty_table, write_table

FULL = {"bp": 4_000_000, "n_features": 2048, "k": 16, "clients": 50, "rounds": 20}
WINDOW = 4096
SHOWN_BP = 5000
"""Bases that a screen shows at once; three screens are asked for, as the browser does."""

LIMIT_S = 0.2

NONE = Provenance(config={}, inputs={})


def measure(
    folder: Path, *, bp: int, n_features: int, k: int, clients: int, rounds: int
) -> dict[str, float]:
    write_run(folder / "run", bp, n_features, k)
    command = [sys.executable, "-m", "genointerp", "serve", str(folder / "run"), "--port", "0"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline()
            found = {"start_s": time.perf_counter() - started}
            return found | _ask(address, bp, n_features, clients, rounds)
        finally:
            process.kill()


def _ask(address: str, bp: int, n_features: int, clients: int, rounds: int) -> dict[str, float]:
    match = re.fullmatch(r"http://([\d.:]+)/\?token=(\S+)\s*", address)
    assert match is not None, address
    place, cookie = match[1], f"genointerp_{match[1].rpartition(':')[2]}={match[2]}"
    width = min(3 * SHOWN_BP, bp // 2)
    starts = np.random.default_rng(0).integers(0, bp - width, (clients, rounds)).tolist()
    features = np.linspace(0, n_features - 1, clients).astype(int).tolist()

    def track(client: int, turn: int) -> str:
        start = starts[client][turn]
        return f"/track?feature={features[client]}&chr=chr&start={start}&end={start + width}&bin=4"

    def region(client: int, turn: int) -> str:
        start = starts[client][turn]
        return f"/region?chr=chr&start={start}&end={start + width // 3}"

    found = {}
    for name, question in (("track", track), ("region", region)):
        alone = _clients(place, cookie, question, 1, rounds)
        found[f"{name}_alone_ms_95"] = 1e3 * float(np.quantile(alone, 0.95))
        seconds = _clients(place, cookie, question, clients, rounds)
        found[f"{name}_first_ms"] = 1e3 * float(np.median(seconds[:, 0]))
        found[f"{name}_ms"] = 1e3 * float(np.median(seconds[:, 1:]))
        found[f"{name}_ms_95"] = 1e3 * float(np.quantile(seconds, 0.95))
        found[f"{name}_in_time"] = float((seconds < LIMIT_S).mean())
    return found


def _clients(
    place: str, cookie: str, question: Callable[[int, int], str], clients: int, rounds: int
) -> np.ndarray:
    """Return the seconds of each client and round; all clients ask at once, and go on at once."""
    together = threading.Barrier(clients)

    def client(number: int) -> list[float]:
        seconds = []
        with closing(http.client.HTTPConnection(place, timeout=60)) as connection:
            connection.connect()
            together.wait()
            for turn in range(rounds):
                start = time.perf_counter()
                connection.request("GET", question(number, turn), headers={"cookie": cookie})
                answer = connection.getresponse()
                content = answer.read()
                seconds.append(time.perf_counter() - start)
                assert answer.status == 200, content
        return seconds

    with ThreadPoolExecutor(clients) as pool:
        return np.array(list(pool.map(client, range(clients))))


def write_run(folder: Path, bp: int, n_features: int, k: int) -> None:
    """Make a run without an annotation in which k features fire at each base of either strand."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)[generator.integers(0, 4, bp)]
    genome = Genome([Contig("chr", letters)])
    write_fasta(genome, folder / "genome.fa")
    entry = {"sequence": "genome.fa", "annotate_with": []}
    (folder / "config.yaml").write_text(yaml.safe_dump({"genomes": {"genome": entry}}))
    (folder / "summary.json").write_text("{}\n")
    write_table(
        empty_table(BEST_PER_CONCEPT), folder / "best_per_concept.tsv", BEST_PER_CONCEPT, NONE
    )
    header = FeatureHeader("m", "m", "s", genome.sha256, "s", n_features, ContigInfo.of(genome))
    step = n_features // k
    feature = np.arange(0, n_features, step) + generator.integers(0, step, (WINDOW, k))
    value = generator.random((WINDOW, k), dtype=np.float32) + 0.1
    (folder / "genome").mkdir()
    with FeatureWriter(folder / "genome" / "features.h5", header, NONE) as writer:
        for strand in "+-":
            for start in range(0, bp, WINDOW):
                n = min(WINDOW, bp - start)
                kept = GenomicInterval("chr", start, start + n, strand)
                indptr = np.arange(n + 1, dtype=np.int64) * k
                writer.add_window(kept, indptr, feature[:n].reshape(-1), value[:n].reshape(-1))


def benchmark_serve(tmp_path):
    found = measure(tmp_path, bp=20_000, n_features=64, k=4, clients=4, rounds=2)
    assert 0 < found["track_in_time"] <= 1
