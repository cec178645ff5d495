"""The index of features on the page: the map, and what its search looks through."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from genointerp.page.label import concept_label, family_label
from genointerp.page.measure import FeatureMeasures, Measurements
from genointerp.page.run import Run
from genointerp.panel.style import rank_in_family, type_color, visible_text


class ElementWords:
    """Names of the elements at loci, each once, with the features whose loci they lie at."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.of: dict[int, list[int]] = {}

    def add(self, one: FeatureMeasures) -> None:
        """Note the elements at the strongest loci of a feature."""
        names = []
        if "element" in one.loci:
            at = one.loci[one.loci["distance"] == 0]
            names = [
                visible_text(" ".join(filter(None, dict.fromkeys(map(str, row)))))
                for row in zip(at["element"], at["product"], strict=True)
            ]
        numbers = [self.words.setdefault(name, len(self.words)) for name in names if name]
        self.of[one.feature] = list(dict.fromkeys(numbers))


def index_data(
    run: Run,
    measured: Measurements,
    features: Sequence[int],
    words: ElementWords,
    pages: Mapping[int, str],
) -> dict[str, Any]:
    """Return the data of the map and of the search, a list of each column.

    Parameters
    ----------
    features
        Features that fire, in the order in which they are listed.
    pages
        Address of the page or section of each feature that has one.
    """
    table = measured.features.set_index("feature", drop=False).loc[list(features)]
    points = measured.map.set_index("feature").loc[list(features)]
    rows = table.to_dict("records")
    labels = [concept_label(row) for row in rows]
    concepts = points["concept"]
    counts = concepts[concepts != ""].value_counts(sort=False).sort_index()
    known = list(counts.sort_values(ascending=False, kind="stable").index)
    number = {name: place for place, name in enumerate(known)}
    ranks = rank_in_family(known)
    names = run.specimens[0].features.names_of
    return {
        "axes": list(measured.axis_names),
        # as in `plot dictionary`: a colour for each family, a shape for each of its concepts
        "classes": [*map(visible_text, known), "no concept above its null"],
        "colors": [*map(type_color, known), None],
        "shapes": [*(ranks[name] for name in known), 0],
        "feature": list(features),
        "names": [visible_text(" ".join(names(feature))) for feature in features],
        "page": [pages.get(feature, "") for feature in features],
        "x": _rounded(points["x"]),
        "y": _rounded(points["y"]),
        "class": [number.get(name, len(known)) for name in concepts],
        "label": [visible_text(label) for label in labels],
        "f1": _rounded(
            row["f1"] if label else np.nan for row, label in zip(rows, labels, strict=True)
        ),
        "null": _rounded(
            row["null_f1"] if label else np.nan for row, label in zip(rows, labels, strict=True)
        ),
        "q": _rounded(
            row["q_value"] if label else np.nan for row, label in zip(rows, labels, strict=True)
        ),
        "density": _rounded(table["density"]),
        "words": list(words.words),
        "at": [words.of.get(feature, []) for feature in features],
        # only a run that has circuits says them
        **({} if run.families is None else {"circuit": [*map(family_label, rows)]}),
    }


def _rounded(values: Iterable[float]) -> list[float | None]:
    return [None if pd.isna(value) else float(f"{value:.4g}") for value in values]
