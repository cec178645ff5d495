"""Explanations for the pages of a run: why its model predicts what it predicts."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import pandas as pd

from genointerp.core.progress import Progress
from genointerp.explanation.answer import Answer, in_short
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.page.measure import Ground
from genointerp.page.run import Run
from genointerp.server.asked import AskedWhy
from genointerp.server.jobs import Job, Jobs
from genointerp.server.known import known
from genointerp.server.shown import asked_interval, shown
from genointerp.store.feature.store import STRANDS
from genointerp.store.table.delimited import delimited_text
from genointerp.store.table.schema.explanation import EXPLAINED, EXPLANATION

MAX_EXPLAINED_BP = 64
"""Longest stretch that is explained."""

MAX_TOKENS = 128
"""Most tokens before the base that are drawn."""

_PLACE = ["question", "seqid", "start", "end", "strand"]


@runtime_checkable
class ExplainsRun(Protocol):
    """What runs the model: `genointerp.explanation.workbench.Workbench`."""

    def explain(
        self,
        specimen: Specimen,
        place: GenomicInterval,
        strands: Sequence[Strand],
        associations: pd.DataFrame,
        *,
        progress: Progress,
    ) -> Answer:
        """Explain the predictions of some bases of a genome."""
        ...


class _Explained(NamedTuple):
    answer: Answer
    specimen: Specimen


class Explaining:
    """Explanations of one run, for any number of threads; one at a time is with the model.

    Parameters
    ----------
    bench
        What runs the model.
    jobs
        Where work with it is done.
    """

    files = ("nodes.tsv", "sums.tsv")
    """Names of the tables of an explanation."""

    def __init__(self, run: Run, ground: Ground, bench: ExplainsRun, jobs: Jobs) -> None:
        self._run, self._ground, self._bench, self._jobs = run, ground, bench, jobs
        self._by_name = {specimen.name: specimen for specimen in run.specimens}

    def why(self, asked: AskedWhy) -> Job:
        """Ask the model why it predicts some bases; see `reasons`."""
        genome, seqid = known(self._ground.places.contigs, asked.place.chr)
        specimen = self._by_name[genome]
        place = asked_interval(asked.place, specimen, seqid, MAX_EXPLAINED_BP, ".")
        strands: Sequence[Strand] = STRANDS if asked.strand == "." else (asked.strand,)

        def work(progress: Progress) -> _Explained:
            associations = self._run.associations
            found = self._bench.explain(specimen, place, strands, associations, progress=progress)
            return _Explained(found, specimen)

        return self._jobs.add(work)

    def reasons(self, number: int) -> dict[str, Any]:
        """Return the nodes behind a prediction, by strand, and what they add up to."""
        answer, specimen = self._jobs.result(number, _Explained)
        told = []
        for strand, nodes in answer.nodes.groupby("strand", sort=False):
            sums = answer.summary[answer.summary["strand"] == strand]
            told.append(
                {
                    "strand": str(strand),
                    "said": in_short(sums.assign(strands_agree=-1)),
                    **_strip(nodes, specimen),
                    "nodes": shown(_without_places(nodes), EXPLANATION),
                }
            )
        sums = answer.summary.drop(columns=["question", "seqid", "start", "end", "top"])
        agree = {1: "The strands agree.", 0: "The strands disagree.", -1: ""}
        said = agree[int(answer.summary["strands_agree"].iloc[0])]
        return {"strands": told, "sums": shown(sums, EXPLAINED), "said": said}

    def file(self, number: int, name: str) -> str:
        """Return the text of a table of an explanation.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        answer, _ = self._jobs.result(number, _Explained)
        tables = {"nodes.tsv": answer.nodes, "sums.tsv": answer.summary}
        return delimited_text(known(tables, name), "tsv")


def _without_places(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the nodes as a page shows them, where what is no feature has no number."""
    feature = nodes["feature"].astype(float).where(nodes["feature"] >= 0)
    return nodes.drop(columns=_PLACE).assign(feature=feature)


def _strip(nodes: pd.DataFrame, specimen: Specimen) -> dict[str, Any]:
    """Return the last tokens with their bases, and the sum of the listed nodes at each."""
    own = nodes[nodes["kind"].isin(["feature", "error"])]
    sums = own.groupby("offset")["attribution"].sum()
    tokens = own.drop_duplicates("offset").set_index("offset")[["seqid", "start", "end", "strand"]]
    genome = specimen.needs("sequence")
    letters = {
        offset: genome.fetch(GenomicInterval(*place)).tobytes().decode()
        for offset, place in zip(tokens.index, tokens.itertuples(index=False), strict=True)
    }
    if not len(tokens):
        return {"letters": [], "sums": []}
    last = max(letters)
    shown_tokens = range(max(min(letters), last - MAX_TOKENS + 1), last + 1)
    return {
        # where nothing is listed, nothing is said of the base
        "letters": [letters.get(offset, "\u00b7") for offset in shown_tokens],
        "sums": [float(sums.get(offset, 0.0)) for offset in shown_tokens],
    }
