"""What a page asks the model for, as it was sent and checked."""

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

from genointerp.core.config import from_mapping
from genointerp.core.errors import ConfigError
from genointerp.core.parsing import parse_json

MAX_STROKES = 500
"""Most strokes of one canvas."""

MAX_FEATURES = 16
"""Most features of one canvas; its controls take memory and time for each of them."""

MAX_DESIGNS = 64
"""Most designs of one piece of work."""

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class AskedJob:
    """A piece of work."""

    job: int


@dataclass(frozen=True)
class AskedPlace:
    """A part of a contig, as the browser names it; 0-based and half-open."""

    chr: str
    start: int
    end: int


@dataclass(frozen=True)
class AskedStroke(AskedPlace):
    """One stroke, with the words of a canvas; ``value`` has no meaning for ``ablate``."""

    strand: Literal["+", "-", "."]
    feature: int
    mode: Literal["set", "raise", "add", "scale", "ablate"]
    value: float = math.nan
    phase: int = -1
    state: Literal["decides", "reads"] = "decides"


@dataclass(frozen=True)
class AskedCanvas:
    """A canvas."""

    strokes: tuple[AskedStroke, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.strokes) <= MAX_STROKES:
            raise ConfigError("canvas", f"1 to {MAX_STROKES} strokes", str(len(self.strokes)))
        n_features = len({stroke.feature for stroke in self.strokes})
        if n_features > MAX_FEATURES:
            raise ConfigError("canvas", f"at most {MAX_FEATURES} features", str(n_features))


@dataclass(frozen=True)
class AskedChange(AskedCanvas):
    """A question for the change of each base under a canvas, in a place."""

    place: AskedPlace
    controls: bool = True


@dataclass(frozen=True)
class AskedDesigns(AskedCanvas):
    """A question for designs of a place, on a strand of it."""

    place: AskedPlace
    strand: Literal["+", "-"] = "+"
    n_designs: int = 4
    temperature: float = 1.0
    controls: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.n_designs <= MAX_DESIGNS:
            raise ConfigError("n_designs", f"1 to {MAX_DESIGNS}", str(self.n_designs))


@dataclass(frozen=True)
class AskedWhy:
    """A question for what is behind the prediction of some bases, on one strand or both."""

    place: AskedPlace
    strand: Literal["+", "-", "."] = "."


@dataclass(frozen=True)
class AskedRemoval:
    """The label by hand that is to be removed.

    Parameters
    ----------
    before
        Which one the page has shown, as its form says; empty for none.
    """

    feature: int
    before: str = ""


@dataclass(frozen=True)
class AskedLabel(AskedRemoval):
    """A label by hand, and which one it replaces; its words are those of `FeatureLabel`."""

    label: str = ""
    kind: str = ""
    author: str = ""
    concept: str = ""
    orientation: str = ""
    part: str = ""
    motif: str = ""
    motif_offset: int = 0
    explanation: str = ""
    confidence: int = 1
    falsifier: str = ""


def read_asked(kind: type[Asked], body: bytes) -> Asked:
    """Return what the body of a request asks for.

    Raises
    ------
    ConfigError
        If it is no JSON, a key is unknown or missing, or a value is of the wrong type.
    """
    text = body.decode(errors="replace")
    return from_mapping(kind, parse_json(text, where="body", error=ConfigError), where="body")
