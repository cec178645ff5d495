"""Evidence of features that the genomes alone do not give: of the model, of other seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from genointerp.candidate.directions import describe_directions
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.provenance import sha256_file
from genointerp.feature.projection import WEIGHTS, read_decoder
from genointerp.genome.read import read_genome
from genointerp.store.table_schemas import ABLATION
from genointerp.store.tables import read_table

_ABLATION = ["loss_effect", "loss_effect_matched"]
_DIRECTIONS = ["stability", "stability_null", "split_cosine"]


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
    """

    ablation: pd.DataFrame | None = None
    decoder: Float[np.ndarray, "n_features d_in"] | None = None
    others: Sequence[Float[np.ndarray, "_n _d"]] = ()
    trained_on: frozenset[str] | None = None

    def add_to(self, evidence: pd.DataFrame, n_features: int, *, seed: int) -> pd.DataFrame:
        """Return evidence with the columns that this tells, NaN where it tells nothing.

        Raises
        ------
        MismatchError
            If the directions are of another dictionary's size.
        """
        if self.ablation is None:
            evidence = evidence.assign(**dict.fromkeys(_ABLATION, np.nan))
        else:
            effects = self.ablation.set_index("feature")[_ABLATION]
            evidence = evidence.join(effects, on="feature")
        if self.decoder is None:
            return evidence.assign(**dict.fromkeys(_DIRECTIONS, np.nan))
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

    def read(self) -> Given:
        """Read them."""
        seen = frozenset(read_genome(path).sha256 for path in self.trained_on)
        return Given(
            ablation=None if self.ablation is None else read_table(self.ablation, ABLATION),
            decoder=None if self.sae is None else read_decoder(self.sae),
            others=[read_decoder(path) for path in self.other_saes],
            trained_on=seen or None,
        )

    def digests(self) -> dict[str, str]:
        """Return the sha256 of each file, by what it is."""
        files = {"ablation": self.ablation, "sae": _weights(self.sae)}
        files |= {f"other-sae-{i}": _weights(path) for i, path in enumerate(self.other_saes)}
        files |= {f"trained-on-{i}": path for i, path in enumerate(self.trained_on)}
        return {name: sha256_file(path) for name, path in files.items() if path is not None}


def _weights(sae: Path | None) -> Path | None:
    return None if sae is None else Path(sae) / WEIGHTS
