"""Which version of the package this is, and where it lies."""

from pathlib import Path

__version__ = "0.1.0"

PACKAGE_FOLDER = Path(__file__).parents[1]
