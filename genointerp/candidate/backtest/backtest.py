"""Hide a known class and see where the ranking puts the features that detect it.

The annotation is reduced to what it would be if nobody had described the class
(`genointerp.annotation.withhold`). Concepts are defined and associations measured on what is left,
and the features are ranked. The complete annotation says which features tell the class; it is used
only to look up their ranks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int64

from genointerp.annotation.concepts import Concept
from genointerp.annotation.raster import element_bases
from genointerp.annotation.withhold import overlap_shares, root_concepts
from genointerp.association.associate import associate
from genointerp.association.baseline.dictionary import open_rivals
from genointerp.association.config import AssociateConfig
from genointerp.association.count.label import list_labels
from genointerp.association.summary import count_covered
from genointerp.candidate.backtest.chance import expected_first, p_first, p_ranks, p_within
from genointerp.candidate.backtest.classes import read_classes
from genointerp.candidate.backtest.hidden import HiddenClass, hide
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.given import Given
from genointerp.candidate.rank import gather, rank_evidence
from genointerp.core.errors import InputError
from genointerp.core.metric import f1_always_on, precision_gain
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.schema.candidate import BACKTEST, BACKTEST_FEATURES
from genointerp.store.table.table import conform, empty_table

TOPS = (10, 50, 100)
"""Ranks up to which recall is reported."""

GOAL_RANK = 20
"""The best feature of a class that the model knows should rank no lower than this."""

KNOWN_AUROC = 0.9
"""AUROC of a linear probe on test above which the model is said to know a class."""

MAX_CHANCE = 0.05
"""Largest p-value at which a class counts as found rather than ranked high by chance."""

RISE = 2
"""The annotation hides a feature if hiding the class divides its rank by this number or more."""

LEAST_F1 = 0.1
"""Lowest F1 on test with which a feature tells a class; below, it may be attracted by it."""

_NAN = float("nan")
_LEAST_OVERLAP = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class BacktestResult:
    """Ranks of the features of each hidden class.

    Parameters
    ----------
    classes
        One row per class, in the schema ``BACKTEST``.
    features
        One row per feature of each class, by rank, in the schema ``BACKTEST_FEATURES``.
    """

    classes: pd.DataFrame
    features: pd.DataFrame

    def __repr__(self) -> str:
        counts = self.classes["verdict"].value_counts()
        found = ", ".join(f"{counts[name]} {name}" for name in counts.index)
        return f"BacktestResult({len(self.classes)} classes hidden: {found})"


@dataclass(frozen=True, eq=False)
class Subject:
    """Features that are ranked, and what is known about them when nothing is hidden.

    Parameters
    ----------
    specimens
        Genomes with the features of one dictionary, their sequences and annotations.
    associations
        Table that `associate` returned for them.
    split
        Configuration with which it was called.
    given
        Evidence measured elsewhere, as for `genointerp.candidate.rank.rank`.
    """

    specimens: Sequence[Specimen]
    associations: pd.DataFrame
    split: AssociateConfig
    given: Given | None = None


@dataclass(frozen=True, eq=False)
class RandomWeights:
    """Features of a dictionary of the same model with random weights, ranked for comparison.

    Parameters
    ----------
    specimens
        The genomes of the subject, in its order. Windows must be known for both or for neither, or
        the two rankings could not be compared.
    given
        Evidence of the same kinds as the subject's: directions for both or for neither, and the
        same genomes of training. Only the subject may have other seeds and ablation.
    """

    specimens: Sequence[Specimen]
    given: Given | None = None


class _Gathered(NamedTuple):
    """Features of one dictionary, their evidence, and their ranks when nothing is hidden."""

    name: str
    subject: Subject
    evidence: pd.DataFrame
    shown: pd.Series


def backtest(
    subject: Subject,
    concepts: Mapping[str, Concept],
    config: RankConfig | None = None,
    *,
    random: RandomWeights | None = None,
    probes: pd.DataFrame | None = None,
    progress: Progress = silent,
) -> BacktestResult:
    """Hide each known class in turn and rank the features as if it were unknown.

    Parameters
    ----------
    concepts
        Definitions of the concepts that the associations were measured on.
    random
        Features of random weights, to compare with.
    probes
        Table of baselines; its linear probes show which classes the model knows.
    progress
        Called with (classes done, classes in all).

    Raises
    ------
    InputError
        If the sequence or the annotation of a specimen is unknown, or if random weights have other
        kinds of evidence than the subject.
    MismatchError
        If the features of random weights come from other genomes or another site, or are not of
        random weights.

    Notes
    -----
    A feature *tells* the class if, with nothing hidden, its label with the highest ``f1_fit`` is of
    the class, its ``q_value`` is at most ``config.max_q``, and its F1 on test is at least
    `LEAST_F1`, above ``null_f1``, and above that of the always-on detector unless its gain in
    precision is at least ``config.explained``. The best is the one with the highest ``f1_fit``. If
    no feature tells a class, nothing is ranked for it. Evidence and order are those of
    `genointerp.candidate.rank.rank`; with nothing hidden, the table would be the same.
    """
    config = RankConfig() if config is None else config
    use = read_classes()
    full = [specimen.with_concepts(concepts) for specimen in subject.specimens]
    gathered = [_gather("trained", subject, config)]
    if random is not None:
        _check_random(subject, random)
        shown = [specimen.with_concepts(concepts) for specimen in random.specimens]
        table = associate(shown, config=subject.split, matched=False, offsets=False)
        other = Subject(random.specimens, table, subject.split, random.given)
        gathered.append(_gather("random", other, config))
    roots = root_concepts(concepts)
    listed = [name for name in concepts if name in roots or name in use.reserve]
    names = [name for name in listed if any(len(one.needs("elements").of(name)) for one in full)]
    genomes = [(one.needs("elements"), one.features.lengths) for one in full]
    overlaps = overlap_shares(genomes, concepts, names)
    rows, tables = [], [empty_table(BACKTEST_FEATURES)]
    for number, name in enumerate(names):
        hidden = hide(full, concepts, name)
        ranked = [_rank_hidden(one, hidden, config) for one in gathered]
        n_live = len(gathered[0].evidence)
        described = _describe(hidden, full, overlaps[name])
        auroc = _probe_auroc(probes, hidden.gone)
        rows.append(described | _compare(ranked, n_live) | {"probe_auroc": auroc})
        rows[-1]["verdict"] = verdict(rows[-1], within_known=name not in roots)
        rows[-1]["use"] = "tuned" if name in use.tuned else "reserve"
        tables += [table for table in ranked if len(table)]
        progress(number + 1, len(names))
    classes = pd.DataFrame(rows, columns=BACKTEST.names)
    features = pd.concat(tables[1:] or tables, ignore_index=True)
    return BacktestResult(
        conform(classes, BACKTEST, where="backtest"),
        conform(features, BACKTEST_FEATURES, where="features of the backtest"),
    )


def associate_hidden(
    specimens: Sequence[Specimen], hidden: HiddenClass, split: AssociateConfig
) -> pd.DataFrame:
    """Return the associations as they would be if the class had never been described.

    Every label is measured again and the tested family is chosen again, since a feature whose best
    label is hidden has another one, for which the table of the complete annotation may hold no
    p-value. The table is empty if nothing else is known.
    """
    left = hidden.hide_in(specimens)
    if not list_labels(left):
        return empty_table(ASSOCIATIONS)
    return associate(left, config=split, matched=False, offsets=False)


def class_features(
    associations: pd.DataFrame, concepts: Sequence[str], config: RankConfig
) -> pd.DataFrame:
    """Return the features that tell one of the concepts, as defined in `backtest`, best first.

    The columns are ``feature, concept, orientation, f1_fit, f1`` of the label with the highest
    ``f1_fit``.
    """
    known = associations[associations["f1_fit"] > 0]
    ordered = known.sort_values("f1_fit", ascending=False, kind="stable")
    best = ordered.drop_duplicates("feature")
    n_covered = count_covered(associations)
    n_concept = best["n_concept_bp"].to_numpy(np.int64)
    precision = best["precision"].to_numpy(np.float64)
    gain = precision_gain(precision, n_concept / max(n_covered, 1))
    f1 = best["f1"].to_numpy(np.float64)
    above = (f1 >= LEAST_F1) & (f1 > best["null_f1"].to_numpy(np.float64))
    sharp = (f1 > f1_always_on(n_concept, n_covered)) | (gain >= config.explained)
    tells = (best["q_value"] <= config.max_q) & above & sharp
    found = best[tells & best["concept"].isin(concepts)]
    return found[["feature", "concept", "orientation", "f1_fit", "f1"]].reset_index(drop=True)


def _check_random(subject: Subject, random: RandomWeights) -> None:
    n, n_random = len(subject.specimens), len(random.specimens)
    if n_random != n:
        raise InputError("random", f"none or {n}", str(n_random))
    stores = [specimen.features for specimen in random.specimens]
    open_rivals(subject.specimens, stores, random_weights=True)
    for specimen, other in zip(subject.specimens, random.specimens, strict=True):
        specimen.features.identity.check(other.features.identity, "genome")
    windows, other_windows = (
        any(specimen.windows is not None for specimen in one.specimens) for one in (subject, random)
    )
    own, others = subject.given or Given(), random.given or Given()
    for kind, has, has_other in (
        ("activations", windows, other_windows),
        ("dictionary", own.decoder is not None, others.decoder is not None),
        ("genomes of training", own.trained_on is not None, others.trained_on is not None),
    ):
        if has != has_other:
            expected = "as for the features" if has else "none, as for the features"
            raise InputError(f"{kind} of random weights", expected, "none" if has else "some")


def _gather(name: str, subject: Subject, config: RankConfig) -> _Gathered:
    evidence = gather(subject.specimens, config, given=subject.given)
    shown = rank_evidence(evidence, subject.associations, config).set_index("feature")["rank"]
    return _Gathered(name, subject, evidence, shown)


def _rank_hidden(gathered: _Gathered, hidden: HiddenClass, config: RankConfig) -> pd.DataFrame:
    """Return the features of a hidden class with their ranks, as ``BACKTEST_FEATURES``."""
    subject, evidence = gathered.subject, gathered.evidence
    found = class_features(subject.associations, hidden.gone, config)
    found = found[found["feature"].isin(evidence["feature"])]
    if found.empty:
        return empty_table(BACKTEST_FEATURES)
    associations = associate_hidden(subject.specimens, hidden, subject.split)
    ranked = rank_evidence(evidence, associations, config)
    ranked = ranked[["feature", "rank", "score", "flags", "density"]].copy()
    ranked["density_rank"] = by_density(ranked)
    table = found.merge(ranked, on="feature")
    table["class"] = hidden.name
    table["dictionary"] = gathered.name
    table["n_live"] = len(evidence)
    table["rank_shown"] = gathered.shown.loc[table["feature"]].to_numpy()
    return table.sort_values("rank")[BACKTEST_FEATURES.names]


def by_density(ranked: pd.DataFrame) -> Int64[np.ndarray, " feature"]:
    """Return the rank of each feature with the rarest first, and ties by lower number."""
    order = np.lexsort((ranked["feature"], ranked["density"]))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    return rank


def count_read(specimens: Sequence[Specimen], concept: str) -> int:
    """Count the elements of a concept of which at least one base was read, on either strand."""
    n = 0
    for specimen in specimens:
        store = specimen.features
        is_read = np.zeros(store.n_rows, dtype=np.bool_)
        for strand in store.strands:
            for interval in store.coverage(strand):
                offset = store.offsets[interval.seqid]
                is_read[offset + interval.start : offset + interval.end] = True
        bases = element_bases(specimen.needs("elements"), store.lengths, concept)
        n += len(np.unique(bases.element[is_read[bases.row]]))
    return n


def _describe(
    hidden: HiddenClass, full: Sequence[Specimen], overlap: Mapping[str, float]
) -> dict[str, Any]:
    listed = [f"{name} {share:.2f}" for name, share in overlap.items() if share >= _LEAST_OVERLAP]
    return {
        "class": hidden.name,
        "hidden": ",".join(hidden.gone),
        "changed": ",".join(hidden.changed),
        "overlapping": ",".join(listed),
        "n_elements": count_read(full, hidden.name),
    }


def _compare(ranked: Sequence[pd.DataFrame], n_live: int) -> dict[str, Any]:
    """Return where the features of a class land, and where other orders would put them."""
    own = ranked[0]
    other = ranked[1] if len(ranked) > 1 else own.head(0)
    best = own.sort_values("f1_fit", ascending=False, kind="stable").head(1).to_dict("records")
    m, landing = len(own), _landing(own, "rank")
    hits = int((own["rank"] <= TOPS[1]).sum())
    return {
        "n_live": n_live,
        "n_class_features": m,
        "best_feature": best[0]["feature"] if best else -1,
        "best_concept": best[0]["concept"] if best else "",
        "best_f1": best[0]["f1"] if best else _NAN,
        **landing,
        "expected_rank_first": expected_first(n_live, m),
        "p_value": p_first(n_live, m, int(landing["rank_first"])) if m else _NAN,
        "p_value_50": p_within(n_live, m, TOPS[1], hits) if m else _NAN,
        "p_ranks": p_ranks(own["rank"].to_numpy(np.float64), n_live),
        **tell_shown(own),
        **{f"density_{k}": v for k, v in _landing(own, "density_rank").items()},
        "random_n_class_features": len(other),
        **{f"random_{k}": v for k, v in _landing(other, "rank").items()},
    }


def _landing(features: pd.DataFrame, column: str) -> dict[str, float]:
    """Return the ranks of the first and the best feature, and recall; NaN without features."""
    names = ["rank_first", "rank_best", *(f"recall_{top}" for top in TOPS)]
    if features.empty:
        return dict.fromkeys(names, _NAN)
    rank = features[column].to_numpy(np.float64)
    best = int(np.argmax(features["f1_fit"].to_numpy(np.float64)))
    recall = [float((rank <= top).mean()) for top in TOPS]
    return dict(zip(names, [float(rank.min()), float(rank[best]), *recall], strict=True))


def _probe_auroc(probes: pd.DataFrame | None, concepts: Sequence[str]) -> float:
    """Return the highest test AUROC of the linear probes of a class's labels; NaN if none."""
    if probes is None:
        return _NAN
    own = probes[(probes["detector"] == "linear_probe") & probes["concept"].isin(concepts)]
    return float(own["auroc"].max())


def verdict(row: Mapping[str, Any], *, within_known: bool) -> str:
    """Decide whether the ranking would have found a class, and only because it was hidden.

    Parameters
    ----------
    row
        Row of the table of classes, without ``verdict`` and ``use``.
    within_known
        Whether the class is part of another one that stays known, such as the codons at its ends.

    Notes
    -----
    The first of these that holds:

    - ``not known``: according to a probe the model does not know it (`KNOWN_AUROC`);
    - ``no feature``: no feature tells it;
    - ``part of what is known``: every feature that tells it fires within a class that stays known,
      and is explained by that class; no ranking by what is unexplained can put it early;
    - ``missed``: its best feature is not among the first `GOAL_RANK`, or chance may put its
      features where they lie. That is so if ``p_ranks``, over all of them, is above `MAX_CHANCE`,
      or if ``p_value``, of the first, is above it although rank 1 would be below it (m / n <=
      `MAX_CHANCE`);
    - ``not hidden by annotation``: at most half of its features are ranked `RISE` times as early as
      with nothing hidden. The ranking has them early whether the class is known or not, so hiding
      it tests nothing;
    - ``found``.
    """
    if row["probe_auroc"] <= KNOWN_AUROC:
        return "not known"
    if np.isnan(row["rank_best"]):
        return "no feature"
    if within_known:
        return "part of what is known"
    could_tell = row["n_class_features"] / row["n_live"] <= MAX_CHANCE
    by_chance = row["p_ranks"] > MAX_CHANCE or (could_tell and row["p_value"] > MAX_CHANCE)
    if row["rank_best"] > GOAL_RANK or by_chance:
        return "missed"
    return "not hidden by annotation" if row["share_risen"] <= 0.5 else "found"


def tell_shown(features: pd.DataFrame) -> dict[str, float]:
    """Return where the features of a class rank with nothing hidden; NaN if there are none."""
    if features.empty:
        return dict.fromkeys(("rank_first_shown", "rank_best_shown", "share_risen"), _NAN)
    hidden, shown = (features[name].to_numpy(np.float64) for name in ("rank", "rank_shown"))
    best = int(np.argmax(features["f1_fit"].to_numpy(np.float64)))
    return {
        "rank_first_shown": float(shown.min()),
        "rank_best_shown": float(shown[best]),
        "share_risen": float((RISE * hidden <= shown).mean()),
    }
