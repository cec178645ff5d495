"""Options for loading a model; no framework is imported, since the command line needs them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genointerp.core.errors import InputError

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class LoadOptions:
    """How a model is loaded.

    Parameters
    ----------
    device
        Device on which the model runs, by its name in torch. Several, separated by commas, or
        ``auto`` for all CUDA devices, share the blocks of a large model.
    dtype
        Dtype of the weights, one of ``DTYPES``; None means the default of the model for the device.
    attention
        Attention kernels, by their name in ``choose_backend``; None means the best available ones.
    require_flash
        Whether it is an error if no flash kernel can run.
    revision
        Branch, tag or commit of a hub repository; None means its main branch.
    trust_remote_code
        Whether Python code of a hub repository may be run.
    checkpoint
        Local weights, read instead of downloading those of a preset.
    up_to
        Last site that will be read; blocks above it need not be loaded. None loads all blocks.
    random_weights
        Seed of random weights, as before training, which replace those of the model; it then has
        another name and another sha256. Only for models in a folder, of this package's format or of
        transformers. None keeps the weights.
    of_parent
        Whether dictionaries of the model that was edited or tuned may be used with the new one.
    """

    device: str = "cpu"
    dtype: str | None = None
    attention: str | None = None
    require_flash: bool = False
    revision: str | None = None
    trust_remote_code: bool = False
    checkpoint: Path | None = None
    up_to: str | None = None
    random_weights: int | None = None
    of_parent: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in (None, *DTYPES):
            raise InputError("dtype", f"one of {', '.join(DTYPES)}", repr(self.dtype))
        if self.random_weights is not None and self.random_weights < 0:
            raise InputError("random_weights", "a seed of 0 or more", str(self.random_weights))

    def refuse_random_weights(self, name: str) -> None:
        """Refuse random weights for a model of which only trained ones can be loaded.

        Raises
        ------
        InputError
            If the options ask for them.
        """
        if self.random_weights is not None:
            expected = "a model of this package, such as nano, or a folder of transformers"
            raise InputError("random_weights", expected, name)

    def refuse_of_parent(self, name: str) -> None:
        """Refuse to use dictionaries of a parent for a model that has none.

        Raises
        ------
        InputError
            If the options ask for it.
        """
        if self.of_parent:
            raise InputError("of_parent", "the folder of an edited model or of a tuned one", name)

    def devices(self) -> "tuple[torch.device, ...]":
        """Return the devices that were named, if this machine has them."""
        from genointerp.model.device import find_devices

        return find_devices(self.device)

    def torch_dtype(self, *, otherwise: str | None = None) -> "torch.dtype":
        """Return the dtype of the weights.

        Parameters
        ----------
        otherwise
            Dtype if the user named none; None means bfloat16 on CUDA and float32 elsewhere.
        """
        import torch

        if otherwise is None:
            otherwise = "bfloat16" if self.devices()[0].type == "cuda" else "float32"
        dtype: torch.dtype = getattr(torch, self.dtype or otherwise)
        return dtype

    def last_block(self, n_blocks: int) -> int:
        """Return the index of the highest block that must be loaded.

        Raises
        ------
        InputError
            If ``up_to`` is not a site of a model with that many blocks.
        """
        if self.up_to is None:
            return n_blocks - 1
        parts = self.up_to.split(".")
        is_block = len(parts) > 1 and parts[0] == "blocks" and parts[1].isdecimal()
        if not is_block or parts[2:] not in ([], ["mixer"], ["mlp"]):
            expected = "one like 'blocks.4', 'blocks.4.mixer' or 'blocks.4.mlp'"
            raise InputError("site", expected, repr(self.up_to))
        if int(parts[1]) >= n_blocks:
            raise InputError("site", f"a block below {n_blocks}", repr(self.up_to))
        return int(parts[1])
