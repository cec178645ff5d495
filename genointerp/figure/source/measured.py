"""Inputs of figures that are measured again on the test side of the associations."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import AnyConcepts, read_elements, read_split
from genointerp.association.summary import is_above_null
from genointerp.core.arguments import OneOrMorePaths, StrPath
from genointerp.core.nearest import unknown
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.panel.overlap import best_pairs
from genointerp.store.table.associations import read_associations

N_CURVES = 7
"""Number of curves if nothing is named: those of the concepts with the highest test F1."""


class Measured(NamedTuple):
    """Associations, and what they were measured on."""

    specimens: Sequence[Specimen]
    table: pd.DataFrame
    config: AssociateConfig


def read_measured(
    features: OneOrMoreFeatures,
    *,
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    genome: OneOrMorePaths = (),
    concepts: AnyConcepts = None,
) -> Measured:
    """Read the files that associations were made from, and the associations.

    Parameters
    ----------
    features
        Features files in the order of the annotations, a catalogue, a run directory, or one of
        these as an open object.
    annotations
        GFF3 or GenBank file of each genome, unless a catalogue or a run names them.
    associations
        Table of associations of these features; a catalogue and a run name their own.
    genome
        Sequence files, in any order. Optional.
    concepts
        Definition of the concepts, as for `genointerp.association.inputs.read_elements`.

    Raises
    ------
    InputError
        If an annotation or the associations are unknown.
    """
    files = find_specimens(features, genome=genome, annotations=annotations)
    path = files.needs_associations(associations)
    specimens, _ = read_elements(files, concepts)
    return Measured(specimens, read_associations(path, files.features[0]), read_split(path))


def choose_pairs(
    associations: pd.DataFrame, features: Sequence[int] = (), concepts: Sequence[str] = ()
) -> pd.DataFrame:
    """Choose the rows of associations to draw, by ``f1_fit``; there may be none.

    Parameters
    ----------
    features
        Features, each drawn with its best concept and orientation; if empty, the best pair of each
        concept is drawn, highest test F1 first.
    concepts
        Names of concepts to choose from; if empty, all. If no feature is named either, only pairs
        above their null are drawn, 7 at most.

    Raises
    ------
    UnknownNameError
        If a concept is not in the table.
    """
    table = _of_concepts(associations, concepts)
    table = table[table["f1"].notna()]
    if features:
        ranked = table[table["f1_fit"] > 0].sort_values("f1_fit", ascending=False, kind="stable")
        best = ranked.drop_duplicates("feature").set_index("feature", drop=False)
        pairs = best.loc[[feature for feature in features if feature in best.index]]
    else:
        pairs = best_pairs(table)
        if not concepts:
            pairs = pairs[is_above_null(pairs)].head(N_CURVES)
    return pairs.reset_index(drop=True)


def left_out(
    associations: pd.DataFrame, features: Sequence[int] = (), concepts: Sequence[str] = ()
) -> list[str]:
    """Return a line for each reason why `choose_pairs` leaves something out, with what it is."""
    table = _of_concepts(associations, concepts)
    pairs = choose_pairs(associations, features, concepts)
    if features:
        silent = [f"f/{one}" for one in features if one not in set(pairs["feature"])]
        return _lines({"no concept that it detects on fit is on test": silent})
    on_test = table[table["f1"].notna()]
    names = list(dict.fromkeys(table["concept"]))
    best = best_pairs(on_test)
    rest = best[~best["concept"].isin(pairs["concept"])]
    above = is_above_null(rest)
    return _lines(
        {
            "no base on test": [one for one in names if one not in set(on_test["concept"])],
            "no feature detects it on fit": [
                one for one in dict.fromkeys(on_test["concept"]) if one not in set(best["concept"])
            ],
            "its best feature is not above its null": sorted(rest.loc[~above, "concept"]),
            f"not among the {N_CURVES} highest F1": list(rest.loc[above, "concept"]),
        }
    )


def _of_concepts(associations: pd.DataFrame, concepts: Sequence[str]) -> pd.DataFrame:
    known = list(dict.fromkeys(associations["concept"]))
    for name in concepts:
        if name not in known:
            raise unknown("concept", name, known)
    return associations[associations["concept"].isin(list(concepts) or known)]


def _lines(names_of: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{reason}: {', '.join(names)}" for reason, names in names_of.items() if names]
