"""Small stores and annotations in which the truth is planted, for these tests and the ranking's."""

import numpy as np
import pandas as pd

from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureHeader, FeatureStore
from genointerp.store.feature.writer import FeatureWriter

PROVENANCE = Provenance(config={}, inputs={})


def make_store(
    path,
    dense,
    contigs,
    *,
    genome_sha256="g1",
    sae_sha256="s",
    model_sha256="m",
    coverage=None,
    **options,
):
    """Write dense activations ``{strand: (row, feature)}`` whose rows are global and forward."""
    origin = ("toy", model_sha256, "blocks.1", genome_sha256, sae_sha256)
    header = FeatureHeader(*origin, dense["+"].shape[1], contigs)
    with FeatureWriter(path, header, PROVENANCE, **options) as writer:
        offset = 0
        for contig in contigs:
            whole = [(0, contig.length, "+"), (0, contig.length, "-")]
            for start, end, strand in whole if coverage is None else coverage[contig.seqid]:
                part = dense[strand][offset + start : offset + end]
                mask = part > 0
                indptr = np.concatenate([[0], np.cumsum(mask.sum(1))]).astype(np.int64)
                kept = GenomicInterval(contig.seqid, start, end, strand)
                values = part[mask].astype(np.float32)
                writer.add_window(kept, indptr, np.nonzero(mask)[1].astype(np.int64), values)
            offset += contig.length
    return FeatureStore(path)


def make_elements(*elements, unstranded=()):
    """Elements as ``(concept, seqid, start, end, strand)``, each of one part."""
    names = list(dict.fromkeys([element[0] for element in elements]))
    rows = []
    for name in names:
        own = sorted(e[1:] for e in elements if e[0] == name)
        rows += [(name, *e, i, f"{name}{i}", 0, -1) for i, e in enumerate(own)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ("start", "end", "element", "part", "frame")
    concepts = {
        name: Concept("x", types=("x",), strand="none" if name in unstranded else "own")
        for name in names
    }
    return ConceptElements(table.astype(dict.fromkeys(numbers, "int64")), concepts)


def silence(n_rows, n_features):
    return {strand: np.zeros((n_rows, n_features), np.float32) for strand in "+-"}


def contigs_of(**lengths):
    return tuple(ContigInfo(name, length, circular=False) for name, length in lengths.items())


def pick(table, feature, concept, orientation):
    found = table[
        (table["feature"] == feature)
        & (table["concept"] == concept)
        & (table["orientation"] == orientation)
    ]
    assert len(found) == 1
    return found.iloc[0]
