"""What a tuned model says of the features of the run's dictionary, next to its control."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from genointerp.comparison.changed.config import ChangedConfig
from genointerp.page.section import Compared
from genointerp.page.table import Links, format_value
from genointerp.server.compared.said import FeatureName, Group, Source, with_names
from genointerp.store.table.schema.changed import CHANGED_FEATURES

NO_CONTROL = (
    "There is no control, so that nothing can be concluded of a feature: any further training may "
    "have changed it as much."
)
NO_SECOND = (
    "There is no second seed with a control of its own, so that nothing is said of single "
    "features: another seed may change others."
)
TOO_FEW = "No feature was tested: too few blocks of bases were read."

_OF_FEATURE = (
    *("density_base", "density_tuned", "density_control", "change", "control_change", "excess"),
    *("excess_low", "excess_high", "q_value", "second_excess", "second_q", "seeds_q", "mean_q"),
    *("concept", "orientation", "f1_base", "f1_tuned", "f1_control"),
)
_LISTED = (
    *("feature", "kind", "so_far", "density_base", "density_tuned", "density_control"),
    *("change", "control_change", "excess", "q_value", "second_excess", "second_q", "seeds_q"),
    *("concept", "orientation", "f1_base", "f1_tuned", "f1_control"),
)

_KINDS = ("gained", "lost")


class Changed:
    """The features of the dictionary in one tuned model.

    Parameters
    ----------
    name
        Name of the comparison.
    source
        File of the table.
    table
        A table of the schema ``CHANGED_FEATURES``.
    most_q
        Largest q-value with which the table says that a feature changed.
    """

    def __init__(
        self,
        name: str,
        source: str,
        table: pd.DataFrame,
        most_q: float = ChangedConfig.most_q,
    ) -> None:
        self._name, self._most_q = name, most_q
        self._source = Source(source, CHANGED_FEATURES)
        self._has_control = bool(table["density_control"].notna().any())
        self._has_second = bool(table["second_excess"].notna().any())
        self._table = table.assign(so_far=self._steps(table))
        self._rows = {int(feature): row for row, feature in enumerate(table["feature"])}

    def of(self, feature: int) -> Compared | None:
        """Return what the comparison says of a feature; None if nothing."""
        if feature not in self._rows:
            return None
        row = self._table.iloc[[self._rows[feature]]]
        facts = row[[name for name in _OF_FEATURE if row[name].iloc[0] != ""]]
        return self._source.compared(
            facts, f"In {self._name}", [self._sentence(row.to_dict("records")[0])]
        )

    def group(self, links: Links, names: Mapping[int, FeatureName], divergence: str) -> Group:
        """Return the comparison as the page *Compared* has it; see `Group`."""
        if not self._has_control:
            order = np.argsort(-self._table["change"].abs().to_numpy(), kind="stable")
            rows, title = self._table.iloc[order], "Change without a control"
            note = "All features, the largest change of density first."
        else:
            rows = self._table[self._table["so_far"] != ""]
            rows = rows.sort_values(["q_value", "feature"], kind="stable")
            rows = rows.iloc[np.argsort(~rows["kind"].isin(_KINDS).to_numpy(), kind="stable")]
            title = "Features changed beyond the control"
            note = (
                f"Those whose change exceeds that of the control with q at most {self._limit}; "
                "first those that were gained or lost. So far says which test each one passed."
            )
        rows = with_names(rows[list(_LISTED)], names)
        listed = self._source.listed(rows, title, links, note)
        return Group(f"Changed in {self._name}", self._concluded(), (listed,), divergence)

    @property
    def _limit(self) -> str:
        return format_value(self._most_q)

    def _steps(self, table: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
        """Return how far each feature came on the way to being said; empty: not beyond."""
        beyond = (table["q_value"] <= self._most_q) & self._has_control
        again = beyond & (table["second_q"] <= self._most_q)
        again &= np.sign(table["excess"]) == np.sign(table["second_excess"])
        of_both = again & (table["seeds_q"] <= self._most_q)
        said = table["kind"].isin(_KINDS)
        cases = [said, of_both, again, beyond]
        words = ["every test", "every test, against its change", "both seeds", "one seed"]
        return np.select(cases, words, "").astype(object)

    def _concluded(self) -> tuple[str, ...]:
        if not self._has_control:
            return (NO_CONTROL,)
        steps, n_tested = self._table["so_far"], int(self._table["q_value"].notna().sum())
        if not n_tested:
            return (TOO_FEW,)
        beyond = f"{format_value(int((steps != '').sum()))} of {format_value(n_tested)} features"
        first = f"{beyond} that were tested exceed the control with q at most {self._limit}."
        if not self._has_second:
            return (first, NO_SECOND)
        again = int((~steps.isin(["", "one seed"])).sum())
        n_kinds = [int((self._table["kind"] == kind).sum()) for kind in _KINDS]
        second = (
            f"The second seed repeats {format_value(again)} of them. Beyond what seeds differ by, "
            f"{format_value(n_kinds[0])} were gained and {format_value(n_kinds[1])} lost."
        )
        return (first, second)

    def _sentence(self, row: Mapping[Hashable, Any]) -> str:
        if not self._has_control:
            return NO_CONTROL
        q, second_q, seeds_q = (
            format_value(float(row[name])) or "undefined"
            for name in ("q_value", "second_q", "seeds_q")
        )
        step = row["so_far"]
        if step == "every test":
            return (
                f"It was {row['kind']}: its change exceeds that of the control (q {q}), the second "
                f"seed repeats it (q {second_q}), and both are beyond what seeds differ by (q "
                f"{seeds_q})."
            )
        if step == "":
            if np.isnan(row["q_value"]):
                return "It was not tested: it fires in too few blocks of bases."
            return f"Its change does not exceed that of the control (q {q})."
        beyond = f"Its change exceeds that of the control (q {q})"
        if not self._has_second:
            return f"{beyond}. {NO_SECOND}"
        ends = {
            "one seed": f"but the second seed does not repeat it (q {second_q})",
            "both seeds": f"and the second seed repeats it (q {second_q}), but this is not beyond "
            f"what seeds differ by (q {seeds_q})",
        }
        other = "but from the model of the run it changed in the other direction"
        return f"{beyond}, {ends.get(str(step), other)}: nothing is said of it."
