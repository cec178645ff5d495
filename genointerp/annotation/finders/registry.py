"""All finders by name."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution

from genointerp.annotation.finders.coding import find_coding
from genointerp.annotation.finders.crispr import find_crispr
from genointerp.annotation.finders.finding import Finder
from genointerp.annotation.finders.low_complexity import find_low_complexity
from genointerp.annotation.finders.motif import find_motifs
from genointerp.annotation.finders.protein_family import find_protein_families
from genointerp.annotation.finders.ribosomal_rna import find_ribosomal_rna
from genointerp.annotation.finders.rna_family import find_rna_families
from genointerp.annotation.finders.tandem_repeat import find_tandem_repeats
from genointerp.annotation.finders.transfer_rna import find_transfer_rna
from genointerp.core.nearest import unknown

FINDERS: dict[str, Finder] = {
    "pyrodigal": Finder("pyrodigal", "protein-coding genes", find_coding),
    "pyaragorn": Finder("pyaragorn", "tRNA and tmRNA genes", find_transfer_rna),
    "pybarrnap": Finder("pybarrnap", "rRNA genes", find_ribosomal_rna),
    "diced": Finder("diced", "CRISPR arrays", find_crispr),
    "pyinfernal": Finder("pyinfernal", "RNA families of a model file", find_rna_families),
    "pyhmmer": Finder("pyhmmer", "protein families of a profile file", find_protein_families),
    "motif": Finder("genointerp", "motifs of a MEME or JASPAR file", find_motifs),
    "pydustmasker": Finder("pydustmasker", "low complexity", find_low_complexity),
    "pytrf": Finder("pytrf", "tandem repeats", find_tandem_repeats),
}


def finder_named(name: str) -> Finder:
    """Return a finder by its name.

    Raises
    ------
    UnknownNameError
        The message lists the finders.
    """
    if name not in FINDERS:
        raise unknown("finder", name, FINDERS)
    return FINDERS[name]


def installed_finders(names: Sequence[str]) -> list[str]:
    """Return those of the given finders whose packages are installed, in the given order."""
    return [name for name in names if _is_installed(finder_named(name).package)]


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
