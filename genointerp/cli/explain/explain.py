"""The `explain` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import GenomeOrRun, OwnSae, Strand, option_of

_CONFIG = "explanation.explain.ExplainConfig"
_ATTRIBUTION = "explanation.attribution.AttributionConfig"


@with_recorded_model
def explain(
    genome: GenomeOrRun,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="table of the nodes: .tsv, .csv, .parquet or .json; NAME.summary has the sums",
            show_default=False,
        ),
    ],
    model: ModelChoice,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="the prediction of a base, chrI:900, or of a stretch, chrI:901-960 (1-based, "
            "closed); repeatable"
        ),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            help="in quotes: 'POS:REF>ALT', or 'SEQID:POS:REF>ALT' with several contigs "
            "(1-based); repeatable"
        ),
    ] = None,
    vcf: Annotated[Path | None, typer.Option(help="VCF of variants, plain or gzip")] = None,
    feature: Annotated[
        str | None,
        typer.Option(help="in place of the prediction --at, this feature there, of --of"),
    ] = None,
    of: Annotated[
        Path | None, typer.Option(help="folder of the dictionary of --feature, at a site above")
    ] = None,
    strand: Strand = None,
    sae: OwnSae = None,
    associations: Annotated[
        Path | None,
        typer.Option(help="associations of the dictionary, for names; a run has its own"),
    ] = None,
    graph_out: Annotated[
        Path | None,
        typer.Option(help="also write the nodes of one question and strand: .json or .graphml"),
    ] = None,
    baseline: Annotated[
        Literal["mean", "shuffle", "zero"] | None,
        option_of(f"{_ATTRIBUTION}.baseline", help="what is compared with; of a variant, its REF"),
    ] = None,
    measure: Annotated[
        Literal["contrast", "log_odds", "log_p"] | None,
        option_of(f"{_CONFIG}.measure", help="what of a prediction; of a variant, log_p"),
    ] = None,
    context: Annotated[
        int | None, option_of(f"{_CONFIG}.context", help="bases read before what is asked for")
    ] = None,
    n_next: Annotated[
        int | None, option_of(f"{_CONFIG}.n_next", help="bases behind a variant that count")
    ] = None,
    n_nodes: Annotated[
        int | None, option_of(f"{_CONFIG}.n_nodes", help="nodes in the table; the rest is summed")
    ] = None,
    n_exact: Annotated[
        int | None, option_of(f"{_CONFIG}.n_exact", help="nodes that are ablated exactly")
    ] = None,
    n_shuffles: Annotated[
        int | None, option_of(f"{_ATTRIBUTION}.n_shuffles", help="sequences of baseline shuffle")
    ] = None,
    steps: Annotated[
        int | None,
        option_of("explanation.path.PathConfig.steps", help="gradients; doubled as needed"),
    ] = None,
    seed: Annotated[int | None, option_of(f"{_ATTRIBUTION}.seed", help="random seed")] = None,
) -> None:
    """Explain a prediction, a variant or a feature by the features of a site.

    Both reading strands are explained, and whether they agree is said.
    """
    from genointerp.command.explain.explain import explain as explain_file
    from genointerp.explanation.answer import in_short
    from genointerp.explanation.explain import changed

    answer = explain_file(
        genome,
        out,
        model.load_or_recorded(),
        at=at or (),
        variant=variant or (),
        vcf=vcf,
        feature=feature,
        of=of,
        strand=strand,
        sae=sae,
        associations=associations,
        graph_out=graph_out,
        config=changed(
            baseline=baseline,
            measure=measure,
            context=context,
            n_next=n_next,
            n_nodes=n_nodes,
            n_exact=n_exact,
            n_shuffles=n_shuffles,
            steps=steps,
            seed=seed,
        ),
    )
    typer.echo(f"{in_short(answer.summary)} -> {out}")
