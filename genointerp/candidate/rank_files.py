"""What a ranking is made from, from files: the same for `rank` and for `backtest`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from genointerp.candidate.given import Given, GivenFiles
from genointerp.core.errors import InputError
from genointerp.core.provenance import sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.store.activations import ActivationStore
from genointerp.store.associations import SAE
from genointerp.store.belonging import check_origin, read_associations_of
from genointerp.store.features import FeatureStore

Windows = Sequence[Sequence[GenomicInterval]]


@dataclass(frozen=True, eq=False)
class RankInputs:
    """What `genointerp.candidate.rank.rank` takes, and the sha256 of each file by its role."""

    stores: Sequence[FeatureStore]
    associations: pd.DataFrame
    genomes: Sequence[Genome]
    windows: Windows | None
    given: Given
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class RankFiles:
    """Features and all that is known of them.

    Parameters
    ----------
    features
        Of each genome.
    associations
        Measured on these files.
    genomes
        Sequences, in any order.
    activations
        Where the windows are read from, in the order of the features; not needed.
    evidence
        Of the model, other seeds and training; not needed.
    """

    features: Sequence[Path]
    associations: Path
    genomes: Sequence[Path]
    activations: Sequence[Path] = ()
    evidence: GivenFiles = field(default_factory=GivenFiles)

    def open(self) -> RankInputs:
        """Open and read everything.

        Raises
        ------
        InputError
            If a file is missing or damaged, or there is not one of activations for each of
            features.
        MismatchError
            If the files do not belong together.
        """
        stores = [FeatureStore(path) for path in self.features]
        if not stores:
            raise InputError("features", "at least one file", "none")
        table = read_associations_of(self.associations, stores)
        read = [read_genome(path) for path in self.genomes]
        origin = [ActivationStore(path) for path in self.activations]
        sha256 = {f"features-{index}": store.sha256 for index, store in enumerate(stores)}
        sha256 |= {f"genome-{index}": genome.sha256 for index, genome in enumerate(read)}
        sha256 |= {f"activations-{index}": store.sha256 for index, store in enumerate(origin)}
        sha256 |= {SAE: stores[0].header.sae_sha256, **self.evidence.digests()}
        sha256["associations"] = sha256_file(self.associations)
        given = self.evidence.read(stores[0])
        return RankInputs(stores, table, read, windows_of(stores, origin), given, sha256)


def windows_of(
    stores: Sequence[FeatureStore], activations: Sequence[ActivationStore]
) -> Windows | None:
    """Return the windows of the activations of each store; None where there are none.

    Raises
    ------
    InputError
        If there is not one of activations for each store.
    MismatchError
        If activations are of another genome, model or site than the features.
    """
    if not activations:
        return None
    if len(activations) != len(stores):
        expected = f"one for each of {len(stores)} features files"
        raise InputError("activations", expected, str(len(activations)))
    for store, own in zip(stores, activations, strict=True):
        check_origin(store, own)
    return [store.windows for store in activations]
