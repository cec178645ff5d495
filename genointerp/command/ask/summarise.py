"""The headline figures of a run, and the best feature of each concept, as files."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from genointerp.association.baseline.beside import beside_baselines
from genointerp.association.summary import best_per_concept, count_covered, one_per_concept
from genointerp.core.arguments import StrPath, is_run
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import atomic_path, read_text, together
from genointerp.core.parsing import parse_json
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.sae.header import CONFIG, read_header, shipped_name
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.table.schema.association import (
    ASSOCIATIONS,
    BASELINES,
    BEST_PER_CONCEPT,
    N_COVERED,
)
from genointerp.store.table.table import empty_table, read_table, records, write_table


def summarise(
    associations: StrPath | None,
    *,
    training: StrPath | None = None,
    sae: StrPath | None = None,
    fidelity: StrPath | None = None,
    baselines: StrPath | None = None,
    out: StrPath,
    best_out: StrPath | None = None,
    text_out: StrPath | None = None,
) -> None:
    """Write ``summary.json``, the table of the best feature of each concept, and all as text.

    Parameters
    ----------
    associations
        None where there are none, since genomes lack an annotation; both tables are then empty. Or
        a run directory, which has all of these files, as far as nothing else is given.
    training
        ``log.json`` of the dictionary, if this run trained it.
    sae
        Folder of the dictionary, if it was there before the run.
    fidelity
        What `genointerp evaluate` wrote.
    baselines
        What `genointerp associate --baselines-out` wrote; None where nothing was measured.
    best_out
        Table of the best feature of each concept; not written where None.
    text_out
        TSV of all associations, for those who do not read Parquet; not written where None.

    Raises
    ------
    SchemaError
        If an input is not of its kind.
    InputError
        If neither the log of a training nor a dictionary is given, or both; or no fidelity.
    """
    if associations is not None and is_run(associations):
        own = _of_run(RunFolder.open(associations))
        associations, fidelity = own["associations"], fidelity or own["fidelity"]
        baselines = baselines or own["baselines"]
        if training is None and sae is None:
            training, sae = own["training"], own["sae"]
    if fidelity is None:
        raise InputError("fidelity", "what `genointerp evaluate` wrote", "none")
    fidelity, out = Path(fidelity), Path(out)
    dictionary, inputs = _dictionary(training, sae)
    inputs["fidelity"] = fidelity
    everything, table = empty_table(ASSOCIATIONS), empty_table(BEST_PER_CONCEPT)
    if associations is not None:
        inputs = {"associations": Path(associations), **inputs}
        everything = read_table(associations, ASSOCIATIONS)
        # an older table does not say
        everything.attrs[N_COVERED] = count_covered(everything)
        table = best_per_concept(everything)
    if baselines is not None:
        inputs["baselines"] = Path(baselines)
    provenance = Provenance({}, {role: sha256_file(path) for role, path in inputs.items()})
    leading = one_per_concept(table)
    measured = _read_json(fidelity, "loss_recovered")
    losses = {name: it for name, it in measured.items() if not isinstance(it, dict)}
    measured_beside = None if baselines is None else read_table(baselines, BASELINES)
    beside = beside_baselines(table, measured_beside)
    summary = {
        "fidelity": losses,
        **dictionary,
        "beside_baselines": records(beside),
        "best_f1": dict(zip(leading["concept"], map(_number, leading["f1"]), strict=True)),
        "provenance": json.loads(provenance.as_json()),
    }
    with together():
        if text_out is not None:
            write_table(everything, Path(text_out), ASSOCIATIONS, provenance)
        if best_out is not None:
            write_table(table, Path(best_out), BEST_PER_CONCEPT, provenance)
        with atomic_path(out) as temporary:
            temporary.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def _of_run(run: RunFolder) -> dict[str, Path | None]:
    """Return the files of a run; None for what it does not have."""
    is_trained, baselines = "fit" in run.config, run.path / "baselines.tsv"
    return {
        "associations": run.associations if run.is_annotated else None,
        "fidelity": run.path / "fidelity.json",
        "baselines": baselines if baselines.is_file() else None,
        "training": run.sae / "log.json" if is_trained else None,
        "sae": None if is_trained else run.sae,
    }


def _dictionary(
    training: StrPath | None, sae: StrPath | None
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return what is said of the dictionary, and the files that say it, by their roles."""
    if training is not None and sae is None:
        return {"training": _read_json(Path(training), "fvu")}, {"training": Path(training)}
    if sae is None or training is not None:
        found = "none" if sae is None else "both"
        raise InputError("summarise", "the log of a training, or a dictionary", found)
    header = read_header(sae)
    said = {
        "source": shipped_name(header) or "a folder that the configuration names",
        "sha256": header.sha256,
        "architecture": header.config.architecture,
        "n_features": header.n_features,
        "model": header.model,
        "site": header.site,
    }
    return {"dictionary": said}, {"dictionary": header.folder / CONFIG}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _read_json(path: Path, key: str) -> dict[str, Any]:
    values = parse_json(read_text(path, error=SchemaError), where=str(path), error=SchemaError)
    if not isinstance(values, dict) or key not in values:
        found = ", ".join(values) if isinstance(values, dict) else type(values).__name__
        raise SchemaError(str(path), f"a JSON object with the key {key!r}", found or "no key")
    return values
