"""Writers killed by SIGKILL at random moments."""

import subprocess
import sys
import time

import h5py
import numpy as np

from genointerp.store.activation.store import ActivationStore
from tests.stores import write_activations

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from tests import stores
x = np.random.default_rng(0).normal(size=(320, 64)).astype(np.float32)
stores.write_activations(Path(sys.argv[1]), x, shard_tokens=25)
"""


def test_killed_writer_continues_to_the_same_data(tmp_path):
    x = np.random.default_rng(0).normal(size=(320, 64)).astype(np.float32)
    whole = write_activations(tmp_path / "whole.h5", x)
    path = tmp_path / "killed.h5"
    for attempt in range(6):
        child = subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)])
        deadline = time.monotonic() + 60
        shards = tmp_path / "killed.h5.shards"
        while child.poll() is None and time.monotonic() < deadline:
            if len(list(shards.glob("shard-*"))) > 2 * attempt:
                break
            time.sleep(0.001)
        child.kill()
        child.wait()
        if path.exists():
            break
    if not path.exists():
        subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True)
    with h5py.File(whole.path) as first, h5py.File(path) as second:
        assert first["activations"][:].tobytes() == second["activations"][:].tobytes()
    assert ActivationStore(path).windows == whole.windows
