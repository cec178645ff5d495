"""A dictionary in use: directions of features, amounts in activations, and splicing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.notebook import facts_table
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.header import DictionaryHeader, read_header, read_scale
from genointerp.sae.io import read_weights


@dataclass(frozen=True, eq=False, repr=False)
class Dictionary:
    """Directions in the activations of one site, and the encoder that reads the amount of each.

    ``x = sum_i f_i d_i + b_dec + error``: f are the amounts (codes) of the features, d their
    directions, and the error is what the dictionary does not explain. Everything is computed on the
    device and in the dtype of the weights; `splice` returns activations on the device and in the
    dtype in which it got them.

    Parameters
    ----------
    header
        Metadata of the dictionary: what it was made from.
    sae
        The autoencoder, which acts on raw activations.
    scales
        Scale of each feature, NaN for one that never fired; None if it was not measured. Training
        measures it on the held-out rows of its data; ``genointerp.feature.scale`` measures it on
        features of a genome.
    """

    header: DictionaryHeader
    sae: SparseAutoencoder
    scales: Float64[np.ndarray, " n_features"] | None = None

    @classmethod
    def load(cls, folder: StrPath, *, device: str = "cpu") -> "Dictionary":
        """Read a dictionary that this package wrote.

        Parameters
        ----------
        folder
            Its folder, or ``shipped:nano`` for the one that is shipped.

        Raises
        ------
        SchemaError
            If a file is missing or malformed, or the weights do not fit the configuration.
        """
        header = read_header(folder)
        sae = read_weights(header)
        scales = read_scale(folder)
        if scales is not None and len(scales) != header.n_features:
            expected = f"{header.n_features} numbers, one for each feature"
            raise SchemaError(f"{folder}: scale", expected, str(len(scales)))
        return cls(header, sae.to(device).eval(), scales)

    def __repr__(self) -> str:
        facts = ", ".join(f"{name} {value}" for name, value in self._facts().items())
        return f"Dictionary({facts})"

    def _repr_html_(self) -> str:
        return facts_table("Dictionary", self._facts())

    def _facts(self) -> dict[str, str]:
        measured = "unknown" if self.scales is None else "known"
        model = f"{self.header.model} at {self.header.site}"
        return {"of": model, "weights": repr(self.sae), "scales": measured}

    def to(self, device: torch.device | str) -> "Dictionary":
        """Move the weights to a device, in place, and return the dictionary."""
        self.sae.to(device)
        return self

    @property
    def directions(self) -> Float[Tensor, "n_features d_out"]:
        """The direction of each feature, the rows of ``W_dec``."""
        return self.sae.W_dec.detach()

    def direction(self, feature: int) -> Float[Tensor, " d_out"]:
        """Return the direction of one feature.

        Raises
        ------
        UnknownNameError
            If the dictionary has no such feature.
        """
        self.header.check_feature(feature)
        return self.directions[feature]

    def scale(self, feature: int) -> float:
        """Return how strongly a feature fires: the 99.9th percentile of its activations above 0.

        It is NaN for a feature that did not fire on the rows on which this was measured.

        Raises
        ------
        InputError
            If the scale was not measured, as for dictionaries of earlier versions or of other
            libraries.
        UnknownNameError
            If the dictionary has no such feature.
        """
        self.header.check_feature(feature)
        if self.scales is None:
            expected = "a dictionary whose scale was measured (scale.json)"
            raise InputError(str(self.header.folder), expected, "none")
        return float(self.scales[feature])

    @torch.no_grad()
    def amounts(
        self, x: Float[Tensor, "*row d_in"], features: Sequence[int] | None = None
    ) -> Float[Tensor, "*row feature"]:
        """Return how much of each feature is in activations, 0 where it does not fire.

        No gradient flows through the result.

        Parameters
        ----------
        features
            Features to return, in this order; None means all. The result is dense and takes
            ``4 n_features`` bytes a row if all are returned: name the features if there are many
            rows.
        """
        rows = x.reshape(-1, x.shape[-1]).to(self.sae.b_enc)
        pattern, value = self.sae.codes(rows)
        if features is None:
            dense = pattern.dense(value)
        else:
            dense = self._of_features(pattern.row, pattern.feature, value, len(rows), features)
        return dense.reshape(*x.shape[:-1], dense.shape[1])

    def decode(self, amounts: Float[Tensor, "*row n_features"]) -> Float[Tensor, "*row d_out"]:
        """Return the reconstruction from amounts of all features, without the error."""
        return amounts @ self.directions + self.sae.b_dec.detach()

    def splice(
        self,
        x: Float[Tensor, "*row d_in"],
        amounts: Float[Tensor, "*row feature"],
        features: Sequence[int] | None = None,
    ) -> Float[Tensor, "*row d_in"]:
        """Set the amounts of features in activations, and leave all else unchanged.

        What the dictionary does not explain is kept, and so are the features that are not named.

        Parameters
        ----------
        amounts
            New amount of each feature on each row; NaN leaves the feature unchanged on that row.
        features
            Features of the columns of ``amounts``; None means all.

        Raises
        ------
        InputError
            If the dictionary is a transcoder or a crosscoder, which does not reconstruct what it
            reads.

        Notes
        -----
        ``x + sum_i (a_i - f_i(x)) d_i``. This is linear in the amounts a, and equals x if a = f(x).
        It is not idempotent: the amounts read again from the result are not a, since directions are
        not orthogonal and a feature does not read exactly the direction that it writes.

        Gradients flow to the amounts and, unchanged, to x; f(x) is treated as a constant.
        """
        self.check_reconstructs()
        change = (amounts.to(self.sae.b_dec) - self.amounts(x, features)).nan_to_num(nan=0.0)
        directions = self.directions if features is None else self.directions[list(features)]
        return (x.to(self.sae.b_dec) + change @ directions).to(x)

    def check_reconstructs(self) -> None:
        """Refuse a transcoder or a crosscoder, which does not reconstruct what it reads.

        Raises
        ------
        InputError
            If the dictionary is one.
        """
        if self.sae.joins_sites:
            found = f"a {self.header.config.architecture}"
            expected = "a dictionary that reconstructs what it reads"
            raise InputError(str(self.header.folder), expected, found)

    def _of_features(
        self,
        row: Tensor,
        feature: Tensor,
        value: Float[Tensor, " hit"],
        n_rows: int,
        features: Sequence[int],
    ) -> Float[Tensor, "row feature"]:
        for one in features:
            self.header.check_feature(one)
        found = value.new_zeros(n_rows, len(features))
        for column, one in enumerate(features):
            own = feature == one
            found[row[own], column] = value[own]
        return found
