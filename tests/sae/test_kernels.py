import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

REASON = "needs triton: CUDA builds of torch bring it; its 290 MB are too many for the dev extra"
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_triton_kernels_equal_dense_products_and_the_kernels_of_torch():
    pytest.importorskip("triton", reason=REASON)
    interpret = "0" if torch.cuda.is_available() else "1"
    result = subprocess.run(
        [sys.executable, "-m", "tests.sae.triton_reference"],
        env=os.environ | {"TRITON_INTERPRET": interpret},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
