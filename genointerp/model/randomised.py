"""A model with random weights: what its shape alone does, without what it has learnt."""

from genointerp.model.hyena.folder import untrained
from genointerp.model.hyena.network import set_dtype
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel
from genointerp.model.protocol import DnaModel

_MOST = 1_000_000_000
"""Parameters up to which a second network is made beside that of the model."""


def with_random_weights(model: DnaModel, seed: int) -> DnaModel | None:
    """Return a model of the same shape with weights as training begins with them.

    It has the identity of the model, so that a dictionary of the model can read it. None for a
    model that is no StripedHyena of this package, or has more than a billion parameters.
    """
    if not isinstance(model, SingleNucleotideModel):
        return None
    own = model.network
    if sum(weight.numel() for weight in own.parameters()) > _MOST:
        return None
    network = untrained(own.config, seed=seed)
    set_dtype(network, own.embedding_layer.weight.dtype)
    return SingleNucleotideModel(network.to(model.device), model.spec, model.tokenizer)
