"""Evaluate a dictionary: in its model, by itself, and next to other dictionaries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32
from scipy import sparse
from torch import Tensor

from genointerp.core.metric import nearest_by_cosine
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel, ModelSpec
from genointerp.reading.fidelity import Fidelity, load_matching, measure_sae
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.compare import SAME_COSINE, Coded, nesting, stability
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.metrics import (
    Evaluation,
    Histogram,
    cosine_histogram,
    density_histogram,
    evaluate,
    sparse_codes,
)
from genointerp.store.activation.store import ActivationStore

BATCH_ROWS = 1 << 14
"""Number of rows of a file of activations that are measured at once."""

COMPARED_TOKENS = 1 << 16
"""Number of tokens, spread evenly over all that are read, on which dictionaries are compared."""


@dataclass(frozen=True)
class DictionaryEvaluation:
    """The results of the evaluation of one dictionary.

    Parameters
    ----------
    fidelity
        Losses and figures of the dictionary in the model.
    dictionary
        Figures by itself and next to others: ``density_histogram``, ``decoder_cosine`` and
        ``against``, as plain values that ``docs/schema/tables.md`` describes.
    """

    fidelity: Fidelity
    dictionary: dict[str, Any]

    def over(
        self, store: ActivationStore, sae_dir: Path, *, of_parent: bool = False
    ) -> "DictionaryEvaluation":
        """Return a copy with FVU, L0 and densities over every row of a file of activations.

        Parameters
        ----------
        of_parent
            Whether the activations are of an edited model, and the dictionary of the one that was
            edited.

        Raises
        ------
        MismatchError
            If the activations are of another model or site than the dictionary in ``sae_dir``.
        """
        dictionary = Dictionary.load(sae_dir)
        known_as = store.identity_for_dictionaries(of_parent=of_parent)
        dictionary.header.identity.check(known_as, "model", "site", "width")
        figures = evaluate(dictionary.sae, _batches(store))
        kept = {key: self.dictionary[key] for key in ("decoder_cosine", "against")}
        counted = {
            "n_tokens": figures.n_tokens,
            "density_histogram": _plain(density_histogram(figures.density)),
        }
        own = {"n_features": self.dictionary["n_features"], **counted, **kept}
        return DictionaryEvaluation(self.fidelity.of_tokens(figures), own)

    def as_mapping(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return self.fidelity.as_mapping() | {"dictionary": self.dictionary}


def evaluate_dictionary(
    model: DnaModel,
    genome: Genome,
    sae_dir: Path,
    *,
    against: Sequence[Path] = (),
    config: HarvestConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> DictionaryEvaluation:
    """Measure a dictionary in the model that it was trained on, by itself, and next to others.

    Parameters
    ----------
    against
        Dictionaries of the same site to compare with: of another seed to measure stability, and of
        another size to measure how features are split and absorbed.

    Raises
    ------
    InputError
        If the model is a masked one.
    MismatchError
        If a dictionary is of another model, of other weights of the model, or of another site than
        the first.
    """
    config = HarvestConfig() if config is None else config
    dictionary = load_matching(sae_dir, model)
    others = [load_matching(path, model) for path in against]
    for other in others:
        dictionary.header.identity.check(other.header.identity, "site")
    n_tokens = _tokens_to_read(model.spec, genome, config, regions)
    saes = [dictionary.sae, *(it.sae for it in others)]
    watched = _Codes(saes, -(-n_tokens // COMPARED_TOKENS))
    fidelity, figures = measure_sae(
        model,
        genome,
        dictionary,
        config=config,
        regions=regions,
        observe=watched.observe if others else None,
        progress=progress,
    )
    compared = []
    if others:
        own, *rest = watched.coded()
        compared = [
            {"name": path.name, "sha256": other.header.sha256, **_beside(own, coded)}
            for path, other, coded in zip(against, others, rest, strict=True)
        ]
    return DictionaryEvaluation(fidelity, _alone(dictionary.sae, figures) | {"against": compared})


def _batches(store: ActivationStore) -> Iterator[Float32[np.ndarray, "batch d_in"]]:
    for start in range(0, store.n_tokens, BATCH_ROWS):
        yield store.rows(start, min(start + BATCH_ROWS, store.n_tokens))


class _Codes:
    """Codes of several dictionaries on every n-th token."""

    def __init__(self, saes: Sequence[SparseAutoencoder], stride: int) -> None:
        self._saes, self._stride = saes, max(1, stride)
        self._seen = 0
        self._parts: list[list[sparse.csr_array]] = [[] for _ in saes]

    def observe(self, rows: Float[Tensor, "token d"]) -> None:
        first = -self._seen % self._stride
        self._seen += len(rows)
        for sae, parts in zip(self._saes, self._parts, strict=True):
            parts.append(sparse_codes(sae.to(rows.device), rows[first :: self._stride]))

    def coded(self) -> list[Coded]:
        return [
            Coded(sae.W_dec.detach().cpu().numpy(), sparse.csr_array(sparse.vstack(parts)))
            for sae, parts in zip(self._saes, self._parts, strict=True)
        ]


def _alone(sae: SparseAutoencoder, figures: Evaluation) -> dict[str, Any]:
    directions = sae.W_dec.detach().cpu().numpy()
    cosine = nearest_by_cosine(directions, directions, is_same=True).value
    return {
        "n_features": sae.n_features,
        "n_tokens": figures.n_tokens,
        "density_histogram": _plain(density_histogram(figures.density)),
        "decoder_cosine": {
            **_plain(cosine_histogram(cosine)),
            "mean": float(cosine.mean()),
            f"share_above_{SAME_COSINE}": float((cosine > SAME_COSINE).mean()),
        },
    }


def _beside(own: Coded, other: Coded) -> dict[str, Any]:
    sizes = own.codes.shape[1], other.codes.shape[1]
    found: dict[str, Any] = {
        "n_features": sizes[1],
        "stability": _finite(stability(own, other)._asdict()),
    }
    if sizes[0] != sizes[1]:
        narrow, wide = (own, other) if sizes[0] < sizes[1] else (other, own)
        found["nesting"] = _finite(nesting(narrow, wide)._asdict())
    return found


def _plain(histogram: Histogram) -> dict[str, list[float]]:
    return {"edges": histogram.edges.tolist(), "count": histogram.counts.tolist()}


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {name: it if np.isfinite(it) else None for name, it in values.items()}


def _tokens_to_read(
    spec: ModelSpec,
    genome: Genome,
    config: HarvestConfig,
    regions: Sequence[GenomicInterval],
) -> int:
    windows = config.windows(spec, genome, regions)
    return sum(window.length for window in windows) // max(1, spec.bases_per_token)
