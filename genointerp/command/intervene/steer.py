"""`steer`: how the predictions of a model change under a canvas."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.core.arguments import StrPath, as_path, as_texts
from genointerp.core.config import read_config
from genointerp.core.files import claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.inputs import PaintInputs
from genointerp.intervention.steer import SteerConfig, steer_genome
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.model_choice import AnyModel, RecordedModel
from genointerp.store.table.schema.intervention import STEERED_BASES, STEERING
from genointerp.store.table.table import check_table_path, is_table_of, write_table


def steer(
    genome: StrPath,
    out: StrPath,
    canvas: Canvas | StrPath,
    model: AnyModel | RecordedModel | None = None,
    *,
    region: str | Iterable[str] = (),
    sae: StrPath | None = None,
    features: StrPath | None = None,
    annotations: StrPath | None = None,
    concepts: StrPath | None = None,
    profiles: StrPath | None = None,
    bases_out: StrPath | None = None,
    canvas_out: StrPath | None = None,
    config: SteerConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure how the predictions of a model change under a canvas; write and return the table.

    See :func:`genointerp.intervention.steer.steer_genome`.

    Parameters
    ----------
    genome
        FASTA or GenBank; or a run directory, whose genome is the one on which it measures, and
        which has the dictionary, features and annotation too.
    out
        .tsv, .csv, .parquet or .json.
    canvas
        A canvas, or its table.
    model
        A name, or a model that is loaded; where None, the one that the dictionary is of.
    region
        One region or several, samtools-style, 1-based and closed; empty for the whole genome.
    sae
        Folder of the dictionary, or ``shipped:nano``; a run has its own.
    features
        Features of the genome, from which units that the canvas lacks are measured and controls
        drawn. Where None, and there is no run, the model reads a sample of the genome for that.
    annotations, concepts
        Annotation of the genome, and the definition of the concepts, for the change by concept.
    profiles
        Table of the profiles that the canvas names.
    bases_out
        Table of each base that the canvas can reach, to be written too.
    canvas_out
        Where the canvas is written with its units, and with the genome and the dictionary that it
        was used on.
    config
        Windows, doses and controls: a mapping such as ``{"doses": [0.5, 1, 2]}``, or YAML.

    Raises
    ------
    InputError
        If the canvas, the dictionary or the model cannot be used.
    MismatchError
        If canvas, genome, dictionary, model and features do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> table = gi.steer("results/demo", "steering.tsv", "canvas.tsv")  # doctest: +SKIP
    """
    config, out = read_config(SteerConfig, config), Path(out)
    places = [place for place in (out, as_path(bases_out), as_path(canvas_out)) if place]
    for place in places:
        check_table_path(place)
    own = canvas if isinstance(canvas, Canvas) else Canvas.read(canvas, profiles=profiles)
    inputs = PaintInputs.of(
        genome, sae=sae, features=features, annotations=annotations, concepts=concepts
    )
    windows = HarvestConfig(config.window, config.warmup)
    with inputs.opened(model, own, config, windows) as (subject, used):
        regions = as_texts(region)
        settings = {"regions": list(regions)}
        provenance = inputs.provenance(subject, used, config, settings)
        with claiming(out, same=is_table_of(out, STEERING, provenance)):
            with progress_bar("steer (windows)", progress) as report:
                found = steer_genome(
                    subject,
                    used,
                    regions=subject.genome.regions(regions),
                    config=config,
                    bases=bases_out is not None,
                    progress=report,
                )
            with together():
                write_table(found.table, out, STEERING, provenance)
                if bases_out is not None and found.bases is not None:
                    write_table(found.bases, Path(bases_out), STEERED_BASES, provenance)
                if canvas_out is not None:
                    used.write(canvas_out)
    return found.table
