"""A limit on the size of files stands for a full disk: the write fails in the same places."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
from pathlib import Path
import numpy as np
from genointerp.core.errors import StorageError
from genointerp.core.files import replacing
from tests import stores

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

kind, folder, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
path = folder / "out.h5"
path.write_text("precious")
x = np.ones((320, 400), np.float32)
dense = stores.dense_features(400, density=0.9)
try:
  with replacing():
    if kind == "shards":
        limit(size)
        stores.write_activations(path, x)
    elif kind == "merge":
        header = stores.activation_header(400)
        windows = stores.windows_of()
        shards = stores.ActivationShards(path, header, windows, stores.PROVENANCE, 60)
        offsets = np.concatenate([[0], np.cumsum([w.length for w in windows])])
        for shard in shards.pending():
            numbers = shards.shard_windows(shard)
            shards.write_shard(shard, x[offsets[numbers.start] : offsets[numbers.stop]])
        limit(size)
        shards.finish()
    else:
        limit(size)
        stores.write_features(path, dense)
except StorageError as error:
    assert "\\n" not in str(error), error
    print(error)
else:
    print("written")
limit(resource.RLIM_INFINITY)
assert path.read_text() == "precious"
print(sorted(item.name for item in folder.iterdir()))
"""


@pytest.mark.parametrize(
    ("kind", "size", "left"),
    [
        pytest.param("shards", 60_000, ["out.h5", "out.h5.shards"], id="writing-a-shard"),
        pytest.param("merge", 60_000, ["out.h5", "out.h5.shards"], id="merging-shards"),
        pytest.param("merge", 4_000, ["out.h5", "out.h5.shards"], id="merging-the-header"),
        pytest.param("features", 30_000, ["out.h5"], id="spooling-features"),
        pytest.param("features", 150_000, ["out.h5"], id="building-features"),
        pytest.param("features", 300_000, ["out.h5"], id="building-by-feature"),
    ],
)
def test_full_disk_is_a_storage_error_and_loses_nothing(tmp_path, kind, size, left):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, kind, str(tmp_path), str(size)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    message, folder = done.stdout.splitlines()
    assert "expected to write the file, found" in message
    assert folder == str(left)
    assert done.stderr == ""
