"""`convert`: a dictionary of this package in the format of another library."""

from pathlib import Path

from genointerp.core.arguments import StrPath
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.formats.registry import check_destination, find_format
from genointerp.sae.header import CONFIG, read_cfg
from genointerp.sae.shipped import dictionary_folder


def convert(sae: StrPath, out: StrPath, *, to: str) -> None:
    """Write a dictionary of this package in the format of another library.

    Parameters
    ----------
    sae
        Folder of the dictionary or of a run, or ``shipped:NAME``.
    out
        Folder to write.
    to
        ``saelens``, ``dictionary_learning``, ``sparsify`` or ``interplm``.

    Raises
    ------
    InputError
        If ``out`` is the folder itself, or holds it.
    StorageError
        If something else stands at ``out``.
    MismatchError
        If the library has nothing that computes the same.
    SchemaError
        If the folder holds no dictionary of this package.
    UnknownNameError
        If there is no such format.
    """
    written, folder, out = find_format(to), dictionary_folder(sae), Path(out)
    check_destination(folder, out)
    dictionary = Dictionary.load(folder)
    written.write(dictionary.sae, out, read_cfg(folder / CONFIG)["metadata"])
