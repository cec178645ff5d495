"""What changed in the weights: each matrix's change in components, and what these read and write.

A component is a pair of directions: what the changed matrix reads of the residual stream, and what
it then writes into it. Nothing is trained, and no sequence is read.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64
from scipy.stats import beta
from torch import Tensor, nn

from genointerp.comparison.changed.joint_reading import check_together
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.core.seed import rng
from genointerp.model.edited.changes import network_of
from genointerp.model.edited.writers import block_maps, last_writers
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel
from genointerp.model.protocol import DnaModel
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.changed import WEIGHT_CHANGE
from genointerp.store.table.table import conform

Vectors = Float64[np.ndarray, "vector d"]


@dataclass(frozen=True)
class WeightConfig:
    """How changes of weights are taken apart.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_components: int = 3
    """Components of each matrix in the table."""
    n_random: int = 999
    """Random directions with which each cosine is compared."""
    seed: int = 0
    """Random seed of these."""

    def __post_init__(self) -> None:
        for name in ("n_components", "n_random"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))


def measure_weights(
    models: ModelSet, dictionary: Dictionary | None = None, *, config: WeightConfig | None = None
) -> pd.DataFrame:
    """Take apart how the linear maps of a model changed, next to those of a control.

    Parameters
    ----------
    dictionary
        Dictionary of the base model at a site after a block, with whose features directions are
        compared. None for no features.

    Returns
    -------
    pandas.DataFrame
        A row for each component of each matrix, in the tuned model and in the control. A matrix
        that did not change has one component, of value 0.

    Raises
    ------
    InputError
        If the network is of a kind whose matrices are not known.
    MismatchError
        If the dictionary is not of the base model.

    Notes
    -----
    ``W' - W = sum_k s_k u_k v_k^T``. The effective rank is ``exp(-sum_k p_k log p_k)`` with
    ``p_k = s_k^2 / sum s^2``. A matrix that reads the stream reads it after a norm, so its read
    direction in the stream is ``v_k`` times the scale of the norm. It is compared with the features
    of a site below its block. A matrix that writes into the stream is compared with the encoder of
    a site at or after its block, and with the unembedding of each base, without what all four have
    in common. p-values are shares of random directions in place of ``u_k`` or ``v_k``.
    """
    config = WeightConfig() if config is None else config
    if dictionary is not None:
        check_together(dictionary, models.base, [])
    arms: dict[str, DnaModel] = {"tuned": models.tuned}
    if models.control is not None:
        arms["control"] = models.control
    changed = {name: list(_changes(models.base, model)) for name, model in arms.items()}
    compare = _Compared(models.base, dictionary, config)
    rows = []
    for name, matrices in changed.items():
        others = changed.get("control" if name == "tuned" else "tuned")
        total = _squared_change(models.base, arms[name])
        for number, matrix in enumerate(matrices):
            other = None if others is None else others[number]
            for row in compare.rows(matrix, other):
                part = matrix.squared / total if total else math.nan
                rows.append({"model": name, **row, "part": part})
    frame = pd.DataFrame(rows, columns=WEIGHT_CHANGE.names)
    return conform(frame, WEIGHT_CHANGE, where="weight change")


def check_weights(models: ModelSet) -> None:
    """Refuse models whose matrices are not known.

    Raises
    ------
    InputError
        If the network of one is of such a kind.
    """
    for model in models.by_role.values():
        try:
            network_of(model)
        except InputError as problem:
            raise InputError("weights_out", problem.expected, problem.found) from None


@dataclass(frozen=True, eq=False)
class MatrixChange:
    """The change of one matrix, in components; ``left`` and ``right`` have unit rows."""

    name: str
    block: int
    shape: tuple[int, int]
    size: float
    left: Float64[np.ndarray, "component n_out"]
    value: Float64[np.ndarray, " component"]
    right: Float64[np.ndarray, "component n_in"]
    writes: bool
    scale: Float64[np.ndarray, " n_in"] | None

    @property
    def squared(self) -> float:
        """Squared norm of the change."""
        return float((self.value**2).sum())

    @property
    def rank(self) -> float:
        """Effective rank of the change; 0 where there is none."""
        return effective_rank(self.value)


def effective_rank(value: Float64[np.ndarray, " component"]) -> float:
    """Return how many equal components would be as evenly spread (Roy and Vetterli 2007).

    Examples
    --------
    >>> effective_rank(np.array([2.0, 2.0, 0.0]))
    2.0
    """
    squared = value[value > 0] ** 2
    if not len(squared):
        return 0.0
    part = squared / squared.sum()
    return round(float(np.exp(-(part * np.log(part)).sum())), 12)


def _changes(base: DnaModel, model: DnaModel) -> Iterator[MatrixChange]:
    """Yield the change of each linear map, block by block."""
    network = network_of(model)
    own = dict(network.named_modules())
    for number, site in enumerate(base.spec.sites):
        writers = last_writers(base, site)
        for name, linear in block_maps(base, site).items():
            other = own.get(name)
            if not isinstance(other, nn.Linear) or other.weight.shape != linear.weight.shape:
                expected = f"a matrix {name} of shape {tuple(linear.weight.shape)}"
                found = "none" if other is None else "another"
                raise MismatchError(f"model {model.spec.name}", expected, found)
            before = _array(linear.weight)
            left, value, right = np.linalg.svd(_array(other.weight) - before, full_matrices=False)
            norm = float(np.linalg.norm(before))
            yield MatrixChange(
                name=name,
                block=number,
                shape=(before.shape[0], before.shape[1]),
                size=float(np.linalg.norm(value)) / norm if norm else math.nan,
                left=left.T,
                value=value,
                right=right,
                writes=name in writers,
                scale=None if name in writers else _norm_scale(base, name, before.shape[1]),
            )


def _norm_scale(base: DnaModel, name: str, width: int) -> Float64[np.ndarray, " d"] | None:
    """Return the scale of the norm through which a map reads the stream; None if it does not."""
    if width != base.spec.d_site:
        return None
    if not isinstance(base, SingleNucleotideModel):
        return np.ones(width)
    block, part = name.rsplit(".", 2)[0], name.rsplit(".", 2)[1]
    norm = base.network.get_submodule(f"{block}.{'pre_norm' if part == 'mixer' else 'post_norm'}")
    return _array(norm.get_parameter("scale"))


def _squared_change(base: DnaModel, model: DnaModel) -> float:
    """Return the squared change of all parameters of a network."""
    own = dict(network_of(model).named_parameters())
    return sum(
        float((own[name].detach().double() - weight.detach().double()).square().sum())
        for name, weight in network_of(base).named_parameters()
        if name in own
    )


def _array(weight: Tensor) -> Float64[np.ndarray, "..."]:
    return np.asarray(weight.detach().cpu().double().numpy())


class _Nearest(NamedTuple):
    """The one of several directions that is nearest to another, and how often chance does as well.

    ``cosine`` has a sign; the nearest is that of the largest absolute value.
    """

    number: int
    cosine: float
    p_value: float


_NONE = _Nearest(-1, math.nan, math.nan)


class _Compared:
    """Compares components with features and with the unembedding of bases."""

    def __init__(self, base: DnaModel, dictionary: Dictionary | None, config: WeightConfig) -> None:
        self.config = config
        self.d_site = base.spec.d_site
        self.bases: Vectors | None = None
        self.symbols = [spelling.decode() for spelling in _spellings(base)]
        if isinstance(base, SingleNucleotideModel):
            table = base.network.embedding_layer.weight[base.symbols.ids.tolist()]
            written = _array(table) * _array(base.network.norm.scale)
            # what all bases have in common changes no probability
            self.bases = _unit(written - written.mean(axis=0))
        self.directions: Vectors | None = None
        self.encoder: Vectors | None = None
        self.site = -1
        if dictionary is not None and dictionary.header.site in base.spec.sites:
            self.site = base.spec.sites.index(dictionary.header.site)
            self.directions = _unit(_array(dictionary.directions))
            self.encoder = _unit(_array(dictionary.sae.W_enc).T)
        draw = rng(config.seed, "random directions of weights")
        self.random = _unit(draw.normal(size=(config.n_random, self.d_site)))

    def rows(self, matrix: MatrixChange, other: MatrixChange | None) -> Iterator[dict[str, object]]:
        """Yield a row for each component."""
        n = min(self.config.n_components, len(matrix.value)) if matrix.squared else 1
        for component in range(n):
            value = float(matrix.value[component])
            read, write, encoder = _NONE, _NONE, _NONE
            overlap = overlap_p = math.nan
            if value > 0:
                right, left = matrix.right[component], matrix.left[component]
                if matrix.scale is not None and self.site < matrix.block:
                    read = self._nearest(right, self.directions, matrix.scale)
                if matrix.writes:
                    write = self._nearest(left, self.bases)
                    if self.site >= matrix.block:
                        encoder = self._nearest(left, self.encoder)
                if other is not None and other.squared:
                    overlap, overlap_p = self._overlap(right, other)
            yield {
                "matrix": matrix.name,
                "block": matrix.block,
                "n_out": matrix.shape[0],
                "n_in": matrix.shape[1],
                "size": matrix.size,
                "rank": matrix.rank,
                "component": component + 1,
                "value": value,
                "share": value**2 / matrix.squared if matrix.squared else math.nan,
                "overlap": overlap,
                "overlap_p": overlap_p,
                "read_feature": read.number,
                "read_cosine": read.cosine,
                "read_p": read.p_value,
                "write_base": self.symbols[write.number] if write.number >= 0 else "",
                "write_cosine": write.cosine,
                "write_p": write.p_value,
                "write_feature": encoder.number,
                "encoder_cosine": encoder.cosine,
                "encoder_p": encoder.p_value,
            }

    def _nearest(
        self,
        vector: Float64[np.ndarray, " d"],
        others: Vectors | None,
        scale: Float64[np.ndarray, " d"] | None = None,
    ) -> _Nearest:
        if others is None:
            return _NONE
        factor = np.ones(len(vector)) if scale is None else scale
        cosines = others @ _unit((vector * factor)[None])[0]
        best = int(np.abs(cosines).argmax())
        chance = np.abs(_unit(self.random * factor) @ others.T).max(axis=1)
        n_as_high = int(np.count_nonzero(chance >= abs(cosines[best])))
        return _Nearest(best, float(cosines[best]), (1 + n_as_high) / (1 + len(chance)))

    def _overlap(
        self, right: Float64[np.ndarray, " n_in"], other: MatrixChange
    ) -> tuple[float, float]:
        """Return the share of a direction in the first ones of another change, and its chance.

        The share of a random direction of d numbers in k directions has the distribution
        Beta(k/2, (d - k)/2).
        """
        own = other.right[: self.config.n_components]
        share = float(((own @ right) ** 2).sum())
        k, d = len(own), len(right)
        return share, float(beta.sf(share, k / 2, (d - k) / 2)) if k < d else 1.0


def _spellings(base: DnaModel) -> tuple[bytes, ...]:
    return base.symbols.spelling if isinstance(base, SingleNucleotideModel) else ()


def _unit(vectors: Vectors) -> Vectors:
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norm > 0, norm, 1.0))
