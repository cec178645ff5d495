import os
from pathlib import Path

import pytest
from hypothesis import settings

from genointerp.genome.genome import Contig
from genointerp.genome.read import read_genome

DATA = Path(__file__).parent / "data"

# The tests run in several processes, whose threads would wait for one another; the libraries read
# this when they are loaded, in the workers of pytest-xdist and in the processes of the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# no test depends upon how fast the machine is
settings.register_profile("suite", deadline=None, max_examples=25)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def phix174() -> Contig:
    """The genome of phiX174, 5,386 bp, circular."""
    return next(iter(read_genome(DATA / "phix174.gbk").values()))
