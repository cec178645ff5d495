"""Precision and recall of a feature at every threshold, measured on test."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float64

from genointerp.association.config import AssociateConfig
from genointerp.association.count.label import Label, LabelledCells, label_cells
from genointerp.association.count.tracks import CellTrack, count_levels, stream_features
from genointerp.association.count.universe import lay_side
from genointerp.core import metric
from genointerp.feature.specimen import Specimen
from genointerp.store.table.schema.association import CURVES
from genointerp.store.table.table import conform, empty_table

N_LEVELS = 64


def precision_recall(
    specimens: Sequence[Specimen],
    pairs: pd.DataFrame,
    *,
    config: AssociateConfig,
    n_levels: int = N_LEVELS,
) -> pd.DataFrame:
    """Compute the precision-recall curve of each pair, in the schema ``CURVES``.

    Parameters
    ----------
    specimens, config
        The same as for `genointerp.association.associate.associate`, so that the test side is the
        same.
    pairs
        Rows of associations, with the columns ``feature, concept, orientation, threshold``.
    n_levels
        Number of thresholds in addition to the chosen one.

    Notes
    -----
    Thresholds are quantiles of the activation over the bases of test on which the feature fires;
    the lowest detects all of these. Precision and recall by base are exact at each threshold.
    """
    stores = [specimen.features for specimen in specimens]
    universe = lay_side(specimens, config, "test")
    names = tuple(
        dict.fromkeys(map(Label, pairs["concept"].tolist(), pairs["orientation"].tolist()))
    )
    labels = label_cells(specimens, universe, names)
    found = [empty_table(CURVES)]
    wanted = sorted(set(pairs["feature"].tolist()))
    for feature, (track,) in stream_features(stores, [universe], wanted):
        for pair in pairs[pairs["feature"] == feature].to_dict("records"):
            label = Label(pair["concept"], pair["orientation"])
            chosen = float(pair["threshold"])
            curve = _curve(track, names.index(label), labels, chosen, n_levels)
            base_rate = curve["n_concept_bp"] / max(universe.n_covered, 1)
            found.append(
                curve.assign(feature=feature, base_rate=base_rate, **label._asdict())[CURVES.names]
            )
    table = pd.concat(found[1:] or found, ignore_index=True)
    return conform(table, CURVES, where="precision and recall")


def _curve(
    track: CellTrack, label: int, labels: LabelledCells, chosen: float, n_levels: int
) -> pd.DataFrame:
    thresholds = _levels(track, chosen, n_levels)
    counts = count_levels(track, thresholds, labels)
    n_both, n_concept = counts.n_both[label], labels.n_positive[label]
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "chosen": (thresholds == chosen).astype(np.int64),
            "n_feature_bp": counts.n_feature,
            "n_both_bp": n_both,
            "n_concept_bp": np.full(len(thresholds), n_concept),
            "precision": metric.precision(n_both, counts.n_feature),
            "recall": metric.recall(n_both, np.full(len(thresholds), n_concept)),
        }
    )


def _levels(track: CellTrack, chosen: float, n_levels: int) -> Float64[np.ndarray, " level"]:
    value = track.value.astype(np.float64)
    shares = np.linspace(0, 1, n_levels)
    # a quantile between two values would detect the same bases as the upper value
    levels = np.quantile(value, shares, method="higher") if len(value) else np.zeros(0)
    known = [] if np.isnan(chosen) else [chosen]
    return np.unique(np.concatenate([levels, known]))
