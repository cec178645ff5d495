"""Synthetic genomes with planted families and decoys, and a model that was trained on them.

What is planted is the truth. What the annotation of the ranking knows is one family at a time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genointerp.annotation.concepts import ConceptElements
from genointerp.feature.encode import encode_store
from genointerp.genome.genome import Contig, Genome
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import HyenaConfig
from genointerp.model.registry import load_model
from genointerp.pretraining.corpus import Corpus
from genointerp.pretraining.pretrain import PretrainConfig, Stage, pretrain
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.io import save_training
from genointerp.sae.train import train_sae
from genointerp.store.activation.reading import StoreSource
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore
from tests.plant import make_elements

LENGTH = 90_000
SLOT = 150
FAMILY_BP = 80
FAMILIES = {"purine_family": (0, 2), "amino_family": (0, 1)}
"""Letters that a family prefers; half of them G or C, as all around, so that GC tells nothing."""
PERIODIC, ISLAND, TANDEM = "periodic", "gc_island", "tandem"
KINDS = (*FAMILIES, PERIODIC, ISLAND, TANDEM)
SITE = "blocks.1"
ACGT = np.frombuffer(b"ACGT", np.uint8)
_COMPLEMENT = np.array([3, 2, 1, 0])


@dataclass(frozen=True)
class PlantedGenome:
    """A genome, and where what was planted: ``(kind, seqid, start, end, strand)``."""

    genome: Genome
    places: list[tuple[str, str, int, int, str]]

    def elements(self, *kinds: str) -> ConceptElements:
        """Return what was planted of some kinds as elements of concepts."""
        chosen = [place for place in self.places if place[0] in kinds]
        return make_elements(*chosen, unstranded=(ISLAND, TANDEM))


@dataclass(frozen=True)
class World:
    """Two planted genomes, and what a model and a dictionary of the first make of both."""

    planted: list[PlantedGenome]
    activations: list[ActivationStore]
    stores: list[FeatureStore]


def plant(seqid: str, seed: int) -> PlantedGenome:
    """Fill a random genome: one thing in the middle of each slot, or nothing."""
    draw = np.random.default_rng(seed)
    codes = draw.integers(0, 4, LENGTH)
    places = []
    weights = np.array([1, 1, 1, 1, 1, 2])
    for slot in range(LENGTH // SLOT):
        kind = (*KINDS, None)[draw.choice(len(weights), p=weights / weights.sum())]
        if kind is None:
            continue
        bases = _draw(kind, draw)
        start = slot * SLOT + int(draw.integers(5, SLOT - len(bases) - 5))
        strand = "." if kind in (ISLAND, TANDEM) else "+-"[int(draw.integers(2))]
        end = start + len(bases)
        codes[start:end] = _COMPLEMENT[bases[::-1]] if strand == "-" else bases
        places.append((kind, seqid, start, end, strand))
    return PlantedGenome(Genome([Contig(seqid, ACGT[codes])]), places)


def _draw(kind, draw):
    """Return one instance of a kind, as it is read."""
    if kind in FAMILIES:
        return _noisy(draw.choice(FAMILIES[kind], FAMILY_BP), 0.12, draw)
    if kind == PERIODIC:
        # as in genes: each position of the codon has a base that it prefers
        preferred = np.tile([2, 0, 1], 36)
        return _noisy(preferred, 0.15, draw)
    if kind == ISLAND:
        return _noisy(draw.integers(1, 3, 120), 0.08, draw)
    return _noisy(np.roll(np.tile([0, 1, 2, 3], 18), draw.integers(4)), 0.02, draw)


def make_world(folder: Path) -> World:
    """Plant, train a model and a dictionary on the first genome, and encode both."""
    planted = [plant("fit", 1), plant("test", 2)]
    network = pretrain(_corpus(planted[0].genome), CONFIG, folder / "training")
    save_model(network, folder / "model", name="planted", context=512, default_site=SITE)
    model = load_model(f"{folder}/model")
    config = HarvestConfig(window=512, warmup=64, batch=16)
    activations = [
        harvest(
            model,
            one.genome,
            site=SITE,
            out=folder / f"{next(iter(one.genome))}.activations.h5",
            config=config,
        )
        for one in planted
    ]
    training = TrainConfig(sae=SaeConfig(n_features=64, k=3), n_tokens=400_000, batch_tokens=1024)
    origin = {"model": model.spec.name, "model_sha256": model.spec.sha256, "site": SITE}
    result = train_sae(StoreSource(activations[:1]), training, metadata=origin)
    save_training(result, folder / "sae")
    stores = [
        encode_store([one], folder / "sae", folder / f"{i}.features.h5")
        for i, one in enumerate(activations)
    ]
    return World(planted, activations, stores)


def _noisy(bases, share, draw):
    """Return the bases with a share of them drawn anew."""
    return np.where(draw.random(len(bases)) < share, draw.integers(0, 4, len(bases)), bases)


CONFIG = PretrainConfig(
    HyenaConfig(
        vocab_size=5, d_model=48, d_mlp=96, mixers=("SE", "MR"), n_heads=2, n_filter_groups=48
    ),
    (Stage(steps=200, length=256, batch=16),),
    warmup_steps=20,
    rna_share=0.0,
    save_every=100,
)


def _corpus(genome: Genome) -> Corpus:
    (contig,) = genome.values()
    tokens = np.searchsorted(ACGT, contig.sequence).astype(np.uint8)
    none = np.zeros(0, np.int64)
    return Corpus(
        tokens,
        np.array([0]),
        np.array([len(tokens)]),
        np.array([1.0]),
        *(none, none, none, np.zeros(0)),
        np.zeros(len(tokens), dtype=bool),
    )
