"""A model as it was before training, from the command line to a dictionary that refuses it."""

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.core.errors import MismatchError
from genointerp.feature.encode import encode_store
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import write_fasta
from genointerp.model.hyena.folder import save_model, untrained
from genointerp.model.hyena.network import HyenaConfig
from genointerp.sae.architecture.registry import ARCHITECTURES
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from genointerp.store.activation.store import ActivationStore

NETWORK = HyenaConfig(
    vocab_size=8, d_model=16, d_mlp=32, mixers=("SE", "ATT"), n_heads=2, n_filter_groups=4
)


def harvest(folder, name, *more):
    out = folder / name
    words = ["harvest", folder / "g.fa", "--model", folder / "weights", "--window", 64]
    words += ["--warmup", 8, "--out", out, *more]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return ActivationStore(out)


@pytest.fixture
def stores(tmp_path):
    sequence = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), 300)
    write_fasta(Genome([Contig("x", sequence)]), tmp_path / "g.fa")
    network = untrained(NETWORK, seed=9)
    save_model(network, tmp_path / "weights", name="toy", context=64, default_site="blocks.1")
    return {
        name: harvest(tmp_path, f"{name}.h5", *more)
        for name, more in {
            "own": [],
            "three": ["--random-weights", 3],
            "again": ["--random-weights", 3],
            "four": ["--random-weights", 4],
        }.items()
    }


def test_the_header_says_whose_activations_they_are(stores):
    names = {key: store.header.model for key, store in stores.items()}
    assert names == {
        "own": "toy",
        "three": "toy-random-3",
        "again": "toy-random-3",
        "four": "toy-random-4",
    }
    assert len({store.header.model_sha256 for store in stores.values()}) == 3
    rows = {key: store.rows(0, store.n_tokens) for key, store in stores.items()}
    np.testing.assert_array_equal(rows["three"], rows["again"])
    assert not np.allclose(rows["three"], rows["four"])
    assert not np.allclose(rows["three"], rows["own"])


@pytest.mark.parametrize(
    ("trained", "read"), [("own", "three"), ("three", "own"), ("three", "four")]
)
def test_a_dictionary_of_other_weights_refuses_them(stores, tmp_path, trained, read):
    header = stores[trained].header
    origin = {name: getattr(header, name) for name in ("model", "model_sha256", "site")}
    sae = ARCHITECTURES["topk"](SaeConfig(architecture="topk", n_features=8, k=2), 16, seed=0)
    save_sae(sae, tmp_path / "sae", origin)
    encode_store([stores[trained]], tmp_path / "sae", tmp_path / "f.h5")
    with pytest.raises(MismatchError, match=f"expected model {header.model} with weights"):
        encode_store([stores[read]], tmp_path / "sae", tmp_path / "wrong.h5")
    assert not (tmp_path / "wrong.h5").exists()


def test_weights_drawn_do_not_depend_on_the_global_generator():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        first = untrained(NETWORK, seed=1).embedding_layer.weight
        torch.manual_seed(6)
        assert torch.equal(first, untrained(NETWORK, seed=1).embedding_layer.weight)
