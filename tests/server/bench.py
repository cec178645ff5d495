"""A model of a few lines that paints and explains at once, or waits until it is cancelled."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd

from genointerp.core.errors import InputError
from genointerp.core.identity import Identity
from genointerp.explanation.answer import Answer
from genointerp.intervention.outcome import Outcome
from genointerp.server.site import Bench
from genointerp.store.table.schema.explanation import EXPLAINED, EXPLANATION
from genointerp.store.table.schema.intervention import DESIGNS, PAINTING, STEERED_BASES, STEERING

SEQUENCE = "ACGT" * 30


def table(schema, n, **columns):
    """A table with these columns, in which others are 0, "" or NaN."""
    blank = {"int64": 0, "float64": np.nan, "string": ""}
    values = {column.name: blank[column.kind] for column in schema.columns} | columns
    return pd.DataFrame(
        {name: [value] * n if np.isscalar(value) else value for name, value in values.items()}
    )


class ToyPainter:
    """Each painted base changes by its dose; designs repeat four letters."""

    def steer(self, specimen, canvas, region, *, is_controlled, progress):
        strokes = canvas.strokes
        if any(stroke.value == 13 for stroke in strokes):
            raise InputError("canvas", "a dose that is not 13", "13")
        while any(stroke.value == 99 for stroke in strokes):
            progress(0, 1)
            time.sleep(0.01)
        base = np.arange(region.start, region.end)
        change = sum(
            stroke.value * ((base >= stroke.start) & (base < stroke.end)) for stroke in strokes
        )
        rows = table(
            STEERED_BASES,
            len(base),
            seqid=region.seqid,
            start=base,
            end=base + 1,
            strand=strokes[0].strand,
            log_p=-1.0,
            log_p_painted=change - 1.0,
            kl=0.5,
        )
        conditions = ["canvas", "random 1"] if is_controlled else ["canvas"]
        means = table(
            STEERING,
            len(conditions),
            condition=conditions,
            place="inside",
            dose=1.0,
            delta_log_p=2.0,
            kl=0.5,
        )
        progress(1, 1)
        return Outcome(self._used(specimen, canvas), means, rows)

    def paint(self, specimen, canvas, place, *, n_designs, temperature, is_controlled, progress):
        rows = table(
            DESIGNS,
            n_designs,
            design=[f"canvas_{i + 1}" for i in range(n_designs)],
            condition="canvas",
            dose=1.0,
            seqid=place.seqid,
            start=place.start,
            end=place.end,
            strand=place.strand,
            log_p=-1.25,
            sequence=SEQUENCE[: place.length],
        )
        means = table(PAINTING, 1, condition="canvas", n_designs=n_designs, gc=temperature)
        progress(1, 1)
        return Outcome(self._used(specimen, canvas), means, rows)

    def _used(self, specimen, canvas):
        identity = Identity("canvas", genome_sha256=specimen.genome_sha256)
        return replace(canvas, identity=identity)


class ToyExplainer:
    """Feature 3 before the first base, and the error before that, are behind everything."""

    def explain(self, specimen, place, strands, associations, *, progress):
        specimen.needs("sequence").fetch(place)
        nodes = pd.concat(
            [
                table(
                    EXPLANATION,
                    2,
                    question="asked",
                    seqid=place.seqid,
                    start=[place.start - 1, place.start - 3],
                    end=[place.start, place.start - 2],
                    strand=strand,
                    offset=[-1, -3],
                    kind=["feature", "error"],
                    feature=[3, -1],
                    attribution=[1.5, -0.5],
                )
                for strand in strands
            ]
        )
        summary = table(
            EXPLAINED,
            len(strands),
            question="asked",
            strand=list(strands),
            measure="contrast",
            value=2.0,
            change=1.0,
            features=1.5,
            errors=-0.5,
            gap=0.0,
            steps=20,
            complete=1,
            strands_agree=1 if len(strands) > 1 else -1,
        )
        progress(1, 1)
        return Answer(nodes, summary)


BENCH = Bench(ToyPainter(), ToyExplainer())
