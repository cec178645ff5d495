"""The `trace` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import GenomeOrRun, option_of

_CONFIG = "wiring.trace_config.TraceConfig"


@with_recorded_model
def trace(
    genome: GenomeOrRun,
    region: Annotated[
        str,
        typer.Argument(
            help="bases that are predicted, like chrI:101 or chrI:101-103 (1-based, closed)",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="graph to write: .json or .graphml", show_default=False),
    ],
    model: ModelChoice,
    sae: Annotated[
        list[Path] | None,
        typer.Option(
            help="folder of a dictionary, or shipped:nano, one for each site; repeatable; a run "
            "has one more"
        ),
    ] = None,
    strand: Annotated[Literal["+", "-"], typer.Option(help="strand that is read")] = "+",
    associations: Annotated[
        Path | None,
        typer.Option(help="table after which the features of its dictionary are called"),
    ] = None,
    measure: Annotated[
        Literal["contrast", "log_odds", "log_p"] | None,
        option_of(f"{_CONFIG}.measure", help="how a prediction becomes a number"),
    ] = None,
    context: Annotated[
        int | None, option_of(f"{_CONFIG}.context", help="bases read before the region")
    ] = None,
    n_nodes: Annotated[
        int | None,
        option_of(f"{_CONFIG}.n_nodes", help="features of each site that are followed downwards"),
    ] = None,
    node_share: Annotated[
        float | None,
        option_of(f"{_CONFIG}.node_share", help="share of the influence of nodes that is kept"),
    ] = None,
    edge_share: Annotated[
        float | None,
        option_of(f"{_CONFIG}.edge_share", help="share of the influence of edges that is kept"),
    ] = None,
    seed: Annotated[int | None, option_of(f"{_CONFIG}.seed", help="random seed")] = None,
) -> None:
    """Trace a prediction through features of several sites down to the bases, as a graph.

    A run directory gives the genome, a dictionary, and what its features are called.
    """
    from genointerp.command.explain.trace import trace as trace_file
    from genointerp.core.config import changed
    from genointerp.wiring.trace import in_short
    from genointerp.wiring.trace_config import TraceConfig

    graph = trace_file(
        genome,
        region,
        out,
        model.load_or_recorded(),
        sae=sae or [],
        strand=strand,
        associations=associations,
        config=changed(
            TraceConfig(),
            measure=measure,
            context=context,
            n_nodes=n_nodes,
            node_share=node_share,
            edge_share=edge_share,
            seed=seed,
        ),
    )
    typer.echo(f"{in_short(graph)} -> {out}")
