"""The interface of every finder: a function from the bases of a genome to the elements found.

Most gene finders are under the GPL. They are the extra ``annotate``; each is imported only in the
body of its finder.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from genointerp.core.errors import ConfigError, InputError
from genointerp.genome.interval import Strand


class MissingToolError(InputError):
    """A tool that is not installed; the message says how to install it."""


@dataclass(frozen=True)
class FindConfig:
    """Settings of the finders.

    Parameters
    ----------
    translation_table
        Genetic code (NCBI number) of protein-coding and tRNA genes: 4 for Mycoplasma, else 11.
    covariance_models
        File of covariance models for pyinfernal (.cm), such as those of Rfam.
    protein_profiles
        File of protein profiles for pyhmmer (.hmm), such as those of Pfam.
    motifs
        File of motifs, in the format of MEME or JASPAR.
    max_evalue
        Hits of profiles and covariance models with a higher E-value are left out.
    max_p
        Sites of motifs with a higher p-value are left out.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    translation_table: int = 11
    covariance_models: Path | None = None
    protein_profiles: Path | None = None
    motifs: Path | None = None
    max_evalue: float = 1e-3
    max_p: float = 1e-6

    def __post_init__(self) -> None:
        if not 1 <= self.translation_table <= 33:
            found = str(self.translation_table)
            raise ConfigError("translation_table", "the number of a genetic code, 1 to 33", found)
        if not self.max_evalue > 0:
            raise ConfigError("max_evalue", "above 0", str(self.max_evalue))
        if not 0 < self.max_p < 1:
            raise ConfigError("max_p", "between 0 and 1", str(self.max_p))


@dataclass(frozen=True)
class Finding:
    """One element that a tool found.

    Parameters
    ----------
    type
        Term of the Sequence Ontology.
    start, end
        0-based, half-open, forward strand, within the bases that were searched.
    attributes
        For column 9 of GFF3.
    """

    seqid: str
    type: str
    start: int
    end: int
    strand: Strand
    attributes: Mapping[str, str] = field(default_factory=dict)


class Search(Protocol):
    """A function that searches all contigs of a genome."""

    def __call__(self, contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
        """Yield what is found; ``contigs`` holds upper-case IUPAC letters by name.

        Raises
        ------
        MissingToolError
            If the tool is not installed.
        InputError
            If it needs a file that the configuration does not name.
        """
        ...


class Finder(NamedTuple):
    """A tool: the package that provides it, the elements that it finds, and its function."""

    package: str
    finds: str
    search: Search


@contextmanager
def needed(package: str) -> Iterator[None]:
    """Turn a failed import into an error that says how to install the tool.

    Raises
    ------
    MissingToolError
        If the block cannot import.
    """
    try:
        yield
    except ImportError as error:
        expected = f'pip install "genointerp[annotate]" ({package})'
        raise MissingToolError(package, expected, f"none: {error}") from error


def given_file(path: Path | None, key: str, what: str) -> Path:
    """Return a file that the user must provide.

    Raises
    ------
    InputError
        If it is not given, or does not exist.
    """
    if path is None:
        raise InputError(key, what, "none")
    if not Path(path).is_file():
        raise InputError(str(path), what, "no file")
    return Path(path)


def strand_of(sign: int) -> Strand:
    """Return ``+`` for 1 and ``-`` for -1."""
    return "-" if sign < 0 else "+"
