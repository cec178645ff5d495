"""What another dictionary says of the features of the run: their matches, next to nulls."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from genointerp.comparison.matching.config import MatchConfig
from genointerp.page.section import Compared
from genointerp.page.table import Links, format_value
from genointerp.server.compared.said import FeatureName, Group, Source, with_names
from genointerp.store.table.schema.matching import MATCHES

NO_TWIN = (
    "There is no twin with random weights, so that it cannot be concluded that a match was learnt: "
    "composition and architecture alone may give it."
)

_OF_FEATURE = (
    *("r", "partner", "one_to_one", "one_to_one_r", "n_parts", "part_of", "r2_best"),
    *("null_r", "q_value", "null_r_3", "twin_r", "over_twin", "residual_r", "residual_partner"),
    *("residual_partner_r", "concept", "orientation", "partner_concept", "partner_orientation"),
)
_LISTED = (
    *("feature", "density", "partner", "r", "twin_r", "residual_r", "n_parts", "part_of"),
    *("r2_best", "q_value", "concept", "orientation", "partner_concept"),
)
Record = Mapping[Hashable, Any]

_FEATURES = ("partner", "one_to_one", "part_of", "residual_partner")
"""Columns that name a feature of the other dictionary, or -1."""

_NOTE = "Features that fire on enough bases to be tested, the smallest r with a partner first."

_WORDS = {
    "found": "is matched",
    "twin": "is matched with the random-weight twin",
    "found_residual": "is matched without the means by the last bases and the codon phase",
    "ceiling": "is matched with another seed of the dictionary",
}


class Matched:
    """The features of the run's dictionary and of another one that were matched.

    Parameters
    ----------
    name
        Name of the comparison.
    source
        File of the table.
    table, summary
        Tables of the schemas ``MATCHES`` and ``MATCH_SUMMARY``; a is the dictionary of the run.
    config
        With what they were matched.
    """

    def __init__(
        self,
        name: str,
        source: str,
        table: pd.DataFrame,
        summary: pd.DataFrame,
        config: MatchConfig,
    ) -> None:
        self._name, self._config = name, config
        self._source, self._summary = Source(source, MATCHES), summary
        self._table = table.assign(over_twin=table["r"] - table["twin_r"])
        self._has_twin = bool(table["twin_r"].notna().any())
        is_own = table["side"] == "a"
        numbers = zip(table["feature"][is_own], is_own.index[is_own], strict=True)
        self._rows = {int(feature): int(row) for feature, row in numbers}

    def of(self, feature: int) -> Compared | None:
        """Return what the comparison says of a feature; None if nothing."""
        if feature not in self._rows:
            return None
        row = self._table.iloc[[self._rows[feature]]]
        said = list(self._sentences(row.to_dict("records")[0]))
        return self._source.compared(_facts(row), f"In {self._name}", said)

    def group(self, links: Links, names: Mapping[int, FeatureName]) -> Group:
        """Return the comparison as the page *Compared* has it; see `Group`."""
        own = with_names(self._without_match("a"), names)
        # the features of the other dictionary have neither pages nor names here
        other, bare = self._without_match("b"), links._replace(pages={})
        there = f"Features of {self._name} without a match"
        tables = (
            self._source.listed(own, "Features without a match", links, _NOTE),
            self._source.listed(other, there, bare, _NOTE),
        )
        return Group(f"Matched with {self._name}", tuple(self._concluded()), tables)

    def _without_match(self, side: str) -> pd.DataFrame:
        found = self._table[(self._table["side"] == side) & (self._table["decile"] > 0)]
        found = found[found["is_matched"] != 1].sort_values(["r", "feature"], kind="stable")
        columns = [name for name in _LISTED if name in found]
        known = {name: found[name].astype("Int64").mask(found[name] < 0) for name in _FEATURES}
        return found.assign(**known)[columns]

    def _concluded(self) -> Iterator[str]:
        own = self._summary[(self._summary["side"] == "a") & (self._summary["decile"] == 0)]
        rows = {row["comparison"]: row for row in own.to_dict("records")}
        if "found" not in rows:
            return
        n = format_value(rows["found"]["n_features"])
        shares = [
            f"{_interval(rows[name], 'share')} {words}"
            for name, words in _WORDS.items()
            if name in rows
        ]
        yield f"Of {n} features that fire on enough bases, a share of {'; '.join(shares)}."
        if not self._has_twin:
            yield NO_TWIN
        elif "twin" in rows:
            yield f"The excess over the twin is {_interval(rows['twin'], 'excess')}."

    def _sentences(self, row: Record) -> Iterator[str]:
        if row["decile"] == 0:
            yield (
                f"It was not tested: of the bases that both have read it fires on "
                f"{format_value(int(row['n_bases']))}, and {self._config.min_bases} are needed."
            )
            return
        yield self._match(row)
        if row["part_of"] >= 0:
            yield (
                f"f/{int(row['part_of'])} of {self._name} is the partner of several features of "
                "this dictionary, of which it is one."
            )
        if row["n_parts"] > 1:
            yield (
                f"{self._name} has split it: it is the partner of {int(row['n_parts'])} features "
                f"there, with r of at least {self._config.split_r:g}."
            )
        if row["is_matched"] == 1:
            yield from self._left(row)

    def _match(self, row: Record) -> str:
        there, r = f"f/{int(row['partner'])} of {self._name}", format_value(float(row["r"]))
        least = f"{self._config.min_r:g}"
        if row["is_matched"] == 1:
            return f"It is matched with {there}: each is the other's partner, with r {r}."
        if row["partner"] < 0:
            return f"It has no match: no feature of {self._name} fires where it does."
        nearest = f"It has no match: the nearest feature is {there}, r {r}"
        if row["r"] < self._config.min_r:
            return f"{nearest}, where {least} is needed."
        return f"{nearest}, whose own partner is another feature."

    def _left(self, row: Record) -> Iterator[str]:
        """Say what is left of a match after the nulls."""
        r = format_value(float(row["residual_r"]))
        if not r:
            yield "What is left of it without composition was not measured."
        elif row["is_residual_matched"] == 1:
            yield (
                "Without the means by the last five bases and the codon phase it is matched too "
                f"(r {r} with its partner)."
            )
        else:
            yield (
                "Without the means by the last five bases and the codon phase it is not matched (r "
                f"{r} with its partner): what both do may be composition."
            )
        twin = format_value(float(row["twin_r"]))
        if not self._has_twin:
            yield NO_TWIN
        elif twin:
            over = format_value(float(row["over_twin"]))
            yield (
                f"The nearest feature of the random-weight twin has r {twin}: the excess of r over "
                f"the twin is {over}."
            )


def _facts(row: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a row that say something."""
    nothing = {
        *(name for name in _FEATURES if row[name].iloc[0] < 0),
        *(name for name in row if row[name].iloc[0] == ""),
    }
    return row[[name for name in _OF_FEATURE if name in row and name not in nothing]]


def _interval(row: Record, name: str) -> str:
    middle, low, high = (format_value(float(row[f"{name}{end}"])) for end in ("", "_low", "_high"))
    return f"{middle} ({low} to {high})" if low else middle
