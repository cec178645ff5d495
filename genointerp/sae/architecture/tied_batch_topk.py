"""BatchTopK dictionaries with one matrix, such as the published dictionary of Evo 2.

The formula is that of Brixi et al. 2025 (the Evo 2 paper) and of the notebook next to its code.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import SchemaError
from genointerp.sae.architecture.batch_topk import BatchTopK


class TiedBatchTopK(BatchTopK):
    """BatchTopK whose encoder is the transpose of its decoder.

    ``z = x W_dec^T + b_enc``, ``x_hat = f W_dec + b_dec``: b_dec is not subtracted from x before
    encoding. Rows of W_dec have unit norm if this package trained them; published ones may not.
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
        """Copy in weights, whose encoder must be the transpose of the decoder."""
        if not torch.equal(tensors["W_enc"], tensors["W_dec"].t()):
            raise SchemaError(f"{where}: W_enc", "the transpose of W_dec, as it is tied", "another")
        super().fill(tensors, where=where)

    @torch.no_grad()
    def encode_call(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch n_features"]:
        """Return the ``k * batch`` largest positive z of all rows together, in dense form.

        Published dictionaries of this kind are used in this way. The codes of a token then depend
        on the other rows, so codes of two windows cannot be compared; :meth:`encode` uses the
        stored threshold instead. Rows of extreme norm, such as the first bases that a model reads,
        use up the budget of the others: leave them out.
        """
        z = self.pre_activations(x)
        pattern = self.training_pattern(z)
        return pattern.dense(pattern.values_of(z))
