"""The dossier of a candidate, as its section of the page shows it from the JSON file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from genointerp.page.table import Links, PageTable, page_table
from genointerp.panel.style import visible_text

LOCUS_COLUMNS = (
    "locus",
    "genome",
    "seqid",
    "start",
    "end",
    "strand",
    "max_activation",
    "status",
    "found_by",
    "element",
    "element_type",
    "type_share",
    "distance",
    "orientation",
    "folding_z",
    "low_complexity",
)


@dataclass(frozen=True)
class DossierPart:
    """The part of a section that shows a dossier.

    Parameters
    ----------
    next
        Sentences that say what to do next.
    """

    checks: PageTable
    loci: PageTable
    neighbours: PageTable
    ablation: PageTable
    next: Sequence[str]


def dossier_part(dossier: Mapping[str, Any], links: Links) -> DossierPart:
    """Return the tables and sentences of one dossier."""
    source = f"dossiers/feature_{dossier['candidate']['feature']}.json"
    loci = pd.DataFrame(dossier["loci"]).reindex(columns=list(LOCUS_COLUMNS))
    genomes = set() if links.loci is None else {genome for genome, _ in links.loci.names}
    if len(genomes) == 1:
        # of one genome the dossier knows the name of its features file only
        loci["genome"] = genomes.pop()
    tables = {
        "checks": ("What it is not", pd.DataFrame(_rows(dossier["checks"]), dtype=object)),
        "loci": ("Evidence at its loci", loci),
        "neighbours": ("Features with the nearest directions", pd.DataFrame(dossier["neighbours"])),
        "ablation": (
            "Effect of removing it",
            pd.DataFrame([dossier["ablation"]] if dossier["ablation"] else []),
        ),
    }
    return DossierPart(
        **{
            name: page_table(frame, title=title, source=source, links=links)
            for name, (title, frame) in tables.items()
        },
        next=[visible_text(sentence) for sentence in dossier["next"]],
    )


def _rows(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each value that a check uses, and one for a check without values."""
    return [
        {
            "check": check["check"],
            "outcome": check["outcome"],
            "because": check.get("reason", ""),
            "measured": name,
            "value": value,
            "it_would_be": check["claim"],
            "raised_where": check["rule"],
        }
        for check in checks
        for name, value in (check["values"] or {"": None}).items()
    ]
