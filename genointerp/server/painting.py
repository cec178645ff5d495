"""Painting for the pages of a run: canvases, and the work that a model does under them.

What runs the model is passed in, so that a run can be browsed without torch. Nothing is written.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from genointerp.core.errors import InputError
from genointerp.core.progress import Progress
from genointerp.core.provenance import Provenance
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.intervention.canvas import Canvas, Stroke
from genointerp.intervention.outcome import Outcome, fasta_lines, gff3_lines
from genointerp.page.label import concept_label
from genointerp.page.measure import Ground
from genointerp.page.run import Run
from genointerp.server.asked import AskedCanvas, AskedChange, AskedDesigns, AskedPlace
from genointerp.server.jobs import Job, Jobs
from genointerp.server.known import known
from genointerp.server.shown import asked_interval, columns_of, plain, shown
from genointerp.store.table.delimited import delimited_text
from genointerp.store.table.schema.intervention import DESIGNS, PAINTING, STEERING

MAX_STEERED_BP = 20_000
"""Longest place whose change is measured."""

MAX_WRITTEN_BP = 3000
"""Longest place that is written."""

_DOWNSTREAM = "downstream"
_PLACE = ("seqid", "start", "end", "strand")


@runtime_checkable
class PaintsRun(Protocol):
    """What runs the model: `genointerp.intervention.workbench.Workbench`."""

    def steer(
        self,
        specimen: Specimen,
        canvas: Canvas,
        region: GenomicInterval,
        *,
        is_controlled: bool,
        progress: Progress,
    ) -> Outcome:
        """Measure a region of a genome under a canvas."""
        ...

    def paint(
        self,
        specimen: Specimen,
        canvas: Canvas,
        place: GenomicInterval,
        *,
        n_designs: int,
        temperature: float,
        is_controlled: bool,
        progress: Progress,
    ) -> Outcome:
        """Write a place of a genome under a canvas."""
        ...


class Painting:
    """Canvases of one run, for any number of threads; one at a time is with the model.

    Parameters
    ----------
    bench
        What runs the model.
    jobs
        Where work with it is done.
    """

    def __init__(self, run: Run, ground: Ground, bench: PaintsRun, jobs: Jobs) -> None:
        self._run, self._ground, self._bench = run, ground, bench
        self._by_name = {specimen.name: specimen for specimen in run.specimens}
        self._concepts = {
            int(row["feature"]): _concept_of_unit(row) for row in run.features.to_dict("records")
        }
        self._jobs = jobs

    def canvas(self, asked: AskedCanvas) -> tuple[Specimen, Canvas]:
        """Return a canvas as it was painted in the browser, and the genome that it is on.

        Raises
        ------
        InputError
            If a stroke is none, or they are on several genomes.
        UnknownNameError
            If there is no such contig or feature.
        """
        places = [known(self._ground.places.contigs, stroke.chr) for stroke in asked.strokes]
        genomes = list(dict.fromkeys(genome for genome, _ in places))
        if len(genomes) > 1:
            raise InputError("canvas", "strokes on one genome", ", ".join(genomes))
        specimen = self._by_name[genomes[0]]
        strokes = []
        for stroke, (_, seqid) in zip(asked.strokes, places, strict=True):
            specimen.features.check_feature(stroke.feature)
            own = {name: it for name, it in vars(stroke).items() if name != "chr"}
            concept = self._concepts[stroke.feature]
            strokes.append(Stroke(seqid=seqid, concept=concept, **own))
        canvas = Canvas(tuple(strokes))
        canvas.check_inside(specimen.needs("sequence"))
        return specimen, canvas

    def canvas_text(self, asked: AskedCanvas) -> str:
        """Return the file of a canvas, as `steer` and `paint` read it."""
        return delimited_text(self.canvas(asked)[1].table(), "tsv")

    def change(self, asked: AskedChange) -> Job:
        """Ask the model for the change of each base; see `changes`."""
        specimen, canvas = self.canvas(asked)
        place = self._place(specimen, asked.place, MAX_STEERED_BP)

        def work(progress: Progress) -> Outcome:
            return self._bench.steer(
                specimen, canvas, place, is_controlled=asked.controls, progress=progress
            )

        return self._jobs.add(work)

    def write(self, asked: AskedDesigns) -> Job:
        """Ask the model for designs; see `designs`.

        Raises
        ------
        InputError
            If a stroke is read on the other strand, where it would do nothing.
        """
        specimen, canvas = self.canvas(asked)
        for where, stroke in canvas.located():
            if stroke.strand not in (asked.strand, "."):
                expected = f"{asked.strand}, the strand that is written, or both"
                raise InputError(f"{where}: strand", expected, stroke.strand)
        place = self._place(specimen, asked.place, MAX_WRITTEN_BP, asked.strand)

        def work(progress: Progress) -> Outcome:
            return self._bench.paint(
                specimen,
                canvas,
                place,
                n_designs=asked.n_designs,
                temperature=asked.temperature,
                is_controlled=asked.controls,
                progress=progress,
            )

        return self._jobs.add(work)

    def changes(self, number: int) -> dict[str, Any]:
        """Return what changes under a canvas: of each base, and on the mean next to controls."""
        outcome = self._jobs.result(number, Outcome)
        rows, own = outcome.rows, outcome.summary
        near = (own["place"] == "inside") | own["place"].str.startswith(_DOWNSTREAM)
        told = {}
        for strand, part in rows.groupby("strand", sort=True):
            told[str(strand)] = {
                "chr": [self._name_of(outcome, seqid) for seqid in part["seqid"]],
                "start": part["start"].tolist(),
                "end": part["end"].tolist(),
                "change": plain(part["log_p_painted"] - part["log_p"]),
                "kl": plain(part["kl"]),
            }
        return {"strands": told, "means": shown(own[near].drop(columns="dose"), STEERING)}

    def designs(self, number: int) -> dict[str, Any]:
        """Return the designs, and the means of their conditions."""
        outcome = self._jobs.result(number, Outcome)
        designs = outcome.rows.drop(columns=["condition", "dose", "number", *_PLACE])
        means = outcome.summary.drop(columns="dose")
        return {"designs": shown(designs, DESIGNS), "means": shown(means, PAINTING)}

    def file(self, number: int, name: str) -> str:
        """Return the text of a file of what was asked for: a canvas, FASTA, GFF3 or a table.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        outcome = self._jobs.result(number, Outcome)
        texts = {
            "canvas.tsv": lambda: delimited_text(outcome.canvas.table(), "tsv"),
            "rows.tsv": lambda: delimited_text(outcome.rows, "tsv"),
            "means.tsv": lambda: delimited_text(outcome.summary, "tsv"),
        }
        if "design" in outcome.rows:
            lengths = self._of(outcome).features.lengths
            texts |= {
                "designs.fasta": lambda: _lines(fasta_lines(outcome.rows)),
                "designs.gff3": lambda: _lines(
                    gff3_lines(outcome.rows, lengths, self._provenance(outcome))
                ),
            }
        return known(texts, name)()

    def _place(
        self, specimen: Specimen, asked: AskedPlace, most: int, strand: Strand = "."
    ) -> GenomicInterval:
        genome, seqid = known(self._ground.places.contigs, asked.chr)
        if genome != specimen.name:
            raise InputError("place", f"one of {specimen.name}, as the strokes are", genome)
        return asked_interval(asked, specimen, seqid, most, strand)

    def _of(self, outcome: Outcome) -> Specimen:
        sha256 = outcome.canvas.identity.genome_sha256
        return next(one for one in self._run.specimens if one.genome_sha256 == sha256)

    def _name_of(self, outcome: Outcome, seqid: str) -> str:
        return self._ground.places.names[self._of(outcome).name, seqid]

    def _provenance(self, outcome: Outcome) -> Provenance:
        header = self._of(outcome).features.header
        inputs = {
            "genome": header.genome_sha256,
            "model": header.model_sha256,
            "sae": header.sae_sha256,
        }
        return Provenance({"canvas": columns_of(outcome.canvas.table())}, inputs)


def _concept_of_unit(row: Mapping[Hashable, Any]) -> str:
    """Return the concept on which the unit of a feature is measured; empty for all bases.

    A unit is measured on elements that are read in sense, where an antisense feature is silent.
    """
    is_measured = concept_label(row) and row["orientation"] != "antisense"
    return str(row["best_concept"]) if is_measured else ""


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
