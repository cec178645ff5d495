"""Findings of a run, in sentences; each number in them is a cell of a table of the run."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from genointerp.association.baseline.beside import (
    MARGIN,
    NOT_MEASURED,
    is_measured,
    read_beside,
)
from genointerp.association.inputs import sides_path
from genointerp.association.summary import MAX_Q
from genointerp.core.arguments import ASSOCIATIONS_FILE
from genointerp.page.run import Run
from genointerp.store.table.schema.association import SIDES
from genointerp.store.table.schema.candidate import BACKTEST
from genointerp.store.table.table import read_table

N_SHOWN = 6
"""Number of concepts with their own sentence; the table below has all of them."""


@dataclass(frozen=True)
class Finding:
    """One sentence, and what the page links to from it.

    Parameters
    ----------
    subject
        Concept, or another word or two, that the sentence is about.
    feature
        Feature that the sentence names; None if it names none.
    region
        Place that the sentence names, 1-based and closed; empty if it names none.
    """

    subject: str
    text: str
    feature: int | None = None
    region: str = ""


@dataclass(frozen=True, repr=False)
class Findings:
    """What a run found, and what limits this.

    Parameters
    ----------
    found
        Concepts with a feature that is better than chance and than a detector that always fires,
        then the candidates and the hidden classes.
    unknown
        What the run does not show.
    warnings
        What may make its scores look better than they are.
    limits
        What holds for every run, with the numbers of this one.
    """

    found: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    limits: tuple[Finding, ...]

    @property
    def groups(self) -> dict[str, tuple[Finding, ...]]:
        """The findings by the heading under which they are shown, without empty groups."""
        groups = {
            "What was found": self.found,
            "What is not known": self.unknown,
            "Warnings": self.warnings,
            "Limits": self.limits,
        }
        return {heading: group for heading, group in groups.items() if group}

    def __repr__(self) -> str:
        return "\n".join(finding_lines(self))

    def _repr_html_(self) -> str:
        return "".join(
            f"<b>{heading}</b><ul>{''.join(map(_item, group))}</ul>"
            for heading, group in self.groups.items()
        )


def read_findings(run: Run, beside: pd.DataFrame | None = None) -> Findings:
    """Collect the findings of a run.

    Parameters
    ----------
    beside
        Table in the schema ``BESIDE``, if it was already read.
    """
    beside = read_beside(run.best, run.path) if beside is None else beside
    return Findings(
        found=(*_concepts(beside), *_candidates(run.candidates), *_hidden(run.path)),
        unknown=tuple(_unknown(run, beside)),
        warnings=tuple(_warnings(run)),
        limits=tuple(_limits(run)),
    )


def finding_lines(findings: Findings) -> list[str]:
    """Return the findings as lines of plain text, with a heading for each group."""
    lines: list[str] = []
    for heading, group in findings.groups.items():
        lines += ["", heading, *(f"  {one.subject}: {one.text}" for one in group)]
    return lines[1:]


def _item(one: Finding) -> str:
    return f"<li><b>{escape(one.subject)}</b>: {escape(one.text)}</li>"


def _concepts(beside: pd.DataFrame) -> Iterator[Finding]:
    better = beside[_is_better(beside)]
    for row in better.head(N_SHOWN).to_dict("records"):
        scores = [f"F1 {row['f1']:.3g} (a detector that always fires: {row['always_on']:.3g}"]
        if not math.isnan(row["sequence_alone"]):
            scores.append(f"; a model of the sequence alone: {row['sequence_alone']:.3g}")
        text = f"feature {row['feature']} has {''.join(scores)}). {row['shows']}"
        yield Finding(f"{row['concept']} ({row['orientation']})", text, int(row["feature"]))
    if len(better) > N_SHOWN:
        names = ", ".join(better["concept"].iloc[N_SHOWN:])
        yield Finding("more concepts", f"also better than chance: {names}.")


def _is_better(beside: pd.DataFrame) -> "pd.Series[bool]":
    return (beside["q_value"] <= MAX_Q) & (beside["f1"] - beside["always_on"] >= MARGIN)


def _candidates(candidates: pd.DataFrame) -> Iterator[Finding]:
    if candidates.empty:
        return
    text = f"{_counted(len(candidates), 'feature')} ranked by how little known concepts explain"
    clean = candidates[candidates["flags"] == ""]
    if clean.empty:
        yield Finding("candidates", f"{text}; a flag speaks against each of them.")
        return
    first = clean.sort_values("rank", kind="stable").iloc[0]
    region = str(first["top_region"])
    text += (
        f"; no flag speaks against {len(clean):,} of them. The first of these is feature "
        f"{first['feature']} (rank {first['rank']}), strongest at {region}."
    )
    yield Finding("candidates", text, int(first["feature"]), region)


def _hidden(path: Path) -> Iterator[Finding]:
    if not (path / "backtest.tsv").is_file():
        return
    table = read_table(path / "backtest.tsv", BACKTEST)
    by_verdict = {
        verdict: sorted(table.loc[table["verdict"] == verdict, "class"])
        for verdict in ("found", "missed")
    }
    if any(by_verdict.values()):
        said = [f"{verdict}: {', '.join(names) or 'none'}" for verdict, names in by_verdict.items()]
        text = f"known classes, taken out of the annotation one at a time: {'; '.join(said)}."
        yield Finding("backtest", text)


def _unknown(run: Run, beside: pd.DataFrame) -> Iterator[Finding]:
    if beside.empty:
        text = "no genome has an annotation with concepts on test: no feature has a score."
        yield Finding("concepts", text)
    else:
        others = list(beside.loc[~_is_better(beside), "concept"])
        if others:
            text = (
                "the feature that was chosen on fit does not beat both chance and a detector that "
                f"always fires: {_listed(others)}."
            )
            yield Finding("concepts that are not shown", text)
        if not is_measured(beside):
            yield Finding("baselines", NOT_MEASURED)
    untested = _untested(run, set(beside["concept"]))
    if untested:
        text = (
            f"fit or test has no base of these, or no feature fires on them: {_listed(untested)}."
        )
        yield Finding("concepts that were not tested", text)
    missing = _together(run.candidates, "checks_missing")
    if missing:
        text = f"these checks were not made: {', '.join(missing)}."
        yield Finding("candidates", text)


def _untested(run: Run, tested: set[str]) -> list[str]:
    every = (specimen.elements for specimen in run.specimens)
    names = {name for elements in every if elements is not None for name in elements.names}
    return sorted(names - tested)


def _warnings(run: Run) -> Iterator[Finding]:
    path = sides_path(run.path / ASSOCIATIONS_FILE)
    if path.is_file():
        for row in read_table(path, SIDES).to_dict("records"):
            if row["similar"]:
                text = (
                    f"{row['shared_kmers']:.1%} of the 31-mers of {row['test_genome']} on test "
                    f"occur in {row['fit_genome']} on fit: scores may rest on shared sequence."
                )
                yield Finding("shared sequence", text)
    for name, entry in run.config["genomes"].items():
        finders = entry.get("annotate_with") if isinstance(entry, Mapping) else None
        if finders:
            text = (
                f"predicted by {', '.join(finders)}: scores say how well features agree with "
                "these programs, which are models themselves."
            )
            yield Finding(f"annotation of {name}", text)


def _limits(run: Run) -> Iterator[Finding]:
    header, figures = run.specimens[0].features.header, run.summary
    kept = [
        (figures.get("fidelity.loss_recovered"), "{:.3g} of the loss is recovered"),
        (figures.get("fidelity.fvu"), "{:.3g} of the variance is left unexplained"),
        (figures.get("fidelity.dead_share"), "{:.1%} of the features never fire"),
    ]
    said = [text.format(value) for value, text in kept if _is_number(value)]
    if said:
        text = f"where {header.model} runs on what the dictionary keeps, {', '.join(said)}."
        yield Finding("dictionary", text)
    text = f"what {header.model} has not learnt, no dictionary can find in it."
    yield Finding("model", text)
    yield Finding(
        "features", "a feature with a high F1 marks a concept, but the model need not use it."
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not math.isnan(value)


def _together(table: pd.DataFrame, column: str) -> list[str]:
    """Return the words that all rows share in a column of words separated by commas."""
    if column not in table or table.empty:
        return []
    rows = [set(filter(None, str(text).split(","))) for text in table[column]]
    return sorted(word.strip() for word in set.intersection(*rows))


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _listed(names: list[str]) -> str:
    return ", ".join(dict.fromkeys(names))
