"""A genome with one annotated gene, and a feature that fires at four loci."""

import numpy as np
import pytest

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Contig, Genome
from genointerp.store.contigs import ContigInfo
from tests.candidate.loci_of_one_genome import (
    ANNOTATED,
    EDGE,
    LENGTH,
    MISSING,
    NOTHING,
    element,
)
from tests.plant import make_store, silence


@pytest.fixture(scope="module")
def one_genome(tmp_path_factory):
    bases = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
    bases = Genome([Contig("c", bases)])
    dense = silence(LENGTH, 2)
    for height, (start, end) in enumerate((EDGE, NOTHING, MISSING, ANNOTATED), start=6):
        dense["+"][start:end, 0] = height
    contigs = ContigInfo.of(bases)
    path = tmp_path_factory.mktemp("store") / "f.h5"
    store = make_store(path, dense, contigs, genome_sha256=bases.sha256)
    known = AnnotationSet([element("CDS", 100, 400, gene="abcA", product="kinase")], bases.lengths)
    return Specimen("one", store, bases, known)
