"""`across`: which features do the same in orthologous genes of two genomes."""

from collections.abc import Mapping, Sequence
from typing import Any

from genointerp.command.compare.own_files import find_with_run
from genointerp.comparison.matching.across import Across, AcrossConfig, match_across
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import MismatchError
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, total_inputs
from genointerp.store.table.schema.matching import ACROSS, ACROSS_SUMMARY
from genointerp.store.table.summarised import SummarisedTable
from genointerp.store.table.table import check_table_path


def across(
    features_a: OneOrMoreFeatures,
    features_b: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    genome_a: OneOrMorePaths = (),
    genome_b: OneOrMorePaths = (),
    annotations_a: OneOrMorePaths = (),
    annotations_b: OneOrMorePaths = (),
    config: AcrossConfig | Mapping[str, Any] | StrPath | None = None,
    min_r: float | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Across:
    """Match features of two genomes over the genes that these have in common.

    See :func:`genointerp.comparison.matching.across.match_across`. For features that have read the
    same genome, `match` says more.

    Parameters
    ----------
    features_a, features_b
        Features files, a catalogue, a run directory, or one of these that is open. A features file
        in a run has the sequence and the annotation of the run.
    out
        The matches are written there too, as .tsv, .csv, .parquet or .json, and next to them the
        shares that are matched, as ``.summary`` of the same name.
    genome_a, genome_b
        Sequence of each genome, or names of genomes of a run.
    annotations_a, annotations_b
        Annotation of each genome, in the order of the features; a run names its own.
    config
        A mapping such as ``{"min_genes": 30}``, or YAML.
    min_r, seed
        They replace those of ``config``.

    Returns
    -------
    Across
        ``table`` has a row for each feature of either side; ``summary`` has the shares.

    Raises
    ------
    InputError
        If too few genes were read in both, or a sequence or an annotation is not known.
    MismatchError
        If a genome is on both sides.

    Examples
    --------
    >>> import genointerp as gi
    >>> run = "results/demo"
    >>> found = gi.across(run, run, genome_a="ecoli", genome_b="bsubtilis")  # doctest: +SKIP
    >>> found.summary  # doctest: +SKIP
    """
    settings = read_config(AcrossConfig, config).changed(min_r=min_r, seed=seed)
    place = as_path(out)
    if place is not None:
        check_table_path(place)
    a = _opened(features_a, genome_a, annotations_a)
    b = _opened(features_b, genome_b, annotations_b)
    for one in a:
        for other in b:
            if one.genome_sha256 == other.genome_sha256:
                expected = "another genome than those of a (for the same, use `match`)"
                raise MismatchError(str(other.features.path), expected, f"that of {one.name}")
    inputs = {f"{name}-a": sha256 for name, sha256 in total_inputs(a).items()}
    inputs |= {f"{name}-b": sha256 for name, sha256 in total_inputs(b).items()}
    record = Provenance(to_mapping(settings), inputs)

    def matched() -> Across:
        with progress_bar("across (features)", progress) as report:
            return match_across(a, b, settings, report)

    if place is None:
        return matched()
    written = SummarisedTable(place, ACROSS, ACROSS_SUMMARY, record)
    with written.claiming():
        found = matched()
        written.write(found.table, found.summary)
    return found


def _opened(
    features: OneOrMoreFeatures, genome: OneOrMorePaths, annotations: OneOrMorePaths
) -> Sequence[Specimen]:
    files = find_with_run(features, genome, annotations)
    return files.open("sequence", "annotation")
