"""`genointerp plot`: one command for each kind of figure."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from genointerp.cli.force import with_force
from genointerp.cli.look import with_look

if TYPE_CHECKING:
    from genointerp.figure.file import Look

plot = typer.Typer(no_args_is_help=True, help="Draw a figure; its suffix is its format.")

Out = Annotated[Path, typer.Option("--out", "-o", help="figure: .png, .pdf or .svg")]
Store = Annotated[
    Path, typer.Argument(help="features file, catalogue of several (.yaml), or run directory")
]
Stores = Annotated[
    list[Path],
    typer.Argument(help="features file of each genome; a catalogue (.yaml); or a run directory"),
]
Associations = Annotated[
    Path | None,
    typer.Option(
        help="table of associations: names each feature's best concept; a catalogue and a run "
        "have their own"
    ),
]
Concepts = Annotated[
    Path | None,
    typer.Option(help="YAML that defines the concepts; else that of the run, or the shipped one"),
]
Measured = Annotated[
    Path | None,
    typer.Option(help="table of associations of these features; a catalogue and a run have theirs"),
]
Genome = Annotated[
    Path | None,
    typer.Option(
        help="FASTA or GenBank; or the name of a genome of a catalogue or a run, which name theirs"
    ),
]
Named = Annotated[
    str | None, typer.Option(help="name of the genome, of several of a catalogue or a run")
]
Genomes = Annotated[
    list[Path] | None, typer.Option(help="FASTA or GenBank of each genome, in any order")
]
Annotation = Annotated[
    Path | None, typer.Option(help="GFF3 or GenBank; a catalogue and a run name their own")
]
Annotations = Annotated[
    list[Path] | None,
    typer.Option(
        help="GFF3 or GenBank of each features file, in their order; a catalogue and a run name "
        "their own"
    ),
]


@plot.command()
@with_force
@with_look
def region(
    features: Store,
    region: Annotated[
        str, typer.Argument(help="1-based closed, like chrI:1-1,000; or the name of a gene")
    ],
    out: Out,
    look: "Look",
    annotations: Annotation = None,
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
    features: Stores,
    out: Out,
    look: "Look",
    annotations: Annotations = None,
    associations: Measured = None,
    genome: Genomes = None,
    concepts: Concepts = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(help="number or name; repeatable; else the best feature of each concept"),
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
    features: Stores,
    feature: Annotated[str, typer.Option(help="number or name in the dictionary")],
    concept: Annotated[str, typer.Option(help="concept whose elements are aligned")],
    out: Out,
    look: "Look",
    annotations: Annotations = None,
    associations: Measured = None,
    genome: Genomes = None,
    concepts: Concepts = None,
    flank: Annotated[int, typer.Option(min=1, help="bp on either side")] = 200,
) -> None:
    """Draw the mean activation around starts and ends of elements, on test."""
    from genointerp.figure.metagene import metagene as draw_metagene

    draw_metagene(
        features,
        out,
        annotations=annotations or (),
        associations=associations,
        feature=feature,
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
    features: Store,
    feature: Annotated[list[str], typer.Option(help="number or name; repeatable: a ring each")],
    out: Out,
    look: "Look",
    annotations: Annotation = None,
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
        out,
        genome=genome,
        annotations=annotations,
        feature=feature,
        contig=contig,
        associations=associations,
        **look,
    )
    typer.echo(out)


@plot.command()
@with_force
@with_look
def feature(
    features: Store,
    feature: Annotated[str, typer.Option(help="number or name in the dictionary")],
    out: Out,
    look: "Look",
    genome: Named = None,
) -> None:
    """Draw the activations of one feature: how strong, how often, what shape and where."""
    from genointerp.figure.feature import feature as draw_feature

    draw_feature(features, feature, out, genome=genome, **look)
    typer.echo(out)


@plot.command()
@with_force
@with_look
def density(
    features: Store,
    out: Out,
    look: "Look",
    feature: Annotated[str | None, typer.Option(help="number or name of a feature to mark")] = None,
    genome: Named = None,
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
        Path | None, typer.Option(help="table of associations: colours by best concept")
    ] = None,
    method: Annotated[
        Literal["pca", "umap"], typer.Option(help="umap needs the package umap-learn")
    ] = "pca",
    seed: Annotated[int, typer.Option(help="random seed of umap")] = 0,
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
