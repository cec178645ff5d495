"""A network that learns that one motif follows another at a distance: its edge comes out."""

import numpy as np
import pytest
import torch

from genointerp.feature.encode import encode_store
from genointerp.genome.genome import Contig, Genome
from genointerp.model.attention import choose_backend
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel, use_backend
from genointerp.model.protocol import ModelSpec
from genointerp.model.tokenizer.base import evo_tokenizer
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_sae
from genointerp.wiring.edge_tally import ERROR
from genointerp.wiring.edges import EdgeConfig, measure_edges
from genointerp.wiring.stack import Stack

FIRST, SECOND, DISTANCE = b"GATC", b"TTT", 7
"""The second motif begins so many bases after the last one of the first."""
BASES = np.frombuffer(b"ACGT", np.uint8)


def planted(random, n):
    """A random sequence with the two motifs every 40 bases or so, and where the first ends."""
    letters = random.choice(BASES, n).astype(np.uint8)
    starts = np.arange(2, n - 24, 40) + random.integers(0, 16, len(range(2, n - 24, 40)))
    for start in starts:
        letters[start : start + 4] = np.frombuffer(FIRST, np.uint8)
        second = start + 3 + DISTANCE
        letters[second : second + 3] = np.frombuffer(SECOND, np.uint8)
    return letters, starts + 3


@pytest.fixture(scope="module")
def trained():
    """A network of an SE and an MR filter, trained for some seconds."""
    config = HyenaConfig(
        vocab_size=512, d_model=16, d_mlp=24, mixers=("SE", "MR"), n_heads=2, n_filter_groups=16,
        medium_taps=16,
    )  # fmt: skip
    network = StripedHyena(config)
    initialise(network, torch.Generator().manual_seed(0))
    backend = choose_backend(torch.device("cpu"), torch.float32)
    use_backend(network, backend)
    tokenizer, random = evo_tokenizer(), np.random.default_rng(0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.01)
    for _ in range(90):
        rows = [tokenizer.encode(planted(random, 80)[0]).ids for _ in range(16)]
        ids = torch.from_numpy(np.stack(rows))
        loss = torch.nn.functional.cross_entropy(
            network(ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    spec = ModelSpec(
        name="motifs", sha256="2" * 64, sites=("blocks.0", "blocks.1"), default_site="blocks.1",
        d_site=16, context=80, attention_backend=backend.name,
    )  # fmt: skip
    return SingleNucleotideModel(network, spec, tokenizer)


def save_probes(folder, model, site, labels):
    """Write a dictionary of the differences of means of some places; return its threshold."""
    x, rows = labels
    means = np.stack([x[on].mean(0) - x[~on].mean(0) for on in rows])
    directions = torch.from_numpy(means / np.linalg.norm(means, axis=1, keepdims=True)).float()
    sae = make_sae(SaeConfig("topk", n_features=len(rows), k=len(rows)), 16, seed=0)
    reads = x @ directions.T.numpy()
    edge = [(reads[on, i].mean() + reads[~on, i].mean()) / 2 for i, on in enumerate(rows)]
    with torch.no_grad():
        sae.W_dec.copy_(directions)
        sae.W_enc.copy_(directions.T)
        sae.b_enc.copy_(-torch.tensor(np.array(edge), dtype=torch.float32))
        sae.b_dec.zero_()
    spec = model.spec
    save_sae(sae, folder, {"model": spec.name, "model_sha256": spec.sha256, "site": site})


def test_the_edge_between_two_motifs_has_their_distance(trained, tmp_path):
    letters, ends = planted(np.random.default_rng(1), 4000)
    genome = Genome([Contig("c", letters)])
    ids = torch.from_numpy(trained.tokenize(letters).ids)[None]
    found = trained.run(ids, capture=["blocks.0", "blocks.1"])
    below, above = (found[site][0].numpy() for site in ("blocks.0", "blocks.1"))
    after_first, before_second = (np.zeros(len(letters), bool) for _ in range(2))
    after_first[ends] = True
    before_second[ends + DISTANCE - 1] = True
    bases = [letters == base for base in BASES]
    save_probes(tmp_path / "below", trained, "blocks.0", (below, [after_first, *bases]))
    save_probes(tmp_path / "sae", trained, "blocks.1", (above, [before_second, *bases]))
    reading = HarvestConfig(window=80, warmup=32, strands=("+",))
    store = harvest(trained, genome, site="blocks.1", out=tmp_path / "a.h5", config=reading)
    features = encode_store([store], tmp_path / "sae", tmp_path / "f.h5")
    stack = Stack.of(trained, [Dictionary.load(tmp_path / it) for it in ("below", "sae")])
    config = EdgeConfig(window=64, warmup=40, n_null=49, n_windows=24, n_checked=0)
    edges = measure_edges(stack, genome, features, features=[0], config=config).edges
    edges = edges[edges["source"] != ERROR]
    own = edges[edges["source"] == 0].set_index("lag_first")["weight"]
    # 6 tokens lie between the end of the first motif and what decides the second: bin 5 to 8
    assert own.idxmax() == 5
    # the bases of a token speak for themselves; at a distance nothing comes near the motif
    far = edges[edges["lag_first"] > 1].sort_values("weight")
    assert (far["source"].iloc[-1], far["lag_first"].iloc[-1]) == (0, 5)
