"""What happens to docstrings before they become pages (an extension of Griffe)."""

from typing import Any

import griffe

from scripts.site.reference import entries
from scripts.site.roles import home, linked


class Roles(griffe.Extension):
    """Turns roles into links."""

    def __init__(self) -> None:
        self._shown = {home(item) for item in entries()}

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401 - what Griffe gives
        """Rewrite the docstring of one object."""
        if obj.docstring is not None:
            obj.docstring.value = linked(obj.docstring.value, obj.module.path, self._shown)
