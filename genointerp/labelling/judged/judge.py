"""Labels that a language model judges on test, next to labels that should say nothing.

The judge is shown places of test as cards, never an activation, and answers where a feature with
the label fires. Choices are made on labels and fit: `genointerp.labelling.judged.choice`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from genointerp.association.config import AssociateConfig
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.labelling.averages import mean_interval, mean_known
from genointerp.labelling.endpoint.budget import Estimate
from genointerp.labelling.endpoint.endpoint import Endpoint
from genointerp.labelling.endpoint.exchange import Reply
from genointerp.labelling.judged.choice import choose
from genointerp.labelling.judged.config import JudgeConfig
from genointerp.labelling.judged.measure import Accuracy, measure_answers
from genointerp.labelling.judged.question import PROMPTS, YES, Item, Trial, answers_of
from genointerp.labelling.judged.trials import make_trials, origins_of
from genointerp.labelling.label import FeatureLabel
from genointerp.store.table.schema.label import JUDGED_SCORES, JUDGED_SUMMARY
from genointerp.store.table.table import conform

CHANCE: Mapping[str, float] = {"detection": 0.5, "fuzzing": 0.5, "intruder": 0.2}
"""Accuracy of a judge that guesses."""


def judging_trials(
    specimens: Sequence[Specimen],
    labels: Sequence[FeatureLabel],
    split: AssociateConfig,
    config: JudgeConfig,
    *,
    seed: int,
) -> list[Trial]:
    """Return all that a language model is to be asked about labels.

    Parameters
    ----------
    specimens
        Genomes with their sequences and annotations.
    split
        The configuration of the associations: fit and test.
    """
    choice = choose(specimens, labels, split, config, seed=seed)
    return make_trials(specimens, split, choice, config, seed=seed)


def estimate_judging(trials: Sequence[Trial], endpoint: Endpoint, config: JudgeConfig) -> Estimate:
    """Return what `judge` would cost, without a call."""
    return endpoint.estimate(
        request for trial in trials if _is_asked(trial, config) for request in trial.requests()
    )


def judge(
    trials: Sequence[Trial],
    endpoint: Endpoint,
    config: JudgeConfig,
    *,
    seed: int,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Ask a language model, and return a row for each trial, in the schema ``JUDGED_SCORES``.

    Raises
    ------
    EndpointError, BudgetError, StorageError
        As `Endpoint.complete`. What was answered is kept, and is not paid again.

    Notes
    -----
    A question whose reply is a failure has no answers: its items are left out and counted. With
    fewer than ``n_least`` answers (in detection, of either side) a trial has no score. Trials with
    fewer items are not asked. *Always yes* is not asked either: it is what one would reach who
    answers 10 to every card.
    """
    asked = [trial for trial in trials if _is_asked(trial, config)]
    requests = [request for trial in asked for request in trial.requests()]
    replies = endpoint.complete_many(requests, progress=progress)
    rows = []
    for trial in trials:
        if _is_asked(trial, config):
            row = _answered(trial, replies, config, seed, endpoint.config.model)
        else:
            row = _row(trial, _unasked(trial, config, seed))
        rows.append(row)
    table = pd.DataFrame(rows, columns=JUDGED_SCORES.names)
    return conform(table, JUDGED_SCORES, where="judged scores")


def summarise_judged(table: pd.DataFrame, *, n_draws: int, seed: int) -> pd.DataFrame:
    """Return the means of each task, control and source, in the schema ``JUDGED_SUMMARY``.

    Parameters
    ----------
    table
        In the schema ``JUDGED_SCORES``.

    Notes
    -----
    The interval is the percentile interval over features with a score, drawn with replacement.
    ``own_accuracy`` is the mean of the features' own labels of that source, over those that have a
    score of the control, too. What has no source is compared with the labels of all sources, of
    which each feature has one mean.
    """
    names = ["task", "control", "source"]
    own = table[table["control"] == ""]
    rows = []
    for (task, control, source), part in table.groupby(names, sort=False):
        known = part[part["accuracy"].notna()]
        values = known["accuracy"].to_numpy(np.float64)
        low, high = mean_interval(values, n_draws=n_draws, seed=seed, purpose="judged summary")
        of = (own["task"] == task) & ((own["source"] == source) | (source == ""))
        compared = own[of].groupby("feature")["accuracy"].mean().reindex(known["feature"])
        rows.append(
            {
                "task": task,
                "control": control,
                "source": source,
                "n_features": len(part),
                "n_scored": len(known),
                "accuracy": mean_known(values),
                "accuracy_low": low,
                "accuracy_high": high,
                "auroc": mean_known(known["auroc"].to_numpy(np.float64)),
                "own_accuracy": mean_known(compared.to_numpy(np.float64)),
                "chance": CHANCE[str(task)],
            }
        )
    found = pd.DataFrame(rows, columns=JUDGED_SUMMARY.names)
    return conform(found, JUDGED_SUMMARY, where="summary of judged scores")


def _is_asked(trial: Trial, config: JudgeConfig) -> bool:
    return trial.control != "always yes" and _suffices(trial, trial.items, config)


def _suffices(trial: Trial, items: Sequence[Item], config: JudgeConfig) -> bool:
    if trial.task != "detection":
        return len(items) >= config.n_least
    n_positive = sum(item.truth for item in items)
    return min(n_positive, len(items) - n_positive) >= config.n_least


def _answered(
    trial: Trial, replies: Iterator[Reply], config: JudgeConfig, seed: int, model: str
) -> dict[str, Any]:
    """Take the replies to a trial, and return its row."""
    items: list[Item] = []
    answers: list[int] = []
    more: dict[str, Any] = {"tokens_in": 0, "tokens_out": 0, "judge": model}
    for question in trial.questions:
        reply = next(replies)
        more["tokens_in"] += reply.tokens_in
        more["tokens_out"] += reply.tokens_out
        more |= {"judge": reply.model or model, "date": reply.date}
        said = answers_of(reply, len(question))
        if said is not None:
            items += question
            answers += said
    found = Accuracy()
    if _suffices(trial, items, config):
        found = measure_answers(trial.task, items, answers, n_draws=config.n_draws, seed=seed)
    return _row(trial, found, n_failed=len(trial.items) - len(items), **more)


def _unasked(trial: Trial, config: JudgeConfig, seed: int) -> Accuracy:
    if trial.control != "always yes" or not _suffices(trial, trial.items, config):
        return Accuracy()
    answers = [YES] * len(trial.items)
    return measure_answers(trial.task, trial.items, answers, n_draws=config.n_draws, seed=seed)


def _row(trial: Trial, found: Accuracy, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    is_detection = trial.task == "detection"
    n_positive = sum(item.truth for item in trial.items) if is_detection else len(trial.items)
    n_flagged = sum(card.n_flagged for item in trial.items for card in item.cards)
    unasked = {"n_failed": 0, "tokens_in": 0, "tokens_out": 0, "judge": "", "date": ""}
    return {
        "feature": trial.feature,
        "source": trial.source,
        "task": trial.task,
        "control": trial.control,
        "label": "" if trial.label is None else trial.label.label,
        "accuracy": found.accuracy,
        "accuracy_low": found.low,
        "accuracy_high": found.high,
        "auroc": found.auroc,
        "chance": CHANCE[trial.task],
        "n_positive": n_positive,
        "n_negative": len(trial.items) - n_positive,
        **origins_of(trial),
        "n_flagged": n_flagged,
        **unasked,
        **more,
        "prompt": PROMPTS[trial.task],
    }
