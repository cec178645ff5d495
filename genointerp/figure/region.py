"""From files to figures: what the plot commands call, each writing one figure."""

from collections.abc import Iterable

import numpy as np
from matplotlib.figure import Figure

from genointerp.annotation.concepts import load_concepts
from genointerp.core.arguments import FeatureName, StrPath, as_features
from genointerp.feature.specimen_files import open_specimens
from genointerp.figure.elements import (
    concept_table,
    concept_texts,
    dense_values,
    gene_table,
    strongest_features,
    unrolled,
)
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.genome.interval import parse_region
from genointerp.panel.region import (
    plot_concepts,
    plot_feature_track,
    plot_genes,
    plot_sequence,
)
from genointerp.panel.style import FONT_SIZE, NOT_READ_LABEL, use_region_axis
from genointerp.store.table.associations import read_associations

N_TRACKS = 6
"""Features of a region figure where none are named."""


SEQUENCE_BP = 150
"""A region up to this length shows its bases."""


def region(
    features: StrPath,
    region: str,
    out: StrPath | None = None,
    *,
    genome: StrPath,
    annotations: StrPath,
    feature: FeatureName | Iterable[FeatureName] = (),
    associations: StrPath | None = None,
    concepts: StrPath | None = None,
) -> Figure:
    """Draw genes, concepts and feature tracks of a region.

    A region of at most 150 bp shows its bases too.

    Parameters
    ----------
    region
        1-based and closed, as in ``NC_000964.3:9,810-11,364``; on a circular contig it may span
        the origin.
    genome
        FASTA or GenBank.
    annotations
        GFF3 or GenBank.
    feature
        Features to draw, in this order, by index or name; the strongest of the region where empty.
    associations
        Names each feature's best concept next to its track.
    concepts
        Definition of the concepts; the shipped one where None.

    Returns
    -------
    matplotlib.figure.Figure
        Written to ``out`` as its suffix says (.png, .pdf, .svg), unless that is None.

    Raises
    ------
    MismatchError
        If the features were computed on another genome.
    """
    check_suffix(out)
    (specimen,) = open_specimens(features, sequences=genome, annotations=annotations)
    specimen = specimen.with_concepts(load_concepts(concepts))
    store, bases = specimen.features, specimen.needs("sequence")
    interval = parse_region(region, store.lengths, circular=store.circular)
    length = bases[interval.seqid].length
    genes = unrolled(gene_table(specimen.needs("annotation")), interval, length)
    blocks = unrolled(concept_table(specimen.needs("elements")), interval, length)
    known = {} if associations is None else concept_texts(read_associations(associations, store))
    wanted = [store.find_feature(one) for one in as_features(feature)]
    chosen = wanted or strongest_features(store, interval, N_TRACKS)

    letters = interval.length <= SEQUENCE_BP
    heights = [1.3, 0.18 * blocks["concept"].nunique() + 0.2, *[0.4] * letters]
    n_above = len(heights)
    heights += [0.55] * len(chosen)
    figure = new_figure(11.0, sum(heights) + 0.7)
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    plot_genes(genes, interval, ax=axes[0])
    plot_concepts(blocks, interval, ax=axes[1])
    if letters:
        plot_sequence(bases.fetch(interval).tobytes().decode(), interval, ax=axes[2])
    gaps = False
    for ax, number in zip(axes[n_above:], chosen, strict=True):
        texts = [*store.names_of(number), *([known[number]] if number in known else [])]
        label = "\n".join([f"f/{number}", *texts])
        tracks = dense_values(store, interval, number)
        gaps |= bool(np.isnan(tracks).any())
        plot_feature_track(
            tracks.plus.astype(float), tracks.minus.astype(float), interval, label=label, ax=ax
        )
    use_region_axis(axes[-1], interval, length=length)
    figure.supxlabel(
        "tracks: activation of a feature, read on the + strand upwards (blue), "
        "on the \N{MINUS SIGN} strand downwards (red)" + f"; {NOT_READ_LABEL}" * gaps,
        fontsize=FONT_SIZE,
    )
    return save_figure(figure, out)
