"""Harvest: store the activations of a model that reads the windows of a genome."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from genointerp.core.config import to_mapping
from genointerp.core.errors import (
    ConfigError,
    InputError,
    MismatchError,
    SchemaError,
)
from genointerp.core.files import may_replace
from genointerp.core.lock import only_writer
from genointerp.core.nearest import unknown
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.windows import Window, tile_windows
from genointerp.model.protocol import DnaModel, ModelSpec
from genointerp.reading.encoding import encode_tensor
from genointerp.reading.run import KeptRows, Wanted, run_passages
from genointerp.reading.tokens import genome_passages
from genointerp.store.activation.shard_writer import ShardWriter
from genointerp.store.activation.shards import ActivationShards, manifest_sha256
from genointerp.store.activation.store import ActivationHeader, ActivationStore, Encoding
from genointerp.store.contigs import ContigInfo

_log = logging.getLogger(__name__)

MERGE_BASES = 64
"""Bases read after the kept ones if tokens are merges of bases, so that the last are whole."""


@dataclass(frozen=True)
class HarvestConfig:
    """How a genome is cut into windows, and how activations are stored."""

    window: int = 4096
    """Bases that the model reads in one pass, including those that are discarded."""
    warmup: int = 512
    """Number of first bases of a window, which are read and discarded."""
    strands: tuple[str, ...] = ("+", "-")
    """Strands to read."""
    batch: int = 2
    """Windows of one call of the model."""
    encoding: Encoding | None = None
    """Type of the stored values; None means bfloat16 for a bfloat16 model, and float16, whose
    largest value is 65,504, for others."""
    halo: int | None = None
    """Number of last bases of a window, which are read and discarded. None means as many as the
    warm-up for a masked model, 64 (or the warm-up, if less) if tokens are merges of bases, and
    otherwise none."""
    chunk: int = 0
    """Tokens that a causal model reads at once, one window at a time; 0 means whole windows."""

    def __post_init__(self) -> None:
        for name, least in (("batch", 1), ("halo", 0), ("chunk", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(name, f"at least {least}", str(value))
        if not self.strands or not set(self.strands) <= {"+", "-"}:
            raise ConfigError("strands", "'+', '-' or both", str(self.strands))

    def windows(
        self, spec: ModelSpec, genome: Genome, regions: Sequence[GenomicInterval] = ()
    ) -> list[Window]:
        """Cut a genome, or regions of it, into the windows that a model reads."""
        return tile_windows(
            genome,
            length=self.window,
            warmup=self.warmup,
            halo=self.halo_for(spec),
            grid=max(1, spec.bases_per_token),
            strands=[strand for strand in ("+", "-") if strand in self.strands],
            regions=regions,
        )

    def halo_for(self, spec: ModelSpec) -> int:
        """Return the number of bases that are read after the kept ones."""
        if self.halo is not None:
            return self.halo
        if spec.reads == "both":
            return self.warmup
        return min(self.warmup, MERGE_BASES) if spec.bases_per_token == 0 else 0

    def encoding_for(self, spec: ModelSpec) -> Encoding:
        """Return the type of the stored values."""
        return self.encoding or ("bfloat16" if spec.dtype == "bfloat16" else "float16")

    def with_windows(
        self,
        window: int | None,
        warmup: int | None,
        *,
        halo: int | None = None,
        chunk: int | None = None,
        batch: int | None = None,
    ) -> "HarvestConfig":
        """Return a copy with other windows; None keeps a value."""
        return replace(
            self,
            window=self.window if window is None else window,
            warmup=self.warmup if warmup is None else warmup,
            halo=self.halo if halo is None else halo,
            chunk=self.chunk if chunk is None else chunk,
            batch=self.batch if batch is None else batch,
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

    If it is killed at any moment and called again, it continues where it stopped, and the data are
    the same, byte for byte. If ``out`` already holds them, nothing is computed.

    Parameters
    ----------
    progress
        Called with (bases kept so far, bases to keep in all), with those of both strands counted.

    Raises
    ------
    MismatchError
        If ``out`` or its shards were made from other inputs or another configuration.
    UnknownNameError
        If the model has no such site.
    InputError
        If an activation is not finite, or too large for the encoding; or if the model cannot read
        in chunks, or its tokens do not tile the bases of a window.
    StorageError
        If the file cannot be written, or another process is writing it. Shards that are already
        written remain.
    """
    config = HarvestConfig() if config is None else config
    plan = HarvestPlan(model.spec, genome, site, config, tuple(regions))
    plan.check()
    with only_writer(out):
        return _harvest_all(model, plan, out, progress)


def _harvest_all(
    model: DnaModel, plan: "HarvestPlan", out: Path, progress: Progress
) -> ActivationStore:
    found = plan.existing(out)
    if found is not None:
        return found
    shards = plan.shards(out)
    pending, done = shards.pending(), plan.n_bases
    for shard in pending:
        done -= plan.n_bases_of(shards, shard)
    progress(done, plan.n_bases)
    with shards.dropped_if_empty():
        for shard in pending:
            for n_bases in harvest_shard(model, plan, shards, shard):
                done += n_bases
                progress(done, plan.n_bases)
    return shards.finish()


@dataclass(frozen=True)
class HarvestPlan:
    """Everything that determines the contents of the file, apart from the weights themselves.

    Parameters
    ----------
    spec
        Identity and shape of the model.
    regions
        Regions to read; the whole genome if empty.
    """

    spec: ModelSpec
    genome: Genome
    site: str
    config: HarvestConfig
    regions: tuple[GenomicInterval, ...] = ()

    @cached_property
    def windows(self) -> list[Window]:
        """Windows that the model reads."""
        return self.config.windows(self.spec, self.genome, self.regions)

    @cached_property
    def n_bases(self) -> int:
        """Number of kept bases in all."""
        return sum(window.kept.length for window in self.windows)

    def check(self) -> None:
        """Refuse a plan that the model cannot follow; warn if windows exceed its context.

        Raises
        ------
        UnknownNameError
            If the model has no such site.
        InputError
            If it cannot read in chunks.
        """
        spec = self.spec
        if not has_site(spec, self.site):
            raise unknown("site", self.site, spec.sites)
        if self.config.chunk and not spec.chunked:
            reason = "carries no state" if spec.reads == "left" else "reads both ways"
            expected = "0, or a causal model that reads in chunks"
            raise InputError("chunk", expected, f"{spec.name}, which {reason}")
        longest = max((window.length for window in self.windows), default=0)
        if longest > spec.context:
            _log.warning(
                "%s was trained on windows of at most %d bases; here it reads %d at once",
                spec.name,
                spec.context,
                longest,
            )

    def read(self, model: DnaModel, windows: Sequence[Window]) -> Iterator[KeptRows]:
        """Run the model over windows, in order, and yield what is kept of each.

        If the model reads in chunks, a window comes in several parts.
        """
        config, wanted = self.config, Wanted((self.site,))
        passages = genome_passages(self.genome, windows)
        for found in run_passages(model, passages, wanted, size=config.batch, chunk=config.chunk):
            yield from found.kept(self.site)

    def shards(self, out: Path) -> ActivationShards:
        """Return the writer of the file, which continues where it was stopped."""
        kept = [window.kept for window in self.windows]
        words = self.spec.bases_per_token != 1
        # in chunks, one window is read at a time
        batch = 1 if self.config.chunk else self.config.batch
        return ActivationShards(
            out, self._header, kept, self._provenance, words=words, least_windows=batch
        )

    def n_bases_of(self, shards: ActivationShards, shard: int) -> int:
        """Return the number of kept bases of one shard."""
        return sum(self.windows[index].kept.length for index in shards.shard_windows(shard))

    def existing(self, out: Path) -> ActivationStore | None:
        """Return the file if it exists already; None if it does not, or may be replaced.

        Raises
        ------
        MismatchError
            If it was made by another plan, and may not be replaced
            (`genointerp.core.files.replacing`).
        SchemaError
            If it is not an activations file, and may not be replaced.
        """
        if not out.exists() or not out.stat().st_size:
            return None
        try:
            return self._made(out)
        except (MismatchError, SchemaError):
            if may_replace():
                return None
            raise

    def _made(self, out: Path) -> ActivationStore:
        kept = [window.kept for window in self.windows]
        manifest = manifest_sha256(self._header, kept, self._provenance)
        store = ActivationStore(out)
        if store.manifest_sha256 != manifest:
            expected = "activations of this model, site, genome and configuration"
            found = f"those of another run ({store.manifest_sha256[:12]})"
            raise MismatchError(
                str(out),
                f"{expected} ({manifest[:12]})",
                f"{found}; name another file (--force replaces it)",
            )
        return store

    @cached_property
    def _header(self) -> ActivationHeader:
        return ActivationHeader(
            model=self.spec.name,
            model_sha256=self.spec.sha256,
            site=self.site,
            d_in=self.spec.d_site,
            genome_sha256=self.genome.sha256,
            encoding=self.config.encoding_for(self.spec),
            contigs=ContigInfo.of(self.genome),
            parent=self.spec.parent,
            parent_sha256=self.spec.parent_sha256,
        )

    @cached_property
    def _provenance(self) -> Provenance:
        spec = self.spec
        settings = to_mapping(self.config) | {
            "attention_backend": spec.attention_backend,
            "regions": [format_region(region) for region in self.regions],
        }
        # only unusual settings are recorded, so that files of older versions stay valid
        settings |= {"encoding": self._header.encoding, "halo": self.config.halo_for(spec)}
        settings |= {"dtype": spec.dtype, "revision": spec.revision}
        usual = {"halo": 0, "chunk": 0, "dtype": "float32", "revision": ""}
        settings = {key: it for key, it in settings.items() if usual.get(key, ...) != it}
        return Provenance(settings, {"model": spec.sha256})


def has_site(spec: ModelSpec, site: str) -> bool:
    """Say whether activations can be taken at a site: after a block, its mixer or its MLP."""
    return any(site in (name, f"{name}.mixer", f"{name}.mlp") for name in spec.sites)


def harvest_shard(
    model: DnaModel, plan: HarvestPlan, shards: ActivationShards, shard: int
) -> Iterator[int]:
    """Write one shard, and yield the number of bases of each of its pieces after it is stored.

    A piece is stored in a thread of its own, while the model computes the next one.
    """
    # batches begin anew with each shard, so that a value does not depend on where a run was stopped
    windows = [plan.windows[index] for index in shards.shard_windows(shard)]
    with shards.open_shard(shard) as writer, ThreadPoolExecutor(1) as thread:
        stored: Future[int] | None = None
        for kept in plan.read(model, windows):
            if stored is not None:
                yield stored.result()
            stored = thread.submit(_store, writer, kept, words=plan.spec.bases_per_token != 1)
        if stored is not None:
            yield stored.result()


def _store(writer: ShardWriter, kept: KeptRows, *, words: bool) -> int:
    """Write what is kept of a window or of a chunk, and return its number of bases."""
    if len(kept.rows):
        raw = encode_tensor(kept.rows, writer.header.encoding)
        writer.add_stored(raw, kept.n_kept if words else None)
    return int(kept.n_kept.sum())
