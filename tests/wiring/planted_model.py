"""A network of two blocks of which every edge is known, and dictionaries of both of its sites."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from genointerp.model.protocol import EMBEDDING, ModelSpec
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from tests.toy_model import ToyDnaModel

LAG = 3
"""Distance at which an A makes channel 5 fire."""


class Read(nn.Module):
    """Site ``blocks.0``: the one-hot code in channels 0 to 3."""

    def forward(self, one_hot: Tensor) -> Tensor:
        return torch.cat([one_hot, torch.zeros_like(one_hot)], -1)


class Wire(nn.Module):
    """Site ``blocks.1``: that, and what is planted in channels 5 to 7.

    Channel 5 is 2 for an A three tokens before, less .5 for a C here; channel 6 is a T one token
    before times a G here, which is a gate; channel 7 is 1 for a T here.
    """

    def forward(self, x: Tensor) -> Tensor:
        five = 2 * before(x[..., 0], LAG) - 0.5 * x[..., 1]
        six = before(x[..., 3], 1) * x[..., 2]
        planted = torch.stack([five, six, x[..., 3]], -1)
        return torch.cat([x[..., :5], x[..., 5:] + planted], -1)


class PlantedNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(torch.eye(5, 4))
        self.read, self.wire = Read(), Wire()

    def forward(self, tokens: Tensor) -> Tensor:
        """The logits: A is expected by channel 5, G by channel 6, C by nothing, T by channel 7."""
        x = self.wire(self.read(self.embedding(tokens)))
        return torch.stack([x[..., 5], torch.zeros_like(x[..., 5]), x[..., 6], x[..., 7]], -1)


def before(channel: Tensor, lag: int) -> Tensor:
    """Shift a channel to later tokens."""
    return torch.cat([torch.zeros_like(channel[:, :lag]), channel[:, : channel.shape[1] - lag]], 1)


class PlantedModel(ToyDnaModel):
    spec = ModelSpec(
        name="planted",
        sha256="1" * 64,
        sites=("blocks.0", "blocks.1"),
        default_site="blocks.1",
        d_site=8,
        context=64,
        attention_backend="none",
        chunked=True,
    )
    network = PlantedNetwork().eval()
    sites: ClassVar = {
        EMBEDDING: network.embedding,
        "blocks.0": network.read,
        "blocks.1": network.wire,
    }


def save_channels(folder, site, channels):
    """Write a dictionary whose features are some channels of a site; the others are its error."""
    rows = torch.eye(8)[list(channels)]
    sae = make_sae(SaeConfig("topk", n_features=len(rows), k=len(rows)), 8, seed=0)
    with torch.no_grad():
        sae.W_dec.copy_(rows)
        sae.W_enc.copy_(rows.T)
        sae.b_enc.zero_()
        sae.b_dec.zero_()
    spec = PlantedModel.spec
    save_sae(sae, folder, {"model": spec.name, "model_sha256": spec.sha256, "site": site})
    return folder
