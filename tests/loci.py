"""A table of loci with values that are easily lost on the way through a file."""

import numpy as np
import pandas as pd


def loci(n=3):
    return pd.DataFrame(
        {
            "seqid": ["NA", "chr 1", "007"][:n],
            "start": [0, 5, 2**40][:n],
            "end": [1, 9, 2**40 + 1][:n],
            "strand": ["+", "-", "+"][:n],
            "max_activation": [0.1, 1 / 3, np.nan][:n],
            "mean_activation": [1e-300, 2.0, 5e-324][:n],
            "n_firing": [1, 2, 3][:n],
        }
    )
