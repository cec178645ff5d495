"""Several models that read the same bases, all in the words of one dictionary.

The dictionary is that of one of them. It was trained on that model alone, so what the others do
is said as far as its features can say it; what they cannot say is the error.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from genointerp.core.errors import InputError, MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance
from genointerp.feature.encode import repeat_rows
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel
from genointerp.reading.fidelity import check_dictionary
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import KeptRows, Wanted, run_batch
from genointerp.reading.tokens import genome_passages, token_batches
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.kernel.sparse import sparse_decode
from genointerp.sae.metrics import RunningMoments
from genointerp.store.contigs import ContigInfo, contig_lengths, contig_offsets
from genointerp.store.feature.store import STRANDS, CsrRows, FeatureHeader, FeatureStore, ReadStrand
from genointerp.store.feature.writer import FeatureWriter


@dataclass(frozen=True)
class BlockAxis:
    """Blocks of equal length of the contigs of a genome; the last of a contig may be shorter."""

    contigs: tuple[ContigInfo, ...]
    block_bp: int

    @cached_property
    def first(self) -> dict[str, int]:
        """Number of the first block of each contig."""
        found, total = {}, 0
        for name, length in contig_lengths(self.contigs).items():
            found[name] = total
            total += -(-length // self.block_bp)
        return found

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return sum(-(-contig.length // self.block_bp) for contig in self.contigs)

    def of_rows(self) -> Int64[np.ndarray, " row"]:
        """Return the block of each global row."""
        parts = [
            self.first[contig.seqid] + np.arange(contig.length) // self.block_bp
            for contig in self.contigs
        ]
        return np.concatenate(parts).astype(np.int64)


@dataclass(eq=False)
class Reading:
    """What the activations of one model are under a dictionary, summed by block of the genome.

    Sums are over bases: a token counts for each kept base that it covers.

    Parameters
    ----------
    n_firing, total
        Bases on which each feature fires, and the sum of its activations there.
    explained
        Sum of what the squared error would grow by without each feature:
        ``|e + f d|^2 - |e|^2 = 2 f e.d + f^2 |d|^2`` at a token with the error e.
    n_bases, squared_error
        Bases read, and the sum of the squared errors.
    error
        Squared error at each global row, by reading strand; NaN where nothing was read. Only where
        it was asked for.
    features
        The features as a file; None unless it was asked for.
    """

    n_firing: Float64[np.ndarray, "block feature"]
    total: Float64[np.ndarray, "block feature"]
    explained: Float64[np.ndarray, "block feature"]
    n_bases: Float64[np.ndarray, " block"]
    squared_error: Float64[np.ndarray, " block"]
    moments: RunningMoments
    error: dict[ReadStrand, Float32[np.ndarray, " row"]] = field(default_factory=dict)
    features: FeatureStore | None = None

    @property
    def density(self) -> Float64[np.ndarray, " feature"]:
        """Share of the bases on which each feature fires."""
        found: Float64[np.ndarray, " feature"] = self.n_firing.sum(axis=0)
        return found / max(float(self.n_bases.sum()), 1.0)

    @property
    def mean(self) -> Float64[np.ndarray, " feature"]:
        """Mean activation of each feature where it fires; NaN where it never does."""
        n = self.n_firing.sum(axis=0)
        return np.where(n > 0, self.total.sum(axis=0) / np.maximum(n, 1), np.nan)

    @property
    def variance(self) -> float:
        """Mean squared distance of the activations from their mean."""
        return self.moments.total_variance

    @property
    def fvu(self) -> float:
        """Share of the variance that the dictionary does not explain."""
        n = max(float(self.n_bases.sum()), 1.0)
        return float(self.squared_error.sum()) / n / self.variance if self.variance else np.nan

    @property
    def fvu_share(self) -> Float64[np.ndarray, " feature"]:
        """What the FVU would grow by without each feature."""
        n = max(float(self.n_bases.sum()), 1.0)
        scale = n * self.variance
        return self.explained.sum(axis=0) / scale if scale else np.full(self.width, np.nan)

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.n_firing.shape[1])


def check_together(dictionary: Dictionary, owner: DnaModel, others: Sequence[DnaModel]) -> None:
    """Check that a dictionary is that of a model, and that others can be read with it.

    Raises
    ------
    MismatchError
        If the dictionary is of another model, or another model has another site or width.
    InputError
        If a model is not of float32: rounding would count as a change.
    """
    check_dictionary(dictionary, owner)
    site = dictionary.header.site
    for model in (owner, *others):
        spec = model.spec
        if spec.dtype != "float32":
            expected = "weights of float32, since rounding would count as a change"
            raise InputError(f"model {spec.name}", expected, spec.dtype)
        if spec.d_site != dictionary.header.d_in or spec.sites != owner.spec.sites:
            expected = f"a network of the shape of {owner.spec.name}, with {site}"
            found = f"{spec.d_site} numbers at {spec.sites[0]} to {spec.sites[-1]}"
            raise MismatchError(f"model {spec.name}", expected, found)


def read_together(  # noqa: PLR0913 - each is a choice of the user
    dictionary: Dictionary,
    models: Sequence[DnaModel],
    genome: Genome,
    *,
    block_bp: int,
    config: HarvestConfig,
    folder: Path | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> list[Reading]:
    """Let models read the same windows of a genome, and encode all with one dictionary.

    A model that occurs twice is read once, and its reading is returned twice.

    Parameters
    ----------
    models
        Models that `check_together` accepts.
    block_bp
        Length of the blocks over which sums are taken.
    folder
        Folder for the features of each model and the errors of each base; None if neither is
        needed.
    progress
        Called with (windows done, in all).
    """
    known = {model.spec.sha256: model for model in models}
    axis = BlockAxis(ContigInfo.of(genome), block_bp)
    accounts = {
        sha256: _Account(dictionary, model, axis, genome, folder) for sha256, model in known.items()
    }
    windows, done = config.windows(models[0].spec, genome, regions), 0
    wanted = Wanted((dictionary.header.site,))
    with ExitStack() as stack:
        for account in accounts.values():
            if account.writer is not None:
                stack.enter_context(account.writer)
        for batch in token_batches(models[0], genome_passages(genome, windows), config.batch):
            for sha256, model in known.items():
                for kept in run_batch(model, batch, wanted).kept(dictionary.header.site):
                    accounts[sha256].add(kept)
            done += len(batch.windows)
            progress(done, len(windows))
    readings = {sha256: account.finish() for sha256, account in accounts.items()}
    return [readings[model.spec.sha256] for model in models]


class _Account:
    """The sums of one model while it reads."""

    def __init__(
        self,
        dictionary: Dictionary,
        model: DnaModel,
        axis: BlockAxis,
        genome: Genome,
        folder: Path | None,
    ) -> None:
        n_features = dictionary.header.n_features
        self.dictionary, self.axis = dictionary, axis
        self.offsets = contig_offsets(axis.contigs)
        shape = (axis.n_blocks, n_features)
        self.reading = Reading(
            n_firing=np.zeros(shape),
            total=np.zeros(shape),
            explained=np.zeros(shape),
            n_bases=np.zeros(axis.n_blocks),
            squared_error=np.zeros(axis.n_blocks),
            moments=RunningMoments(dictionary.header.d_in),
        )
        self.writer: FeatureWriter | None = None
        if folder is not None:
            spec, of = model.spec, dictionary.header
            header = FeatureHeader(
                model=spec.name,
                model_sha256=spec.sha256,
                site=of.site,
                genome_sha256=genome.sha256,
                sae_sha256=of.sha256,
                n_features=n_features,
                contigs=axis.contigs,
                feature_names=of.feature_names,
            )
            record = Provenance({}, {"model": spec.sha256, "sae": of.sha256})
            path = folder / f"{spec.sha256[:16]}.h5"
            self.writer = FeatureWriter(path, header, record)
            n_rows = sum(contig.length for contig in axis.contigs)
            for strand in STRANDS:
                self.reading.error[strand] = np.full(n_rows, np.nan, np.float32)

    def finish(self) -> Reading:
        """Return the sums of all that was read."""
        if self.writer is not None:
            self.reading.features = FeatureStore(self.writer.path)
        return self.reading

    @torch.no_grad()
    def add(self, kept: KeptRows) -> None:
        """Add what is kept of a window."""
        place, rows, n_kept = kept.tokens.window.kept, kept.rows, kept.n_kept
        if not len(rows):
            return
        if place.strand == "-":
            rows, n_kept = rows.flip(0), n_kept[::-1].copy()
        sae = self.dictionary.sae
        x = rows.to(sae.b_enc)
        pattern, value = sae.codes(x)
        error = x - sae.b_dec - sparse_decode(value, sae.W_dec, pattern)
        fires = value > 0
        hits = _Hits(pattern.row[fires], pattern.feature[fires], value[fires])
        self._count(place, hits, error, n_kept)
        self._keep(place, hits, error, n_kept)
        self.reading.moments.update(x.cpu().numpy().repeat(n_kept, axis=0))

    def _count(
        self,
        place: GenomicInterval,
        hits: "_Hits",
        error: Float[Tensor, "row d"],
        n_kept: Int64[np.ndarray, " row"],
    ) -> None:
        reading, width = self.reading, self.reading.width
        start = place.start + np.cumsum(n_kept) - n_kept
        block = self.axis.first[place.seqid] + start // self.axis.block_bp
        squared = error.double().square().sum(1).cpu().numpy()
        np.add.at(reading.n_bases, block, n_kept)
        np.add.at(reading.squared_error, block, n_kept * squared)
        direction = self.dictionary.directions[hits.feature]
        along = (error[hits.row] * direction).sum(1)
        grown = 2 * hits.value * along + hits.value.square() * direction.square().sum(1)
        row, feature = hits.row.cpu().numpy(), hits.feature.cpu().numpy()
        weight = n_kept[row].astype(np.float64)
        columns = (
            (reading.n_firing, weight),
            (reading.total, weight * hits.value.double().cpu().numpy()),
            (reading.explained, weight * grown.double().cpu().numpy()),
        )
        # rows are in forward order, so the hits of a block are consecutive
        edges = np.searchsorted(block[row], np.arange(block[0], block[-1] + 2))
        for number, (first, stop) in enumerate(pairwise(edges), int(block[0])):
            for sums, values in columns:
                own = feature[first:stop]
                sums[number] += np.bincount(own, weights=values[first:stop], minlength=width)

    def _keep(
        self,
        place: GenomicInterval,
        hits: "_Hits",
        error: Float[Tensor, "row d"],
        n_kept: Int64[np.ndarray, " row"],
    ) -> None:
        if self.writer is None:
            return
        row = hits.row.cpu().numpy()
        indptr = np.searchsorted(row, np.arange(len(n_kept) + 1)).astype(np.int64)
        feature, value = hits.feature.cpu().numpy().astype(np.int64), hits.value.float()
        rows = CsrRows(indptr, feature, value.cpu().numpy())
        if (n_kept != 1).any():
            rows = repeat_rows(rows, n_kept)
        self.writer.add_window(place, *rows)
        first = self.offsets[place.seqid] + place.start
        squared = error.square().sum(1).float().cpu().numpy().repeat(n_kept)
        strand: ReadStrand = "+" if place.strand == "+" else "-"
        self.reading.error[strand][first : first + place.length] = squared


@dataclass(frozen=True)
class _Hits:
    """Features that fire, by row and then by feature."""

    row: Int64[Tensor, " hit"]
    feature: Int64[Tensor, " hit"]
    value: Float[Tensor, " hit"]
