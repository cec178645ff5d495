"""Capture, edit and early exit, all through torch's forward hooks; removed even upon an error."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from jaxtyping import Float
from torch import Tensor, nn

from genointerp.core.errors import UnknownNameError
from genointerp.model.protocol import Edit


class ForwardStopped(Exception):
    """Raised by a hook above which nothing is wanted."""


@contextmanager
def hooked(
    sites: Mapping[str, nn.Module],
    *,
    capture: Sequence[str] = (),
    edits: Sequence[Edit] = (),
    stop_after: str | None = None,
) -> Iterator[dict[str, Float[Tensor, "batch token d"]]]:
    """Attach hooks for the length of a block, and give the dict that captures fill.

    Edits of a site are applied in their order and before it is captured.

    Raises
    ------
    UnknownNameError
        If a site is unknown.
    """
    for name in [*capture, *(edit.site for edit in edits)]:
        if name not in sites:
            raise UnknownNameError("site", f"one of {', '.join(sites)}", name)
    captured: dict[str, Tensor] = {}
    touched = dict.fromkeys([*(edit.site for edit in edits), *capture])
    with ExitStack() as stack:
        for name in touched:
            functions = [edit.function for edit in edits if edit.site == name]

            def hook(
                _module: nn.Module,
                _inputs: object,
                output: Tensor,
                name: str = name,
                functions: list = functions,  # type: ignore[type-arg]
            ) -> Tensor:
                for function in functions:
                    output = function(output)
                if name in capture:
                    captured[name] = output
                if name == stop_after:
                    raise ForwardStopped
                return output

            stack.callback(sites[name].register_forward_hook(hook).remove)
        yield captured
