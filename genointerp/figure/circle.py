"""Figures of a whole contig as a circle, and of a whole dictionary as a map."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.annotation.read import read_annotation
from genointerp.core.errors import UnknownNameError
from genointerp.figure.elements import concept_texts, gene_table
from genointerp.figure.file import SourceFiles, check_genome, check_suffix, new_figure, save_figure
from genointerp.figure.profile import whole_contig
from genointerp.genome.read import read_genome
from genointerp.plot.circle import plot_circle
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import read_associations


def draw_circle(
    features: Path,
    out: Path,
    *,
    source: SourceFiles,
    feature_ids: Sequence[int | str],
    seqid: str | None = None,
    associations: Path | None = None,
) -> None:
    """Draw one contig as a circle with a ring for each feature, and save the figure.

    Parameters
    ----------
    seqid
        The contig; the longest where None.
    associations
        Names each feature's best concept in the legend.

    Raises
    ------
    UnknownNameError
        If there is no such contig or feature.
    MismatchError
        If the features were computed on another genome.
    """
    check_suffix(out)
    store, bases = FeatureStore(features), read_genome(source.sequence)
    check_genome(store, bases, source.sequence)
    name = max(bases.lengths, key=lambda one: bases.lengths[one]) if seqid is None else seqid
    if name not in bases:
        raise UnknownNameError("contig", f"one of {', '.join(bases)}", repr(name))
    genes = gene_table(read_annotation(source.annotation, bases))
    known = {} if associations is None else concept_texts(read_associations(associations, store))
    numbers = [store.find_feature(feature) for feature in feature_ids]
    rings = [
        whole_contig(store, number, name, label=" ".join([f"f/{number}", known.get(number, "")]))
        for number in numbers
    ]
    contig = bases[name]
    figure = new_figure(9.6, 6.4, layout="free")
    # a legend beside polar axes is left out of account by the constrained layout
    place = (0.06, 0.07, 0.573, 0.86)
    plot_circle(
        genes[genes["seqid"] == name],
        rings,
        length=contig.length,
        seqid=name,
        circular=contig.circular,
        ax=figure.add_axes(place, projection="polar"),
    )
    save_figure(figure, out)
