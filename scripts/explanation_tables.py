"""Tables of ``docs/explaining.md``: ``python -m scripts.explanation_tables measure RUN``, ``fill``.

RUN is a run of the demo. Measuring writes tables to ``scripts/explanations``, row by row, and goes
on behind the rows that are there, so that it can be stopped and begun again. Filling writes them
into the page.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.finders.folding import dinucleotide_shuffle
from genointerp.annotation.read import read_annotation
from genointerp.core.seed import rng
from genointerp.explanation.attribution import Attribution, attribute
from genointerp.explanation.explain import ExplainConfig, Explanation, explain_question
from genointerp.explanation.explainer import Explainer
from genointerp.explanation.faithfulness import curves, rankings
from genointerp.explanation.inputs import ExplainInputs
from genointerp.explanation.variant import VariantEffect, explain_variant
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.variant import Variant
from genointerp.reading.question import ask_bases
from genointerp.reading.target import Measure
from genointerp.reading.tokens import WindowTokens
from genointerp.store.feature.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "explanations"
PAGE = ROOT / "docs" / "explaining.md"
CONCEPTS = ("tRNA", "CDS")
CONTEXT = 512
N_PREDICTIONS, LEAST = 30, 1.0
"""Predictions of each concept whose contrast is so many nats or more from its baseline."""
N_VARIANTS, LEAST_OF_VARIANTS = 30, {"tRNA": 1.0, "CDS": 0.5}
"""Variants of each concept that change the bases behind by so many nats or more."""
VARIANT = "NC_000964.3:95806:C>T"
"""A variant that decomposes well."""
SEED = 0
_CURVE = ["base", "order", "k", "errors"]
_GAPS: tuple[tuple[Measure, int], ...] = (
    ("contrast", 10),
    ("contrast", 20),
    ("contrast", 40),
    ("log_p", 10),
    ("log_p", 20),
)
_SHOWN = (10, 50, 200, 1000)


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("run", nargs="?", type=Path, help="run of the demo, to measure on")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.run is None:
        parser.error("measure needs a run")
    for concept in CONCEPTS:
        for part in (predictions, variants):
            part(arguments.run, concept)


def predictions(run: Path, concept: str) -> None:
    """Explain bases of a concept, and measure gap, exact effects and faithfulness."""
    part, of_curves = f"predictions_{concept}", f"curves_{concept}"
    known = _known(part)
    if len(known) >= N_PREDICTIONS:
        return
    explainer = _explainer(run)
    for n_drawn, base in _further(known, drawn_bases(run, explainer, concept, "predictions")):
        # one step says what the change is
        if abs(_attributed(explainer, base, "contrast", 1).change) < LEAST:
            continue
        row, own = _prediction(explainer, base)
        known = pd.concat([known, pd.DataFrame([{"n_drawn": n_drawn, **row}])])
        curve = _curves(explainer, own).assign(base=len(known))
        # the curves first, so that a prediction that is there has them
        _keep(pd.concat([_known(of_curves), curve]).drop_duplicates(_CURVE, keep="last"), of_curves)
        _keep(known, part)
        if len(known) == N_PREDICTIONS:
            return


def variants(run: Path, concept: str) -> None:
    """Explain random substitutions in a concept, on the strand of its element."""
    part = f"variants_{concept}"
    known = _known(part)
    if len(known) >= N_VARIANTS:
        return
    explainer = _explainer(run)
    model, dictionary, genome = explainer.model, explainer.dictionary, explainer.genome
    for n_drawn, base in _further(known, drawn_bases(run, explainer, concept, "variants")):
        ref = genome.fetch(replace(base, strand="+")).tobytes().decode()
        alt = "ACGT".replace(ref, "")[int(rng(SEED, f"allele at {base}").integers(3))]
        variant = Variant(base.seqid, base.start, ref, alt)
        effect = explain_variant(model, dictionary, genome, variant, base.strand, explainer.config)
        if effect.explanation is None or abs(effect.change) < LEAST_OF_VARIANTS[concept]:
            continue
        row = {"n_drawn": n_drawn, "variant": str(variant), **_variant(effect, effect.explanation)}
        known = pd.concat([known, pd.DataFrame([row])])
        _keep(known, part)
        if len(known) == N_VARIANTS:
            return


def drawn_bases(
    run: Path, explainer: Explainer, concept: str, purpose: str
) -> Iterator[GenomicInterval]:
    """Yield random bases of the elements of a concept, on the strand of the element, none twice."""
    folder = RunFolder.open(run)
    path = folder.genomes[folder.measured].annotation
    assert path is not None, "a run of the demo has annotations"
    annotation = read_annotation(path, explainer.genome)
    elements = define_elements(annotation, explainer.genome, load_concepts(folder.concepts))
    table = elements.of(concept)
    table = table[table["strand"].isin(["+", "-"])]
    ends = (table["end"] - table["start"]).to_numpy().cumsum()
    for place in rng(SEED, f"{purpose} of {concept}").permutation(int(ends[-1])).tolist():
        row = table.iloc[int(np.searchsorted(ends, place, side="right"))]
        start = int(row["end"]) - 1 - (place - int(ends[ends <= place].max(initial=0)))
        yield GenomicInterval(str(row["seqid"]), start, start + 1, row["strand"])


def _prediction(
    explainer: Explainer, base: GenomicInterval
) -> tuple[dict[str, object], Attribution]:
    question = ask_bases(explainer.model, explainer.genome, base, context=CONTEXT)
    explanation = explain_question(explainer.model, explainer.dictionary, question)
    own = explanation.attribution
    row = {
        "seqid": base.seqid,
        "start": base.start,
        "strand": base.strand,
        "change": own.change,
        "steps": own.steps,
        "gap": own.gap,
        "errors": float(own.errors.sum()),
        "error_share": own.error_share,
        "r": explanation.r,
        "slope": explanation.slope,
        "r_gradient": explanation.r_gradient,
    }
    gaps = {f"gap_{m}_{n}": _attributed(explainer, base, m, n).gap for m, n in _GAPS}
    return row | gaps, own


def _variant(effect: VariantEffect, explanation: Explanation) -> dict[str, object]:
    own = explanation.attribution
    summed = np.sort(np.abs(own.features.sum(0)))[::-1].cumsum()
    return {
        "strand": effect.strand,
        "own_change": effect.own_change,
        "change": effect.change,
        "features": float(own.features.sum()),
        "errors": float(own.errors.sum()),
        "error_share": own.error_share,
        "gap": own.gap,
        "steps": own.steps,
        "r": explanation.r,
        "slope": explanation.slope,
        "r_gradient": explanation.r_gradient,
        "n_features_80": 1 + int(np.searchsorted(summed, 0.8 * summed[-1])),
        "n_features": int((own.amounts != own.baseline_amounts).any(0).sum()),
    }


def _attributed(
    explainer: Explainer, base: GenomicInterval, measure: Measure, steps: int
) -> Attribution:
    """Attribute a prediction with a fixed number of steps."""
    model, genome = explainer.model, explainer.genome
    question = ask_bases(model, genome, base, context=CONTEXT, measure=measure)
    config = ExplainConfig(steps=steps, most_steps=steps)
    return attribute(model, explainer.dictionary, question, config)


def _curves(explainer: Explainer, own: Attribution) -> pd.DataFrame:
    """Return the curves of a prediction, with its window shuffled as one of the controls."""
    question, model = own.question, explainer.model
    bases, before = question.passage.bases.copy(), question.passage.window.warmup
    draw = rng(SEED, f"shuffled {question.name}")
    bases[:before] = dinucleotide_shuffle(bases[:before], draw)
    read = WindowTokens(question.passage.window, model.tokenize(bases))
    other = replace(question, passage=question.passage._replace(bases=bases), read=read)
    shuffled = attribute(model, explainer.dictionary, other)
    orders = rankings(own, shuffled, seed=SEED)
    found = curves(model, explainer.dictionary, own, orders)
    return found.assign(shuffled_change=shuffled.change)


def _explainer(run: Path) -> Explainer:
    return ExplainInputs.of(run).explainer(None, ExplainConfig(context=CONTEXT))


def _further(
    known: pd.DataFrame, drawn: Iterator[GenomicInterval]
) -> Iterator[tuple[int, GenomicInterval]]:
    """Yield the bases behind those that are known, with their number, from 1."""
    done = int(known["n_drawn"].max()) if len(known) else 0
    return islice(enumerate(drawn, 1), done, None)


def _known(part: str) -> pd.DataFrame:
    path = KEPT / f"{part}.tsv"
    return pd.read_csv(path, sep="\t") if path.exists() else pd.DataFrame()


def _keep(table: pd.DataFrame, part: str) -> None:
    KEPT.mkdir(exist_ok=True)
    table.to_csv(KEPT / f"{part}.tsv", sep="\t", index=False, float_format="%.5g")


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    tables = {
        "predictions": predictions_table,
        "faithfulness": faithfulness_table,
        "variants": variants_table,
        "variant": variant_table,
    }
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


def predictions_table() -> str:
    """Return a row for each concept: gaps, exact effects and errors."""
    rows = []
    for concept in CONCEPTS:
        table = _known(f"predictions_{concept}")
        gaps = {
            f"gap, {m}, {n} steps": _gaps(table[f"gap_{m}_{n}"], 0.005 if n == 20 else 0.001)
            for m, n in _GAPS
        }
        rows.append(
            {
                "bases": concept,
                "explained, of drawn": f"{len(table)} of {table['n_drawn'].max()}",
                "absolute change": _spread(table["change"].abs()),
                **gaps,
                "r, attribution": _correlations(table["r"]),
                "slope": _spread(table["slope"]),
                "r, gradient": _correlations(table["r_gradient"]),
                "error share": _spread(table["error_share"]),
                "sum of errors": _signed(table["errors"]),
            }
        )
    return _markdown(rows)


def faithfulness_table() -> str:
    """Return a row for each concept, treatment of errors and order: medians by size."""
    rows = []
    for concept in CONCEPTS:
        table = _known(f"curves_{concept}")
        for (errors, order), own in table.groupby(["errors", "order"], sort=False):
            medians = own.groupby("k")[["faithfulness", "completeness"]].median()
            areas = [_area(one) for _, one in own.groupby("base")]
            rows.append(
                {
                    "bases": concept,
                    "errors": str(errors),
                    "nodes by": str(order),
                    **{f"k={k}": _share(medians["faithfulness"][k]) for k in _SHOWN},
                    **{f"within .1, k={k}": _n_within(own, k) for k in (10, 50)},
                    "area": _share(float(np.median(areas))),
                    "k for .8": _size_for(own, 0.8),
                    **{f"left, k={k}": _share(medians["completeness"][k]) for k in (50, 1000)},
                }
            )
    return _markdown(rows)


def variants_table() -> str:
    """Return a row for each concept: how variants decompose."""
    rows = []
    for concept in CONCEPTS:
        table = _known(f"variants_{concept}")
        ratio = (table["errors"] / table["change"]).abs()
        rows.append(
            {
                "variants in": concept,
                "explained, of drawn": f"{len(table)} of {table['n_drawn'].max()}",
                "absolute change": _spread(table["change"].abs()),
                "errors / change, absolute": f"{_spread(ratio)}; {(ratio <= 0.1).sum()}",
                "error share": _spread(table["error_share"]),
                "gap": _gaps(table["gap"], 0.005),
                "r, attribution": _correlations(table["r"]),
                "features for .8": _spread(table["n_features_80"], ".0f"),
                "features that change": _spread(table["n_features"], ".0f"),
            }
        )
    return _markdown(rows)


def variant_table() -> str:
    """Return how one variant decomposes."""
    table = _known("variants_tRNA").set_index("variant")
    own = table.loc[VARIANT]
    parts = {name: f"{own[name]:+.2f}" for name in ("change", "features", "errors")}
    return _markdown([{"variant": VARIANT} | parts])


def _area(curve: pd.DataFrame) -> float:
    """Return the mean faithfulness over the logarithm of the size."""
    own = curve.sort_values("k")
    size = np.log(own["k"].to_numpy())
    return float(np.trapezoid(own["faithfulness"].to_numpy(), size) / (size[-1] - size[0]))


def _size_for(own: pd.DataFrame, least: float) -> str:
    """Return the median over bases of the first size that is so faithful."""
    reached = own[own["faithfulness"] >= least].groupby("base")["k"].min()
    found = float(reached.reindex(own["base"].unique()).fillna(np.inf).median())
    return f"{found:.0f}" if np.isfinite(found) else f"above {own['k'].max()}"


def _n_within(own: pd.DataFrame, k: int) -> str:
    """Return the number of bases of which so many nodes carry .9 to 1.1 of the change."""
    return str(own.loc[own["k"] == k, "faithfulness"].between(0.9, 1.1).sum())


def _share(value: float) -> str:
    return f"{round(value, 2) + 0:.2f}"  # no minus before a zero


def _spread(values: "pd.Series[float]", form: str = ".2f") -> str:
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"


def _signed(values: "pd.Series[float]") -> str:
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return f"{middle:+.2f} ({low:+.2f} to {high:+.2f})"


def _gaps(values: "pd.Series[float]", least: float) -> str:
    return f"{values.median():.4f}, {values.max():.4f}; {(values <= least).sum()}"


def _correlations(values: "pd.Series[float]") -> str:
    return f"{_spread(values)}; {(values >= 0.95).sum()}"


def _markdown(rows: list[dict[str, str]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([*row.values()] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
