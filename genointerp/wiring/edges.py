"""Edges between the dictionaries of two sites: which features below make a feature above fire.

The weights are means over tokens on which the feature above fires, by the distance between the two
tokens, next to the weights of the same activations along other directions; a sample of them is
compared with what happens if the feature below is taken out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64
from scipy.sparse import csr_array

from genointerp.association.null.significance import benjamini_hochberg
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.reading.firing_windows import FiringWindows
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.tokens import TokenBatch, genome_passages, tokenised
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.edge import EDGE_TARGETS, EDGES
from genointerp.store.table.table import conform
from genointerp.wiring.edge_tally import ERROR, EdgeTally, lag_bin
from genointerp.wiring.stack import SiteNodes, Stack
from genointerp.wiring.wires import (
    EdgeWeights,
    PreActivations,
    edge_weights,
    without_each,
)


@dataclass(frozen=True)
class EdgeConfig:
    """Where edges are measured, and what they are compared with.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_windows: int = 16
    """Windows of each target feature, around bases drawn from those on which it fires."""
    per_window: int = 4
    """Most tokens of a window, drawn from those on which the target fires, that are measured."""
    window: int = 320
    """Bases of a window, warm-up included."""
    warmup: int = 256
    """First bases of a window: context, which holds sources but no targets."""
    skip: int = 16
    """First bases of a window that are no sources: some models have extreme activations there."""
    n_null: int = 99
    """Number of other directions along which the same activations are weighed."""
    n_checked: int = 8
    """Targets of each feature at which weights are compared with ablation."""
    n_nodes: int = 16
    """Nodes that are taken out for each of them: half those of the largest weight, half drawn."""
    top: int = 20
    """Number of edges of each target feature in the table, those of the largest share first."""
    regions: tuple[str, ...] = ()
    """Regions, as in samtools, from which the bases are drawn; the whole genome if empty."""
    batch: int = 16
    """Copies of a window that the model reads at once."""
    seed: int = 0
    """Random seed of windows, tokens, directions and nodes."""

    def __post_init__(self) -> None:
        for name, least in (
            *[(name, 1) for name in ("n_windows", "per_window", "top", "batch", "n_null")],
            *[(name, 0) for name in ("skip", "n_checked", "n_nodes")],
        ):
            if getattr(self, name) < least:
                raise ConfigError(name, f"at least {least}", str(getattr(self, name)))
        if not self.skip <= self.warmup < self.window:
            expected = f"skip={self.skip} <= warmup < window={self.window}"
            raise ConfigError("warmup", expected, str(self.warmup))


class Edges(NamedTuple):
    """The edges, as a table of ``EDGES``, and one row a target feature, of ``EDGE_TARGETS``."""

    edges: pd.DataFrame
    targets: pd.DataFrame


def measure_edges(
    stack: Stack,
    genome: Genome,
    store: FeatureStore,
    *,
    features: Sequence[int] = (),
    config: EdgeConfig | None = None,
    progress: Progress = silent,
) -> Edges:
    """Measure the edges from the features and errors of a site to features of a site above.

    Parameters
    ----------
    stack
        Two dictionaries of the model.
    store
        Features of ``genome`` with the upper dictionary, which say where each target fires.
    features
        Target features, in this order; all if empty.
    progress
        Called with (target features done, in all).

    Notes
    -----
    The weight of the edge from feature i at token s of the lower site to feature j at token t of
    the upper one is ``f_i(s) <g_s, d_i>``, where g is the gradient of the pre-activation of j at t
    by the activations of the lower site; that of an error is ``<g_s, e_s>``. To first order it is
    what the pre-activation loses if the source is taken out. Nothing is frozen.

    Weights are added up over the tokens s at a lag ``t - s`` in one of the bins 0, 1, 2, 3-4, 5-8,
    and so on. ``weight`` is the mean of this sum over the targets; ``share`` is that of the edge in
    the sum of all absolute weights, errors included; ``sign = |sum w| / sum |w|``.
    ``weight_null`` is the 95 % quantile of ``|weight|`` if the d_i of all sources are replaced by
    the direction of another feature that fires in the same windows, of the same norm. For the
    p-value, weight and null weights of an edge are divided by the root mean square of the latter,
    and the null is that of all edges of the target that are tested:
    ``p_value = (1 + #{|null| >= |weight|}) / (1 + n_null n_edges)``. Edges whose source fires in
    the bin for less than a fourth of the targets are not tested: their p is NaN. ``q_value`` is
    over all that were tested, not only those in the table (Benjamini and Hochberg).

    ``r`` and ``slope`` compare weights with ablation: ``effect = slope weight + constant``, least
    squares over single nodes that are taken out one at a time, with the effect on the
    pre-activation of the target.

    Raises
    ------
    InputError
        If there are not two dictionaries, or gradients cannot be computed.
    MismatchError
        If the features are of another dictionary or genome.
    UnknownNameError
        If the dictionary has no such feature.
    """
    config = EdgeConfig() if config is None else config
    if len(stack.dictionaries) != 2:
        found = ", ".join(stack.sites)
        raise InputError("edges", "dictionaries of two sites", found)
    upper = stack.dictionaries[1].header
    upper.identity.check(store.identity, "dictionary")
    Identity("genome", genome_sha256=genome.sha256).check(store.identity, "genome")
    for feature in features:
        store.check_feature(feature)
    reading = HarvestConfig(window=config.window, warmup=config.warmup)
    regions = genome.regions(config.regions)
    around = FiringWindows(store, genome, reading, config.n_windows, config.seed, regions)
    bench = _Bench(stack, around, config)
    wanted = list(features) or list(range(store.n_features))
    edges, targets = [], []
    for done, feature in enumerate(wanted, 1):
        tally = bench.measure(feature)
        edges.append(tally.edges())
        targets.append(tally.row())
        progress(done, len(wanted))
    return Edges(
        _chosen(pd.concat(edges, ignore_index=True), stack.sites, config.top),
        conform(
            pd.DataFrame(targets).assign(source_site=stack.sites[0], target_site=stack.sites[1]),
            EDGE_TARGETS,
            where="edges",
        ),
    )


def _chosen(edges: pd.DataFrame, sites: Sequence[str], top: int) -> pd.DataFrame:
    """Return the strongest edges of each target, and those of all errors, with q-values."""
    edges["q_value"] = benjamini_hochberg(edges["p_value"].to_numpy(dtype=np.float64))
    edges["source_site"], edges["target_site"] = sites
    is_error = edges["source"] == ERROR
    order = edges[~is_error].sort_values(["target", "share"], ascending=[True, False])
    first = order.groupby("target", sort=False).head(top)
    table = pd.concat([first, edges[is_error]])
    keys = ["target", "share", "source", "lag_first"]
    table = table.sort_values(keys, ascending=[True, False, True, True])
    # targets stay in the order in which they were asked for
    rank = {target: i for i, target in enumerate(edges["target"].unique())}
    table = table.sort_values("target", key=lambda it: it.map(rank), kind="stable")
    return conform(table.reset_index(drop=True), EDGES, where="edges")


class _Read(NamedTuple):
    """One window as it was read: nodes below, and the target where it fires."""

    batch: TokenBatch
    below: SiteNodes
    target: PreActivations
    activation: Float64[np.ndarray, " target"]


@dataclass(frozen=True)
class _Bench:
    stack: Stack
    around: FiringWindows
    config: EdgeConfig

    def measure(self, feature: int) -> EdgeTally:
        """Measure the edges into one feature."""
        lower = self.stack.dictionaries[0].header.n_features
        n_bins = int(lag_bin(np.array([self.config.window]))[0]) + 1
        tally = EdgeTally(feature, lower, n_bins, self.config.n_null)
        reads = self._reads(feature)
        if not reads:
            return tally
        others = self._others(feature, [read.below for read in reads])
        # the targets that are compared with ablation lie in as many windows as there are
        share = -(-self.config.n_checked // len(reads))
        for number, read in enumerate(reads):
            n_checked = max(0, min(share, self.config.n_checked - number * share))
            self._add(tally, read, others, n_checked)
        return tally

    def _reads(self, feature: int) -> list[_Read]:
        model, found = self.stack.model, []
        windows = self.around.of(model.spec, feature)
        random = rng(self.config.seed, f"targets of feature {feature}")
        for passage in genome_passages(self.around.genome, windows):
            batch = TokenBatch.of([tokenised(model, passage)])
            below, above = self.stack.read(batch)
            kept = torch.from_numpy(batch.windows[0].n_kept > 0).to(above.token.device)
            hits = ((above.feature == feature) & kept[above.token]).nonzero()[:, 0]
            if not len(hits):
                continue
            n = min(self.config.per_window, len(hits))
            hits = hits[np.sort(random.choice(len(hits), n, replace=False))]
            target = PreActivations(above.dictionary, above.feature[hits], above.token[hits])
            found.append(_Read(batch, below, target, above.amount[hits].double().cpu().numpy()))
        return found

    def _others(self, feature: int, nodes: Sequence[SiteNodes]) -> torch.Tensor:
        """Return the directions of other features that fire in the windows, of unit norm."""
        firing = np.unique(torch.cat([it.feature for it in nodes]).cpu().numpy())
        random = rng(self.config.seed, f"directions for feature {feature}")
        chosen = random.choice(firing, self.config.n_null, replace=True)
        directions = nodes[0].dictionary.directions[torch.from_numpy(chosen)]
        unit: torch.Tensor = directions / directions.norm(dim=1, keepdim=True)
        return unit

    def _add(self, tally: EdgeTally, read: _Read, others: torch.Tensor, n_checked: int) -> None:
        below, target = read.below, read.target
        tally.n_windows += 1
        for part in torch.split(torch.arange(len(target.token)), self.config.batch):
            some = PreActivations(target.dictionary, target.feature[part], target.token[part])
            site = target.dictionary.header.site
            found = edge_weights(self.stack.model, read.batch, below, some, len(part), above=site)
            for row, number in enumerate(part.tolist()):
                tally.n_targets += 1
                tally.activation += float(read.activation[number])
                self._add_target(tally, below, found, row, int(target.token[number]), others)
                if number < n_checked:
                    self._check(tally, read, found, row, number)

    def _add_target(
        self,
        tally: EdgeTally,
        below: SiteNodes,
        found: EdgeWeights,
        row: int,
        at: int,
        others: torch.Tensor,
    ) -> None:
        token, feature = below.token.cpu().numpy(), below.feature.cpu().numpy()
        own = (token <= at) & (token >= self.config.skip)
        tokens = np.arange(self.config.skip, at + 1)
        lag = np.concatenate([at - token[own], at - tokens])
        source = np.concatenate([feature[own], np.full(len(tokens), tally.n_sources)])
        key = source * tally.n_bins + lag_bin(lag)
        weight = [found.feature[row].double().cpu().numpy()[own]]
        weight.append(found.error[row].double().cpu().numpy()[tokens])
        tally.add(key, lag, np.concatenate(weight))
        norm = below.dictionary.directions.norm(dim=1)[below.feature]
        written = (below.amount * norm).cpu().numpy()[own]
        along = (found.gradient[row] @ others.T).cpu().numpy()
        used, place = np.unique(key[: own.sum()], return_inverse=True)
        at_tokens = csr_array((written, (place, token[own])), shape=(len(used), len(along)))
        tally.null[used] += at_tokens @ along

    def _check(
        self, tally: EdgeTally, read: _Read, found: EdgeWeights, row: int, number: int
    ) -> None:
        """Take out single nodes below, half of them those with the largest weights."""
        below, at = read.below, read.target.token[number]
        own = ((below.token <= at) & (below.token >= self.config.skip)).nonzero()[:, 0].cpu()
        order = own[found.feature[row][own].abs().argsort(descending=True).cpu()]
        n = self.config.n_nodes // 2
        rest = order[n:]
        random = rng(self.config.seed, f"nodes of {tally.feature}, {tally.n_targets}")
        drawn = random.choice(len(rest), min(self.config.n_nodes - n, len(rest)), replace=False)
        hits = torch.cat([order[:n], rest[torch.from_numpy(drawn)]]).to(below.token.device)
        one = PreActivations(
            read.target.dictionary,
            read.target.feature[number : number + 1],
            read.target.token[number : number + 1],
        )
        effect = without_each(
            self.stack.model,
            read.batch,
            below,
            hits,
            one.repeated,
            above=one.dictionary.header.site,
            size=self.config.batch,
        )
        weight = found.feature[row][hits].double()
        tally.checked += zip(weight.tolist(), effect.tolist(), strict=True)
