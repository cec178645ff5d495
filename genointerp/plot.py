"""Figures from files: ``genointerp.plot.NAME`` draws what ``genointerp plot NAME`` writes.

Each function returns a matplotlib figure, which a notebook shows, and writes it where ``out`` names
a file (.png, .pdf or .svg).
"""

from genointerp.figure.backtest import backtest
from genointerp.figure.circle import circle
from genointerp.figure.circuit import circuit
from genointerp.figure.compare.latents import latents
from genointerp.figure.compare.match import match
from genointerp.figure.curves import curves
from genointerp.figure.density import density
from genointerp.figure.dependency import dependency
from genointerp.figure.dictionary import dictionary
from genointerp.figure.divergence import divergence
from genointerp.figure.explain import explain
from genointerp.figure.feature import feature
from genointerp.figure.graph import graph
from genointerp.figure.metagene import metagene
from genointerp.figure.motif import motif
from genointerp.figure.overlap import overlap
from genointerp.figure.paint import paint
from genointerp.figure.quality import quality
from genointerp.figure.region import region
from genointerp.figure.steer import steer
from genointerp.figure.training import training

__all__ = [
    "backtest",
    "circle",
    "circuit",
    "curves",
    "density",
    "dependency",
    "dictionary",
    "divergence",
    "explain",
    "feature",
    "graph",
    "latents",
    "match",
    "metagene",
    "motif",
    "overlap",
    "paint",
    "quality",
    "region",
    "steer",
    "training",
]
