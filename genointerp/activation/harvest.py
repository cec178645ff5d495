"""Harvest: a model reads the windows of a genome, and its activations become a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64

from genointerp.core.config import to_mapping
from genointerp.core.errors import ConfigError, MismatchError, UnknownNameError
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.windows import Window, tile_windows, window_sequence
from genointerp.model.protocol import DnaModel
from genointerp.store.activations import (
    ActivationHeader,
    ActivationShards,
    ActivationStore,
    Encoding,
    manifest_sha256,
)
from genointerp.store.contigs import ContigInfo


@dataclass(frozen=True)
class HarvestConfig:
    """How a genome is cut into windows, and how activations are stored."""

    window: int = 4096
    """bases that the model reads in one pass, warm-up included"""
    warmup: int = 512
    """first bases of a window, read and discarded"""
    strands: tuple[str, ...] = ("+", "-")
    """strands that are read"""
    batch: int = 2
    """windows of one call of the model"""
    encoding: Encoding = "float16"
    """how values are stored; bfloat16 where activations exceed 65,504"""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigError("batch", "at least 1", str(self.batch))
        if not self.strands or not set(self.strands) <= {"+", "-"}:
            raise ConfigError("strands", "'+', '-' or both", str(self.strands))

    def windows(self, genome: Genome, regions: Sequence[GenomicInterval] = ()) -> list[Window]:
        """Cut a genome, or regions of it, into the windows that the model reads."""
        return tile_windows(
            genome,
            length=self.window,
            warmup=self.warmup,
            strands=[strand for strand in ("+", "-") if strand in self.strands],
            regions=regions,
        )

    def with_windows(self, window: int | None, warmup: int | None) -> "HarvestConfig":
        """Return a copy with other windows; None keeps what is."""
        return replace(
            self,
            window=self.window if window is None else window,
            warmup=self.warmup if warmup is None else warmup,
        )


def harvest(
    model: DnaModel,
    genome: Genome,
    *,
    site: str,
    out: Path,
    config: HarvestConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> ActivationStore:
    """Store the activations of a model at one site over a genome, or over regions of it.

    Killed at any moment and called again, it goes on where it stopped and the data are the same,
    byte for byte. Where ``out`` already holds them, nothing is computed.

    Parameters
    ----------
    progress
        Told of tokens kept so far and in all.

    Raises
    ------
    MismatchError
        If ``out`` or its shards were made from other inputs or another configuration.
    UnknownNameError
        If the model has no such site.
    InputError
        If an activation is not finite, or too large for the encoding.
    StorageError
        If the file cannot be written; shards already written remain.
    """
    config = HarvestConfig() if config is None else config
    if site not in model.spec.sites:
        raise UnknownNameError("site", f"one of {', '.join(model.spec.sites)}", site)
    windows = config.windows(genome, regions)
    header = _header(model, genome, site, config.encoding)
    provenance = _provenance(model, config, regions)
    kept = [window.kept for window in windows]
    if out.exists():
        return _existing(out, manifest_sha256(header, kept, provenance))
    shards = ActivationShards(out, header, kept, provenance)
    total = sum(interval.length for interval in kept)
    pending = shards.pending()
    missing = sum(kept[i].length for shard in pending for i in shards.shard_windows(shard))
    progress(total - missing, total)
    for shard in pending:
        rows = []
        for block in _shard_rows(model, genome, windows, shards.shard_windows(shard), site, config):
            rows.append(block)
            missing -= len(block)
            progress(total - missing, total)
        shards.write_shard(shard, np.concatenate(rows))
    return shards.finish()


def batches(windows: Sequence[Window], size: int) -> Iterator[list[int]]:
    """Group consecutive windows of one length, warm-up included, into batches of indices."""
    batch: list[int] = []
    for index, window in enumerate(windows):
        length = window.warmup + window.kept.length
        if batch:
            first = windows[batch[0]]
            if len(batch) == size or first.warmup + first.kept.length != length:
                yield batch
                batch = []
        batch.append(index)
    if batch:
        yield batch


def window_tokens(
    model: DnaModel, genome: Genome, windows: Sequence[Window]
) -> Int64[np.ndarray, "batch token"]:
    """Return the tokens of windows of one length."""
    return np.stack([model.tokenize(window_sequence(genome, window)).ids for window in windows])


def _shard_rows(
    model: DnaModel,
    genome: Genome,
    windows: Sequence[Window],
    indices: range,
    site: str,
    config: HarvestConfig,
) -> Iterator[Float32[np.ndarray, "n d_in"]]:
    # batches start anew at each shard, so that a value does not depend on where a run was stopped
    chosen = [windows[index] for index in indices]
    for batch in batches(chosen, config.batch):
        group = [chosen[index] for index in batch]
        tokens = torch.from_numpy(window_tokens(model, genome, group))
        captured = model.run(tokens, capture=[site])[site].float().cpu().numpy()
        kept = [row[window.warmup :] for row, window in zip(captured, group, strict=True)]
        yield np.concatenate(kept)


def _header(model: DnaModel, genome: Genome, site: str, encoding: Encoding) -> ActivationHeader:
    spec = model.spec
    return ActivationHeader(
        model=spec.name,
        model_sha256=spec.sha256,
        site=site,
        d_in=spec.d_site,
        genome_sha256=genome.sha256,
        encoding=encoding,
        contigs=tuple(ContigInfo(c.name, c.length, c.circular) for c in genome.values()),
    )


def _provenance(
    model: DnaModel, config: HarvestConfig, regions: Sequence[GenomicInterval]
) -> Provenance:
    settings = to_mapping(config) | {
        "attention_backend": model.spec.attention_backend,
        "regions": [format_region(region) for region in regions],
    }
    return Provenance(settings, {"model": model.spec.sha256})


def _existing(out: Path, manifest: str) -> ActivationStore:
    store = ActivationStore(out)
    if store.manifest_sha256 != manifest:
        raise MismatchError(
            str(out),
            f"activations of this model, site, genome and configuration ({manifest[:12]})",
            f"those of another run ({store.manifest_sha256[:12]}); remove the file or name another",
        )
    return store
