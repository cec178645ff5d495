"""A tiny file with the keys of the published dictionary of Evo 2, and the entry it fits."""

from dataclasses import replace

import numpy as np
import torch

from genointerp.sae.formats.published import PUBLISHED

TINY = replace(
    PUBLISHED["evo2-layer-26-mixed"],
    d_in=8,
    n_features=32,
    k=2,
    feature_names={"tRNA": 3, "exon": 5, "ORF": 5},
)


def published_tensors(seed=0):
    generator = np.random.default_rng(seed)
    shapes = {"_orig_mod.W": (8, 32), "_orig_mod.b_enc": (32,), "_orig_mod.b_dec": (8,)}
    return {
        key: torch.from_numpy(generator.normal(size=shape).astype(np.float32))
        for key, shape in shapes.items()
    }


def write_published(path, seed=0):
    torch.save(published_tensors(seed), path)
    return path
