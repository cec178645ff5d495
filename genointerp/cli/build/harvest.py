"""The `harvest` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.model_options import ModelChoice, with_model_options
from genointerp.cli.options import Batch, Region, Site, Warmup, Window, option_of


@with_model_options
def harvest(
    genome: Annotated[Path, typer.Argument(help="FASTA or GenBank file", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="activations file to write", show_default=False)
    ],
    model: ModelChoice,
    site: Site = None,
    region: Region = None,
    window: Window = None,
    warmup: Warmup = None,
    halo: Annotated[
        int | None,
        typer.Option(help="last bases of a pass, discarded; by default as the model needs"),
    ] = None,
    chunk: Annotated[
        int | None,
        option_of(
            "reading.harvest.HarvestConfig.chunk",
            help="tokens read at once, so that a pass may be a chromosome; 0 reads a whole pass",
        ),
    ] = None,
    batch: Batch = None,
    encoding: Annotated[
        Literal["float16", "bfloat16"] | None,
        typer.Option(help="encoding of the stored values; by default as fits the model's dtype"),
    ] = None,
    devices: Annotated[
        str | None, typer.Option(help="a copy of the model on each, such as cuda:0,cuda:1")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="load the model, check all settings, compute nothing")
    ] = False,
    sae: Annotated[
        Path | None,
        typer.Option(help="with --dry-run: check that this dictionary is of the model and site"),
    ] = None,
) -> None:
    """Run a model over a GENOME, both strands, and store its activations at one site."""
    from genointerp.command.build.harvest import harvest as harvest_file
    from genointerp.command.build.harvest import plan_harvest as plan_file
    from genointerp.reading.harvest import HarvestConfig
    from genointerp.reading.parallel import ModelCopies, parse_devices

    copies = ModelCopies(model.loader(up_to=site), parse_devices(devices, model.device))
    config = HarvestConfig(encoding=encoding)
    config = config.with_windows(window, warmup, halo=halo, chunk=chunk, batch=batch)
    if dry_run:
        plan = plan_file(
            genome, out, copies, site=site, region=region or [], config=config, sae=sae
        )
        typer.echo(f"{plan.n_bases} bases at {plan.site} in {len(plan.windows)} windows")
        return
    store = harvest_file(genome, out, copies, site=site, region=region or [], config=config)
    read = " and ".join(f"{n} bases read on {one}" for one, n in store.n_by_strand.items())
    typer.echo(f"{read}, {store.d_in} numbers each, at {store.header.site} -> {out}")
