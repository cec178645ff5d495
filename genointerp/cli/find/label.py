"""`genointerp label`: what each feature is, by what fit says."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import (
    Associations,
    Concepts,
    Genomes,
    ManyAnnotations,
    ManyFeatures,
    Seed,
)


def label(
    features: ManyFeatures,
    out: Annotated[Path, typer.Option("--out", "-o", help="labels to write, .tsv")],
    genome: Genomes = None,
    annotations: ManyAnnotations = None,
    associations: Associations = None,
    concepts: Concepts = None,
    config: Annotated[Path | None, typer.Option(help="YAML of LabelConfig")] = None,
    evidence_out: Annotated[
        Path | None, typer.Option(help="what was measured of each feature, a line of JSON for each")
    ] = None,
    seed: Seed = None,
) -> None:
    """Label every feature of FEATURES by statistics of the fit side.

    A label names a concept, the start or end of its elements, a motif or a GC content where its F1
    exceeds its null and a detector that always fires; a period; or says that nothing was found.
    """
    from genointerp.command.find.label import label as label_features

    table = label_features(
        features,
        out,
        genome=genome or (),
        annotations=annotations or (),
        associations=associations,
        concepts=concepts,
        config=config,
        evidence_out=evidence_out,
        seed=seed,
    )
    n_named = int((table["kind"] != "unclear").sum())
    typer.echo(f"{len(table)} features, {n_named} with a label -> {out}")
