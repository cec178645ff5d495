"""Reading and writing tensors: the one boundary between such a file and the package.

What is read here is dense, lies in memory, and takes no more room than its file: other code need
not ask again. No code of a file is run.
"""

import errno
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import check_is_file
from genointerp.core.text import one_line

MOST_UNSTORED = 1 << 24
"""Most values of a tensor that its file repeats instead of holding; without this limit a file of a
few bytes could stand for terabytes."""

_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


def read_tensors(path: Path, *, error: type[InputError] = InputError) -> dict[str, Tensor]:
    """Read a safetensors file: tensors by name.

    Parameters
    ----------
    error
        Raised where there is no such file.

    Raises
    ------
    SchemaError
        If it is damaged, or of another format.
    """
    path = Path(path)
    check_is_file(path, error=error)
    try:
        tensors = load_file(path)
    except Exception as problem:  # beside its own error, that of any type that torch lacks
        raise SchemaError(
            str(path), "safetensors", one_line(problem) or type(problem).__name__
        ) from problem
    for name, tensor in tensors.items():
        check_plain(tensor, f"{path}: {name}")
    return tensors


def read_state(path: Path, *, error: type[InputError] = InputError) -> Any:  # noqa: ANN401
    """Read what ``torch.save`` wrote: tensors, numbers and texts, in lists and mappings.

    Parameters
    ----------
    error
        Raised where there is no such file.

    Raises
    ------
    SchemaError
        If it is damaged, compressed, or holds objects of other kinds.
    """
    path = Path(path)
    check_is_file(path, error=error)
    _check_archive(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # a damaged file ends torch in errors of many classes
        raise SchemaError(str(path), "weights saved by torch", type(problem).__name__) from problem
    _check_all(state, path)
    return state


def write_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write a safetensors file.

    Raises
    ------
    OSError
        If it cannot be written, for example because the disk is full.
    """
    try:
        save_file(dict(tensors), path)
    except SafetensorError as problem:
        code = _SYSTEM_ERROR.search(str(problem))
        raise _failed(errno.EIO if code is None else int(code[1]), path) from problem


def write_state(state: object, path: Path) -> None:
    """Write what `read_state` reads.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        # through a file of Python's, whose own error tells the reason
        with Path(path).open("wb") as handle:
            torch.save(state, handle)
    except RuntimeError as problem:
        raise _failed(_system_error(problem), path) from problem


def check_plain(tensor: Tensor, where: str) -> None:
    """Refuse a tensor that is sparse, has no values, or takes more memory than its file.

    Raises
    ------
    SchemaError
        Naming ``where`` it is.
    """
    found = _odd_kind(tensor)
    if found is None:
        stored = tensor.untyped_storage().nbytes() // tensor.element_size()
        if tensor.numel() - stored > MOST_UNSTORED:
            found = f"{stored} values that stand for {tensor.numel()}"
    if found is not None:
        raise SchemaError(where, "a dense tensor of numbers", found)


def _odd_kind(tensor: Tensor) -> str | None:
    if tensor.is_meta:
        return "one without values (meta)"
    if tensor.is_nested:
        return "a nested one"
    if tensor.layout is not torch.strided:
        return f"a sparse one ({tensor.layout})"
    if tensor.is_quantized or tensor.is_complex():
        return str(tensor.dtype)
    return None


def _check_archive(path: Path) -> None:
    """Refuse an archive of wrong checksums, which torch ignores, or of more than its bytes.

    Torch compresses nothing, and its older files are no archives.
    """
    if not zipfile.is_zipfile(path):
        return
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
            damaged = archive.testzip() if unpacked <= size and not packed else None
    except Exception as problem:  # a damaged directory ends zipfile in errors of many classes
        raise SchemaError(
            str(path), "weights saved by torch", one_line(problem) or type(problem).__name__
        ) from problem
    if unpacked > size or packed:
        found = f"{unpacked} bytes packed into {size}"
        raise SchemaError(str(path), "weights saved by torch, uncompressed", found)
    if damaged is not None:
        found = f"another checksum of {damaged}"
        raise SchemaError(str(path), "weights saved by torch, undamaged", found)


def _check_all(state: object, path: Path) -> None:
    rest: list[tuple[str, object]] = [("", state)]
    seen: set[int] = set()
    while rest:
        name, item = rest.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Tensor):
            check_plain(item, f"{path}: {name}" if name else str(path))
        elif isinstance(item, Mapping):
            rest.extend((f"{name}.{key}" if name else str(key), it) for key, it in item.items())
        elif isinstance(item, list | tuple):
            rest.extend((f"{name}.{number}", it) for number, it in enumerate(item))


def _failed(code: int, path: Path) -> OSError:
    return OSError(code, os.strerror(code), str(path))


def _system_error(problem: BaseException | None) -> int:
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno is not None:
            return problem.errno
        problem = problem.__cause__ or problem.__context__
    return errno.EIO
