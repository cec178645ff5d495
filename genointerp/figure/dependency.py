"""Figure of a dependency map, with the genes and bases along its sides."""

from itertools import pairwise
from typing import Unpack

import pandas as pd
from matplotlib.figure import Figure

from genointerp.annotation.read import read_annotation
from genointerp.core.arguments import StrPath, as_path, is_run
from genointerp.core.errors import InputError
from genointerp.figure.file import (
    Look,
    check_suffix,
    lay_out,
    legend_below,
    new_figure,
    save_figure,
)
from genointerp.figure.source.elements import gene_table, unrolled
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.panel.dependency import dependency_matrix, plot_dependency, plot_elements_beside
from genointerp.panel.region import plot_genes
from genointerp.panel.style import FONT_SIZE, family_patches
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.table.schema.mutagenesis import DEPENDENCY
from genointerp.store.table.table import read_table


def dependency(
    table: StrPath,
    out: StrPath | None = None,
    *,
    genome: StrPath | None = None,
    annotations: StrPath | None = None,
    above_control: bool = False,
    **look: Unpack[Look],
) -> Figure:
    """Draw which bases of a region the predictions of which others depend on.

    A row is a base that is replaced, a column one whose prediction changes. What is read on the
    strand ``+`` is above the diagonal, what is read on ``-`` below it.

    Parameters
    ----------
    table
        Table that `dependency` wrote, of one region.
    genome
        FASTA or GenBank, or a run directory, which has the annotation too: for the genes beside the
        map. None draws none.
    annotations
        GFF3 or GenBank.
    above_control
        Whether to draw only pairs that exceed the control of shuffled bases.
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
        If the table is of several regions, or has no control that pairs could exceed; if there is
        a genome without an annotation, or the reverse.
    """
    check_suffix(out)
    found = read_table(table, DEPENDENCY)
    if above_control and found["shuffled"].isna().any():
        raise InputError(str(table), "a map with a control, to draw what exceeds it", "none")
    genes, length = _genes(genome, annotations, found)
    interval, length = _interval(found, length, where=str(table))
    inside = unrolled(genes, interval, length)
    own_title = "Which predictions depend on which bases"
    figure = new_figure(5.6, 5.6, own_title=own_title, **look)
    ax = figure.subplots()
    matrix = dependency_matrix(found, interval, length=length, above_control=above_control)
    image = plot_dependency(matrix, interval, length=length, ax=ax)
    if len(inside):
        # inside the axes of the map, whose shape is fixed, so that bases stay in line
        plot_elements_beside(inside, interval, ax=ax.inset_axes((1.01, 0, 0.05, 1)))
        legend_below(figure, family_patches(inside["type"]))
    bar = figure.colorbar(image, ax=ax, shrink=0.6, extend="max", aspect=30)
    bar.set_label("largest change of log odds (nats)", fontsize=FONT_SIZE + 1)
    bar.ax.tick_params(labelsize=FONT_SIZE)
    lay_out(figure)
    if len(inside):
        above = ax.inset_axes((0, 1.01, 1, 0.16))
        plot_genes(inside, interval, ax=above)
        above.set_xlim(ax.get_xlim())
    return save_figure(figure, out)


def _genes(
    genome: StrPath | None, annotations: StrPath | None, table: pd.DataFrame
) -> tuple[pd.DataFrame, int | None]:
    """Return the genes of a genome, and the length of the contig of a table; or none, and None."""
    sequence, truth = as_path(genome), as_path(annotations)
    if genome is not None and is_run(genome):
        files = RunFolder.open(genome)
        own = files.genomes[files.measured]
        sequence, truth = own.sequence, truth or own.annotation
    if (sequence is None) != (truth is None):
        expected = "a genome together with its annotation, for the genes"
        raise InputError("genes", expected, "one of both")
    if sequence is None or truth is None or table.empty:
        return pd.DataFrame(columns=["seqid", "start", "end", "strand", "type", "label"]), None
    read: Genome = read_genome(sequence)
    return gene_table(read_annotation(truth, read)), read[table["seqid"].iloc[0]].length


def _interval(
    table: pd.DataFrame, length: int | None, *, where: str
) -> tuple[GenomicInterval, int]:
    """Return the bases of a map, and the length of their contig, or what is as good."""
    if table.empty or table["seqid"].nunique() > 1:
        found = f"{table['seqid'].nunique()}"
        raise InputError(where, "a map of one region", f"{found} contigs")
    bases = pd.unique(table[["replaced", "affected"]].to_numpy().ravel())
    start, end = int(bases.min()), int(bases.max()) + 1
    longest = int(table["distance"].max()) + 1
    if end - start > longest and length is not None:
        # around the origin: the bases before it are those after the largest gap
        ordered = sorted(bases.tolist())
        gaps = [b - a for a, b in pairwise(ordered)]
        start = ordered[1 + gaps.index(max(gaps))]
        end = start + longest
    if end - start > longest:
        expected = "a map of one region, or the genome if it spans the origin of a contig"
        raise InputError(where, expected, f"{longest} bases from {start + 1:,} to {end:,}")
    interval = GenomicInterval(str(table["seqid"].iloc[0]), start, end)
    return interval, end if length is None else length
