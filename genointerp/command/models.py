"""`models`: the models that can be named, as text."""

from typing import Literal

from genointerp.model.listing import SHORT, list_models
from genointerp.store.table.table import render_table


def models(format: Literal["table", "tsv", "json"]) -> str:
    """Return the list as text for programs, or for people, who are spared the long columns."""
    frame = list_models()
    if format != "table":
        return render_table(frame, format)
    frame["context"] = [f"{context:,}" for context in frame["context"]]
    cells = [SHORT, *frame[SHORT].to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = SHORT.index("context")
    return "".join(
        "  ".join(
            cell.rjust(width) if i == numeric else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        + "\n"
        for row in cells
    )
