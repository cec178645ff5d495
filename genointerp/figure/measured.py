"""Figures of features beside concepts, measured anew on the test side of the associations."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import read_elements, read_split
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.panel.overlap import best_pairs
from genointerp.store.table.associations import read_associations

N_CURVES = 7
"""Curves of a figure where no feature is named: the concepts with the highest test F1."""


class Measured(NamedTuple):
    """What associations were measured on, read again."""

    specimens: Sequence[Specimen]
    table: pd.DataFrame
    config: AssociateConfig


def read_measured(
    features: OneOrMoreFeatures,
    *,
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    genome: OneOrMorePaths = (),
    concepts: StrPath | None = None,
) -> Measured:
    """Read the files that associations were made from, and the associations.

    Parameters
    ----------
    features
        Features files in the order of the annotations, a catalogue, a run directory, or one of
        these that is open.
    annotations
        GFF3 or GenBank of each genome, unless a catalogue or a run names them.
    associations
        Of these features; a catalogue and a run have their own.
    genome
        Sequences, in any order; not needed.
    concepts
        Definition of the concepts; where None that of the run, else the shipped one.

    Raises
    ------
    InputError
        If an annotation or the associations are not known.
    """
    files = find_specimens(features, genome=genome, annotations=annotations)
    path = files.associations if associations is None else Path(associations)
    if path is None:
        raise InputError("associations", "those of the features", "none")
    specimens = files.open("annotation", if_known=("sequence",))
    definition = files.concepts if concepts is None else as_path(concepts)
    return Measured(
        read_elements(specimens, definition),
        read_associations(path, specimens[0].features),
        read_split(path),
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
