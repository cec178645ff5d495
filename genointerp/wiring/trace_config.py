"""Configuration of attribution graphs over several sites. The defaults live only here."""

from dataclasses import dataclass

from genointerp.core.errors import ConfigError
from genointerp.reading.target import Measure


@dataclass(frozen=True)
class TraceConfig:
    """What is read, and how much of it is in the graph.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    context: int = 256
    """Bases read before those that are asked for."""
    measure: Measure = "contrast"
    """How a prediction becomes a number."""
    steps: int = 10
    """Midpoints, between the mean state of the passage and the states, at which the gradient of
    what is explained is taken; 1 takes it at the states alone."""
    n_nodes: int = 256
    """Features of each site that are followed downwards, those of the most influence."""
    node_share: float = 0.8
    """Share of the influence of nodes that is kept, as circuit-tracer does."""
    edge_share: float = 0.98
    """Share of the influence of edges that is kept, as circuit-tracer does."""
    skip: int = 16
    """First bases that are read but are no nodes: some models have extreme activations there."""
    n_checked: int = 32
    """Nodes of each site that are taken out, to compare the effects with the weights."""
    batch: int = 16
    """Copies of the passage that the model reads at once."""
    seed: int = 0
    """Random seed of the nodes that are taken out."""

    def __post_init__(self) -> None:
        for name, least in (
            *[(name, 1) for name in ("context", "steps", "n_nodes", "batch")],
            *[(name, 0) for name in ("skip", "n_checked")],
        ):
            if getattr(self, name) < least:
                raise ConfigError(name, f"at least {least}", str(getattr(self, name)))
        for name in ("node_share", "edge_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ConfigError(name, "above 0 and at most 1", str(getattr(self, name)))
