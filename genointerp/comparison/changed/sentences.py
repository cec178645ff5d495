"""Sentences about what changed in a model, and why there are none."""

import pandas as pd

from genointerp.comparison.changed.config import ChangedConfig
from genointerp.comparison.changed.features import Changes, order_of_change


def sentences(changes: Changes, config: ChangedConfig | None = None) -> list[str]:
    """Return a sentence about each feature that changed; else one that says why there is none.

    A sentence is written only if the feature exceeds the control over the blocks of the genome, a
    second seed repeats it, and both together exceed what seeds differ by, all at the same q.

    Examples
    --------
    One of them may be: "gained: feature 50 (rRNA sense, F1 .61): density .011 -> .034, control
    .012; q .002; repeated by the second seed (q .004), beyond what seeds differ by (q .01)".
    """
    config = ChangedConfig() if config is None else config
    if not changes.has_control:
        return [
            "nothing is said of single features: without a control, any further training may "
            "have changed them"
        ]
    if not changes.has_second:
        return [
            "nothing is said of single features: without a second seed and its control, another "
            "seed may change others"
        ]
    table = changes.features.iloc[order_of_change(changes.features)]
    found = [_sentence(row) for _, row in table[table["kind"] != ""].iterrows()]
    return found or [_why_none(table, config)]


def _sentence(row: "pd.Series[float]") -> str:
    name = f"feature {int(row['feature'])}"
    if row["concept"]:
        name += f" ({row['concept']} {row['orientation']}, F1 {_number(row['f1_base'])})"
    density = [_number(row[f"density_{role}"]) for role in ("base", "tuned", "control")]
    return (
        f"{row['kind']}: {name}: density {density[0]} -> {density[1]}, control {density[2]}; "
        f"q {_number(row['q_value'])}; repeated by the second seed (q "
        f"{_number(row['second_q'])}), beyond what seeds differ by (q {_number(row['seeds_q'])})"
    )


def _why_none(table: pd.DataFrame, config: ChangedConfig) -> str:
    limit = _number(config.most_q)
    first = table["q_value"] <= config.most_q
    again = first & (table["second_q"] <= config.most_q)
    again &= (table["excess"] > 0) == (table["second_excess"] > 0)
    beyond = again & (table["seeds_q"] <= config.most_q)
    return (
        f"nothing is said of single features: {int(first.sum())} differ from the control with q <= "
        f"{limit}, of which the second seed repeats {int(again.sum())}, of which "
        f"{int(beyond.sum())} are beyond what seeds differ by"
    )


def _number(value: float) -> str:
    """Write a share without the leading zero, as in `docs`."""
    text = f"{value:.2g}"
    return text[1:] if text.startswith("0.") else text
