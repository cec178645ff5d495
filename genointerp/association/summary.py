"""What a table of associations says of its concepts and of its universe."""

import numpy as np
import pandas as pd

from genointerp.association.scores import f1_always_on


def best_per_concept(associations: pd.DataFrame) -> pd.DataFrame:
    """Return, for each concept and orientation, the feature with the highest ``f1_fit``.

    It is chosen on fit and never on test; of equals the lowest number is taken. Labels that no
    feature detects on fit are left out. ``f1_always_on`` is what any score is to be read beside.
    """
    found = associations[associations["f1_fit"] > 0]
    order = found.sort_values(["f1_fit", "feature"], ascending=[False, True], kind="stable")
    best = order.drop_duplicates(["concept", "orientation"])
    labels = associations[["concept", "orientation"]].drop_duplicates()
    best = labels.merge(best, on=["concept", "orientation"], how="inner")[list(found.columns)]
    n_concept = best["n_concept_bp"].to_numpy(np.int64)
    return best.assign(f1_always_on=f1_always_on(n_concept, count_covered(associations)))


def count_covered(associations: pd.DataFrame) -> int:
    """Return the covered (base, strand) pairs of test; 0 where nothing was detected there.

    The table has no column for them, but ``log2_enrichment`` implies them, and every row implies
    the same: the row with the most expected bases in common gives the number exactly.
    """
    feature = associations["n_feature_bp"].to_numpy(np.float64)
    concept = associations["n_concept_bp"].to_numpy(np.float64)
    enrichment = associations["log2_enrichment"].to_numpy(np.float64)
    product = np.where(np.isnan(enrichment), 0.0, feature * concept)
    if not product.size or product.max() == 0:
        return 0
    row = int(np.argmax(product))
    observed = float(associations["n_both_bp"].iloc[row]) + 0.5
    return round(float(product[row] / (observed / 2 ** enrichment[row] - 0.5)))
