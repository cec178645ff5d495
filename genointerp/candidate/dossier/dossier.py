"""Dossier of a candidate: all that is known about it on one page, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from genointerp.candidate.config import RankConfig
from genointerp.candidate.dossier.checks import Check, check_candidate
from genointerp.candidate.dossier.experiment import propose
from genointerp.candidate.evidence.locus import DossierConfig, locus_evidence, loud_bases
from genointerp.core.errors import InputError
from genointerp.core.metric import cosine
from genointerp.feature.motif import Motif, MotifConfig, find_motif
from genointerp.feature.specimen import Specimen

_EFFECTS = ("loss", "ablation")
"""Prefixes of the names of columns about ablation."""


@dataclass(frozen=True, eq=False, repr=False)
class Dossier:
    """All that is known about one candidate.

    Parameters
    ----------
    candidate
        Its row of the table of candidates.
    checks
        Checks that say what it is not, and what it might still be.
    loci
        Its strongest loci, in the schema ``LOCUS_EVIDENCE``.
    context
        Numbers of loci by status, type of the nearest element and orientation relative to it.
    neighbours
        Features with the nearest directions: ``feature, cosine, best_concept, best_f1, flags``.
    ablation
        Columns of the table of candidates about its ablation.
    motif
        Motif of its loci; None if none can be aligned.
    next
        Steps to take before any experiment, then the experiment.
    """

    candidate: Mapping[str, Any]
    checks: Sequence[Check]
    loci: pd.DataFrame
    context: pd.DataFrame
    neighbours: pd.DataFrame
    ablation: Mapping[str, float]
    motif: Motif | None
    next: Sequence[str]

    @property
    def feature(self) -> int:
        """Index in the dictionary."""
        return int(self.candidate["feature"])

    def __repr__(self) -> str:
        counts = f"{len(self.checks)} checks, {len(self.loci):,} loci"
        return f"Dossier(f/{self.feature}: {counts}, {len(self.neighbours):,} neighbours)"


def make_dossiers(
    candidates: pd.DataFrame,
    specimens: Sequence[Specimen],
    ranked: RankConfig,
    config: DossierConfig | None = None,
    *,
    decoder: Float[np.ndarray, "n_features d_in"] | None = None,
) -> list[Dossier]:
    """Make the dossiers of the first candidates.

    Parameters
    ----------
    candidates
        Table as returned by `genointerp.candidate.rank.rank`.
    specimens
        Genomes with their sequences and annotations, and with predictions if finders were run.
    ranked
        Configuration with which the candidates were ranked.
    decoder
        Directions of the features; without them the dossiers list no neighbours.
    """
    config = DossierConfig() if config is None else config
    first = candidates.head(config.n_candidates)
    evidence = locus_evidence(specimens, first, ranked, config)
    return [
        _dossier(row, candidates, evidence, specimens, ranked, config, decoder)
        for row in first.to_dict("records")
    ]


def nearest_directions(
    decoder: Float[np.ndarray, "n_features d_in"], feature: int, n: int
) -> list[tuple[int, float]]:
    """Return the features with the directions nearest to that of one feature, and their cosines."""
    found = cosine(decoder[[feature]], decoder)[0]
    order = np.lexsort((np.arange(len(found)), -found))
    return [(int(one), float(found[one])) for one in order[order != feature][:n]]


def _dossier(
    row: Mapping[Any, Any],
    candidates: pd.DataFrame,
    evidence: pd.DataFrame,
    specimens: Sequence[Specimen],
    ranked: RankConfig,
    config: DossierConfig,
    decoder: np.ndarray | None,
) -> Dossier:
    feature = int(row["feature"])
    loci = evidence[evidence["feature"] == feature].reset_index(drop=True)
    checks = check_candidate(row, loci, ranked, config)
    return Dossier(
        candidate=row,
        checks=checks,
        loci=loci,
        context=_context(loci),
        neighbours=_neighbours(decoder, candidates, feature, config.n_neighbours),
        ablation={
            str(name): float(value)
            for name, value in row.items()
            if str(name).startswith(_EFFECTS) and pd.notna(value)
        },
        motif=_motif(specimens, feature, ranked),
        next=_next(checks, str(row.get("pattern", ""))),
    )


def _context(loci: pd.DataFrame) -> pd.DataFrame:
    keys = ["status", "element_type", "orientation"]
    counts = loci.groupby(keys, sort=False).size().rename("n_loci").reset_index()
    return counts.sort_values("n_loci", ascending=False, kind="stable", ignore_index=True)


def _neighbours(
    decoder: np.ndarray | None, candidates: pd.DataFrame, feature: int, n: int
) -> pd.DataFrame:
    columns = ["best_concept", "best_f1", "flags"]
    known = candidates.set_index("feature")[columns]
    found = [] if decoder is None else nearest_directions(decoder, feature, n)
    table = pd.DataFrame(found, columns=["feature", "cosine"]).astype(
        {"feature": np.int64, "cosine": np.float64}
    )
    table = table.join(known, on="feature")
    # a feature that never fires has no row in the table of candidates
    return table.fillna({"best_concept": "", "flags": ""})


def _motif(specimens: Sequence[Specimen], feature: int, ranked: RankConfig) -> Motif | None:
    try:
        return find_motif(
            specimens, feature, MotifConfig(loci=loud_bases(specimens, feature, ranked))
        )
    except InputError:
        # loci without flanks cannot be aligned
        return None


def _next(checks: Sequence[Check], pattern: str) -> list[str]:
    steps = []
    doubts = [check for check in checks if check.outcome == "not ruled out"]
    unseen = [f"{it.check} ({it.reason})" for it in checks if it.outcome == "not examined"]
    if doubts:
        claims = "; ".join(f"{check.check} ({check.claim})" for check in doubts)
        steps.append(f"First settle what is not ruled out: {claims}.")
    if unseen:
        steps.append(f"Examine what was not examined: {'; '.join(unseen)}.")
    return [*steps, propose(pattern)]
