"""Figure of a dictionary as a map of its directions."""

from typing import Unpack

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from genointerp.association.summary import feature_labels
from genointerp.core.arguments import ASSOCIATIONS_FILE, StrPath, in_run, is_run
from genointerp.feature.projection import Method, Projection, project
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure
from genointerp.panel.dictionary import plot_dictionary
from genointerp.sae.header import read_directions, read_header
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import read_table


def dictionary(
    sae: StrPath,
    out: StrPath | None = None,
    *,
    associations: StrPath | None = None,
    method: Method = "pca",
    seed: int = 0,
    **look: Unpack[Look],
) -> Figure:
    """Draw the directions of a dictionary in two dimensions.

    Parameters
    ----------
    sae
        Folder of the dictionary or of a run, or ``shipped:nano``.
    associations
        Table of associations, or a run directory, to colour each feature by its best concept, if
        the pair is above its null.
    method
        ``umap`` needs the package umap-learn.
    seed
        Random seed of UMAP.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.

    Raises
    ------
    MismatchError
        If the associations belong to another dictionary.
    """
    check_suffix(out)
    if associations is None and is_run(sae) and (own := RunFolder.open(sae).associations).is_file():
        associations = own
    if associations is not None:
        associations = in_run(associations, ASSOCIATIONS_FILE)
    rows = read_directions(sae)
    table = None if associations is None else read_table(associations, ASSOCIATIONS)
    if associations is not None:
        found = table_identity(associations, ASSOCIATIONS)
        read_header(sae).identity.check(found, "dictionary")
    return save_figure(dictionary_figure(rows, table, method=method, seed=seed, **look), out)


def dictionary_figure(
    rows: Float[np.ndarray, "n_features d_in"],
    associations: pd.DataFrame | None,
    *,
    method: Method = "pca",
    seed: int = 0,
    **look: Unpack[Look],
) -> Figure:
    """Draw the map of a dictionary's directions."""
    projection = project(rows, method, seed=seed)
    points = dictionary_points(projection, associations)
    figure = new_figure(7.0, 4.6, **look)
    plot_dictionary(points, axis_names=projection.axis_names, ax=figure.subplots())
    return figure


def dictionary_points(projection: Projection, associations: pd.DataFrame | None) -> pd.DataFrame:
    """Return ``feature, x, y, concept``; the concept is empty if the feature has no label."""
    x, y = projection.points.T
    points = pd.DataFrame({"feature": np.arange(len(x)), "x": x, "y": y})
    if associations is None:
        return points.assign(concept="")
    labels = feature_labels(associations)[["feature", "best_concept"]]
    points = points.merge(labels.rename(columns={"best_concept": "concept"}), how="left")
    return points.fillna({"concept": ""})
