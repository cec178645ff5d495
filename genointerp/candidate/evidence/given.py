"""Evidence of features that the genomes alone do not give: of the model, of other seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from genointerp.candidate.evidence.directions import describe_directions
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.provenance import sha256_file
from genointerp.feature.decoder import read_other_directions, read_own_directions
from genointerp.genome.read import read_genome
from genointerp.sae.header import read_header
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.candidate import ABLATION
from genointerp.store.table.table import read_table

_ABLATION = {
    "loss_effect": "loss_effect",
    "loss_effect_matched": "loss_effect_matched",
    "p_value": "loss_effect_p",
}
"""Columns of ablation, and what candidates call them."""
DIRECTIONS = ["stability", "stability_null", "split_cosine"]


@dataclass(frozen=True, eq=False)
class Given:
    """What is measured elsewhere; whatever is None stays unmeasured.

    Parameters
    ----------
    ablation
        In the schema of ablation; features without a row stay unmeasured.
    decoder
        ``W_dec`` of the dictionary.
    others
        ``W_dec`` of dictionaries of the same site and other seeds; needs ``decoder``.
    trained_on
        sha256 of the genomes that the dictionary was trained on.
    measured
        Candidates of the same features, genomes, windows and directions, ranked with the same
        configuration: their evidence is taken over.
    """

    ablation: pd.DataFrame | None = None
    decoder: Float[np.ndarray, "n_features d_in"] | None = None
    others: Sequence[Float[np.ndarray, "_n _d"]] = ()
    trained_on: frozenset[str] | None = None
    measured: pd.DataFrame | None = None

    def add_ablation(self, evidence: pd.DataFrame) -> pd.DataFrame:
        """Return evidence with what the model loses, NaN where nothing was ablated."""
        if self.ablation is None:
            return evidence.assign(**dict.fromkeys(_ABLATION.values(), np.nan))
        effects = self.ablation.set_index("feature")[list(_ABLATION)].rename(columns=_ABLATION)
        return evidence.join(effects, on="feature")

    def add_directions(self, evidence: pd.DataFrame, n_features: int, *, seed: int) -> pd.DataFrame:
        """Return evidence with what the directions tell, NaN where there are none.

        Raises
        ------
        MismatchError
            If the directions are of another dictionary's size.
        """
        if self.decoder is None:
            return evidence.assign(**dict.fromkeys(DIRECTIONS, np.nan))
        if len(self.decoder) != n_features:
            expected = f"a dictionary of {n_features} features"
            raise MismatchError("directions", expected, f"{len(self.decoder)}")
        near = describe_directions(self.decoder, self.others, seed=seed)
        return evidence.join(near.set_index("feature"), on="feature")


@dataclass(frozen=True)
class GivenFiles:
    """Files of `Given`.

    Parameters
    ----------
    ablation
        Table of ablation.
    sae
        Folder of the dictionary.
    other_saes
        Folders of dictionaries of other seeds.
    trained_on
        Genomes that the dictionary was trained on; unknown where there are none.

    Raises
    ------
    InputError
        If there are other dictionaries but not the one that they are to be compared with.
    """

    ablation: Path | None = None
    sae: Path | None = None
    other_saes: Sequence[Path] = ()
    trained_on: Sequence[Path] = ()

    def __post_init__(self) -> None:
        if self.other_saes and self.sae is None:
            raise InputError("other dictionaries", "the dictionary itself beside them", "none")

    def read(self, store: FeatureStore) -> Given:
        """Read what is given of the dictionary of a store.

        Raises
        ------
        MismatchError
            If something is of another dictionary, or another one is of other activations.
        """
        seen = frozenset(read_genome(path).sha256 for path in self.trained_on)
        sae = self.sae
        return Given(
            ablation=None if self.ablation is None else _read_ablation(self.ablation, store),
            decoder=None if sae is None else read_own_directions(sae, store),
            others=[] if sae is None else read_other_directions(self.other_saes, sae, store),
            trained_on=seen or None,
        )

    def digests(self) -> dict[str, str]:
        """Return the sha256 of each file, by what it is."""
        files = {} if self.ablation is None else {"ablation": self.ablation}
        files |= {f"trained-on-{i}": path for i, path in enumerate(self.trained_on)}
        others = {f"other-sae-{i}": path for i, path in enumerate(self.other_saes)}
        digests = {name: sha256_file(path) for name, path in files.items()}
        return digests | {name: read_header(path).sha256 for name, path in others.items()}


def _read_ablation(path: Path, store: FeatureStore) -> pd.DataFrame:
    store.identity.check(table_identity(path, ABLATION), "dictionary")
    return read_table(path, ABLATION)
