"""What is known about each locus of a candidate, and which loci merely lack annotation.

Predictions are annotations too, such as those that ``genointerp annotate --find`` writes. The only
tool run here folds single loci, and only if it is installed.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.finders.finding import MissingToolError
from genointerp.annotation.finders.folding import folding_z
from genointerp.candidate.config import RankConfig
from genointerp.core.errors import ConfigError
from genointerp.feature.loci import LocusConfig
from genointerp.feature.locus_files import flanked
from genointerp.feature.specimen import Specimen
from genointerp.feature.top import TopConfig, strongest_loci
from genointerp.genome.interval import GenomicInterval
from genointerp.store.table.schema.candidate import LOCUS_EVIDENCE
from genointerp.store.table.table import conform, empty_table

LocusStatus = Literal["annotated", "annotation missing", "nothing hits", "not searched"]

NO_GENES = frozenset({"low_complexity_region", "tandem_repeat", "nucleotide_motif"})
"""Types of predictions too common in a genome for one at a locus to account for it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DossierConfig:
    """Which candidates have a dossier, and what counts as evidence at their loci.

    Parameters
    ----------
    n_candidates
        Number of candidates with a dossier, from rank 1 on.
    loci_each
        Number of strongest loci of each candidate, over all genomes.
    overlap
        An element accounts for a locus if the two share at least this part of the shorter one.
    max_chance
        A candidate is said to detect one kind of element if the chance that as many of its loci lie
        in such elements is at most this.
    max_missing, max_masked
        Shares of its loci from which a candidate is said to mark genes that merely lack annotation,
        or low-complexity sequence.
    n_neighbours
        Number of features with the nearest directions that are listed.
    fold_bp
        Number of bases around the peak of a locus that are folded.
    n_shuffles
        Number of shuffled sequences that its folding energy is compared with; 0 folds nothing. Loci
        that an annotated element accounts for are not folded.
    seed
        Random seed of the shuffles.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_candidates: int = 10
    loci_each: int = 10
    overlap: float = 0.5
    max_chance: float = 1e-3
    max_missing: float = 0.5
    max_masked: float = 0.5
    n_neighbours: int = 5
    fold_bp: int = 120
    n_shuffles: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("n_candidates", 1), ("loci_each", 1), ("n_neighbours", 0)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"{least} or more", str(getattr(self, name)))
        for name in ("overlap", "max_chance", "max_missing", "max_masked"):
            if not 0 < getattr(self, name) <= 1:
                raise ConfigError(name, "a share above 0, 1 at most", str(getattr(self, name)))
        if self.fold_bp < 1 or self.n_shuffles < 0:
            found = f"fold_bp={self.fold_bp}, n_shuffles={self.n_shuffles}"
            raise ConfigError("fold_bp, n_shuffles", "1 or more, 0 or more", found)


def locus_evidence(
    specimens: Sequence[Specimen],
    candidates: pd.DataFrame,
    ranked: RankConfig,
    config: DossierConfig | None = None,
) -> pd.DataFrame:
    """Return the strongest loci of the first candidates, in the schema ``LOCUS_EVIDENCE``.

    Parameters
    ----------
    specimens
        Genomes with their sequences and annotations. In a genome without predictions, loci that no
        annotated element accounts for are ``not searched``.
    candidates
        ``rank`` and ``feature``, best first.
    ranked
        Configuration of the ranking, which defines what a locus is.
    """
    config = DossierConfig() if config is None else config
    judges = {specimen.name: _Judge(specimen, config) for specimen in specimens}
    tables = []
    for row in candidates.head(config.n_candidates).to_dict("records"):
        feature = int(row["feature"])
        top = TopConfig(config.loci_each, 0, loud_bases(specimens, feature, ranked))
        loci = strongest_loci(specimens, feature, top).rename(columns={"rank": "locus"})
        judged = pd.DataFrame([judges[one["genome"]].judge(one) for one in loci.to_dict("records")])
        loci = loci.drop(columns="sequence").assign(rank=int(row["rank"]), feature=feature)
        tables.append(pd.concat([loci, judged], axis=1))
    found = pd.concat(tables or [empty_table(LOCUS_EVIDENCE)], ignore_index=True)
    return conform(found, LOCUS_EVIDENCE, where="locus evidence")


def annotation_missing(evidence: pd.DataFrame) -> pd.Series:
    """Return for each feature the share of its loci that merely lack annotation.

    NaN if a locus that the annotation does not account for was not searched.
    """
    is_missing = (evidence["status"] == "annotation missing").astype(np.float64)
    of_feature = is_missing.groupby(evidence["feature"]).mean()
    is_open = (evidence["status"] == "not searched").groupby(evidence["feature"]).any()
    return of_feature.mask(is_open)


class _Judge:
    """Decides what is known about the loci of one genome."""

    def __init__(self, specimen: Specimen, config: DossierConfig) -> None:
        predicted, store = specimen.predictions, specimen.features
        self.genome = specimen.needs("sequence")
        self.annotated = Parts(specimen.needs("annotation"))
        self.predicted = None if predicted is None else Parts(predicted)
        self.store = store
        self.is_read = np.zeros(store.n_rows, dtype=np.bool_)
        for strand in store.strands:
            for place in store.coverage(strand):
                self.is_read[slice(*store.row_range(place))] = True
        # a locus on a contig without elements has no nearest type
        self.type_shares = {"": float("nan")}
        self.config = config
        self.can_fold = config.n_shuffles > 0

    def judge(self, locus: dict[Any, Any]) -> dict[str, object]:
        place = GenomicInterval(
            locus["seqid"], int(locus["start"]), int(locus["end"]), locus["strand"]
        )
        searched = self.predicted
        status = locus_status(place, self.annotated, searched, self.config.overlap)
        known = status == "annotated"
        found = [] if searched is None else searched.covering(place, self.config.overlap)
        masked = None if searched is None else searched.share(place, "low_complexity_region")
        return {
            "type_share": self.type_share(str(locus["element_type"])),
            "status": status,
            "found_by": ",".join(sorted({self._finder(row) for row in found})),
            "folding_z": float("nan") if known else self._folding(place, int(locus["peak"])),
            "low_complexity": float("nan") if masked is None else masked,
        }

    def type_share(self, type: str) -> float:
        """Return the share of bases read on either strand that annotated parts of a type hold."""
        if type not in self.type_shares:
            is_of_type = np.zeros(self.store.n_rows, dtype=np.bool_)
            for row in np.flatnonzero(self.annotated.type == type).tolist():
                first = self.store.offsets[self.annotated.seqid[row]]
                start, end = self.annotated.start[row], self.annotated.end[row]
                is_of_type[first + start : first + end] = True
            self.type_shares[type] = float(is_of_type[self.is_read].mean())
        return self.type_shares[type]

    def _finder(self, row: int) -> str:
        assert self.predicted is not None
        return ":".join(filter(None, (self.predicted.tool[row], self.predicted.type[row])))

    def _folding(self, place: GenomicInterval, peak: int) -> float:
        if not self.can_fold:
            return float("nan")
        at_peak = GenomicInterval(place.seqid, peak, peak + 1, place.strand)
        around = flanked(at_peak, self.genome, self.config.fold_bp // 2)
        n_shuffles, seed = self.config.n_shuffles, self.config.seed
        try:
            return folding_z(self.genome.fetch(around), n_shuffles=n_shuffles, seed=seed)
        except MissingToolError as error:
            _log.warning("folding_z is left out: %s", error)
            self.can_fold = False
            return float("nan")


def locus_status(
    place: GenomicInterval, annotated: "Parts", predicted: "Parts | None", overlap: float
) -> LocusStatus:
    """Decide whether an annotated element, or one that a finder predicted, accounts for a place.

    Parameters
    ----------
    predicted
        None if no finder was run.
    overlap
        An element accounts for a place if the two share at least this part of the shorter one.
    """
    if annotated.covering(place, overlap):
        return "annotated"
    if predicted is None:
        return "not searched"
    found = predicted.covering(place, overlap)
    genes = [row for row in found if predicted.type[row] not in NO_GENES]
    return "annotation missing" if genes else "nothing hits"


class Parts:
    """Parts of the elements of an annotation, in columns."""

    def __init__(self, annotations: AnnotationSet) -> None:
        table = annotations.elements
        self.seqid = table["seqid"].to_numpy(object)
        self.start = table["start"].to_numpy(np.int64)
        self.end = table["end"].to_numpy(np.int64)
        self.type = table["type"].to_numpy(object)
        self.tool = [annotations[name].attribute("tool") for name in table["id"]]

    def shared(self, place: GenomicInterval) -> np.ndarray:
        """Return the number of bases that each part shares with a place."""
        shared = np.minimum(self.end, place.end) - np.maximum(self.start, place.start)
        return np.where(self.seqid == place.seqid, np.maximum(shared, 0), 0)

    def covering(self, place: GenomicInterval, share: float) -> list[int]:
        """Return the parts for which part and place share at least ``share`` of the shorter one."""
        shorter = np.minimum(self.end - self.start, place.length)
        shared = self.shared(place)
        rows: list[int] = np.flatnonzero((shared > 0) & (shared >= share * shorter)).tolist()
        return rows

    def share(self, place: GenomicInterval, type: str) -> float:
        """Return the share of a place that lies in parts of a type; NaN if the genome has none."""
        of_type = self.type == type
        if not of_type.any():
            return float("nan")
        covered = np.zeros(place.length, dtype=np.bool_)
        for row in np.flatnonzero(of_type & (self.shared(place) > 0)).tolist():
            start = max(int(self.start[row]) - place.start, 0)
            covered[start : max(int(self.end[row]) - place.start, 0)] = True
        return float(covered.mean())


def loud_bases(specimens: Sequence[Specimen], feature: int, ranked: RankConfig) -> LocusConfig:
    """Return the definition of a locus: a share of the feature's maximum over all genomes."""
    maximum = max(
        float(specimen.features.feature(feature, strand).value.max(initial=0.0))
        for specimen in specimens
        for strand in specimen.features.strands
    )
    return LocusConfig(ranked.merge_gap, min_activation=ranked.locus_share * maximum)
