"""What a model loses without each feature, taken out where it fires, beside matched others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from genointerp.activation.fidelity import load_matching
from genointerp.activation.tokens import WindowTokens, read_window, stacked
from genointerp.core.config import to_mapping
from genointerp.core.errors import ConfigError, MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance
from genointerp.core.seed import rng
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.genome.windows import Window
from genointerp.model.protocol import DnaModel, Edit
from genointerp.sae.base import SparseAutoencoder
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand
from genointerp.store.table_schemas import ABLATION
from genointerp.store.tables import check_table_path, conform, write_table


@dataclass(frozen=True)
class AblationConfig:
    """How features are taken out.

    Parameters
    ----------
    n_windows
        Windows of each feature, around its strongest bases.
    kept
        Bases of a window whose loss counts, that base at their first quarter.
    warmup
        Bases read before them, fewer at the end of a contig.
    n_matched
        Other directions beside each feature, drawn anew for each window.
    n_similar
        Live features of the nearest density among which they are drawn.
    seed
        Of the draw.

    Raises
    ------
    ConfigError
        If a number is below 1.
    """

    n_windows: int = 4
    kept: int = 256
    warmup: int = 256
    n_matched: int = 2
    n_similar: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_windows", "kept", "warmup", "n_matched", "n_similar"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "1 or more", str(getattr(self, name)))


class Effects(NamedTuple):
    """Change of the summed loss in nats of one window: of the feature, and of each match."""

    own: float
    matched: Float64[np.ndarray, " matched"]
    n_tokens: int
    n_bases: int


def ablate_features(
    model: DnaModel,
    genome: Genome,
    store: FeatureStore,
    sae_dir: Path,
    *,
    features: Sequence[int] = (),
    config: AblationConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Measure what a model loses without each feature, in the schema of ablation.

    Parameters
    ----------
    store
        Features of the genome; where it says that they fire most, they are taken out.
    features
        All that fire where empty. One that never fires has no row.

    Notes
    -----
    In each window the model runs as it is, and once more with ``x - f_i W_dec_i`` at every token
    of the site, where f_i is the feature's activation there and then; likewise with ``x - f_i
    |W_dec_i| u``, u the unit direction of another live feature of about the same density: same
    tokens, same norm. ``loss_effect`` is the sum of the changes over the number of kept bases that
    are predicted, in nats per base of these windows (not of the genome, where it is silent nearly
    everywhere); ``loss_effect_matched`` the mean of that over the matches. ``p_value = (1 + m) /
    (1 + n)`` with m of the n pairs of a window and a match in which the match costs as much or
    more. Nothing is linearised.

    Raises
    ------
    InputError
        If the model is a masked one.
    MismatchError
        If model, genome, features and dictionary do not belong together.
    """
    config = AblationConfig() if config is None else config
    loaded = load_matching(sae_dir, model)
    if store.header.genome_sha256 != genome.sha256:
        raise MismatchError(str(store.path), f"the genome of {', '.join(store.offsets)}", "another")
    if store.n_features != loaded.sae.n_features:
        expected = f"features of a dictionary of {loaded.sae.n_features}"
        raise MismatchError(str(store.path), expected, str(store.n_features))
    n_firing = np.sum([store.n_firing(strand) for strand in STRANDS], axis=0)
    wanted = sorted(set(features)) if len(features) else range(store.n_features)
    live = [feature for feature in wanted if n_firing[feature]]
    ablation = _Ablation(model, str(loaded.metadata["site"]), loaded.sae, n_firing, config)
    rows = []
    for done, feature in enumerate(live, 1):
        windows = list(_windows(store, genome, feature, config))
        rows.append(_row(feature, [ablation.of(feature, genome, window) for window in windows]))
        progress(done, len(live))
    table = pd.DataFrame(rows, columns=ABLATION.names)
    return conform(table, ABLATION, where="ablation")


def ablate_file(  # noqa: PLR0913 - one for each file, and how
    genome: Path,
    features: Path,
    sae: Path,
    out: Path,
    model: DnaModel,
    *,
    only: Sequence[int] = (),
    config: AblationConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Measure the features of files as `ablate_features` does, and write the table."""
    config = AblationConfig() if config is None else config
    check_table_path(out)
    contigs, store = read_genome(genome), FeatureStore(features)
    table = ablate_features(
        model, contigs, store, sae, features=only, config=config, progress=progress
    )
    inputs = {
        "genome": contigs.sha256,
        "model": model.spec.sha256,
        "features": store.sha256,
        "sae": store.header.sae_sha256,
    }
    write_table(table, out, ABLATION, Provenance(to_mapping(config), inputs))
    return table


class _Ablation:
    """A model and a dictionary of one of its sites."""

    def __init__(
        self,
        model: DnaModel,
        site: str,
        sae: SparseAutoencoder,
        n_firing: Int64[np.ndarray, " n_features"],
        config: AblationConfig,
    ) -> None:
        self.model, self.site, self.sae, self.config = model, site, sae, config
        live = np.flatnonzero(n_firing)
        self._by_density = live[np.argsort(n_firing[live], kind="stable")]

    @torch.inference_mode()
    def of(self, feature: int, genome: Genome, window: Window) -> Effects:
        read = read_window(self.model, genome, window)
        tokens = stacked([read])
        caught: list[Tensor] = []
        clean = self.model.log_probs(tokens, edits=[Edit(self.site, _catch(caught), *_real(read))])
        x = caught[0][0].float()
        self.sae.to(x.device)
        value = self.sae.encode(x)[:, feature]
        directions = self._directions(feature, f"{window.kept}").to(x)
        changed = x - value[None, :, None] * directions[:, None, :]
        edit = Edit(self.site, lambda it: changed.to(it), *_real(read))
        edited = self.model.log_probs(tokens.expand(len(changed), -1), edits=[edit])
        nats = np.array([_nats(row, read) for row in (clean[0], *edited)])
        effect = nats[1:] - nats[0]
        known = ~torch.isnan(clean[0]).cpu().numpy() & read.begun[1:]
        n_bases = int((read.spans.end - read.spans.start)[1:][known].sum())
        return Effects(float(effect[0]), effect[1:], int((value > 0).sum()), n_bases)

    def _directions(self, feature: int, where: str) -> Float[Tensor, "direction d"]:
        rows = self.sae.W_dec.detach().float().cpu()
        order = self._by_density
        place = int(np.flatnonzero(order == feature)[0])
        near = np.argsort(np.abs(np.arange(len(order)) - place), kind="stable")
        similar = order[near[1 : 1 + self.config.n_similar]]
        if not len(similar):
            return rows[feature][None]
        draw = rng(self.config.seed, f"ablation/{feature}/{where}")
        n = min(self.config.n_matched, len(similar))
        matched = rows[torch.from_numpy(draw.choice(similar, n, replace=False))]
        norm = rows[feature].norm() / matched.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return torch.cat([rows[feature][None], matched * norm])


def _row(feature: int, effects: Sequence[Effects]) -> dict[str, float | int]:
    n_bases = sum(effect.n_bases for effect in effects)
    own = np.array([effect.own for effect in effects])
    matched = np.array([effect.matched for effect in effects])
    as_much = int((matched >= own[:, None]).sum())
    per_base = max(n_bases, 1)
    return {
        "feature": feature,
        "loss_effect": float(own.sum()) / per_base,
        "loss_effect_matched": (
            float(matched.mean(axis=1).sum()) / per_base if matched.size else float("nan")
        ),
        "p_value": (1 + as_much) / (1 + matched.size),
        "n_tokens": sum(effect.n_tokens for effect in effects),
        "n_windows": len(effects),
        "n_bases": n_bases,
    }


def _windows(
    store: FeatureStore, genome: Genome, feature: int, config: AblationConfig
) -> Iterator[Window]:
    """Yield windows around the strongest bases, which do not overlap on one strand."""
    tracks = {strand: store.feature(feature, strand) for strand in STRANDS}
    value = np.concatenate([track.value for track in tracks.values()])
    row = np.concatenate([track.row for track in tracks.values()])
    strands = np.repeat(np.arange(len(STRANDS)), [len(track.row) for track in tracks.values()])
    names, offsets = list(store.offsets), np.array(list(store.offsets.values()))
    free = np.ones(len(value), dtype=np.bool_)
    for _ in range(config.n_windows):
        if not free.any():
            return
        best = int(np.argmax(np.where(free, value, -np.inf)))
        index = int(np.searchsorted(offsets, row[best], side="right")) - 1
        contig, offset = genome[names[index]], int(offsets[index])
        kept = _around(int(row[best]) - offset, contig, STRANDS[strands[best]], config)
        # so far from it that their windows cannot overlap
        near = np.abs(row - row[best]) < config.kept
        free &= ~(near & (strands == strands[best]))
        before = contig.length - kept.end if kept.strand == "-" else kept.start
        yield Window(kept, min(config.warmup, before))


def _around(
    peak: int, contig: Contig, strand: ReadStrand, config: AblationConfig
) -> GenomicInterval:
    upstream, length = config.kept // 4, contig.length
    start = peak - upstream if strand == "+" else peak + upstream + 1 - config.kept
    start = max(0, min(start, length - config.kept))
    return GenomicInterval(contig.name, start, min(length, start + config.kept), strand)


def _catch(
    caught: list[Tensor],
) -> Callable[[Float[Tensor, "batch token d"]], Float[Tensor, "batch token d"]]:
    def catch(x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        caught.append(x.detach().clone())
        return x

    return catch


def _real(read: WindowTokens) -> tuple[int, int]:
    return read.real.start, read.real.stop


def _nats(log_probs: Float[Tensor, " token_minus_1"], read: WindowTokens) -> float:
    begun = torch.from_numpy(read.begun[1:]).to(log_probs.device)
    known = begun & ~log_probs.isnan()
    return -float(log_probs[known].double().sum())
