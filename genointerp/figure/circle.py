"""Figure of a whole contig as a circle."""

from collections.abc import Iterable
from typing import Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import FeatureName, StrPath, as_features
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.figure.elements import concept_texts, gene_table
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure
from genointerp.figure.profile import whole_contig
from genointerp.panel.circle import plot_circle


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
    known = {} if table is None else concept_texts(table)
    numbers = [store.find_feature(one) for one in as_features(feature)]
    rings = [
        whole_contig(store, number, name, label=" ".join([f"f/{number}", known.get(number, "")]))
        for number in numbers
    ]
    drawn = bases[name]
    figure = new_figure(9.6, 6.4, layout="free", **look)
    # the constrained layout ignores a legend next to polar axes
    place = (0.06, 0.07, 0.573, 0.86)
    plot_circle(
        genes[genes["seqid"] == name],
        rings,
        length=drawn.length,
        seqid=name,
        circular=drawn.circular,
        ax=figure.add_axes(place, projection="polar"),
    )
    return save_figure(figure, out)
