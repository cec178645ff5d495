"""What a ranking is made from, from files: the same for `rank` and for `backtest`."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from genointerp.annotation.read import read_annotation
from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import read_split
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.given import Given, GivenFiles
from genointerp.candidate.evidence.outliers import Outliers, outlier_bases
from genointerp.candidate.evidence.searched import Searched
from genointerp.candidate.rank import genome_of
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import read_associations_of
from genointerp.store.table.identity import SAE
from genointerp.store.table.schemas import CANDIDATES
from genointerp.store.table.table import read_provenance, read_table

_log = logging.getLogger(__name__)

_MEASURING = re.compile(
    r"(features|genome|activations|sae|directions|other-sae|trained-on)(-\d+)?$"
)

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
    annotations, predictions
        What is annotated and what finders saw, in the order of the features; not needed.
    measured
        Candidates that were ranked from the same of these files, whatever is ablated or annotated,
        with the same configuration: what was measured upon the genomes is taken from them.

    Raises
    ------
    InputError
        If there are predictions without annotations, or the other way round.
    """

    features: Sequence[Path]
    associations: Path
    genomes: Sequence[Path]
    activations: Sequence[Path] = ()
    evidence: GivenFiles = field(default_factory=GivenFiles)
    annotations: Sequence[Path] = ()
    predictions: Sequence[Path] = ()
    measured: Path | None = None

    def __post_init__(self) -> None:
        if not self.annotations and not self.predictions:
            return
        for name in ("annotations", "predictions"):
            found = len(getattr(self, name))
            if found != len(self.features):
                expected = f"one for each of {len(self.features)} features files, beside the other"
                raise InputError(name, expected, str(found))

    def open(self, config: RankConfig) -> RankInputs:
        """Open and read everything.

        Parameters
        ----------
        config
            Of the ranking.

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
        table = told_of_loci(table, read_split(self.associations), config)
        read = [read_genome(path) for path in self.genomes]
        origin = [ActivationStore(path) for path in self.activations]
        sha256 = {f"features-{index}": store.sha256 for index, store in enumerate(stores)}
        sha256 |= {f"genome-{index}": genome.sha256 for index, genome in enumerate(read)}
        sha256 |= {f"activations-{index}": store.sha256 for index, store in enumerate(origin)}
        sha256 |= {SAE: stores[0].header.sae_sha256, **self.evidence.digests()}
        if self.evidence.sae is not None:
            sha256["directions"] = stores[0].header.sae_sha256
        sha256["associations"] = sha256_file(self.associations)
        for role in ("annotations", "predictions"):
            paths = getattr(self, role)
            sha256 |= {f"{role}-{index}": sha256_file(path) for index, path in enumerate(paths)}
        windows = windows_of(stores, origin)
        measured = self._measured(sha256, config)
        given = replace(
            self.evidence.read(stores[0]),
            searched=self._searched(stores, read),
            outliers=outliers_of(stores, origin, config) if measured is None else None,
            measured=measured,
        )
        return RankInputs(stores, table, read, windows, given, sha256)

    def _measured(self, sha256: Mapping[str, str], config: RankConfig) -> pd.DataFrame | None:
        if self.measured is None:
            return None
        made = read_provenance(self.measured, CANDIDATES)
        _check_same(
            self.measured,
            {"generated-by": Provenance({}, {}).generated_by},
            {"generated-by": made.get("generated-by")},
        )
        _check_same(self.measured, to_mapping(config), made.get("config") or {})
        _check_same(self.measured, _measuring(sha256), _measuring(made.get("inputs") or {}))
        return read_table(self.measured, CANDIDATES)

    def _searched(
        self, stores: Sequence[FeatureStore], genomes: Sequence[Genome]
    ) -> Searched | None:
        if not self.predictions:
            return None
        ordered = [genome_of(store, genomes) for store in stores]
        known, seen = (
            [read_annotation(path, genome) for path, genome in zip(paths, ordered, strict=True)]
            for paths in (self.annotations, self.predictions)
        )
        return Searched(known, seen)


def told_of_loci(
    associations: pd.DataFrame, measured: AssociateConfig, config: RankConfig
) -> pd.DataFrame:
    """Return associations without boundaries where these were measured of other loci; warn.

    Parameters
    ----------
    measured
        What the associations were made with.
    """
    keys = ("locus_share", "merge_gap")
    differing = [key for key in keys if getattr(measured, key) != getattr(config, key)]
    if not differing or "boundary_share" not in associations:
        return associations
    told = ", ".join(
        f"{key} is {getattr(config, key):g}, that of the associations {getattr(measured, key):g}"
        for key in differing
    )
    _log.warning("%s: no pattern is told to be a boundary", told)
    return associations.assign(boundary_share=np.nan, boundary_p=np.nan)


def _measuring(inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs that evidence upon the genomes comes from."""
    return {role: sha256 for role, sha256 in inputs.items() if _MEASURING.match(role)}


def _check_same(path: Path, expected: Mapping[str, object], found: Mapping[str, object]) -> None:
    for name in sorted(expected.keys() | found.keys()):
        ours, theirs = (json.dumps(one.get(name)) for one in (expected, found))
        if ours != theirs:
            raise MismatchError(f"{path}: provenance: {name}", ours, theirs)


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
        store.identity.check(own.identity, "genome", "model", "site")
    return [store.windows for store in activations]


def outliers_of(
    stores: Sequence[FeatureStore], activations: Sequence[ActivationStore], config: RankConfig
) -> list[Outliers] | None:
    """Return the tokens of unusual norm of each store; None where there are no activations."""
    if not activations:
        return None
    pairs = zip(stores, activations, strict=True)
    return [outlier_bases(store, own, n_sd=config.outlier_sd) for store, own in pairs]
