"""Peak memory against length, of one pass and of chunks, and what the chunks cost in time.

Without attention the chunks' memory is that of one chunk; its keys and values are told beside.

Each reading has a process of its own, since the peak of a process never falls again.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel
from genointerp.model.protocol import ModelSpec
from genointerp.model.tokenizer.base import nano_tokenizer

FULL = {"lengths": [4096, 16_384, 32_768], "chunk": 512, "d_model": 64}
MIXERS = "SE MR LI ATT SE MR LI"
MIB = 2**20


def measure(_folder, *, lengths: list[int], chunk: int, d_model: int) -> dict[str, float]:
    found = {}
    for length in lengths:
        # a chunk of the whole length is not the same as one pass: it keeps a state
        once = in_own_process(length, 0, d_model)
        chunked = in_own_process(length, chunk, d_model)
        found[f"one_pass_mib_at_{length}"] = once["peak"] / MIB
        found[f"chunked_mib_at_{length}"] = chunked["peak"] / MIB
        convolutions = in_own_process(length, chunk, d_model, "SE MR LI SE MR LI")
        found[f"chunked_without_attention_mib_at_{length}"] = convolutions["peak"] / MIB
        found[f"keys_and_values_mib_at_{length}"] = 2 * 4 * d_model * length / MIB
        found[f"times_one_pass_at_{length}"] = chunked["seconds"] / once["seconds"]
    return found


def in_own_process(length: int, chunk: int, d_model: int, mixers: str = MIXERS) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.benchmark_prefill"]
    run = subprocess.run(
        [*command, str(length), str(chunk), str(d_model), *mixers.split()],
        capture_output=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
    )
    return json.loads(run.stdout)


def read(length: int, chunk: int, d_model: int, mixers: list[str]) -> dict[str, float]:
    """Read a random sequence and forget what is captured, as a harvest does once it is stored."""
    torch.set_num_threads(1)
    model = make_model(d_model, mixers)
    site = model.spec.default_site
    tokens = torch.randint(0, 4, (1, length), generator=torch.Generator().manual_seed(0))
    model.run(tokens[:, :64], capture=[site])
    before, start = peak_bytes(), time.process_time()
    if chunk:
        for _ in model.prefill(tokens, chunk=chunk, capture=[site]):
            pass
    else:
        model.run(tokens, capture=[site])
    return {"peak": peak_bytes() - before, "seconds": time.process_time() - start}


def make_model(d_model: int, mixers: list[str]) -> SingleNucleotideModel:
    config = HyenaConfig(
        vocab_size=8,
        d_model=d_model,
        d_mlp=2 * d_model,
        mixers=tuple(mixers),
        n_heads=2,
        n_filter_groups=8,
    )
    network = StripedHyena(config)
    initialise(network, torch.Generator().manual_seed(0))
    sites = tuple(f"blocks.{i}" for i in range(len(mixers)))
    spec = ModelSpec("tiny", "0" * 64, sites, sites[-1], d_model, 4096, "sdpa", chunked=True)
    return SingleNucleotideModel(network, spec, nano_tokenizer())


def peak_bytes() -> int:
    """Largest memory that this process ever held."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux counts the memory of the parent, too, in what getrusage tells
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def benchmark_prefill(tmp_path):
    found = measure(tmp_path, lengths=[4096], chunk=256, d_model=64)
    assert found["chunked_without_attention_mib_at_4096"] < found["chunked_mib_at_4096"]
    assert found["chunked_mib_at_4096"] < 0.7 * found["one_pass_mib_at_4096"]


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:4]]
    sys.stdout.write(json.dumps(read(*sizes, sys.argv[4:])))
