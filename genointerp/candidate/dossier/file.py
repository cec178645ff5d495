"""Dossiers as JSON files, which the command `dossier` writes.

The JSON of a dossier is specified in ``docs/schema/tables.md``.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.candidate.dossier.dossier import Dossier
from genointerp.core.errors import SchemaError
from genointerp.core.files import read_json_object
from genointerp.core.provenance import Provenance
from genointerp.store.table.table import records

FORMAT = "genointerp::dossier"


VERSION = 1


def read_dossier(path: Path) -> dict[str, Any]:
    """Read the JSON of a dossier.

    Raises
    ------
    SchemaError
        If the file has another format or another version.
    """
    values = read_json_object(path, error=SchemaError)
    found = (values.get("format"), values.get("format-version"))
    if found != (FORMAT, VERSION):
        raise SchemaError(
            str(path), f"{FORMAT} version {VERSION}", " version ".join(map(str, found))
        )
    return values


def as_mapping(dossier: Dossier, provenance: Provenance) -> dict[str, Any]:
    """Return a dossier as plain values; undefined values are None."""
    return {
        "format": FORMAT,
        "format-version": VERSION,
        "provenance": json.loads(provenance.as_json()),
        "candidate": records(pd.DataFrame([dossier.candidate]))[0],
        "checks": [dict(check._asdict()) for check in dossier.checks],
        "context": records(dossier.context),
        "loci": records(dossier.loci),
        "neighbours": records(dossier.neighbours),
        "ablation": dict(dossier.ablation),
        "motif": [] if dossier.motif is None else records(dossier.motif.table()),
        "next": list(dossier.next),
    }
