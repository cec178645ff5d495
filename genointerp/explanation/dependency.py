"""Dependency maps: which bases of a region the predictions of which others depend on.

Tomaz da Silva et al. (2024, doi 10.1101/2024.07.27.605418) replace each base and look at what is
expected elsewhere; the categorical Jacobian of Zhang et al. (2024, doi 10.1101/2024.01.30.577970)
does the same for proteins. A causal model sees only half of each map: what a base does to those
after it. The other reading strand shows the other half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from genointerp.annotation.finders.folding import dinucleotide_shuffle
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.explanation.mutagenesis import BASES, Mutant, base_columns, base_ids, mutated_ids
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, Strand, format_region
from genointerp.model.protocol import DnaModel
from genointerp.reading.branch import Trunk
from genointerp.reading.question import window_passage
from genointerp.reading.target import log_odds
from genointerp.reading.tokens import Passage, TokenBatch, tokenised
from genointerp.store.table.schema.mutagenesis import DEPENDENCY
from genointerp.store.table.table import conform


@dataclass(frozen=True)
class DependencyConfig:
    """How the map of a region is made.

    Raises
    ------
    ConfigError
        If a number is out of its range, or a strand is unknown.
    """

    context: int = 512
    """Bases that are read before the region, on each strand."""
    strands: tuple[Strand, ...] = ("+", "-")
    """Reading strands."""
    n_shuffles: int = 2
    """Copies of the region with its dinucleotides shuffled, as a control; 0: none."""
    batch: int = 48
    """Mutants that the model reads at once."""
    max_bases: int = 1000
    """Longest region: the map has a row for each pair."""
    seed: int = 0
    """Random seed of the shuffles."""

    def __post_init__(self) -> None:
        for name, least in (("context", 0), ("n_shuffles", 0), ("batch", 3), ("max_bases", 2)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"at least {least}", str(getattr(self, name)))
        if not self.strands or not set(self.strands) <= {"+", "-"}:
            raise ConfigError("strands", "+, - or both", ", ".join(self.strands) or "none")


class Dependencies(NamedTuple):
    """What replacing each base of a region changes of what is expected at those after it.

    Rows are the replaced bases, columns the affected ones, both in reading order. NaN where the
    affected base is not after the replaced one, and where a letter is no base.

    Parameters
    ----------
    largest
        Largest absolute change of the log odds of a base, in nats.
    frobenius
        Root of the sum of squares of the changes.
    """

    largest: Float64[np.ndarray, "base base"]
    frobenius: Float64[np.ndarray, "base base"]


def dependencies(
    model: DnaModel, passage: Passage, *, batch: int = DependencyConfig.batch
) -> Dependencies:
    """Return the dependencies among the kept bases of a passage.

    Notes
    -----
    With ``p_j(k)`` what is expected of base k at j, and ``p_j(k | i=n)`` the same once n is at i,
    the entries are, over the three other bases n and the four bases k,

    ``e_ij = max_{n, k} |log (p_j(k | i=n) / (1 - p_j(k | i=n))) - log (p_j(k) / (1 - p_j(k)))|``

    as in Tomaz da Silva et al., who take log2; and the root of the sum of squares of these 12
    changes, the Frobenius norm of a block of the categorical Jacobian (without its centring).

    Raises
    ------
    InputError
        If the model is a masked one, or its tokens are not bases.
    """
    read, ids = tokenised(model, passage), base_ids(model)
    token = np.flatnonzero(read.n_kept)
    own = read.spans.ids[token][:, None] == ids
    end, n = int(token[-1]) + 1, len(token)
    trunk = Trunk(model, TokenBatch.of([read]))
    found = Dependencies(*(np.full((n, n), np.nan) for _ in Dependencies._fields))
    # the last base has none after it
    known = np.flatnonzero(own.any(1)[:-1])
    for begin in range(0, len(known), batch // 3):
        some = known[begin : begin + batch // 3]
        mutants = [
            Mutant(int(i), b, int(token[i]), int(ids[b]))
            for i in some
            for b in range(len(BASES))
            if not own[i, b]
        ]
        first = mutants[0].token
        rows = torch.cat([trunk.batch.ids, mutated_ids(read.spans.ids, mutants)])[:, :end]
        odds = _log_odds(model, trunk.branches(rows, first).logits)
        # in the order (base, alternative, token after the first replaced one, symbol)
        change = (odds[1:] - odds[0]).reshape(len(some), -1, *odds.shape[1:])
        for i, of_base in zip(some.tolist(), change, strict=True):
            after = of_base[:, token[i] - first :]
            found.largest[i, i + 1 :] = np.abs(after).max((0, 2))
            found.frobenius[i, i + 1 :] = np.sqrt((after**2).sum((0, 2)))
    unknown = ~own.any(1)
    for matrix in found:
        matrix[:, unknown] = np.nan
    return found


def dependency_map(
    model: DnaModel,
    genome: Genome,
    region: GenomicInterval,
    config: DependencyConfig | None = None,
    *,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Return the dependencies among the bases of a region, on each reading strand, as a table.

    Each pair has a control: the 95th percentile of the pairs at the same distance in the same
    region with its dinucleotides shuffled, behind the same context.

    Parameters
    ----------
    progress
        Called with (passages done, passages in all).

    Raises
    ------
    InputError
        If the region has fewer than two bases, or more than ``config.max_bases``; if the model is a
        masked one, or its tokens are not bases.
    CoordinateError
        If the region is not inside a contig of the genome.
    """
    config = DependencyConfig() if config is None else config
    if not 2 <= region.length <= config.max_bases:
        expected = f"a region of 2 to {config.max_bases:,} bases"
        raise InputError(format_region(region), expected, f"{region.length:,}")
    n_passages = len(config.strands) * (1 + config.n_shuffles)
    tables: list[pd.DataFrame] = []
    for strand in config.strands:
        own = GenomicInterval(region.seqid, region.start, region.end, strand)
        passage = window_passage(model, genome, own, config.context)
        found = []
        for number in range(1 + config.n_shuffles):
            read = passage if not number else shuffled(passage, config.seed, number)
            found.append(dependencies(model, read, batch=config.batch))
            progress(len(tables) * (1 + config.n_shuffles) + number + 1, n_passages)
        tables.append(_table(own, genome[region.seqid].length, found[0], found[1:]))
    return pd.concat(tables, ignore_index=True)


def in_short(table: pd.DataFrame) -> str:
    """Say in one line how many pairs exceed their control, and which does most."""
    if table.empty:
        return "no pair of bases"
    n_above, n = int((table["dependency"] > table["shuffled"]).sum()), len(table)
    best = table.iloc[int((table["dependency"] - table["shuffled"].fillna(0)).argmax())]
    control = "" if table["shuffled"].isna().all() else f", {n_above:,} above their control"
    return (
        f"{n:,} pairs{control}; most: {best['affected'] + 1:,} on {best['replaced'] + 1:,} "
        f"({best['strand']}), {best['dependency']:.3g} nats"
    )


def shuffled(passage: Passage, seed: int, number: int) -> Passage:
    """Return a passage whose kept bases are in another order, with the same dinucleotides.

    Parameters
    ----------
    number
        Which of several; each is another shuffle.
    """
    window, bases = passage.window, passage.bases.copy()
    draw = rng(seed, f"shuffle {number} of {format_region(window.kept)} {window.kept.strand}")
    kept = slice(window.warmup, window.warmup + window.kept.length)
    bases[kept] = dinucleotide_shuffle(bases[kept], draw)
    return Passage(window, bases)


def _table(
    region: GenomicInterval, length: int, own: Dependencies, controls: Sequence[Dependencies]
) -> pd.DataFrame:
    replaced, affected = np.nonzero(~np.isnan(own.largest))
    distance = affected - replaced
    null = _null([control.largest for control in controls], region.length)
    columns = {
        "seqid": region.seqid,
        "strand": region.strand,
        "replaced": _forward(region, length, replaced),
        "affected": _forward(region, length, affected),
        "distance": distance,
        "dependency": own.largest[replaced, affected],
        "frobenius": own.frobenius[replaced, affected],
        "shuffled": null[distance],
    }
    return conform(pd.DataFrame(columns), DEPENDENCY, where="dependency map")


def _null(
    controls: Sequence[Float64[np.ndarray, "base base"]], n: int
) -> Float64[np.ndarray, " distance"]:
    """Return the 95th percentile at each distance; NaN where there is no control."""
    null = np.full(n, np.nan)
    for distance in range(1, n):
        pairs = [np.diagonal(control, distance) for control in controls]
        every = np.concatenate([np.zeros(0), *pairs])
        every = every[~np.isnan(every)]
        if len(every):
            null[distance] = np.quantile(every, 0.95)
    return null


def _forward(
    region: GenomicInterval, length: int, index: Int64[np.ndarray, " pair"]
) -> Int64[np.ndarray, " pair"]:
    """Return the forward base of an index in reading order."""
    base = region.end - 1 - index if region.strand == "-" else region.start + index
    return np.asarray(base % length)


def _log_odds(
    model: DnaModel, logits: Float[Tensor, "row token symbol"] | None
) -> Float64[np.ndarray, "row token 4"]:
    assert logits is not None, "a trunk gives logits"
    z = logits.double()
    odds = [log_odds(z, torch.full_like(z[..., 0], c).long()) for c in base_columns(model)]
    return np.asarray(torch.stack(odds, -1).cpu().numpy())
