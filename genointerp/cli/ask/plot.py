"""`genointerp plot`: one command for each kind of figure."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from genointerp.cli.force import with_force
from genointerp.cli.look import with_look
from genointerp.cli.options import (
    Annotations,
    Associations,
    Concepts,
    Feature,
    Features,
    Genome,
    Genomes,
    ManyAnnotations,
    ManyFeatures,
)

if TYPE_CHECKING:
    from genointerp.figure.file import Look

plot = typer.Typer(no_args_is_help=True, help="Draw a figure; its suffix is its format.")

Out = Annotated[Path, typer.Option("--out", "-o", help="figure: .png, .pdf or .svg")]


@plot.command()
@with_force
@with_look
def region(
    features: Features,
    region: Annotated[
        str, typer.Argument(help="1-based closed, like chrI:1-1,000; or the name of a gene")
    ],
    out: Out,
    look: "Look",
    annotations: Annotations = None,
    genome: Genome = None,
    associations: Associations = None,
    concepts: Concepts = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(help="number or name of a feature to draw; repeatable; else the strongest"),
    ] = None,
) -> None:
    """Draw genes, concepts and features along REGION, up to 150 bp with their bases."""
    from genointerp.figure.region import region as draw_region

    draw_region(
        features,
        region,
        out,
        genome=genome,
        annotations=annotations,
        feature=feature or [],
        associations=associations,
        concepts=concepts,
        **look,
    )
    typer.echo(out)


@plot.command()
@with_force
@with_look
def overlap(
    associations: Annotated[Path, typer.Argument(help="table of associations, or run directory")],
    out: Out,
    look: "Look",
    score: Annotated[
        Literal["all", "f1", "precision", "recall"], typer.Option(help="score to draw, or all")
    ] = "all",
) -> None:
    """Draw test scores of the best features with every concept."""
    from genointerp.figure.overlap import overlap as draw_overlap

    draw_overlap(associations, out, score=score, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def curves(
    features: ManyFeatures,
    out: Out,
    look: "Look",
    annotations: ManyAnnotations = None,
    associations: Associations = None,
    genome: Genomes = None,
    concepts: Concepts = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            help="number or name of a feature to draw; repeatable; else the best of each concept"
        ),
    ] = None,
    concept: Annotated[list[str] | None, typer.Option(help="only this concept; repeatable")] = None,
) -> None:
    """Draw precision against recall at every threshold, on the test side of the associations."""
    from genointerp.figure.curves import curves as draw_curves

    draw_curves(
        features,
        out,
        annotations=annotations or (),
        associations=associations,
        genome=genome or (),
        concepts=concepts,
        feature=feature or [],
        concept=concept or [],
        **look,
    )
    typer.echo(out)


@plot.command()
@with_force
@with_look
def metagene(
    features: ManyFeatures,
    feature: Feature,
    concept: Annotated[str, typer.Option(help="concept whose elements are aligned")],
    out: Out,
    look: "Look",
    annotations: ManyAnnotations = None,
    associations: Associations = None,
    genome: Genomes = None,
    concepts: Concepts = None,
    flank: Annotated[
        int, typer.Option(min=1, help="bases on either side of the ends of an element")
    ] = 200,
) -> None:
    """Draw the mean activation around starts and ends of elements, on test."""
    from genointerp.figure.metagene import metagene as draw_metagene

    draw_metagene(
        features,
        feature,
        out,
        annotations=annotations or (),
        associations=associations,
        concept=concept,
        genome=genome or (),
        concepts=concepts,
        flank=flank,
        **look,
    )
    typer.echo(out)


@plot.command()
@with_force
@with_look
def circle(
    features: Features,
    feature: Annotated[
        list[str],
        typer.Argument(
            metavar="FEATURE...",
            help="number or name of a feature: a ring for each",
            show_default=False,
        ),
    ],
    out: Out,
    look: "Look",
    annotations: Annotations = None,
    genome: Genome = None,
    contig: Annotated[
        str | None, typer.Option(help="contig to draw; by default the longest")
    ] = None,
    associations: Associations = None,
) -> None:
    """Draw a whole contig as a circle: its elements, and a ring for each feature."""
    from genointerp.figure.circle import circle as draw_circle

    draw_circle(
        features,
        feature,
        out,
        genome=genome,
        annotations=annotations,
        contig=contig,
        associations=associations,
        **look,
    )
    typer.echo(out)


@plot.command()
@with_force
@with_look
def feature(
    features: Features,
    feature: Feature,
    out: Out,
    look: "Look",
    genome: Genome = None,
) -> None:
    """Draw the activations of one feature: how strong, how often, what shape and where."""
    from genointerp.figure.feature import feature as draw_feature

    draw_feature(features, feature, out, genome=genome, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def density(
    features: Features,
    out: Out,
    look: "Look",
    feature: Annotated[str | None, typer.Option(help="number or name of a feature to mark")] = None,
    genome: Genome = None,
) -> None:
    """Draw the densities of all features."""
    from genointerp.figure.density import density as draw_density

    draw_density(features, out, feature=feature, genome=genome, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def dictionary(
    sae: Annotated[
        Path, typer.Argument(help="folder of a dictionary, run directory, or shipped:nano")
    ],
    out: Out,
    look: "Look",
    associations: Annotated[
        Path | None,
        typer.Option(help="table of associations: colours by best concept; a run has its own"),
    ] = None,
    method: Annotated[
        Literal["pca", "umap"], typer.Option(help="umap needs the package umap-learn")
    ] = "pca",
    seed: Annotated[int, typer.Option(help="random seed", show_default="0")] = 0,
) -> None:
    """Draw the directions of a dictionary in two dimensions."""
    from genointerp.figure.dictionary import dictionary as draw_dictionary

    draw_dictionary(sae, out, associations=associations, method=method, seed=seed, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def training(
    metrics: Annotated[
        Path, typer.Argument(help="metrics.jsonl of a dictionary, or run directory")
    ],
    out: Out,
    look: "Look",
) -> None:
    """Draw the training curves of a dictionary."""
    from genointerp.figure.training import training as draw_training

    draw_training(metrics, out, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def paint(
    summary: Annotated[
        list[Path],
        typer.Argument(
            metavar="SUMMARY...", help=".summary tables that `paint` wrote", show_default=False
        ),
    ],
    out: Out,
    look: "Look",
    measure: Annotated[
        list[str] | None,
        typer.Option(
            help="column of the table, a panel for each; repeatable",
            show_default="stops and coding of the canvas's frame",
        ),
    ] = None,
) -> None:
    """Draw what designs become by dose, with the controls beside the canvas."""
    from genointerp.figure.paint import paint as draw_paint

    draw_paint(summary, out, measure=measure or (), **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def graph(
    graph: Annotated[
        Path, typer.Argument(help="graph that `trace` or `explain` wrote: .json or .graphml")
    ],
    out: Out,
    look: "Look",
    n_tokens: Annotated[int, typer.Option(min=1, help="tokens to draw, the last ones")] = 60,
    n_edges: Annotated[
        int, typer.Option(min=0, help="edges of each level, the strongest ones")
    ] = 40,
) -> None:
    """Draw the attribution graph of a prediction: sites above each other, tokens in a row."""
    from genointerp.figure.graph import graph as draw_graph

    draw_graph(graph, out, n_tokens=n_tokens, n_edges=n_edges, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def steer(
    steering: Annotated[Path, typer.Argument(help="table that `steer` wrote", show_default=False)],
    out: Out,
    look: "Look",
    bases: Annotated[
        Path | None, typer.Option(help="its table of bases, of one contig and strand")
    ] = None,
) -> None:
    """Draw how far a canvas and its controls move predictions, and the change of each base."""
    from genointerp.figure.steer import steer as draw_steer

    draw_steer(steering, out, bases=bases, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def explain(
    explanation: Annotated[Path, typer.Argument(help="table of nodes that explain wrote")],
    out: Out,
    look: "Look",
    bases: Annotated[
        Path | None, typer.Option(help="table that mutate wrote for the same question")
    ] = None,
    question: Annotated[
        str | None, typer.Option(help="question of the table, as written there; else the first")
    ] = None,
    strand: Annotated[
        Literal["+", "-"] | None, typer.Option(help="reading strand; else the first")
    ] = None,
    n_features: Annotated[int, typer.Option(min=1, help="features with a row of their own")] = 12,
) -> None:
    """Draw bases, features by token and their sums behind a prediction."""
    from genointerp.figure.explain import explain as draw_explanation

    draw_explanation(
        explanation,
        out,
        bases=bases,
        question=question,
        strand=strand,
        n_features=n_features,
        **look,
    )
    typer.echo(out)


@plot.command()
@with_force
@with_look
def dependency(
    table: Annotated[Path, typer.Argument(help="table that dependency wrote")],
    out: Out,
    look: "Look",
    genome: Annotated[
        Path | None,
        typer.Option(help="FASTA or GenBank, or run directory, for the genes beside the map"),
    ] = None,
    annotations: Annotations = None,
    above_control: Annotated[
        bool, typer.Option("--above-control", help="only pairs that exceed shuffled bases")
    ] = False,
) -> None:
    """Draw which predictions depend on which bases, as a matrix."""
    from genointerp.figure.dependency import dependency as draw_dependency

    draw_dependency(
        table, out, genome=genome, annotations=annotations, above_control=above_control, **look
    )
    typer.echo(out)


@plot.command()
@with_force
@with_look
def divergence(
    table: Annotated[Path, typer.Argument(help="table of places that diff wrote")],
    out: Out,
    look: "Look",
    seqid: Annotated[
        str | None, typer.Option(help="contig; by default that of the largest divergence")
    ] = None,
) -> None:
    """Draw where a tuned model predicts otherwise than its base, next to a control."""
    from genointerp.figure.divergence import divergence as draw_divergence

    draw_divergence(table, out, seqid=seqid, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def circuit(
    edges: Annotated[Path, typer.Argument(help="edges that `circuit` wrote", show_default=False)],
    families: Annotated[Path, typer.Argument(help="families that it wrote", show_default=False)],
    out: Out,
    look: "Look",
    lags: Annotated[Path | None, typer.Option(help="its table of lags, for curves of phi")] = None,
    top: Annotated[int, typer.Option(min=1, help="how many families, the largest first")] = 3,
) -> None:
    """Draw families of features that fire together, and phi by lag with its null."""
    from genointerp.figure.circuit import circuit as draw_circuit

    draw_circuit(edges, families, out, lags=lags, top=top, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def latents(
    table: Annotated[
        Path, typer.Argument(help="table that `diff --latents-out` wrote", show_default=False)
    ],
    out: Out,
    look: "Look",
) -> None:
    """Draw whose the features of a crosscoder are, by norm, cosine and nu, next to the control."""
    from genointerp.figure.compare.latents import latents as draw_latents

    draw_latents(table, out, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def match(
    matches: Annotated[
        Path,
        typer.Argument(
            help="table that `match` or `across` wrote, .summary next to it", show_default=False
        ),
    ],
    out: Out,
    look: "Look",
    side: Annotated[
        Literal["a", "b"], typer.Option(help="dictionary whose features are drawn")
    ] = "a",
) -> None:
    """Draw the share of features that is matched, by density or across genomes, next to nulls."""
    from genointerp.figure.compare.match import match as draw_match

    draw_match(matches, out, side=side, **look)
    typer.echo(out)
