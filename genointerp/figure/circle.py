"""A whole contig as a circle."""

from collections.abc import Iterable

from matplotlib.figure import Figure

from genointerp.core.arguments import FeatureName, StrPath, as_features
from genointerp.core.errors import UnknownNameError
from genointerp.feature.specimen_files import open_specimens
from genointerp.figure.elements import concept_texts, gene_table
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.figure.profile import whole_contig
from genointerp.panel.circle import plot_circle
from genointerp.store.table.associations import read_associations


def circle(
    features: StrPath,
    out: StrPath | None = None,
    *,
    genome: StrPath,
    annotations: StrPath,
    feature: FeatureName | Iterable[FeatureName],
    contig: str | None = None,
    associations: StrPath | None = None,
) -> Figure:
    """Draw one contig as a circle with a ring for each feature.

    Parameters
    ----------
    genome
        FASTA or GenBank.
    annotations
        GFF3 or GenBank.
    feature
        One or several, by index or name.
    contig
        Its name; the longest where None.
    associations
        Names each feature's best concept in the legend.

    Returns
    -------
    matplotlib.figure.Figure
        Written to ``out`` as its suffix says (.png, .pdf, .svg), unless that is None.

    Raises
    ------
    UnknownNameError
        If there is no such contig or feature.
    MismatchError
        If the features were computed on another genome.
    """
    check_suffix(out)
    (specimen,) = open_specimens(features, sequences=genome, annotations=annotations)
    store, bases = specimen.features, specimen.needs("sequence")
    name = max(bases.lengths, key=lambda one: bases.lengths[one]) if contig is None else contig
    if name not in bases:
        raise UnknownNameError("contig", f"one of {', '.join(bases)}", repr(name))
    genes = gene_table(specimen.needs("annotation"))
    known = {} if associations is None else concept_texts(read_associations(associations, store))
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
