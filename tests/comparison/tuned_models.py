"""Models that the planted one may have become."""

from dataclasses import replace
from typing import ClassVar

import torch

from genointerp.model.protocol import EMBEDDING
from tests.wiring.planted_model import PlantedModel, PlantedNetwork, Wire


class TunedWire(Wire):
    """Channel 7 is ``gain`` for a G here; with a seed, a few of what is planted are 0."""

    def __init__(self, gain, seed=None):
        super().__init__()
        self.gain, self.seed, self.every = gain, seed, 1

    def forward(self, x):
        found = super().forward(x)
        found[:, :: self.every, 7] += self.gain * x[:, :: self.every, 2]
        if self.seed is not None:
            draw = torch.Generator().manual_seed(self.seed)
            found[..., 5:] *= torch.rand(x.shape[1], 3, generator=draw) > 0.05
        return found


def tuned_model(name, gain, *, seed=None, **changes):
    network = PlantedNetwork()
    network.wire = TunedWire(gain, seed)

    class Tuned(PlantedModel):
        spec = replace(PlantedModel.spec, name=name, sha256=(name * 64)[:64], **changes)
        sites: ClassVar = {
            EMBEDDING: network.embedding,
            "blocks.0": network.read,
            "blocks.1": network.wire,
        }

    Tuned.network = network.eval()
    return Tuned()
