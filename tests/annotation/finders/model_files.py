"""Models of the tools' own tests, which come with them."""

from importlib.resources import files
from importlib.util import find_spec


def model_file(package, *names):
    """The path of a file of an installed package; None where the package is not there."""
    return None if find_spec(package) is None else files(package).joinpath("tests", "data", *names)
