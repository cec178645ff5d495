"""Models that the planted one may have become."""

from dataclasses import replace
from typing import ClassVar

from genointerp.model.protocol import EMBEDDING
from tests.wiring.planted_model import PlantedModel, PlantedNetwork, Wire


class TunedWire(Wire):
    """Channel 7 is ``gain`` for a G here."""

    def __init__(self, gain):
        super().__init__()
        self.gain = gain

    def forward(self, x):
        found = super().forward(x)
        found[..., 7] += self.gain * x[..., 2]
        return found


def tuned_model(name, gain, **changes):
    network = PlantedNetwork()
    network.wire = TunedWire(gain)

    class Tuned(PlantedModel):
        spec = replace(PlantedModel.spec, name=name, sha256=(name * 64)[:64], **changes)
        sites: ClassVar = {
            EMBEDDING: network.embedding,
            "blocks.0": network.read,
            "blocks.1": network.wire,
        }

    Tuned.network = network.eval()
    return Tuned()
