"""The `mediate` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import Annotations, Concepts, Features, Genome, OwnSae, option_of

_CONFIG = "wiring.bench.MediationConfig"


@with_recorded_model
def mediate(
    features: Features,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="table to write: .tsv, .csv, .parquet or .json", show_default=False
        ),
    ],
    model: ModelChoice,
    group: Annotated[
        list[str] | None,
        typer.Option(
            help="features that are tested together, like 127,86,82, or below:97,127; repeatable"
        ),
    ] = None,
    families: Annotated[
        Path | None, typer.Option(help="table of families of `circuit`, each of which is a group")
    ] = None,
    genome: Genome = None,
    sae: OwnSae = None,
    below: Annotated[
        Path | None, typer.Option(help="folder of a dictionary of a site below")
    ] = None,
    concept: Annotated[
        str | None, typer.Option(help="count the loss on the bases of this concept only")
    ] = None,
    higher: Annotated[
        list[str] | None,
        typer.Option(
            help="take out what marks the parts of a higher concept, like gene_start, or all, by"
            " the associations of a run or a catalogue; repeatable"
        ),
    ] = None,
    higher_concepts: Annotated[
        Path | None,
        typer.Option(help="YAML that defines the higher concepts; the shipped one otherwise"),
    ] = None,
    annotations: Annotations = None,
    concepts: Concepts = None,
    n_windows: Annotated[
        int | None,
        option_of(
            f"{_CONFIG}.n_windows", help="windows of each group; more until --n-bases is reached"
        ),
    ] = None,
    n_bases: Annotated[
        int | None,
        option_of(
            f"{_CONFIG}.n_bases", help="bases of the concept, or of each part of it, at least"
        ),
    ] = None,
    n_marks: Annotated[
        int | None,
        option_of(f"{_CONFIG}.n_marks", help="features of each part of a higher concept, at most"),
    ] = None,
    n_matched: Annotated[
        int | None,
        option_of(f"{_CONFIG}.n_matched", help="matched groups to compare each group with"),
    ] = None,
    window: Annotated[
        int | None,
        option_of(f"{_CONFIG}.window", help="bases read of each window"),
    ] = None,
    warmup: Annotated[
        int | None, option_of(f"{_CONFIG}.warmup", help="first bases of a window, as context")
    ] = None,
    seed: Annotated[int | None, option_of(f"{_CONFIG}.seed", help="random seed")] = None,
) -> None:
    """Take features out one by one and together, and pin one in the middle, next to matched groups.

    FEATURES are those of the dictionary, or of the upper one. Of a run, the genome is read on which
    its configuration measures, unless --genome names another.
    """
    from genointerp.command.explain.mediate import mediate as mediate_file
    from genointerp.core.config import changed
    from genointerp.core.errors import InputError
    from genointerp.wiring.bench import MediationConfig

    if n_marks is not None and not higher:
        raise InputError("n-marks", "--higher with the names of those to take out", "none")
    table = mediate_file(
        features,
        out,
        group or [],
        model.load_or_recorded(),
        genome=genome,
        sae=sae,
        below=below,
        families=families,
        concept=concept,
        higher=higher or [],
        higher_concepts=higher_concepts,
        annotations=annotations,
        concepts=concepts,
        config=changed(
            MediationConfig(),
            n_windows=n_windows,
            n_bases=n_bases,
            n_marks=n_marks,
            n_matched=n_matched,
            window=window,
            warmup=warmup,
            seed=seed,
        ),
    )
    n, k = int((table["synergy_p"] <= 0.05).sum()), int(table["synergy_p"].notna().sum())
    of_parts = " and parts" if higher else ""
    typer.echo(f"{len(table)} groups{of_parts}, {n} of {k} synergies with p <= .05 -> {out}")
