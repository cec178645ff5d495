"""Figure of a whole contig as a circle."""

from collections.abc import Iterable
from typing import Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import FeatureName, StrPath, as_features
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.figure.source.elements import concept_lines, gene_table
from genointerp.figure.source.profile import whole_contig
from genointerp.panel.circle import plot_circle

_LEGEND, _LINE = 2.8, 0.155
# width of the legend and height of its lines, in inches


def circle(
    features: OneOrMoreFeatures,
    feature: FeatureName | Iterable[FeatureName],
    out: StrPath | None = None,
    *,
    genome: StrPath | None = None,
    annotations: StrPath | None = None,
    contig: str | None = None,
    associations: StrPath | None = None,
    **look: Unpack[Look],
) -> Figure:
    """Draw one contig as a circle with a ring for each feature.

    Parameters
    ----------
    features
        A features file, a catalogue, a run directory, or one of these as an open object.
    feature
        One or several features, by index or name.
    genome
        FASTA or GenBank file, unless a catalogue or a run names it. If there are several genomes,
        the name of one may be given instead.
    annotations
        GFF3 or GenBank file, unless a catalogue or a run names it.
    contig
        Name of the contig; None takes the longest, and there must then be only one genome.
    associations
        Table of associations, for the best concept of each feature in the legend; a catalogue and a
        run name their own.
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
        If there are several genomes, and the contig does not say which one is meant.
    UnknownNameError
        If the contig or a feature does not exist.
    MismatchError
        If the features were computed on another genome.
    """
    check_suffix(out)
    files = find_specimens(features, genome=genome or (), annotations=annotations or ())
    files = files if contig is None else files.having(contig)
    (specimen,) = files.one().open("sequence", "annotation")
    store, bases = specimen.features, specimen.needs("sequence")
    name = max(bases.lengths, key=lambda one: bases.lengths[one]) if contig is None else contig
    genes = gene_table(specimen.needs("annotation"))
    table = files.read_associations(associations)
    known = {} if table is None else concept_lines(table)
    numbers = [store.find_feature(one) for one in as_features(feature)]
    said = {one: ", ".join([*store.names_of(one), *known.get(one, ())]) for one in numbers}
    rings = [
        whole_contig(store, number, name, label=f"f/{number} {said[number]}".strip())
        for number in numbers
    ]
    drawn = bases[name]
    # the constrained layout ignores a legend next to polar axes: both have their places here
    figure = new_figure(9.6, 6.4, layout="free", **look)
    below = is_narrow(look)
    ax = plot_circle(
        genes[genes["seqid"] == name],
        rings,
        length=drawn.length,
        seqid=name,
        circular=drawn.circular,
        legend="below" if below else "right",
        ax=figure.add_axes((0, 0, 1, 1), projection="polar"),
    )
    legend, width = ax.get_legend(), figure.get_figwidth()
    n_lines = 3 + len(legend.get_texts()) if legend is not None else 0
    diameter = width - 1.1 if below else width - _LEGEND - 1.3
    above = 0.8 if figure.get_suptitle() else 0.55
    height = above + diameter + (_LINE * n_lines + 0.5 if below else 0.5)
    figure.set_figheight(height)
    bottom = 1 - (above + diameter) / height
    ax.set_position((0.55 / width, bottom, diameter / width, diameter / height))
    return save_figure(figure, out)
