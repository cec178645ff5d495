import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_triton_kernels_equal_dense_products_and_the_kernels_of_torch():
    pytest.importorskip("triton", reason="needs triton, which CUDA builds of torch bring along")
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
