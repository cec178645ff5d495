"""Figure of the families of features that fire together, and of phi by lag."""

from typing import Unpack

import pandas as pd
from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.circuit import plot_family, plot_lags
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.circuit import CIRCUIT_FAMILIES, COACTIVATION, COACTIVATION_LAGS
from genointerp.store.table.table import read_table

_CURVES = 4
# pairs whose phi is drawn by lag


def circuit(
    edges: StrPath,
    families: StrPath,
    out: StrPath | None = None,
    *,
    lags: StrPath | None = None,
    top: int = 3,
    **look: Unpack[Look],
) -> Figure:
    """Draw families of features as small graphs, and phi by lag of the first one with its null.

    Parameters
    ----------
    edges, families
        Tables that `circuit` wrote.
    lags
        Table that it wrote as ``lags_out``; without it there are no curves.
    top
        Number of families, the largest first.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.

    Raises
    ------
    InputError
        If there is no family.
    MismatchError
        If the tables are of different dictionaries.
    """
    check_suffix(out)
    network, table = read_table(edges, COACTIVATION), read_table(families, CIRCUIT_FAMILIES)
    own = table_identity(edges, COACTIVATION)
    own.check(table_identity(families, CIRCUIT_FAMILIES), "dictionary")
    if lags is not None:
        own.check(table_identity(lags, COACTIVATION_LAGS), "dictionary")
    shown = table.head(top)
    if shown.empty:
        raise InputError(str(families), "one family at least", "none")
    n_columns = 1 if is_narrow(look) else len(shown)
    n_rows = -(-len(shown) // n_columns)
    has_curves = lags is not None
    figure = new_figure(
        max(2.6 * n_columns, 5.2), 2.6 * n_rows + 2.6 * has_curves, follows="rows", **look
    )
    parts = figure.subfigures(
        1 + has_curves, 1, squeeze=False, height_ratios=[n_rows, 1][: 1 + has_curves]
    )
    axes = parts[0, 0].subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, (_, family) in zip(axes, shown.iterrows(), strict=True):
        plot_family(family, network, ax=ax)
    if lags is not None:
        pairs = _leading(network, table.iloc[0])
        plot_lags(read_table(lags, COACTIVATION_LAGS), pairs, ax=parts[1, 0].subplots())
    return save_figure(figure, out)


def _leading(edges: pd.DataFrame, family: pd.Series) -> list[tuple[int, int, str]]:
    """Return the pairs of a family at the shortest lags above 0, the highest phi of each first."""
    members = {int(it) for it in str(family["members"]).replace(">", "+").split("+")}
    own = edges[
        edges["feature_a"].isin(members)
        & edges["feature_b"].isin(members)
        & (edges["relation"] == "same")
    ].sort_values(["lag", "phi"], ascending=[True, False], kind="stable")
    after = own[own["lag"] > 0]
    chosen = (after if len(after) else own).head(_CURVES)
    columns = ["feature_a", "feature_b", "strand"]
    return [(int(a), int(b), str(s)) for a, b, s in chosen[columns].itertuples(index=False)]
