"""Capture, edits and early exit by torch's forward hooks, which are removed even after an error."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from threading import get_ident
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from genointerp.core.errors import InputError
from genointerp.core.nearest import unknown
from genointerp.model.protocol import Edit

_DEPTH: ContextVar[int] = ContextVar("depth", default=0)
"""Number of edit functions that are running, one inside the other, since one may run the model."""


class ForwardStopped(Exception):
    """Raised by the hook of the last site that is needed; it never leaves :func:`hooked`."""


@runtime_checkable
class PlacedFunction(Protocol):
    """An edit function that depends on the place of its tokens in the sequence."""

    def __call__(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        """Change all tokens of the range of the edit."""
        ...

    def at(self, x: Float[Tensor, "batch token d"], first: int) -> Float[Tensor, "batch token d"]:
        """Change consecutive tokens, of which the first has index ``first`` in the sequence."""
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
    """Attach hooks for the duration of a ``with`` block, and yield the dict of captures.

    The edits of a site are applied in order, before it is captured. The network cannot change a
    capture later. The hooks act only on forward passes of this thread, and not on those that an
    edit function runs.

    Parameters
    ----------
    sites
        Modules by site; each returns a tensor, or a tuple whose first item is the tensor.
    stop_after
        Site at which the forward pass ends; the ``with`` block is then left without an error.
    offset
        Index in the sequence of the first token of the forward pass.
    in_graph
        Whether captures are part of the autograd graph, so that everything computed after them
        depends on them. If nothing before it requires a gradient, the first capture begins the
        graph.

    Raises
    ------
    UnknownNameError
        If a site is unknown.
    InputError
        If the output of a module or of an edit is not a tensor of activations.
    """
    visitor = _Visitor(capture, edits, stop_after, offset, in_graph=in_graph)
    with ExitStack() as stack:
        for name in visitor.touched:
            if name not in sites:
                raise unknown("site", name, sites)
            hook = partial(visitor.visit, name)
            stack.callback(sites[name].register_forward_hook(hook).remove)
        try:
            yield visitor.captured
        except ForwardStopped as error:
            if error is not visitor.stop:
                raise
            # the frames would keep the tensors of the pass alive until the next garbage collection
            error.__traceback__ = None


def apply_edits(
    x: Float[Tensor, "batch token d"], edits: Sequence[Edit], *, offset: int = 0
) -> Float[Tensor, "batch token d"]:
    """Apply edits, in order, to the activations of consecutive tokens.

    Parameters
    ----------
    x
        Activations; they are not changed unless an edit function works in place.
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
    """Edits, captures and stops at each site, and holds the captures."""

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
        """Capture the output of a site, and return the tensor with which the network goes on."""
        # one of the two is a copy, since the network may write into the tensor that it gets
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
        expected = f"activations of shape {tuple(x.shape)}, as in its input"
        raise InputError(f"edit of {edit.site}", expected, str(tuple(out.shape)))
    return out.to(x)
