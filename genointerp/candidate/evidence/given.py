"""Evidence about features that comes from the model or from other seeds, not from genomes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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
from genointerp.store.table.schema.candidate import ABLATION, MATCH_NUMBERS
from genointerp.store.table.schema.matching import MATCHES
from genointerp.store.table.table import read_provenance, read_table

_ABLATION = {
    "loss_effect": "loss_effect",
    "loss_effect_matched": "loss_effect_matched",
    "p_value": "loss_effect_p",
}
"""Columns of the table of ablation, with their names in the table of candidates."""
DIRECTIONS = ["stability", "stability_null", "split_cosine"]
SIDES = ("a", "b")


class OtherDictionary(NamedTuple):
    """Another dictionary, by the name of its matches, and the rows of those of this one."""

    name: str
    rows: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Given:
    """Evidence that was measured elsewhere; whatever is None stays unmeasured.

    Parameters
    ----------
    ablation
        Table in the schema of ablation; features without a row stay unmeasured.
    decoder
        ``W_dec`` of the dictionary.
    others
        ``W_dec`` of dictionaries of the same site, trained with other seeds; needs ``decoder``.
    trained_on
        sha256 of the genomes that the dictionary was trained on.
    measured
        Candidates ranked from the same features, genomes, windows and directions with the same
        configuration; their evidence is reused.
    matches
        Other dictionaries that this one was matched with.
    """

    ablation: pd.DataFrame | None = None
    decoder: Float[np.ndarray, "n_features d_in"] | None = None
    others: Sequence[Float[np.ndarray, "_n _d"]] = ()
    trained_on: frozenset[str] | None = None
    measured: pd.DataFrame | None = None
    matches: Sequence[OtherDictionary] = ()

    def add_matches(self, evidence: pd.DataFrame) -> pd.DataFrame:
        """Add the columns of matches to evidence; NaN and no text where nothing was matched."""
        if not self.matches:
            return evidence.assign(**dict.fromkeys(MATCH_NUMBERS, np.nan), matched_in="")
        found = evidence.join(summarise_matches(self.matches), on="feature")
        return found.fillna({"matched_in": ""})

    def add_ablation(self, evidence: pd.DataFrame) -> pd.DataFrame:
        """Add the columns of ablation to evidence; NaN where nothing was ablated."""
        if self.ablation is None:
            return evidence.assign(**dict.fromkeys(_ABLATION.values(), np.nan))
        effects = self.ablation.set_index("feature")[list(_ABLATION)].rename(columns=_ABLATION)
        return evidence.join(effects, on="feature")

    def add_directions(self, evidence: pd.DataFrame, n_features: int, *, seed: int) -> pd.DataFrame:
        """Add the columns of directions to evidence; NaN if there are no directions.

        Raises
        ------
        MismatchError
            If the directions belong to a dictionary of another size.
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
    """Files from which `Given` is read.

    Parameters
    ----------
    ablation
        Table of ablation.
    sae
        Folder of the dictionary.
    other_saes
        Folders of dictionaries of other seeds.
    trained_on
        Genomes that the dictionary was trained on; if there are none, they are unknown.
    matches
        Tables of `match` with other dictionaries, of which either side may be this one.

    Raises
    ------
    InputError
        If other dictionaries are given without the one to compare them with.
    """

    ablation: Path | None = None
    sae: Path | None = None
    other_saes: Sequence[Path] = ()
    trained_on: Sequence[Path] = ()
    matches: Sequence[Path] = ()

    def __post_init__(self) -> None:
        if self.other_saes and self.sae is None:
            raise InputError("other dictionaries", "the dictionary itself as well", "none")

    def read(self, stores: Sequence[FeatureStore]) -> Given:
        """Read the evidence for the dictionary of features stores, one for each genome.

        Raises
        ------
        MismatchError
            If a file belongs to another dictionary, or another seed was trained on other
            activations.
        """
        seen = frozenset(read_genome(path).sha256 for path in self.trained_on)
        sae, store = self.sae, stores[0]
        return Given(
            ablation=None if self.ablation is None else _read_ablation(self.ablation, store),
            decoder=None if sae is None else read_own_directions(sae, store),
            others=[] if sae is None else read_other_directions(self.other_saes, sae, store),
            trained_on=seen or None,
            matches=[read_own_matches(path, stores) for path in self.matches],
        )

    def digests(self) -> dict[str, str]:
        """Return the sha256 of each file, by its role."""
        files = {} if self.ablation is None else {"ablation": self.ablation}
        files |= {f"matches-{i}": path for i, path in enumerate(self.matches)}
        files |= {f"trained-on-{i}": path for i, path in enumerate(self.trained_on)}
        others = {f"other-sae-{i}": path for i, path in enumerate(self.other_saes)}
        digests = {name: sha256_file(path) for name, path in files.items()}
        return digests | {name: read_header(path).sha256 for name, path in others.items()}


def _read_ablation(path: Path, store: FeatureStore) -> pd.DataFrame:
    store.identity.check(table_identity(path, ABLATION), "dictionary")
    return read_table(path, ABLATION)


def read_own_matches(path: Path, stores: Sequence[FeatureStore]) -> OtherDictionary:
    """Return the rows of a table of matches that are of the dictionary of some features files.

    A table of a run has the name of its comparison, any other that of its file.

    Raises
    ------
    MismatchError
        If neither side was made from one of the features files.
    SchemaError
        If it is no table of matches.
    """
    table = read_table(path, MATCHES)
    inputs = read_provenance(path, MATCHES).get("inputs") or {}
    own, folder = {store.sha256 for store in stores}, path.resolve().parent
    for side in SIDES:
        known = {it for name, it in inputs.items() if re.fullmatch(rf"features-.*-{side}", name)}
        if own & known:
            name = folder.name if folder.parent.name == "match" else path.stem
            return OtherDictionary(name, table[table["side"] == side])
    expected = f"matches of {', '.join(str(store.path) for store in stores)}"
    raise MismatchError(str(path), expected, "matches of other features")


def summarise_matches(matches: Sequence[OtherDictionary]) -> pd.DataFrame:
    """Return what tables of matches with several dictionaries say together, by feature.

    Parameters
    ----------
    matches
        Rows of one dictionary, from one table for each dictionary that it was matched with.

    Returns
    -------
    pandas.DataFrame
        ``n_dictionaries`` in which a partner was looked for, ``matched_share`` of them in which it
        is matched and ``matched_in``, their names; the means of its largest r, of that without
        composition, of that in random-weight twins, and of its excess over its own twin; NaN where
        it fires on too few bases, or nothing was measured.
    """
    tested = pd.concat([one.rows[one.rows["decile"] > 0].assign(name=one.name) for one in matches])
    tested = tested.assign(excess=tested["r"] - tested["twin_r"])
    by_feature = tested.groupby("feature")
    matched = tested[tested["is_matched"] > 0].groupby("feature")["name"]
    return pd.DataFrame(
        {
            "n_dictionaries": by_feature.size().astype(np.float64),
            "matched_share": by_feature["is_matched"].mean(),
            "match_r": by_feature["r"].mean(),
            "match_residual_r": by_feature["residual_partner_r"].mean(),
            "match_twin_r": by_feature["twin_r"].mean(),
            "match_excess": by_feature["excess"].mean(),
            "matched_in": matched.agg(", ".join),
        }
    )
