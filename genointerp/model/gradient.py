"""Passes of a network in the autograd graph: their mode, and checks of what they are given."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from genointerp.core.errors import InputError
from genointerp.core.nearest import unknown
from genointerp.model.hooks import hooked
from genointerp.model.protocol import EMBEDDING, Edit, ModelSpec, SiteActivations

_PRECISE = ("float32", "float64")


@contextmanager
def in_graph(
    sites: Mapping[str, nn.Module],
    *,
    capture: Sequence[str],
    edits: Sequence[Edit],
    stop_after: str | None,
) -> Iterator[dict[str, Float[Tensor, "batch token d"]]]:
    """Run a forward pass with gradients, in whatever mode the caller is; see :func:`hooked`."""
    with (
        torch.inference_mode(mode=False),
        torch.enable_grad(),
        hooked(
            sites, capture=capture, edits=edits, stop_after=stop_after, in_graph=True
        ) as captured,
    ):
        yield captured


def is_precise(spec: ModelSpec) -> bool:
    """Whether a model is loaded in a precision in which gradients can be taken."""
    return spec.dtype in _PRECISE


def check_precision(spec: ModelSpec) -> None:
    """Refuse a model of half precision.

    Raises
    ------
    InputError
        If it is one. A gradient is a small difference, and half precision keeps only two or three
        digits of it at each step back through the network.
    """
    if not is_precise(spec):
        expected = "a model loaded with dtype float32; half precision rounds gradients away"
        raise InputError("gradients", expected, f"{spec.name} in {spec.dtype}")


def usable_begin(
    begin: SiteActivations,
    tokens: Int[Tensor, "batch token"],
    *,
    sites: Mapping[str, nn.Module],
    d_site: int,
    capture: Sequence[str],
) -> SiteActivations:
    """Return the activations with which a pass begins, as a tensor that can be in a graph.

    Parameters
    ----------
    sites
        All sites of the model, in the order of computation.

    Raises
    ------
    UnknownNameError
        If there is no such site.
    InputError
        If the activations do not fit the tokens and the site, or a site of ``capture`` is below it.
    """
    names = list(sites)
    if begin.site not in names:
        raise unknown("site", begin.site, names)
    if begin.site == EMBEDDING:
        d_site = next(sites[EMBEDDING].parameters()).shape[-1]
    expected = (*tokens.shape, d_site)
    if begin.x.shape != expected:
        found = str(tuple(begin.x.shape))
        raise InputError(f"begin at {begin.site}", f"activations of shape {expected}", found)
    below = names[: names.index(begin.site)]
    for site in capture:
        if site in below:
            raise InputError("capture", f"sites from {begin.site} on", site)
    if not begin.x.is_inference():
        return begin
    with torch.inference_mode(mode=False):
        return begin._replace(x=begin.x.clone())
