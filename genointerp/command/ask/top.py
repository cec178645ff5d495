"""Where else a feature fires: its strongest loci over all genomes, and what lies there."""

from pathlib import Path

import pandas as pd

from genointerp.core.arguments import FeatureName, OneOrMorePaths, StrPath
from genointerp.core.config import to_mapping
from genointerp.core.provenance import Provenance
from genointerp.feature.loci import LocusConfig
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens, total_inputs
from genointerp.feature.top import TopConfig, labelled_loci
from genointerp.store.table.schema.feature import TOP_LOCI
from genointerp.store.table.table import check_table_path, write_table


def top(
    features: OneOrMoreFeatures,
    feature: FeatureName,
    *,
    top: int = TopConfig.n,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    labels: OneOrMorePaths = (),
    flank: int = TopConfig.flank,
    merge_gap: int = LocusConfig.merge_gap,
    min_length: int = LocusConfig.min_length,
    min_activation: float = LocusConfig.min_activation,
    out: StrPath | None = None,
) -> pd.DataFrame:
    """List the strongest loci of a feature over all genomes, with what lies there.

    Parameters
    ----------
    features
        A features file, a catalogue, a run directory, or one of these that is open.
    feature
        By number, name or label.
    top
        Loci at most.
    genome
        FASTA or GenBank, which gives the bases of each locus, unless a catalogue or a run names it;
        or the name of one of their genomes, to which the answer is then limited.
    annotations
        GFF3 or GenBank, which gives the nearest element.
    labels
        Tables of labels, by which features may be named too; a run has its own.
    flank
        Bases shown on either side of a locus, in lower case.
    merge_gap, min_length, min_activation
        What counts as a locus, as in :class:`genointerp.feature.loci.LocusConfig`.
    out
        The table is written there too, as the suffix says: .tsv, .csv, .parquet or .json.

    Returns
    -------
    pandas.DataFrame
        A row for each locus, the strongest first. ``start`` and ``end`` are 0-based and half-open,
        ``peak`` is 0-based. If labels are known, ``label`` is that of the feature.

    Raises
    ------
    UnknownNameError
        If the dictionary has no such feature.

    Examples
    --------
    >>> import genointerp as gi
    >>> loci = gi.top("results/demo", 12, top=5)  # doctest: +SKIP
    """
    config = TopConfig(top, flank, LocusConfig(merge_gap, min_length, min_activation))
    if out is not None:
        check_table_path(Path(out))
    files = find_specimens(features, genome=genome, annotations=annotations, labels=labels)
    specimens = files.open(if_known=("sequence", "annotation"))
    table = labelled_loci(specimens, feature, config)
    if out is not None:
        inputs = total_inputs(specimens) | files.label_inputs()
        record = Provenance({"feature": feature, **to_mapping(config)}, inputs)
        write_table(table, Path(out), TOP_LOCI, record)
    return table
