"""One model of every kind, for the tests that every model must pass; each is built by a call."""

from functools import partial

import pytest
import torch

from genointerp.model.attention import choose_backend
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel, use_backend
from genointerp.model.protocol import ModelSpec
from genointerp.model.registry import MODELS, load_model
from genointerp.model.tokenizer.base import evo_tokenizer
from tests.tiny_transformers import CAUSAL, MASKED, save_tiny
from tests.toy_model import ToyDnaModel


def make_hyena(_tmp_path_factory):
    """Every kind of block of Evo 2, over its tokenizer."""
    config = HyenaConfig(
        vocab_size=512,
        d_model=16,
        d_mlp=24,
        mixers=("SE", "MR", "LI", "ATT", "SE", "MR", "LI"),
        n_heads=2,
        n_filter_groups=4,
        medium_taps=13,
    )
    network = StripedHyena(config)
    initialise(network, torch.Generator().manual_seed(0))
    backend = choose_backend(torch.device("cpu"), torch.float32)
    use_backend(network, backend)
    spec = ModelSpec(
        name="tiny-evo2",
        sha256="0" * 64,
        sites=tuple(f"blocks.{i}" for i in range(7)),
        default_site="blocks.3",
        d_site=16,
        context=128,
        attention_backend=backend.name,
        chunked=True,
    )
    return SingleNucleotideModel(network, spec, evo_tokenizer())


def make_transformers(family, tmp_path_factory):
    pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
    return load_model(str(save_tiny(family, tmp_path_factory.mktemp(family))))


SHIPPED = [name for name, entry in MODELS.items() if entry.source == "shipped"]
KINDS = {
    "toy": lambda _tmp_path_factory: ToyDnaModel(),
    **{name: lambda _tmp_path_factory, name=name: load_model(name) for name in SHIPPED},
    "evo2": make_hyena,
    **{family: partial(make_transformers, family) for family in (*CAUSAL, *MASKED)},
}
