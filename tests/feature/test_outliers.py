import numpy as np
import pytest

from genointerp.feature.outliers import outlier_bases
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store, silence
from tests.stores import activation_header, write_activations

CONTIGS = (ContigInfo("a", 300, circular=False), ContigInfo("b", 200, circular=False))
LOUD = {("a", 7, "+"), ("a", 250, "-"), ("b", 0, "-"), ("b", 150, "+")}


@pytest.fixture
def pair(tmp_path):
    rng = np.random.default_rng(0)
    windows, rows = [], []
    for contig in CONTIGS:
        for start in range(0, contig.length, 100):
            for strand in "+-":
                window = GenomicInterval(contig.seqid, start, start + 100, strand)
                places = range(start, start + 100)
                x = rng.normal(size=(100, 4)).astype(np.float32)
                for i, base in enumerate(places if strand == "+" else reversed(places)):
                    if (contig.seqid, base, strand) in LOUD:
                        x[i] = 40
                windows.append(window)
                rows.append(x)
    header = activation_header(4, contigs=CONTIGS)
    path = tmp_path / "activations.h5"
    activations = write_activations(path, np.concatenate(rows), header=header, windows=windows)
    return make_store(tmp_path / "features.h5", silence(500, 1), CONTIGS), activations


def test_bases_of_high_norm_are_found_on_their_strand(pair):
    found = outlier_bases(*pair, n_sd=4.0)
    expected = {(0 if seqid == "a" else 300) + base: s for seqid, base, s in LOUD}
    for strand in "+-":
        rows = {row for row, s in expected.items() if s == strand}
        assert set(np.flatnonzero(found[strand]).tolist()) == rows


def test_the_threshold_is_the_mean_and_so_many_standard_deviations(pair):
    _, activations = pair
    norm = np.linalg.norm(activations.rows(0, activations.n_tokens), axis=1).astype(np.float64)
    found = outlier_bases(*pair, n_sd=0.0)
    n_found = sum(int(rows.sum()) for rows in found.values())
    assert n_found == (norm > norm.mean() * (1 + 1e-6)).sum()
