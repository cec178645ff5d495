"""Figures of features beside concepts, measured anew on the test side of the associations."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from genointerp.annotation.concepts import ConceptElements
from genointerp.association.config import AssociateConfig
from genointerp.association.curve import precision_recall
from genointerp.association.file import read_elements, read_split
from genointerp.association.metagene import ANCHORS, FLANK, metagene
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.plot.curve import plot_precision_recall
from genointerp.plot.metagene import plot_metagene
from genointerp.plot.overlap import best_pairs
from genointerp.plot.style import FONT_SIZE, plain_text
from genointerp.report.figure_file import check_suffix, new_figure, save_figure
from genointerp.store.associations import read_associations
from genointerp.store.features import FeatureStore

N_CURVES = 7
"""Curves of a figure where no feature is named: the concepts with the highest test F1."""


class Measured(NamedTuple):
    """What associations were measured on, read again."""

    stores: list[FeatureStore]
    elements: list[ConceptElements]
    table: pd.DataFrame
    config: AssociateConfig


def read_measured(
    features: Sequence[Path],
    annotations: Sequence[Path],
    associations: Path,
    *,
    genomes: Sequence[Path] = (),
    concepts: Path | None = None,
) -> Measured:
    """Read what `genointerp.association.file.associate_files` was given, and what it made of it."""
    stores = [FeatureStore(path) for path in features]
    return Measured(
        stores,
        read_elements(stores, annotations, genomes=genomes, concepts=concepts),
        read_associations(associations, stores[0]),
        read_split(associations),
    )


def choose_pairs(
    associations: pd.DataFrame, features: Sequence[int] = (), concepts: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the rows of associations to draw, each chosen by ``f1_fit``; perhaps none.

    Parameters
    ----------
    features
        Each feature's best concept and orientation; where empty, the best pair of each concept,
        highest test F1 first.
    concepts
        Only these.

    Raises
    ------
    UnknownNameError
        If the table has no such concept.
    """
    known = list(dict.fromkeys(associations["concept"]))
    for name in concepts:
        if name not in known:
            raise UnknownNameError("concept", f"one of {', '.join(known)}", repr(name))
    table = associations[associations["concept"].isin(list(concepts) or known)]
    table = table[table["f1"].notna()]
    if features:
        ranked = table[table["f1_fit"] > 0].sort_values("f1_fit", ascending=False, kind="stable")
        best = ranked.drop_duplicates("feature").set_index("feature", drop=False)
        pairs = best.loc[[feature for feature in features if feature in best.index]]
    else:
        pairs = best_pairs(table).head(N_CURVES)
    return pairs.reset_index(drop=True)


def draw_curves(
    measured: Measured,
    out: Path,
    *,
    feature_ids: Sequence[int | str] = (),
    concepts: Sequence[str] = (),
) -> None:
    """Draw precision against recall of the chosen pairs on test, and save the figure.

    Raises
    ------
    InputError
        If no pair is left.
    """
    check_suffix(out)
    features = [measured.stores[0].find_feature(feature) for feature in feature_ids]
    pairs = choose_pairs(measured.table, features, concepts)
    if pairs.empty:
        raise InputError("associations", "a pair with f1_fit above 0 to draw", "none")
    curves = precision_recall(measured.stores, measured.elements, pairs, config=measured.config)
    # in the order of the pairs, not of the features
    keys = ["feature", "concept", "orientation"]
    figure = new_figure(6.6, 3.8)
    plot_precision_recall(pairs[keys].merge(curves, on=keys), ax=figure.subplots())
    save_figure(figure, out)


def draw_metagene(
    measured: Measured, out: Path, *, feature: int | str, concept: str, flank: int = FLANK
) -> None:
    """Draw the mean activation around starts and ends of a concept's elements on test."""
    check_suffix(out)
    number = measured.stores[0].find_feature(feature)
    profile = metagene(
        measured.stores, measured.elements, number, concept, config=measured.config, flank=flank
    )
    figure = new_figure(9.0, 3.0)
    axes = figure.subplots(1, len(ANCHORS), sharey=True)
    for ax, anchor in zip(axes, ANCHORS, strict=True):
        plot_metagene(profile, anchor, ax=ax)
    axes[1].set_ylabel("")
    axes[1].get_legend().set_visible(False)
    names = " ".join([f"f/{number}", *measured.stores[0].names_of(number)])
    figure.suptitle(plain_text(f"{names} around {concept}"), fontsize=FONT_SIZE + 3)
    save_figure(figure, out)
