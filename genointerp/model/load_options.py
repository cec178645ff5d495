"""What a user may say about how a model is loaded. Imports no framework: the program reads it."""

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
        Where it runs, as torch names it; several with commas between, or ``auto`` for all CUDA
        devices, spread the blocks of a large model over them.
    dtype
        Of the weights, one of ``DTYPES``; the model's own choice for the device where None.
    attention
        Kernels of attention, as ``choose_backend`` knows them; the best that is here where None.
    require_flash
        Whether anything but a flash kernel is an error.
    revision
        Branch, tag or commit of a hub repository; its main branch where None.
    trust_remote_code
        Whether Python code of a hub repository may be run.
    checkpoint
        Local weights, to be read instead of a preset's download.
    up_to
        Last site that will be asked for: blocks above it need not be kept. All where None.
    random_weights
        Seed of weights as they are before training, in place of those of the model, which then has
        another name and another sha256; only for models in a folder of ours. None: the weights.
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

    def __post_init__(self) -> None:
        if self.dtype not in (None, *DTYPES):
            raise InputError("dtype", f"one of {', '.join(DTYPES)}", repr(self.dtype))
        if self.random_weights is not None and self.random_weights < 0:
            raise InputError("random_weights", "a seed of 0 or more", str(self.random_weights))

    def refuse_random_weights(self, name: str) -> None:
        """Refuse random weights where only trained ones can be loaded.

        Raises
        ------
        InputError
            If the options ask for them.
        """
        if self.random_weights is not None:
            expected = "a model in a folder of ours, such as nano, whose initialisation is known"
            raise InputError("random_weights", expected, name)

    def devices(self) -> "tuple[torch.device, ...]":
        """Return the devices named, if this machine has them."""
        from genointerp.model.device import find_devices

        return find_devices(self.device)

    def torch_dtype(self, *, otherwise: str | None = None) -> "torch.dtype":
        """Return the dtype of the weights.

        Parameters
        ----------
        otherwise
            Where the user named none; bfloat16 on CUDA and float32 elsewhere where this is None.
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
            If ``up_to`` is no site of a model of that many blocks.
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
