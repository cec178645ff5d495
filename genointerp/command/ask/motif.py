"""What the loci of a feature have in common."""

from pathlib import Path
from typing import Unpack

from genointerp.core.arguments import FeatureName, OneOrMorePaths, StrPath
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.feature.loci import LocusConfig
from genointerp.feature.motif import Anchor, Motif, MotifConfig, find_motif, write_meme
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens, total_inputs
from genointerp.figure.file import FORMATS, Look
from genointerp.figure.motif import motif as draw_motif
from genointerp.store.table.schema.feature import MOTIF
from genointerp.store.table.table import TABLE_SUFFIXES, write_table


def motif(
    features: OneOrMoreFeatures,
    feature: FeatureName,
    out: StrPath | None = None,
    *,
    genome: OneOrMorePaths = (),
    top: int = MotifConfig.n_loci,
    anchor: Anchor = MotifConfig.anchor,
    before: int = MotifConfig.before,
    after: int = MotifConfig.after,
    merge_gap: int = LocusConfig.merge_gap,
    min_length: int = LocusConfig.min_length,
    min_activation: float = LocusConfig.min_activation,
    **look: Unpack[Look],
) -> Motif:
    """Align the strongest loci of a feature over all genomes, and return what they share.

    Parameters
    ----------
    features
        A features file, a catalogue, a run directory, or one of these that is open.
    feature
        By number or name.
    out
        The motif is written there too, as the suffix says: ``.meme``; ``.tsv``, ``.csv``,
        ``.parquet`` or ``.json``; ``.png``, ``.pdf`` or ``.svg`` (a logo).
    genome
        FASTA or GenBank, unless a catalogue or a run names it; or the name of one of their genomes,
        to which the loci are then limited.
    top
        Number of loci that are aligned, the strongest first.
    anchor
        Base of a locus that is laid on offset 0, in reading direction.
    before, after
        Bases on either side of the anchor.
    merge_gap, min_length, min_activation
        What counts as a locus, as in :class:`genointerp.feature.loci.LocusConfig`.
    look
        Resolution, width and title of a logo: see `genointerp.figure.file.Look`.

    Returns
    -------
    Motif
        ``motif.table()`` gives its columns, ``genointerp.plot.motif(motif)`` its logo.

    Raises
    ------
    InputError
        If a sequence is not known, there is nothing to align, or the suffix is another.
    UnknownNameError
        If the dictionary has no such feature.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.motif("results/demo", 12)  # doctest: +SKIP
    """
    loci = LocusConfig(merge_gap, min_length, min_activation)
    config = MotifConfig(top, anchor, before, after, loci=loci)
    known, suffix = (".meme", *TABLE_SUFFIXES, *FORMATS), None if out is None else Path(out).suffix
    if out is not None and suffix not in known:
        raise InputError(str(out), f"a name that ends in {', '.join(known)}", repr(suffix))
    specimens = find_specimens(features, genome=genome).open("sequence")
    motif = find_motif(specimens, feature, config)
    if out is None:
        return motif
    record = Provenance({"feature": feature, **to_mapping(config)}, total_inputs(specimens))
    if suffix == ".meme":
        write_meme(motif, Path(out), record)
    elif suffix in TABLE_SUFFIXES:
        write_table(motif.table(), Path(out), MOTIF, record)
    else:
        draw_motif(motif, out, **look)
    return motif
