"""Read from files what a ranking is made from, for both `rank` and `backtest`."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import read_split
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.given import Given, GivenFiles
from genointerp.core.config import to_mapping
from genointerp.core.errors import MismatchError
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.outliers import outlier_bases
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import Part, SpecimenFiles
from genointerp.store.table.associations import read_associations_of
from genointerp.store.table.identity import SAE
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.table import read_provenance, read_table

_log = logging.getLogger(__name__)

_MEASURING = re.compile(
    r"(features|genome|activations|sae|directions|other-sae|trained-on)(-\d+)?$"
)


@dataclass(frozen=True, eq=False)
class RankInputs:
    """Inputs of `genointerp.candidate.rank.rank`, with the sha256 of each file by its role."""

    specimens: Sequence[Specimen]
    associations: pd.DataFrame
    given: Given
    sha256: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class RankFiles:
    """Features, and the files of all that is known about them.

    Parameters
    ----------
    files
        Features with their sequences, and with activations if windows and outliers are to be read
        from them.
    associations
        File of the associations that were measured on these features, or a table in memory, which
        is not checked.
    evidence
        Evidence from the model, from other seeds and from training. Optional.
    predictions
        Files with the predictions of finders, in the order of the features. Optional.
    measured
        Table of candidates ranked from the same files and the same configuration, except that
        ablation and annotations may differ. What was measured on the genomes is copied from it.
    """

    files: SpecimenFiles
    associations: Path | pd.DataFrame
    evidence: GivenFiles = field(default_factory=GivenFiles)
    predictions: Sequence[Path] = ()
    measured: Path | None = None

    def open(self, config: RankConfig, *needed: Part) -> RankInputs:
        """Open and read all files.

        Parameters
        ----------
        config
            Configuration of the ranking.
        needed
            What is read in addition to the sequences. Annotations are read if there are
            predictions.

        Raises
        ------
        InputError
            If a file is missing or damaged, or a sequence is unknown.
        MismatchError
            If the files do not belong together.
        """
        too: tuple[Part, ...] = ("annotation",) if self.predictions else ()
        specimens: Sequence[Specimen] = self.files.open("sequence", *too, *needed)
        table = self._table(config)
        sha256 = self._digests(specimens)
        measured = self._measured(sha256, config)
        if measured is None:
            specimens = find_outliers(specimens, config)
        given = replace(self.evidence.read([one.features for one in specimens]), measured=measured)
        return RankInputs(specimens, table, given, sha256)

    def _table(self, config: RankConfig) -> pd.DataFrame:
        if isinstance(self.associations, pd.DataFrame):
            return self.associations
        table = read_associations_of(self.associations, self.files.features)
        return drop_other_boundaries(table, read_split(self.associations), config)

    def _digests(self, specimens: Sequence[Specimen]) -> dict[str, str]:
        """Return the sha256 of each file by its role."""
        sae_sha256 = specimens[0].features.header.sae_sha256
        sha256 = {f"features-{i}": one.features.sha256 for i, one in enumerate(specimens)}
        sha256 |= {f"genome-{i}": one.genome_sha256 for i, one in enumerate(specimens)}
        sha256 |= activation_digests(specimens, "activations")
        sha256 |= {SAE: sae_sha256, **self.evidence.digests()}
        if self.evidence.sae is not None:
            sha256["directions"] = sae_sha256
        if not isinstance(self.associations, pd.DataFrame):
            sha256["associations"] = sha256_file(self.associations)
        if self.predictions:
            known = [one.annotation_file for one in specimens]
            sha256 |= {
                f"annotations-{i}": sha256_file(path) for i, path in enumerate(known) if path
            }
            seen = enumerate(self.predictions)
            sha256 |= {f"predictions-{i}": sha256_file(path) for i, path in seen}
        return sha256

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


def drop_other_boundaries(
    associations: pd.DataFrame, measured: AssociateConfig, config: RankConfig
) -> pd.DataFrame:
    """Drop boundary shares that were measured with another definition of a locus, with a warning.

    Parameters
    ----------
    measured
        Configuration with which the associations were made.
    """
    keys = ("locus_share", "merge_gap")
    differing = [key for key in keys if getattr(measured, key) != getattr(config, key)]
    if not differing or "boundary_share" not in associations:
        return associations
    differences = ", ".join(
        f"{key} is {getattr(config, key):g}, but {getattr(measured, key):g} in the associations"
        for key in differing
    )
    _log.warning("%s: no pattern is classified as a boundary", differences)
    return associations.assign(boundary_share=np.nan, boundary_p=np.nan)


def _measuring(inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs that the evidence measured on the genomes comes from."""
    return {role: sha256 for role, sha256 in inputs.items() if _MEASURING.match(role)}


def _check_same(path: Path, expected: Mapping[str, object], found: Mapping[str, object]) -> None:
    for name in sorted(expected.keys() | found.keys()):
        ours, theirs = (json.dumps(one.get(name)) for one in (expected, found))
        if ours != theirs:
            raise MismatchError(f"{path}: provenance: {name}", ours, theirs)


def find_outliers(specimens: Sequence[Specimen], config: RankConfig) -> list[Specimen]:
    """Return the specimens with their outliers, where their activations are known."""
    return [
        one
        if one.activations is None
        else replace(
            one, outliers=outlier_bases(one.features, one.activations, n_sd=config.outlier_sd)
        )
        for one in specimens
    ]


def activation_digests(specimens: Sequence[Specimen], role: str) -> dict[str, str]:
    """Return the sha256 of all known activations, by role and number of the specimen."""
    return {
        f"{role}-{number}": specimen.activations.sha256
        for number, specimen in enumerate(specimens)
        if specimen.activations is not None
    }
