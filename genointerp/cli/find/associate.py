"""`genointerp associate`: every feature against every concept."""

from pathlib import Path
from typing import Annotated, Any

import typer

from genointerp.cli.options import Concepts, Genomes, ManyAnnotations, ManyFeatures, Seed


def _beside(*, help: str) -> Any:  # noqa: ANN401 - as typer has it
    return typer.Option(help=help, rich_help_panel="Baselines")


def associate(
    features: ManyFeatures,
    annotations: ManyAnnotations = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="associations to write, .parquet, .tsv, .csv or .json; TSV on the standard output "
            "otherwise",
        ),
    ] = None,
    genome: Genomes = None,
    test: Annotated[
        list[str] | None,
        typer.Option(
            help="sequence, or genome by its features file, of the test side; repeatable;"
            " alternate blocks of each contig where none"
        ),
    ] = None,
    concepts: Concepts = None,
    config: Annotated[Path | None, typer.Option(help="YAML of AssociateConfig")] = None,
    seed: Seed = None,
    baselines_out: Annotated[
        Path | None,
        _beside(help="also measure baselines without this dictionary, and write this table"),
    ] = None,
    associations: Annotated[
        Path | None,
        _beside(help="associations of FEATURES that were computed before, instead of --out"),
    ] = None,
    activations: Annotated[
        list[Path] | None,
        _beside(help="activations of FEATURES, for neurons, components and probes"),
    ] = None,
    random_features: Annotated[
        list[Path] | None, _beside(help="features of the model with random weights")
    ] = None,
    other_features: Annotated[
        list[Path] | None, _beside(help="features of a dictionary of another seed")
    ] = None,
) -> None:
    """Compare every feature of FEATURES with every concept, in either orientation.

    Threshold and pair are chosen on the fit side; every score after f1_fit is measured on test.
    With --baselines-out the best feature of each concept is compared with what single neurons,
    components, probes, the sequence alone (where --genome gives it) and other dictionaries reach.
    """
    from genointerp.command.find.associate import associate as associate_features
    from genointerp.store.table.table import render_table

    table = associate_features(
        features,
        out,
        annotations=annotations or (),
        genome=genome or (),
        test=test or (),
        concepts=concepts,
        config=config,
        seed=seed,
        baselines_out=baselines_out,
        associations=associations,
        activations=activations or (),
        random_features=random_features or (),
        other_features=other_features or (),
    )
    significant = int((table["q_value"] <= 0.05).sum())
    written = " ".join(str(path) for path in (out, baselines_out) if path is not None)
    if not written:
        typer.echo(render_table(table, "tsv"), nl=False)
    said = f"{len(table)} associations, {significant} with q <= 0.05"
    typer.echo(f"{said} -> {written or 'the standard output'}", err=True)
