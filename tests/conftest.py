from pathlib import Path

import pytest
from hypothesis import settings

from genointerp.genome.genome import Contig
from genointerp.genome.read import read_genome

DATA = Path(__file__).parent / "data"

# no test depends upon how fast the machine is
settings.register_profile("suite", deadline=None, max_examples=25)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def phix174() -> Contig:
    """The genome of phiX174, 5,386 bp, circular."""
    return next(iter(read_genome(DATA / "phix174.gbk").values()))
