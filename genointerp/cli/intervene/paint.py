"""The `paint` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.intervene.options import (
    CanvasOut,
    Controls,
    Doses,
    NMatched,
    NRandom,
    OwnFeatures,
    Profiles,
    Seed,
)
from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import Annotations, Concepts, GenomeOrRun, OwnSae, option_of

_CONFIG = "intervention.paint.PaintConfig"


@with_recorded_model
def paint(
    genome: GenomeOrRun,
    region: Annotated[
        str,
        typer.Argument(
            help="what is written, like chrI:1-1,000 (1-based, closed)", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="table to write: .tsv, .csv, .parquet or .json; .fasta and .gff3 stand beside",
            show_default=False,
        ),
    ],
    model: ModelChoice,
    canvas: Annotated[
        Path | None, typer.Option(help="table of what is painted where (docs: schema/tables)")
    ] = None,
    profile_from: Annotated[
        str | None,
        typer.Option(
            help="concept, in place of a canvas: its mean course is painted over the region"
        ),
    ] = None,
    strand: Annotated[Literal["+", "-"], typer.Option(help="strand that is written")] = "+",
    sae: OwnSae = None,
    features: OwnFeatures = None,
    annotations: Annotations = None,
    concepts: Concepts = None,
    profiles: Profiles = None,
    canvas_out: CanvasOut = None,
    n_designs: Annotated[
        int | None, option_of(f"{_CONFIG}.n_designs", help="designs of each condition")
    ] = None,
    temperature: Annotated[
        float | None,
        option_of(f"{_CONFIG}.temperature", help="0 takes the most probable base each time"),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(help="IUPAC letter for each base, in every condition; else any base"),
    ] = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option(help="motif in IUPAC letters, on no strand of any condition; repeatable"),
    ] = None,
    context: Annotated[
        int | None, option_of(f"{_CONFIG}.context", help="bases before it that are read first")
    ] = None,
    behind: Annotated[
        int | None, option_of(f"{_CONFIG}.behind", help="bases behind it that are read again")
    ] = None,
    structure: Annotated[
        str | None,
        typer.Option(help="dots and brackets, one for each base: which pair, in every condition"),
    ] = None,
    prompt: Annotated[
        Literal["own", "shuffled", "intergenic"],
        typer.Option(
            help="what is read before it: its own bases, these shuffled but for their "
            "dinucleotides, or intergenic ones"
        ),
    ] = "own",
    known: Annotated[
        list[Path] | None,
        typer.Option(help="another genome in which copies are sought; repeatable"),
    ] = None,
    dose: Doses = None,
    controls: Controls = True,
    n_matched: NMatched = None,
    n_random: NRandom = None,
    seed: Seed = None,
) -> None:
    """Let a model write a stretch anew with features painted, next to controls, and judge it.

    Designs are judged by stop codons, by gene finders and by the unpainted model.
    """
    from genointerp.command.intervene.paint import paint as paint_files
    from genointerp.intervention.control import changed
    from genointerp.intervention.paint import PaintConfig, in_short

    summary = paint_files(
        genome,
        out,
        region,
        canvas,
        model.load_or_recorded(),
        strand=strand,
        sae=sae,
        features=features,
        annotations=annotations,
        concepts=concepts,
        profiles=profiles,
        profile_from=profile_from,
        canvas_out=canvas_out,
        known=known or [],
        config=changed(
            PaintConfig(),
            doses=dose or [],
            controls=controls,
            n_designs=n_designs,
            temperature=temperature,
            template=template,
            avoid=tuple(avoid or ()),
            context=context,
            behind=behind,
            structure=structure,
            prompt=prompt,
            n_matched=n_matched,
            n_random=n_random,
            seed=seed,
        ),
    )
    typer.echo(f"{in_short(summary)} -> {out}")
