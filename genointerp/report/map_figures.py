"""Figures of a whole contig as a circle, and of a whole dictionary as a map."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from genointerp.annotation.read import read_annotation
from genointerp.core.errors import MismatchError, UnknownNameError
from genointerp.feature.projection import Method, Projection, project, read_decoder
from genointerp.feature.query import best_concepts
from genointerp.genome.read import read_genome
from genointerp.plot.circle import plot_circle
from genointerp.plot.dictionary import plot_dictionary
from genointerp.report.elements import concept_texts, gene_table
from genointerp.report.figure_file import (
    SourceFiles,
    check_genome,
    check_suffix,
    new_figure,
    save_figure,
)
from genointerp.report.profile import whole_contig
from genointerp.store.associations import read_associations
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ASSOCIATIONS
from genointerp.store.tables import read_table

MAX_Q = 0.05


def draw_circle(
    features: Path,
    out: Path,
    *,
    source: SourceFiles,
    feature_ids: Sequence[int | str],
    seqid: str | None = None,
    associations: Path | None = None,
) -> None:
    """Draw one contig as a circle with a ring for each feature, and save the figure.

    Parameters
    ----------
    seqid
        The contig; the longest where None.
    associations
        Names each feature's best concept in the legend.

    Raises
    ------
    UnknownNameError
        If there is no such contig or feature.
    MismatchError
        If the features were computed on another genome.
    """
    check_suffix(out)
    store, bases = FeatureStore(features), read_genome(source.sequence)
    check_genome(store, bases, source.sequence)
    name = max(bases.lengths, key=lambda one: bases.lengths[one]) if seqid is None else seqid
    if name not in bases:
        raise UnknownNameError("contig", f"one of {', '.join(bases)}", repr(name))
    genes = gene_table(read_annotation(source.annotation, bases))
    known = {} if associations is None else concept_texts(read_associations(associations, store))
    numbers = [store.find_feature(feature) for feature in feature_ids]
    rings = [
        whole_contig(store, number, name, label=" ".join([f"f/{number}", known.get(number, "")]))
        for number in numbers
    ]
    contig = bases[name]
    figure = new_figure(9.6, 6.4, layout="free")
    # a legend beside polar axes is left out of account by the constrained layout
    place = (0.06, 0.07, 0.573, 0.86)
    plot_circle(
        genes[genes["seqid"] == name],
        rings,
        length=contig.length,
        seqid=name,
        circular=contig.circular,
        ax=figure.add_axes(place, projection="polar"),
    )
    save_figure(figure, out)


def draw_dictionary(
    sae: Path, out: Path, *, associations: Path | None = None, method: Method = "pca", seed: int = 0
) -> None:
    """Draw the directions of a dictionary in two dimensions, and save the figure.

    Parameters
    ----------
    sae
        Folder of the dictionary.
    associations
        Colours a feature by its best concept, where that is no chance: ``q <= 0.05``.

    Raises
    ------
    MismatchError
        If the associations are of a dictionary of another size.
    """
    check_suffix(out)
    rows = read_decoder(sae)
    table = None if associations is None else read_table(associations, ASSOCIATIONS)
    if table is not None and int(table["feature"].max()) + 1 != len(rows):
        expected = f"the {len(rows)} features of {sae}"
        raise MismatchError(str(associations), expected, str(int(table["feature"].max()) + 1))
    save_figure(dictionary_figure(rows, table, method=method, seed=seed), out)


def dictionary_figure(
    rows: Float[np.ndarray, "n_features d_in"],
    associations: pd.DataFrame | None,
    *,
    method: Method = "pca",
    seed: int = 0,
) -> Figure:
    """Return the map of a dictionary's directions."""
    projection = project(rows, method, seed=seed)
    points = dictionary_points(projection, associations)
    figure = new_figure(7.0, 4.6)
    plot_dictionary(points, axis_names=projection.axis_names, ax=figure.subplots())
    return figure


def dictionary_points(projection: Projection, associations: pd.DataFrame | None) -> pd.DataFrame:
    """Return ``feature, x, y, concept``: the concept empty where none is told beyond chance."""
    x, y = projection.points.T
    points = pd.DataFrame({"feature": np.arange(len(x)), "x": x, "y": y})
    if associations is None:
        return points.assign(concept="")
    told = associations[associations["q_value"] <= MAX_Q]
    best = best_concepts(told)[["feature", "best_concept"]]
    points = points.merge(best.rename(columns={"best_concept": "concept"}), how="left")
    return points.fillna({"concept": ""})
