"""Inputs of figures that are measured again on the test side of the associations."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import AnyConcepts, read_elements, read_split
from genointerp.core.arguments import OneOrMorePaths, StrPath
from genointerp.core.errors import UnknownNameError
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.panel.overlap import best_pairs
from genointerp.store.table.associations import read_associations

N_CURVES = 7
"""Number of curves if no feature is named: those of the concepts with the highest test F1."""


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
        Names of concepts to choose from; if empty, all.

    Raises
    ------
    UnknownNameError
        If a concept is not in the table.
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
