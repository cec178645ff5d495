"""Published dictionaries, each with the only formula, model and site it can be used with.

With a wrong model, site or formula, features look right and mean nothing. So nothing is guessed: a
file must be exactly what its entry here says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from genointerp.core.errors import MismatchError, SchemaError
from genointerp.core.nearest import unknown
from genointerp.core.provenance import sha256_file
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.architecture.tied_batch_topk import TiedBatchTopK
from genointerp.sae.config import SaeConfig
from genointerp.sae.formats.weights import read_pickled


@dataclass(frozen=True)
class PublishedDictionary:
    """What is known of a published tied BatchTopK dictionary.

    Parameters
    ----------
    source, file
        Repository on the Hugging Face hub, and the file in it.
    model, site
        Model and site of the only activations that it reads, by the names of this package.
    d_in, n_features, k
        Sizes of the dictionary.
    licence
        Licence of the weights.
    only_there
        Why it is of no use with any other model.
    feature_names
        Features that its authors named, by that name.
    cold_bases
        Number of bases at the head of a window whose activations the dictionary was not made for.
    """

    source: str
    file: str
    model: str
    site: str
    d_in: int
    n_features: int
    k: int
    licence: str
    only_there: str
    feature_names: Mapping[str, int]
    cold_bases: int


PUBLISHED: dict[str, PublishedDictionary] = {
    "evo2-layer-26-mixed": PublishedDictionary(
        source="Goodfire/Evo-2-Layer-26-Mixed",
        file="sae-layer26-mixed-expansion_8-k_64.pt",
        model="evo2_7b_262k",
        site="blocks.26",
        d_in=4096,
        n_features=32768,
        k=64,
        licence="MIT",
        only_there=(
            "on evo2_7b the dictionary is nearly dead: its prophage feature f/19746 fires on 6 % "
            "of positions (mean 0.0001) where on evo2_7b_262k it does on 100 % (0.31)"
        ),
        feature_names={
            "prophage": 19746,
            "ORF_13606": 13606,
            "ORF_15680": 15680,
            "ORF_plus_strand": 11734,
            "ORF_minus_strand": 24568,
            "intergenic_26069": 26069,
            "intergenic_15481": 15481,
            "tRNA": 30262,
            "rRNA": 2812,
            "alpha_helix": 28741,
            "beta_sheet": 22326,
            "exon": 15680,
            "intron": 28339,
            "exon_start": 1050,
            "exon_end": 25666,
        },
        cold_bases=16,
    ),
}
"""Every published dictionary that can be adopted, by name; to add one, write an entry here."""

_PREFIX = "_orig_mod."
"""Prefix that torch.compile puts before each key."""


def find_published(name: str) -> PublishedDictionary:
    """Return the entry of a published dictionary.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in PUBLISHED:
        raise unknown("dictionary", name, PUBLISHED)
    return PUBLISHED[name]


def read_published(path: Path, published: PublishedDictionary) -> TiedBatchTopK:
    """Read the file of a published dictionary, which has no threshold: it is set to zero.

    Raises
    ------
    InputError
        If the file cannot be read.
    SchemaError
        If it does not hold exactly the weights of this dictionary.

    Notes
    -----
    ``f = BatchTopK(relu(x W + b_enc))``, ``x_hat = f W^T + b_dec``, all in the file's float32;
    W is (d_in, n_features), and b_dec is not subtracted before encoding.
    """
    tensors = read_pickled(path)
    shapes = {
        "W": (published.d_in, published.n_features),
        "b_enc": (published.n_features,),
        "b_dec": (published.d_in,),
    }
    expected = {f"{_PREFIX}{name}": shape for name, shape in shapes.items()}
    if sorted(tensors) != sorted(expected):
        raise SchemaError(
            str(path),
            f"the keys of a tied dictionary: {', '.join(expected)}",
            ", ".join(sorted(tensors)) or "none",
        )
    for key, shape in expected.items():
        _check_tensor(tensors[key], shape, f"{path}: {key}")
    config = SaeConfig("tied_batch_topk", n_features=published.n_features, k=published.k)
    sae = make_sae(config, published.d_in)
    assert isinstance(sae, TiedBatchTopK)
    with torch.no_grad():
        sae.W_dec.copy_(tensors[f"{_PREFIX}W"].t())
        sae.b_enc.copy_(tensors[f"{_PREFIX}b_enc"])
        sae.b_dec.copy_(tensors[f"{_PREFIX}b_dec"])
    return sae


def published_metadata(path: Path, published: PublishedDictionary) -> dict[str, object]:
    """Return the metadata of a saved copy; the sha256 of the model's weights is not known."""
    return {
        "model": published.model,
        "model_sha256": "",
        "site": published.site,
        "only_there": published.only_there,
        "feature_names": dict(published.feature_names),
        "source": published.source,
        "source_sha256": sha256_file(path),
        "licence": published.licence,
    }


def _check_tensor(tensor: Tensor, shape: tuple[int, ...], where: str) -> None:
    if tuple(tensor.shape) != shape or tensor.dtype != torch.float32:
        found = f"{tuple(tensor.shape)} of {tensor.dtype}"
        raise MismatchError(where, f"shape {shape} of torch.float32", found)
    if not bool(torch.isfinite(tensor).all()):
        raise SchemaError(where, "finite values", "NaN or infinity")
