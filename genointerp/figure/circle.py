"""A whole contig as a circle."""

from collections.abc import Iterable

from matplotlib.figure import Figure

from genointerp.core.arguments import FeatureName, StrPath, as_features
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.figure.elements import concept_texts, gene_table
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.figure.profile import whole_contig
from genointerp.panel.circle import plot_circle


def circle(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    genome: StrPath | None = None,
    annotations: StrPath | None = None,
    feature: FeatureName | Iterable[FeatureName],
    contig: str | None = None,
    associations: StrPath | None = None,
) -> Figure:
    """Draw one contig as a circle with a ring for each feature.

    Parameters
    ----------
    features
        A features file, a catalogue, a run directory, or one of these that is open.
    genome
        FASTA or GenBank, unless a catalogue or a run names it; of several genomes also the name of
        one.
    annotations
        GFF3 or GenBank, unless a catalogue or a run names it.
    feature
        One or several, by index or name.
    contig
        Its name; the longest where None, which must then be of one genome.
    associations
        Names each feature's best concept in the legend; a catalogue and a run have their own.

    Returns
    -------
    matplotlib.figure.Figure
        Written to ``out`` as its suffix says (.png, .pdf, .svg), unless that is None.

    Raises
    ------
    InputError
        If there are several genomes, none of which is named by the contig.
    UnknownNameError
        If there is no such contig or feature.
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
    figure = new_figure(9.6, 6.4, layout="free")
    # a legend beside polar axes is left out of account by the constrained layout
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
