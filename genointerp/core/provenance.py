"""What made a file: package version, resolved configuration, sha256 of the inputs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genointerp.core.errors import InputError
from genointerp.core.files import check_seekable, reading
from genointerp.core.version import __version__


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal.

    Raises
    ------
    InputError
        If there is no such file, or it can be read only once, such as a pipe.
    """
    check_seekable(path, error=InputError)
    with reading(path, error=InputError), Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@dataclass(frozen=True)
class Provenance:
    """The record that every output carries.

    Parameters
    ----------
    config
        The resolved configuration, as plain values.
    inputs
        sha256 of each input by its role, such as ``{"genome": "9f2c..."}``.
    """

    config: Mapping[str, Any]
    inputs: Mapping[str, str]

    @property
    def generated_by(self) -> str:
        """Name and version of this package."""
        return f"genointerp {__version__}"

    def as_json(self) -> str:
        """Return the record as one JSON text, keys sorted, without a date: it is reproducible."""
        record = {
            "generated-by": self.generated_by,
            "config": dict(self.config),
            "inputs": dict(self.inputs),
        }
        return json.dumps(record, sort_keys=True)
