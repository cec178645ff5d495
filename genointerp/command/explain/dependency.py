"""`dependency`: which bases of a region the predictions of which others depend on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.core.arguments import StrPath
from genointerp.core.config import read_config, to_mapping
from genointerp.core.files import claiming
from genointerp.core.progress import Progress, progress_bar
from genointerp.explanation.dependency import DependencyConfig, dependency_map
from genointerp.explanation.reader import Reader
from genointerp.genome.interval import parse_region
from genointerp.reading.model_choice import AnyModel, RecordedModel
from genointerp.store.table.schema.mutagenesis import DEPENDENCY
from genointerp.store.table.table import check_table_path, is_table_of, write_table


def dependency(
    genome: StrPath,
    out: StrPath,
    region: str,
    model: AnyModel | RecordedModel | None = None,
    *,
    config: DependencyConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Map which bases of a region the predictions of which others depend on; write the table.

    See :func:`genointerp.explanation.dependency.dependency_map`.

    Parameters
    ----------
    genome
        FASTA or GenBank; or a run directory, whose genome is the one on which it measures, and
        which has the model too.
    out
        .tsv, .csv, .parquet or .json: a row for each reading strand and pair of bases.
    region
        Samtools-style, 1-based and closed.
    model
        A name, or a model that is loaded; where None, that of the run.
    config
        Context, strands and shuffles: a mapping such as ``{"n_shuffles": 4}``, or YAML.

    Raises
    ------
    InputError
        If the region is too long, or has fewer than two bases; if the model is a masked one, or its
        tokens are not bases.
    CoordinateError
        If the region is not inside a contig of the genome.

    Examples
    --------
    >>> import genointerp as gi
    >>> table = gi.dependency(
    ...     "results/demo", "dependency.tsv", "NC_000964.3:11,464-11,540"
    ... )  # doctest: +SKIP
    """
    config, out = read_config(DependencyConfig, config), Path(out)
    check_table_path(out)
    reader = Reader.open(genome, model).alone()
    place = parse_region(region, reader.genome.lengths, circular=reader.genome.circular)
    provenance = reader.provenance(to_mapping(config) | {"region": region})
    with claiming(out, same=is_table_of(out, DEPENDENCY, provenance)):
        with progress_bar("dependency (passages)", progress) as report:
            found = dependency_map(reader.model, reader.genome, place, config, progress=report)
        write_table(found, out, DEPENDENCY, provenance)
    return found
