"""Capture, edit and early exit, all through torch's forward hooks; removed even upon an error."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from threading import get_ident
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from genointerp.core.errors import InputError, UnknownNameError
from genointerp.model.protocol import Edit

_DEPTH: ContextVar[int] = ContextVar("depth", default=0)
"""how many edit functions are under way; one of them may itself run the model"""


class ForwardStopped(Exception):
    """Raised by a hook above which nothing is wanted; never leaves :func:`hooked`."""


@runtime_checkable
class PlacedFunction(Protocol):
    """An edit function that depends on where in the sequence its tokens lie."""

    def __call__(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        """Change the tokens of the whole range of the edit."""
        ...

    def at(self, x: Float[Tensor, "batch token d"], first: int) -> Float[Tensor, "batch token d"]:
        """Change tokens of which the first has the index ``first`` in the sequence."""
        ...


@contextmanager
def hooked(
    sites: Mapping[str, nn.Module],
    *,
    capture: Sequence[str] = (),
    edits: Sequence[Edit] = (),
    stop_after: str | None = None,
    offset: int = 0,
    in_graph: bool = False,
) -> Iterator[dict[str, Float[Tensor, "batch token d"]]]:
    """Attach hooks for the length of a block, and give the dict that captures fill.

    A site's edits are applied in their order and before it is captured. What is captured is not
    changed by anything that the network does later. The hooks see only forward passes of this
    thread, and none that an edit function runs.

    Parameters
    ----------
    sites
        The modules by name; each returns a tensor, or a tuple whose first item is the tensor.
    stop_after
        The forward pass ends at this site; the block is then left without an error.
    offset
        Index in the sequence of the first token of the forward pass.
    in_graph
        Whether what is captured lies in the autograd graph, on the way to all that is computed
        after it. The first capture begins the graph where nothing before it did.

    Raises
    ------
    UnknownNameError
        If a site is unknown.
    InputError
        If a module or an edit gives something that is not activations.
    """
    visitor = _Visitor(capture, edits, stop_after, offset, in_graph=in_graph)
    with ExitStack() as stack:
        for name in visitor.touched:
            if name not in sites:
                raise UnknownNameError("site", f"one of {', '.join(sites)}", name)
            hook = partial(visitor.visit, name)
            stack.callback(sites[name].register_forward_hook(hook).remove)
        try:
            yield visitor.captured
        except ForwardStopped as error:
            if error is not visitor.stop:
                raise
            # its frames would keep the tensors of the pass until the next collection of cycles
            error.__traceback__ = None


def apply_edits(
    x: Float[Tensor, "batch token d"], edits: Sequence[Edit], *, offset: int = 0
) -> Float[Tensor, "batch token d"]:
    """Return the activations of consecutive tokens after some edits, in their order.

    Parameters
    ----------
    x
        Left as it is, but for what an edit function changes in place.
    offset
        Index in the sequence of the first token of ``x``.

    Raises
    ------
    InputError
        If an edit changes the shape.
    """
    tokens = x.shape[1]
    for edit in edits:
        end = tokens if edit.end is None else min(edit.end - offset, tokens)
        start = max(edit.start - offset, 0)
        if start >= end:
            continue
        changed = _call(edit, x[:, start:end], offset + start)
        whole = start == 0 and end == tokens
        x = changed if whole else torch.cat([x[:, :start], changed, x[:, end:]], dim=1)
    return x


class _Visitor:
    """What the hooks of one block do at each site, and what they have caught."""

    def __init__(
        self,
        capture: Sequence[str],
        edits: Sequence[Edit],
        stop_after: str | None,
        offset: int,
        *,
        in_graph: bool,
    ) -> None:
        self.captured: dict[str, Tensor] = {}
        self.stop = ForwardStopped()
        self.touched = [*dict.fromkeys([*(edit.site for edit in edits), *capture])]
        if stop_after is not None and stop_after not in self.touched:
            self.touched.append(stop_after)
        self._capture, self._edits = capture, edits
        self._stop_after, self._offset = stop_after, offset
        self._in_graph = in_graph
        self._pass = get_ident(), _DEPTH.get()

    def visit(self, name: str, _module: nn.Module, _inputs: object, output: object) -> object:
        if (get_ident(), _DEPTH.get()) != self._pass:
            return None
        x, rest = _split(output, name)
        edits = [edit for edit in self._edits if edit.site == name]
        changed = apply_edits(x, edits, offset=self._offset)
        last = name == self._stop_after
        if name in self._capture:
            changed = self._catch(name, changed, is_last=last)
        if last:
            raise self.stop
        if changed is x:
            return None
        return changed if rest is None else (changed, *rest)

    def _catch(self, name: str, x: Tensor, *, is_last: bool) -> Tensor:
        """Keep what a site gives, and return what the network goes on with."""
        # one of the two is a copy, since the network may write into what it is given
        if not self._in_graph:
            self.captured[name] = x if is_last else x.clone()
            return x
        caught = x if x.requires_grad else x.detach().requires_grad_()
        self.captured[name] = caught
        return caught.clone()


def _split(output: object, name: str) -> tuple[Tensor, tuple[object, ...] | None]:
    if isinstance(output, Tensor):
        return output, None
    if isinstance(output, tuple) and output and isinstance(output[0], Tensor):
        return output[0], output[1:]
    expected = "a module that returns a tensor, or a tuple that begins with one"
    raise InputError(f"site {name}", expected, type(output).__name__)


def _call(edit: Edit, x: Float[Tensor, "batch token d"], first: int) -> Tensor:
    function = edit.function
    depth = _DEPTH.set(_DEPTH.get() + 1)
    try:
        out = function.at(x, first) if isinstance(function, PlacedFunction) else function(x)
    finally:
        _DEPTH.reset(depth)
    if out.shape != x.shape:
        expected = f"activations of shape {tuple(x.shape)}, as it was given"
        raise InputError(f"edit of {edit.site}", expected, str(tuple(out.shape)))
    return out.to(x)
