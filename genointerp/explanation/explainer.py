"""Answers as tables: questions of bases, features and variants, on one strand or both."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd

from genointerp.core.progress import Progress, piece, silent
from genointerp.explanation.answer import Answer
from genointerp.explanation.explain import (
    ExplainConfig,
    Explanation,
    FeatureNames,
    explain_question,
)
from genointerp.explanation.graph import explanation_graph
from genointerp.explanation.variant import VariantEffect, explain_variant
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.genome.variant import Variant
from genointerp.model.protocol import DnaModel
from genointerp.reading.fidelity import check_dictionary
from genointerp.reading.question import Question, ask_bases, ask_feature
from genointerp.sae.dictionary import Dictionary
from genointerp.store.graph.graph import AttributionGraph
from genointerp.store.table.schema.explanation import EXPLAINED, EXPLANATION
from genointerp.store.table.table import conform, empty_table

_SHOWN_BASES = 64


@dataclass(frozen=True, eq=False)
class Explainer:
    """A model with the dictionary whose features explain it, and a genome.

    Parameters
    ----------
    names
        What features are called.
    config
        What is read, and how numbers are attributed.
    graphs
        Whether answers have graphs, each of which takes some memory.
    """

    model: DnaModel
    dictionary: Dictionary
    genome: Genome
    names: FeatureNames = field(default_factory=FeatureNames)
    config: ExplainConfig = field(default_factory=ExplainConfig)
    graphs: bool = False

    def bases(
        self,
        places: Sequence[GenomicInterval],
        strands: Sequence[Strand],
        *,
        progress: Progress = silent,
    ) -> Answer:
        """Explain the predictions of the bases of some places, on some strands.

        Parameters
        ----------
        progress
            Called with (percent done, percent in all: 100 for each place and strand).

        Raises
        ------
        InputError
            As `ask_bases` and `explain_question`.
        """
        context, measure = self.config.context, self.config.measure
        ask = partial(ask_bases, self.model, self.genome, context=context, measure=measure)
        return self._answered("prediction", measure, ask, places, strands, progress)

    def feature(
        self,
        places: Sequence[GenomicInterval],
        strands: Sequence[Strand],
        above: Dictionary,
        feature: int,
        *,
        progress: Progress = silent,
    ) -> Answer:
        """Explain the pre-activation of a feature of a site above at some bases.

        Parameters
        ----------
        above
            Dictionary of the feature.
        progress
            Called with (percent done, percent in all: 100 for each place and strand).

        Raises
        ------
        InputError
            As `ask_feature` and `explain_question`.
        MismatchError
            If one of the dictionaries is not of the model.
        """
        check_dictionary(above, self.model)
        ask = partial(
            ask_feature,
            self.model,
            self.genome,
            dictionary=above,
            feature=feature,
            context=self.config.context,
        )
        return self._answered("feature", "pre_activation", ask, places, strands, progress)

    def variants(
        self,
        variants: Iterable[Variant],
        strands: Sequence[Strand],
        *,
        progress: Progress = silent,
    ) -> Answer:
        """Explain what variants change in the log probability of the bases behind them.

        Parameters
        ----------
        progress
            Called with (percent done, percent in all: 100 for each variant and strand).

        Raises
        ------
        InputError
            As `explain_variant`.
        """
        every = list(variants)
        found = _Found(self)
        reports = _pieces(progress, len(every) * len(strands))
        for variant in every:
            effects = [self._effect(variant, strand, next(reports)) for strand in strands]
            found.rows += self._variant_rows(effects)
            for effect in effects:
                if effect.explanation is not None:
                    found.add(effect.explanation)
        return found.answer()

    def _effect(self, variant: Variant, strand: Strand, report: Progress) -> VariantEffect:
        model, dictionary, genome = self.model, self.dictionary, self.genome
        return explain_variant(
            model, dictionary, genome, variant, strand, self.config, progress=report
        )

    def _answered(
        self,
        kind: str,
        measure: str,
        ask: Callable[[GenomicInterval], Question],
        places: Sequence[GenomicInterval],
        strands: Sequence[Strand],
        progress: Progress,
    ) -> Answer:
        found = _Found(self)
        # all are asked before the first is explained, as one of them may be refused
        asked = [[ask(replace(place, strand=strand)) for strand in strands] for place in places]
        reports = _pieces(progress, len(places) * len(strands))
        for place, questions in zip(places, asked, strict=True):
            answers = [self._explained(question, next(reports)) for question in questions]
            # a feature means something else on the other strand, so that nothing is to agree
            agree = -1 if kind == "feature" else _agree([it.top_sum for it in answers])
            own = {"kind": kind, "measure": measure, "strands_agree": agree}
            for strand, explanation in zip(strands, answers, strict=True):
                where = {**_place(place, self.genome), "strand": strand}
                sums = {"log_p": explanation.log_p, **self._sums(explanation)}
                found.rows.append({**own, **where, **sums})
                found.add(explanation)
        return found.answer()

    def _explained(self, question: Question, report: Progress) -> Explanation:
        return explain_question(self.model, self.dictionary, question, self.config, progress=report)

    def _variant_rows(self, effects: Sequence[VariantEffect]) -> Iterator[dict[str, object]]:
        # a strand with no base behind has nothing to say
        agree = _agree([effect.change for effect in effects if effect.n_next])
        for effect in effects:
            variant = effect.variant
            own: dict[str, object] = {
                "question": str(variant),
                "kind": "variant" if variant.is_substitution else "indel",
                **_place(variant.interval, self.genome),
                "strand": effect.strand,
                "ref": variant.ref,
                "alt": variant.alt,
                "measure": "log_p",
                "value": effect.value,
                "baseline_value": effect.baseline_value,
                "change": effect.change,
                "log_p": effect.value,
                "own_change": effect.own_change,
                "n_next": effect.n_next,
                "strands_agree": agree,
            }
            if effect.explanation is not None:
                own |= self._sums(effect.explanation)
            yield own

    def _sums(self, explanation: Explanation) -> dict[str, object]:
        found = explanation.attribution
        return {
            "question": found.question.name,
            "value": found.value,
            "baseline_value": found.baseline_value,
            "change": found.change,
            "features": float(found.features.sum(dtype=np.float64)),
            "errors": float(found.errors.sum(dtype=np.float64)),
            "gap": found.gap,
            "complete": int(found.is_complete),
            "steps": found.steps,
            "error_share": found.error_share,
            "r": explanation.r,
            "slope": explanation.slope,
            "r_gradient": explanation.r_gradient,
            "top": explanation.in_short(self.names),
        }


_NOTHING: dict[str, object] = {
    "alt": "",
    "features": np.nan,
    "errors": np.nan,
    "gap": np.nan,
    "complete": 0,
    "steps": 0,
    "error_share": np.nan,
    "r": np.nan,
    "slope": np.nan,
    "r_gradient": np.nan,
    "own_change": np.nan,
    "n_next": 0,
    "top": "",
}
"""What a row holds of that which does not apply to its question."""


@dataclass
class _Found:
    """What is known so far."""

    explainer: Explainer
    nodes: list[pd.DataFrame] = field(default_factory=list)
    rows: list[dict[str, object]] = field(default_factory=list)
    graphs: list[AttributionGraph] = field(default_factory=list)

    def add(self, explanation: Explanation) -> None:
        own = self.explainer
        self.nodes.append(explanation.table(own.genome, own.names))
        if own.graphs:
            self.graphs.append(explanation_graph(own.model, explanation, own.genome, own.names))

    def answer(self) -> Answer:
        rows = [{**_NOTHING, **row} for row in self.rows]
        summary = pd.DataFrame(rows, columns=EXPLAINED.names) if rows else empty_table(EXPLAINED)
        nodes = pd.concat(self.nodes, ignore_index=True) if self.nodes else empty_table(EXPLANATION)
        summary = conform(summary, EXPLAINED, where="explained")
        return Answer(nodes, summary, tuple(self.graphs))


def _pieces(progress: Progress, n: int) -> Iterator[Progress]:
    return (piece(progress, number, n) for number in range(n))


def _place(interval: GenomicInterval, genome: Genome) -> dict[str, object]:
    letters = genome.fetch(interval).tobytes().decode()
    return {
        "seqid": interval.seqid,
        "start": interval.start,
        "end": interval.end,
        "ref": letters if len(letters) <= _SHOWN_BASES else "",
    }


def _agree(numbers: Sequence[float]) -> int:
    """Return 1 if several numbers have one sign, 0 if not, and -1 if there are not several."""
    return int(len({float(np.sign(it)) for it in numbers}) == 1) if len(numbers) > 1 else -1
