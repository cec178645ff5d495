"""Evo 2 by name: shapes, repositories of the weights, and caveats of each model.

Brixi et al. (2025); shapes are those of the configurations in the evo2 package, version 0.6.0.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path

import torch

from genointerp.core.errors import InputError
from genointerp.core.provenance import sha256_file
from genointerp.model.attention import choose_backend
from genointerp.model.hub import snapshot
from genointerp.model.hyena.network import HyenaConfig, Mixer
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel, use_backend
from genointerp.model.hyena.vortex_checkpoint import find_checkpoint, make_network, read_checkpoint
from genointerp.model.load_options import LoadOptions
from genointerp.model.protocol import DnaModel, ModelSpec
from genointerp.model.tokenizer.base import evo_tokenizer

_log = logging.getLogger(__name__)
LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Evo2Preset:
    """A published Evo 2 model.

    Parameters
    ----------
    network
        Shape of the network.
    context
        Longest window in bases that it was trained on.
    default_site
        Site at which activations are read if none is named.
    needs_fp8
        Whether its authors state that it needs FP8 matrix products for accurate results.
    """

    network: HyenaConfig
    context: int
    default_site: str
    needs_fp8: bool

    @property
    def summary(self) -> str:
        """Description of the model in one line."""
        blocks = len(self.network.mixers)
        fp8 = "; trained for FP8, which is not used here" if self.needs_fp8 else ""
        return f"Evo 2, {blocks} blocks of width {self.network.d_model}, all domains of life{fp8}"


def stripes(n_blocks: int, attention: Sequence[int]) -> tuple[Mixer, ...]:
    """Return the kinds of blocks: SE, MR, LI in turn, except for those with attention.

    Examples
    --------
    >>> stripes(6, [3])
    ('SE', 'MR', 'LI', 'ATT', 'SE', 'MR')
    """
    convolutions: cycle[Mixer] = cycle(("SE", "MR", "LI"))
    return tuple("ATT" if i in attention else next(convolutions) for i in range(n_blocks))


def _network(
    width: int, d_mlp: int, mixers: tuple[Mixer, ...], *, base: float, scale: float = 1.0
) -> HyenaConfig:
    return HyenaConfig(
        vocab_size=512,
        d_model=width,
        d_mlp=d_mlp,
        mixers=mixers,
        n_heads=width // 128,
        n_filter_groups=128 if width == 1920 else width // 16,
        rotary_base=base,
        rotary_scale=scale,
    )


_1B = stripes(25, [3, 10, 17, 24])
_7B = stripes(32, [3, 10, 17, 24, 31])
_20B = stripes(24, [3, 10, 17])
_40B = stripes(50, [3, 10, 17, 24, 31, 35, 42, 49])

EVO2: dict[str, Evo2Preset] = {
    "evo2_1b_base": Evo2Preset(
        _network(1920, 5120, _1B, base=1e4), 8192, "blocks.12", needs_fp8=True
    ),
    "evo2_7b_base": Evo2Preset(
        _network(4096, 11_008, _7B, base=1e4), 8192, "blocks.16", needs_fp8=False
    ),
    "evo2_7b_262k": Evo2Preset(
        _network(4096, 11_008, _7B, base=1e4, scale=32.0), 262_144, "blocks.26", needs_fp8=False
    ),
    "evo2_7b": Evo2Preset(
        _network(4096, 11_264, _7B, base=1e4, scale=128.0), 1_048_576, "blocks.26", needs_fp8=False
    ),
    "evo2_20b": Evo2Preset(
        _network(8192, 22_528, _20B, base=1e6, scale=128.0), 1_048_576, "blocks.12", needs_fp8=True
    ),
    "evo2_40b_base": Evo2Preset(
        _network(8192, 21_888, _40B, base=1e6), 8192, "blocks.25", needs_fp8=True
    ),
    "evo2_40b": Evo2Preset(
        _network(8192, 22_528, _40B, base=1e6, scale=128.0), 1_048_576, "blocks.25", needs_fp8=True
    ),
}


def hub_id(name: str) -> str:
    """Return the repository of the weights of an Evo 2 model."""
    return f"arcinstitute/{name}"


def load_evo2(name: str, options: LoadOptions) -> DnaModel:
    """Load a published Evo 2 from ``options.checkpoint``, or else from the hub.

    Weights are bfloat16, as published, or float32; blocks above ``options.up_to`` are left out.

    Raises
    ------
    InputError
        If the weights cannot be found or downloaded, if random weights are asked for, or for
        float16, whose range the residual stream of the model exceeds.
    SchemaError
        If the file holds other weights.
    """
    options.refuse_random_weights(name)
    return load_preset(name, EVO2[name], options)


def load_preset(name: str, preset: Evo2Preset, options: LoadOptions) -> DnaModel:
    """Load a network with the shape of a preset, as :func:`load_evo2` does by name."""
    dtype = options.torch_dtype(otherwise="bfloat16")
    if dtype == torch.float16:
        found = "float16, whose range is smaller than the model's residual stream"
        raise InputError("dtype", "bfloat16 or float32", found)
    devices = options.devices()
    backend = choose_backend(
        devices[0],
        dtype,
        wanted=options.attention,
        require_flash=options.require_flash,
        head_width=preset.network.d_model // preset.network.n_heads,
    )
    path, revision = _weights(name, options)
    network = make_network(
        preset.network,
        read_checkpoint(path),
        devices=devices,
        dtype=dtype,
        last_block=options.last_block(len(preset.network.mixers)),
        where=str(path),
    )
    use_backend(network, backend)
    if preset.needs_fp8:
        warn_of_fp8(name)
    sites = tuple(f"blocks.{i}" for i in range(len(network.blocks)))
    spec = ModelSpec(
        name=name,
        sha256=_sha256(path),
        sites=sites,
        default_site=preset.default_site if preset.default_site in sites else sites[-1],
        d_site=preset.network.d_model,
        context=preset.context,
        attention_backend=backend.name,
        dtype=str(dtype).removeprefix("torch."),
        revision=revision,
        chunked=True,
        licence=LICENCE,
    )
    return SingleNucleotideModel(network, spec, evo_tokenizer())


@cache
def warn_of_fp8(name: str) -> None:
    """Warn, once for each model, that results differ from those of its authors."""
    _log.warning(
        "%s: its authors run the input projections of convolution blocks in FP8 (E4M3, by "
        "Transformer Engine on Hopper GPUs) and state that accuracy depends on it; here they run "
        "in the dtype of the weights, so activations and probabilities differ from those of the "
        "authors. Compare its bits per base on known DNA before use; the 7B models need no FP8.",
        name,
    )


def _weights(name: str, options: LoadOptions) -> tuple[Path, str]:
    """Return the file of weights and, if it came from the hub, its commit."""
    if options.checkpoint is not None:
        return find_checkpoint(options.checkpoint, name), ""
    files = [f"{name}.pt", f"{name}.pt.part*"]
    folder, commit = snapshot(hub_id(name), files=files, revision=options.revision)
    return find_checkpoint(folder, name), commit


def _sha256(path: Path) -> str:
    # in the cache of the hub, a large file is a link to one that is named by its sha256, so that
    # up to 82 GB need not be read to compute it
    name = path.resolve().name
    is_digest = len(name) == 64 and set(name) <= set("0123456789abcdef")
    return name if is_digest and path.is_symlink() else sha256_file(path)
