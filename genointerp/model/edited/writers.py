"""The linear maps that write what a site holds, and what each of them reads."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from genointerp.core.errors import InputError
from genointerp.model.edited.changes import network_of, site_modules
from genointerp.model.protocol import EMBEDDING, DnaModel
from genointerp.model.transformers.model import TransformersModel

_OF_HYENA = ("mixer.out_filter_dense", "mixer.out_proj", "mlp.l3")


def last_writers(model: DnaModel, site: str) -> dict[str, nn.Linear]:
    """Return the linear maps of the site's block whose outputs are added up at the site, by name.

    Raises
    ------
    InputError
        If there are none, as at the embedding, which is never edited.
    """
    inside = block_maps(model, site)
    paths: tuple[str, ...] = _OF_HYENA
    if isinstance(model, TransformersModel):
        paths = model.loaded.family.writers
    found = {name: it for name, it in inside.items() if name.endswith(paths)}
    if not found:
        expected = "a site after a block, its mixer or its MLP that linear maps write"
        raise InputError(f"edit of {site}", expected, f"none in {model.spec.name}")
    return found


def block_maps(model: DnaModel, site: str) -> dict[str, nn.Linear]:
    """Return every linear map of the site's block, or of its part that the site is after, by name.

    Raises
    ------
    InputError
        If the model cannot be edited, or the site is the embedding.
    """
    network, modules = network_of(model), site_modules(model)
    if site == EMBEDDING or site not in modules:
        raise InputError("edit", f"a site of {model.spec.name} after a block", repr(site))
    part = set(modules[site].modules())
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and module in part
    }


@contextmanager
def reading_keys(
    writers: Mapping[str, nn.Linear],
) -> Iterator[dict[str, Float[Tensor, "batch token into"]]]:
    """Yield what each writer reads in the last forward pass of the block."""
    keys: dict[str, Tensor] = {}

    def keep(name: str, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        keys[name] = inputs[0].detach().clone()

    with ExitStack() as stack:
        for name, module in writers.items():
            stack.callback(module.register_forward_pre_hook(partial(keep, name)).remove)
        yield keys
