"""`paint`: let a model write a stretch of a genome under a canvas."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths
from genointerp.core.config import read_config
from genointerp.core.errors import InputError
from genointerp.core.files import check_writable, claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance
from genointerp.feature.locus_files import write_lines
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.intervention.canvas import Canvas, Stroke
from genointerp.intervention.inputs import PaintInputs
from genointerp.intervention.outcome import fasta_lines, gff3_lines
from genointerp.intervention.paint import Designs, PaintConfig, paint_designs
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.model_choice import AnyModel, RecordedModel
from genointerp.store.table.schema.intervention import DESIGNS, PAINTING
from genointerp.store.table.summarised import summary_of
from genointerp.store.table.table import check_table_path, is_table_of, write_table


def paint(
    genome: StrPath,
    out: StrPath,
    region: str,
    canvas: Canvas | StrPath | None = None,
    model: AnyModel | RecordedModel | None = None,
    *,
    strand: Literal["+", "-"] = "+",
    sae: StrPath | None = None,
    features: StrPath | None = None,
    annotations: StrPath | None = None,
    concepts: StrPath | None = None,
    profiles: StrPath | None = None,
    profile_from: str | None = None,
    canvas_out: StrPath | None = None,
    known: OneOrMorePaths = (),
    config: PaintConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Let a model write a stretch anew under a canvas and controls; write designs, return means.

    See :func:`genointerp.intervention.paint.paint_designs`.

    Parameters
    ----------
    genome
        FASTA or GenBank; or a run directory, as for `steer`.
    out
        Table of the designs: .tsv, .csv, .parquet or .json. The means of each condition stand in a
        table ``.summary`` of the same name, which is returned; the sequences in ``.fasta``; the
        places in ``.gff3``.
    region
        What is written, samtools-style, 1-based and closed.
    canvas
        A canvas, or its table.
    model
        A name, or a model that is loaded; where None, the one that the dictionary is of.
    strand
        Strand that is written, after the bases before it on that strand.
    sae, features, annotations, concepts, profiles, canvas_out
        As for `steer`.
    profile_from
        A concept, in place of a canvas: the mean course of amounts over its elements is measured on
        the features of the genome, and painted over the region, stretched to its length.
    known
        Genomes, besides this one, in which copies are sought: those that the model was trained on.
    config
        Designs, constraints, doses and controls: a mapping such as ``{"n_designs": 32}``, or YAML.

    Raises
    ------
    InputError
        If the canvas, the dictionary or the model cannot be used, or nothing can be written there.
    MismatchError
        If canvas, genome, dictionary, model and features do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> place = "NC_000964.3:1,000,201-1,000,410"
    >>> means = gi.paint("results/demo", "designs.tsv", place, "canvas.tsv")  # doctest: +SKIP
    """
    config, out = read_config(PaintConfig, config), Path(out)
    for place in (out, as_path(canvas_out)):
        if place is not None:
            check_table_path(place)
    for suffix in (".fasta", ".gff3"):
        check_writable(out.with_suffix(suffix))
    inputs = PaintInputs.of(
        genome, sae=sae, features=features, annotations=annotations, concepts=concepts
    )
    if (canvas is None) == (profile_from is None):
        given = "neither" if canvas is None else "both"
        raise InputError("canvas", "a canvas, or a concept for a profile", given)
    if isinstance(canvas, Canvas):
        own = canvas
    elif canvas is not None:
        own = Canvas.read(canvas, profiles=profiles)
    else:
        own = _of_profile(inputs, str(profile_from), region, strand)
    with inputs.opened(model, own, config, HarvestConfig(2048, 512)) as (subject, used):
        written = _place(subject.genome, region, strand)
        settings: dict[str, Any] = {
            "region": region,
            "strand": strand,
            "profile_from": profile_from,
        }
        others = [read_genome(path) for path in as_paths(known)]
        settings["known"] = [it.sha256 for it in others]
        provenance = inputs.provenance(subject, used, config, settings)
        with claiming(out, same=is_table_of(out, DESIGNS, provenance)):
            with progress_bar("paint (bases)", progress) as report:
                found = paint_designs(
                    subject, used, written, known=others, config=config, progress=report
                )
            with together():
                _write(found, subject.genome.lengths, out, provenance)
                if canvas_out is not None:
                    used.write(canvas_out)
    return found.summary


def _place(genome: Genome, region: str, strand: Literal["+", "-"]) -> GenomicInterval:
    parts = genome.regions([region])
    if len(parts) != 1:
        raise InputError(region, "a stretch that does not span an origin", "one that does")
    return replace(parts[0], strand=strand)


def _of_profile(
    inputs: PaintInputs, concept: str, region: str, strand: Literal["+", "-"]
) -> Canvas:
    """Return a canvas of one stroke: the profile of a concept over a region."""
    place = _place(read_genome(inputs.genome), region, strand)
    stroke = Stroke(place.seqid, place.start, place.end, strand, concept, "profile", 1.0)
    return Canvas((stroke,), {concept: inputs.profile(concept)})


def _write(found: Designs, lengths: Mapping[str, int], out: Path, provenance: Provenance) -> None:
    write_table(found.table, out, DESIGNS, provenance)
    summary = summary_of(out)
    write_table(found.summary, summary, PAINTING, provenance)
    write_lines(out.with_suffix(".fasta"), fasta_lines(found.table))
    write_lines(out.with_suffix(".gff3"), gff3_lines(found.table, lengths, provenance))
