"""Table of the models that can be loaded by name."""

from importlib.util import find_spec

import pandas as pd

from genointerp.model.presets import PRESETS, Preset
from genointerp.model.registry import MODELS, ModelEntry

_COLUMNS = ["name", "tokens", "context", "reads", "here", "licence", "weights", "about"]
_SHORT = _COLUMNS[:6]
"""Columns that fit in a terminal."""
_EXTRA = 'pip install "genointerp[transformers]"'
_TRUST = "--trust-remote-code"


def list_models() -> pd.DataFrame:
    """Return a row for each model that ``load_model`` knows by name.

    ``tokens`` is the kind of tokenizer; ``context`` is the longest window, in bases, that the model
    was trained on; ``reads`` says whether the activations of a token depend only on what is
    ``left`` of it or on ``both`` sides. ``here`` is ``ready``, or what this installation still
    needs: the extra to install, or the option to trust Python code of the repository. ``weights``
    is the hub repository of the weights.
    """
    rows = [_own(name, entry) for name, entry in MODELS.items()]
    rows += [_published(preset) for preset in PRESETS.values()]
    return pd.DataFrame(rows, columns=_COLUMNS)


def models_text(models: pd.DataFrame) -> str:
    """Return the list as aligned text, without its long columns."""
    short = models[_SHORT].assign(context=[f"{context:,}" for context in models["context"]])
    cells = [_SHORT, *short.to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = _SHORT.index("context")
    return "".join(
        "  ".join(
            cell.rjust(width) if i == numeric else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        + "\n"
        for row in cells
    )


def _own(name: str, entry: ModelEntry) -> tuple[str | int, ...]:
    here = "ready" if entry.source == "shipped" or find_spec("huggingface_hub") else _EXTRA
    kind = (entry.tokenizer, entry.context, entry.reads)
    return (name, *kind, here, entry.licence, entry.source, entry.summary)


def _published(preset: Preset) -> tuple[str | int, ...]:
    settings = preset.tokenizer
    tokens = f"{settings.k}-mer" if settings.kind == "kmer" else settings.kind
    installed = _TRUST if preset.remote_code else "ready"
    here = installed if find_spec("transformers") else _EXTRA
    kind = (tokens, preset.context, preset.reads)
    return (preset.name, *kind, here, preset.licence, preset.hub_id, preset.note)
