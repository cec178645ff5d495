"""`genointerp label`: what each feature is, by what fit says."""

from pathlib import Path
from typing import Annotated, Any

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
    endpoint: Annotated[
        Path | None,
        typer.Option(help="YAML of EndpointConfig: a language model labels every feature, too"),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="take replies of the language model from the cache")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="say what the language model would cost, and stop")
    ] = False,
    evidence_out: Annotated[
        Path | None, typer.Option(help="what was measured of each feature, a line of JSON for each")
    ] = None,
    seed: Seed = None,
) -> None:
    """Label every feature of FEATURES by statistics of the fit side.

    A label names a concept, the start or end of its elements, a motif or a GC content where its F1
    exceeds its null and a detector that always fires; a period; or says that nothing was found.
    With --endpoint a language model labels them, too.
    """
    from genointerp.command.find.label import label as label_features
    from genointerp.command.find.label import label_cost
    from genointerp.core.messages import to_stderr

    known: dict[str, Any] = {
        "genome": genome or (),
        "annotations": annotations or (),
        "associations": associations,
        "concepts": concepts,
        "config": config,
        "seed": seed,
    }
    if estimate:
        typer.echo(str(label_cost(features, endpoint, **known)))
        return
    table = label_features(
        features,
        out,
        endpoint=endpoint,
        offline=offline,
        evidence_out=evidence_out,
        show=to_stderr,
        **known,
    )
    n_named = table.loc[table["kind"] != "unclear", "feature"].nunique()
    typer.echo(f"{table['feature'].nunique()} features, {n_named} with a label -> {out}")
