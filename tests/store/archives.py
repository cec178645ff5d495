"""Tiny files of each format version, kept as they were written, and what they must say."""

from pathlib import Path

import numpy as np

from genointerp.store.activation import store as activations
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature import store as features
from tests.stores import (
    activation_header,
    windows_of,
    write_activations,
    write_features,
    write_words,
)

ARCHIVES = Path(__file__).parents[1] / "data" / "archives"
CONTIGS = (ContigInfo("chrA", 12, circular=True), ContigInfo("chrB", 5, circular=False))
WINDOWS = windows_of(CONTIGS, step=5)
N_FEATURES = 3


def archived_activations():
    """Rows of all windows: row i, channel j holds ``i - j / 4``."""
    n_rows = sum(window.length for window in WINDOWS)
    return (np.arange(n_rows)[:, None] - np.arange(4) / 4).astype(np.float32)


def archived_features():
    """Feature f fires at every (f + 2)-th base with f + 1 on ``+``, f + 1.5 on ``-``."""
    row = np.arange(sum(contig.length for contig in CONTIGS))[:, None]
    feature = np.arange(N_FEATURES)
    fires = row % (feature + 2) == 0
    return {
        strand: (fires * (feature + 1 + more)).astype(np.float32)
        for strand, more in (("+", 0.0), ("-", 0.5))
    }


def write_archives(folder: Path) -> list[Path]:
    """Write an archive of the present version of each format, if there is none yet."""
    made = []
    for encoding in ("float16", "bfloat16"):
        path = folder / f"activations-v{activations.VERSION}-{encoding}.h5"
        if not path.exists():
            header = activation_header(encoding=encoding, contigs=CONTIGS)
            write_activations(path, archived_activations(), windows=WINDOWS, header=header)
            made.append(path)
    path = folder / f"activations-v{activations.VERSION}-words.h5"
    if not path.exists():
        write_words(path, windows=WINDOWS, header=activation_header(contigs=CONTIGS))
        made.append(path)
    path = folder / f"features-v{features.VERSION}-summed.h5"
    if not path.exists():
        write_features(path, archived_features(), contigs=CONTIGS, windows=WINDOWS)
        made.append(path)
    return made
