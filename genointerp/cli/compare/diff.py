"""The `diff` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Annotations, Batch, Concepts, Region, Warmup, Window, option_of

_LOCI = "comparison.config.LociConfig"


def diff(
    base: Annotated[
        str,
        typer.Argument(help="the model before: a name, a folder or owner/name", show_default=False),
    ],
    tuned: Annotated[
        list[str],
        typer.Argument(
            help="the model after; or several checkpoints in their order, the last of which is "
            "compared",
            show_default=False,
        ),
    ],
    genome: Annotated[
        Path, typer.Option(help="FASTA or GenBank file, or run directory", show_default=False)
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="table of the places that differ most: .tsv, .csv, .parquet or .json",
            show_default=False,
        ),
    ],
    control: Annotated[
        str | None,
        typer.Option(
            help="model that was tuned on the same data without the thing of interest; without it "
            "nothing tells that thing from any further training"
        ),
    ] = None,
    region: Region = None,
    tracks_out: Annotated[
        Path | None, typer.Option(help="also write a folder of bigWig files, by number and strand")
    ] = None,
    texts_out: Annotated[
        Path | None,
        typer.Option(help="also look for texts that the tuned model writes there, and write them"),
    ] = None,
    sae: Annotated[
        Path | None,
        typer.Option(
            help="folder of a dictionary of the base model; for births, of any of the checkpoints"
        ),
    ] = None,
    features_out: Annotated[
        Path | None,
        typer.Option(help="also write what each feature of the dictionary does in each model"),
    ] = None,
    second: Annotated[
        str | None,
        typer.Option(
            help="tuned model of another seed, without which no feature is said to change"
        ),
    ] = None,
    second_control: Annotated[str | None, typer.Option(help="control of the other seed")] = None,
    annotations: Annotations = None,
    concepts: Concepts = None,
    births_out: Annotated[
        Path | None,
        typer.Option(help="also write the checkpoint at which each feature is born"),
    ] = None,
    weights_out: Annotated[
        Path | None,
        typer.Option(help="also write the components of the change of each matrix"),
    ] = None,
    lens_out: Annotated[
        Path | None,
        typer.Option(help="also write mean differences of activations, without features"),
    ] = None,
    amplified_out: Annotated[
        Path | None,
        typer.Option(help="also write a model in which the difference is amplified, as a folder"),
    ] = None,
    amplify: Annotated[
        float, typer.Option(help="its distance from the base, in distances of the tuned model")
    ] = 2.0,
    latents_out: Annotated[
        Path | None,
        typer.Option(
            help="also train a crosscoder of both models, in minutes, and write whose each of its "
            "features is"
        ),
    ] = None,
    stages_out: Annotated[
        Path | None,
        typer.Option(
            help="also train the dictionary on along two orders, and write how far each direction "
            "turns"
        ),
    ] = None,
    old_genome: Annotated[
        Path | None,
        typer.Option(
            help="for these: FASTA or GenBank of which the tuned model learnt nothing new"
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="where the models run, such as cuda")] = "cpu",
    window: Window = None,
    warmup: Warmup = None,
    batch: Batch = None,
    n_loci: Annotated[
        int | None,
        option_of(f"{_LOCI}.n_loci", help="single positions in the table, and as many stretches"),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML with all settings")] = None,
) -> None:
    """Compare a TUNED model with the BASE that it was made from, next to a control.

    The models read the same windows, in float32. The mean over a genome hides what was learnt of
    one word; so the table lists the single places where predictions differ most.
    """
    from dataclasses import replace

    from genointerp.command.compare.diff import diff as diff_models
    from genointerp.comparison.config import DiffConfig
    from genointerp.comparison.diff import in_short
    from genointerp.comparison.difference_latents import differences_in_words
    from genointerp.comparison.learn import latents_in_words
    from genointerp.comparison.stages import stages_in_words
    from genointerp.core.config import changed, read_config

    settings = read_config(DiffConfig, config)
    found = diff_models(
        base,
        tuned,
        genome,
        out,
        control=control,
        region=region or [],
        tracks_out=tracks_out,
        texts_out=texts_out,
        sae=sae,
        features_out=features_out,
        second=second,
        second_control=second_control,
        annotations=annotations,
        concepts=concepts,
        births_out=births_out,
        weights_out=weights_out,
        lens_out=lens_out,
        amplified_out=amplified_out,
        amplify=amplify,
        latents_out=latents_out,
        stages_out=stages_out,
        old_genome=old_genome,
        device=device,
        window=window,
        warmup=warmup,
        batch=batch,
        config=replace(settings, loci=changed(settings.loci, n_loci=n_loci)),
    )
    typer.echo(f"{in_short(found)} -> {out}")
    learnt = [*latents_in_words(found.latents), *differences_in_words(found.differences)]
    learnt += stages_in_words(found.stages)
    for sentence in [*found.changed.said, *learnt]:
        typer.echo(sentence)
