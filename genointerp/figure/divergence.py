"""Figure of the divergence of two models: along the genome, and its tail."""

from pathlib import Path
from typing import Unpack

from matplotlib.figure import Figure

from genointerp.comparison.divergence_files import files_of
from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.divergence import plot_divergence_course, plot_divergence_tail
from genointerp.store.table.schema.divergence import DIVERGENCE, DIVERGENCE_BINS, DIVERGENCE_TAIL
from genointerp.store.table.table import read_table


def divergence(
    table: StrPath,
    out: StrPath | None = None,
    *,
    seqid: str | None = None,
    **look: Unpack[Look],
) -> Figure:
    """Draw where the predictions of a tuned model moved, and how far the tail goes.

    On the left the largest KL of each bin along a contig, that of the control over that of the
    tuned model; on the right the share of all bases that reaches each KL.

    Parameters
    ----------
    table
        Table of places that `diff` wrote; ``.bins`` and ``.tail`` of the same name are next to it.
    seqid
        Contig; the one of the largest KL where None.
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
        If there is no such contig, or nothing was predicted.
    """
    check_suffix(out)
    files = files_of(Path(table))
    read_table(files["loci"], DIVERGENCE)
    bins = read_table(files["bins"], DIVERGENCE_BINS)
    tail = read_table(files["tail"], DIVERGENCE_TAIL)
    contigs = [*dict.fromkeys(bins["seqid"])]
    if bins["kl"].isna().all():
        raise InputError(str(table), "a base that was predicted", "none")
    if seqid is None:
        seqid = str(bins["seqid"].iloc[int(bins["kl"].argmax())])
    if seqid not in contigs:
        raise InputError("seqid", f"one of {', '.join(contigs)}", seqid)
    narrow = is_narrow(look)
    size = (3.6, 5.2) if narrow else (8.0, 3.0)
    figure = new_figure(*size, own_title="Where predictions moved", **look)
    axes = figure.subplots(2, 1) if narrow else figure.subplots(1, 2, width_ratios=(2, 1.2))
    plot_divergence_course(bins, seqid, ax=axes[0])
    plot_divergence_tail(tail, ax=axes[1])
    return save_figure(figure, out)
