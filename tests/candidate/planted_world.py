"""Synthetic genomes with planted families and decoys, and a model that was trained on them.

What is planted is the truth; what the annotation of the ranking knows is one family only.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genointerp.activation.harvest import HarvestConfig, harvest
from genointerp.annotation.concepts import ConceptElements
from genointerp.feature.encode import encode_store
from genointerp.genome.genome import Contig, Genome
from genointerp.model.corpus import Corpus
from genointerp.model.folder import save_model
from genointerp.model.hyena import HyenaConfig
from genointerp.model.pretrain import PretrainConfig, Stage, pretrain
from genointerp.model.registry import load_model
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.io import save_training
from genointerp.sae.train import train_sae
from genointerp.store.activations import ActivationStore
from genointerp.store.features import FeatureStore
from genointerp.store.reading import StoreSource
from tests.plant import make_elements

LENGTH = 90_000
SLOT = 150
WORDS_BP = (4, 5, 6, 7)
FAMILY_BP = 90
FAMILIES = ("family_a", "family_b", "family_c")
KNOWN = "known_family"
PERIODIC, ISLAND, TANDEM = "periodic", "gc_island", "tandem"
KINDS = (*FAMILIES, KNOWN, PERIODIC, ISLAND, TANDEM)
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


def plant(seqid: str, consensus: dict[str, list[np.ndarray]], seed: int) -> PlantedGenome:
    """Fill a random genome: one thing in the middle of each slot, or nothing."""
    draw = np.random.default_rng(seed)
    codes = draw.integers(0, 4, LENGTH)
    places = []
    weights = np.array([2, 2, 2, 2, 1, 0.7, 0.7, 1])
    for slot in range(LENGTH // SLOT):
        kind = (*KINDS, None)[draw.choice(len(weights), p=weights / weights.sum())]
        if kind is None:
            continue
        bases = _draw(kind, consensus, draw)
        start = slot * SLOT + int(draw.integers(5, SLOT - len(bases) - 5))
        strand = "." if kind in (ISLAND, TANDEM) else "+-"[int(draw.integers(2))]
        end = start + len(bases)
        codes[start:end] = _COMPLEMENT[bases[::-1]] if strand == "-" else bases
        places.append((kind, seqid, start, end, strand))
    return PlantedGenome(Genome([Contig(seqid, ACGT[codes])]), places)


def _draw(kind, consensus, draw):
    """Return one instance of a kind, as it is read."""
    if kind in consensus:
        words = consensus[kind]
        order = draw.integers(0, len(words), FAMILY_BP)
        bases = np.concatenate([words[i] for i in order])[:FAMILY_BP]
        changed = draw.random(len(bases)) < 0.05
        bases[changed] = draw.integers(0, 4, int(changed.sum()))
        return bases
    if kind == PERIODIC:
        # as in genes: each position of the codon has a base that it prefers
        preferred = np.tile([2, 0, 1], 36)
        return np.where(draw.random(108) < 0.85, preferred, draw.integers(0, 4, 108))
    if kind == ISLAND:
        return np.where(draw.random(120) < 0.92, draw.integers(1, 3, 120), draw.integers(0, 4, 120))
    unit = draw.integers(0, 4, int(draw.integers(2, 5)))
    return np.resize(unit, 70)


def make_world(folder: Path) -> World:
    """Plant, train a model and a dictionary on the first genome, and encode both."""
    draw = np.random.default_rng(7)
    consensus = {name: _words(draw) for name in (*FAMILIES, KNOWN)}
    planted = [plant("fit", consensus, 1), plant("test", consensus, 2)]
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
    training = TrainConfig(sae=SaeConfig(n_features=128, k=4), n_tokens=400_000, batch_tokens=1024)
    origin = {"model": model.spec.name, "model_sha256": model.spec.sha256, "site": SITE}
    result = train_sae(StoreSource(activations[:1]), training, metadata=origin)
    save_training(result, folder / "sae")
    stores = [
        encode_store([one], folder / "sae", folder / f"{i}.features.h5")
        for i, one in enumerate(activations)
    ]
    return World(planted, activations, stores)


def _words(draw):
    """Draw the words of a family, half G and C as all around: only their order tells it."""
    while True:
        words = [draw.integers(0, 4, n) for n in WORDS_BP]
        if abs(np.isin(np.concatenate(words), (1, 2)).mean() - 0.5) < 0.05:
            return words


CONFIG = PretrainConfig(
    HyenaConfig(
        vocab_size=5, d_model=48, d_mlp=96, mixers=("SE", "MR"), n_heads=2, n_filter_groups=48
    ),
    (Stage(steps=400, length=256, batch=16),),
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
