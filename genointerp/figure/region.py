"""Figure of genes, concepts and features along a region."""

from collections.abc import Iterable
from dataclasses import replace
from textwrap import fill
from typing import Unpack

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from genointerp.annotation.concepts import load_concepts
from genointerp.core.arguments import FeatureName, StrPath, as_features
from genointerp.feature.regions import AnyRegion, find_place
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.figure.file import (
    Look,
    check_suffix,
    lay_out,
    legend_below,
    new_figure,
    save_figure,
)
from genointerp.figure.source.elements import (
    concept_lines,
    concept_table,
    dense_values,
    gene_table,
    strongest_features,
    unrolled,
)
from genointerp.panel.region import (
    plot_concepts,
    plot_feature_track,
    plot_genes,
    plot_sequence,
)
from genointerp.panel.style import (
    ACTIVATION,
    STRAND_COLORS,
    family_patches,
    not_read_patch,
    use_region_axis,
)

_READ_ON = {
    "+": f"{ACTIVATION}, read on +: upwards",
    "-": f"{ACTIVATION}, read on \N{MINUS SIGN}: downwards",
}

N_TRACKS = 6
"""Number of features drawn if none are named."""


_LABEL_LETTERS = 24
"""Most letters of a line of the label of a feature."""

SEQUENCE_BP = 150
"""Longest region in bp whose bases are drawn."""


def region(
    features: OneOrMoreFeatures,
    region: AnyRegion,
    out: StrPath | None = None,
    *,
    genome: StrPath | None = None,
    annotations: StrPath | None = None,
    feature: FeatureName | Iterable[FeatureName] = (),
    associations: StrPath | None = None,
    concepts: StrPath | None = None,
    **look: Unpack[Look],
) -> Figure:
    """Draw genes, concepts and feature tracks of a region.

    The bases of a region of at most 150 bp are drawn too.

    Parameters
    ----------
    features
        A features file, a catalogue, a run directory, or one of these as an open object.
    region
        Region, 1-based and closed, as in ``NC_000964.3:9,810-11,364``; on a circular contig it may
        span the origin. A text without coordinates that is not a contig is the name of a gene.
        Among several genomes, the one that has the region is drawn.
    genome
        FASTA or GenBank file, unless a catalogue or a run names it. If there are several genomes,
        the name of one may be given instead.
    annotations
        GFF3 or GenBank file, unless a catalogue or a run names it.
    feature
        Features to draw, in this order, by index or name; if empty, the strongest ones of the
        region.
    associations
        Table of associations, for the best concept of each feature next to its track; a catalogue
        and a run name their own.
    concepts
        File that defines the concepts; None is that of the run, or else the shipped one.
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
        If several genomes or several genes match.
    MismatchError
        If the features were computed on another genome.
    UnknownNameError
        If the gene or a feature does not exist.

    Examples
    --------
    >>> import genointerp as gi
    >>> figure = gi.plot.region("results/demo", "rrsB")  # doctest: +SKIP
    """
    check_suffix(out)
    files = find_specimens(features, genome=genome or (), annotations=annotations or ())
    place = find_place(region, files.open("sequence", "annotation"))
    specimen = place.specimen
    if concepts is not None or specimen.elements is None:
        specimen = specimen.with_concepts(load_concepts(concepts or files.concepts))
    store, bases = specimen.features, specimen.needs("sequence")
    # a gene is drawn as a region, in forward coordinates
    interval = replace(place.interval, strand=".")
    length = bases[interval.seqid].length
    genes = unrolled(gene_table(specimen.needs("annotation")), interval, length)
    blocks = unrolled(concept_table(specimen.needs("elements")), interval, length)
    table = files.read_associations(associations)
    known = {} if table is None else concept_lines(table)
    wanted = [store.find_feature(one) for one in as_features(feature)]
    # where nothing fires or nothing was read, one track shows which of both it is
    chosen = wanted or strongest_features(store, interval, N_TRACKS) or [0]

    letters = interval.length <= SEQUENCE_BP
    heights = [1.3, 0.18 * blocks["concept"].nunique() + 0.2, *[0.4] * letters]
    n_above = len(heights)
    heights += [0.55] * len(chosen)
    figure = new_figure(11.0, sum(heights) + 0.7, follows="rows", **look)
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    plot_concepts(blocks, interval, ax=axes[1])
    gaps = False
    for ax, number in zip(axes[n_above:], chosen, strict=True):
        names = [fill(name, _LABEL_LETTERS) for name in store.names_of(number)]
        label = "\n".join([f"f/{number}", *names, *known.get(number, ())])
        tracks = dense_values(store, interval, number)
        gaps |= bool(np.isnan(tracks).any())
        plot_feature_track(
            tracks.plus.astype(float), tracks.minus.astype(float), interval, label=label, ax=ax
        )
    handles = family_patches([*genes["type"], *blocks["concept"]])
    handles += [Patch(facecolor=STRAND_COLORS[one], label=said) for one, said in _READ_ON.items()]
    handles += [not_read_patch()] if gaps else []
    legend_below(figure, handles)
    # what follows depends on the room that the labels on the left leave
    lay_out(figure)
    plot_genes(genes, interval, ax=axes[0])
    if letters:
        plot_sequence(bases.fetch(interval).tobytes().decode(), interval, ax=axes[2])
    use_region_axis(axes[-1], interval, length=length)
    return save_figure(figure, out)
