"""BatchTopK dictionaries with one matrix, as the published dictionary of Evo 2 is.

Formula of that dictionary: Brixi et al. 2025 (the Evo 2 paper) and the notebook beside its code.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import SchemaError
from genointerp.sae.architecture.batch_topk import BatchTopK


class TiedBatchTopK(BatchTopK):
    """BatchTopK whose encoder is the transpose of its decoder.

    ``z = x W_dec^T + b_enc``, ``x_hat = f W_dec + b_dec``: b_dec is not subtracted from what is
    encoded. Rows of W_dec have unit norm where this package trained them; published ones need not.
    """

    fits_encoder = False

    @property
    def W_enc(self) -> Float[Tensor, "d_in n_features"]:  # type: ignore[override]
        """The transpose of W_dec, sharing its memory and its gradient."""
        return self.W_dec.t()

    def _make_encoder(self, generator: torch.Generator) -> None:
        """Make nothing: the encoder is the decoder."""

    @torch.no_grad()
    def fill(self, tensors: dict[str, Tensor], *, where: str) -> None:
        """Take weights, whose encoder must be the transpose of the decoder."""
        if not torch.equal(tensors["W_enc"], tensors["W_dec"].t()):
            raise SchemaError(f"{where}: W_enc", "the transpose of W_dec, as it is tied", "another")
        super().fill(tensors, where=where)

    @torch.no_grad()
    def encode_call(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch n_features"]:
        """Return the ``k * batch`` largest positive z of all rows together, in dense form.

        This is how dictionaries of this kind are published. A token's codes then depend on the
        other rows, so that those of two windows cannot be compared; :meth:`encode` uses the stored
        threshold instead. Rows of extreme norm, such as the first bases that a model reads, take
        the budget of the others: leave them out.
        """
        z = self.pre_activations(x)
        pattern = self.training_pattern(z)
        return pattern.dense(pattern.values_of(z))
