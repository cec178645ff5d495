"""The comparisons of features of a run: what they say of one, and of all."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import Any

from genointerp.comparison.changed.config import ChangedConfig
from genointerp.comparison.matching.config import MatchConfig
from genointerp.page.run import Run
from genointerp.page.section import Compared
from genointerp.page.table import Links
from genointerp.server.compared.changed import Changed
from genointerp.server.compared.matched import Matched
from genointerp.server.compared.said import FeatureName, Group
from genointerp.store.run_tables import RunTable
from genointerp.store.table.schema.changed import CHANGED_FEATURES
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.matching import MATCH_SUMMARY, MATCHES
from genointerp.store.table.table import empty_table, read_provenance


class Comparisons:
    """The tables of a run in which features were compared, as far as it has any."""

    def __init__(self, run: Run) -> None:
        self._changed: dict[str, Changed] = {}
        self._matched: dict[str, Matched] = {}
        summaries = {_name(one): one.table for one in run.asked if one.schema is MATCH_SUMMARY}
        for one in run.asked:
            name, config = _name(one), _config(run.path, one)
            if one.schema is CHANGED_FEATURES:
                # the settings of a diff hold those of each of its questions
                most_q = config.get("changed", {}).get("most_q", ChangedConfig.most_q)
                self._changed[name] = Changed(name, one.source, one.table, most_q)
            elif one.schema is MATCHES:
                keys = [field.name for field in fields(MatchConfig)]
                settings = MatchConfig(**{key: config[key] for key in keys if key in config})
                summary = summaries.get(name, empty_table(MATCH_SUMMARY))
                self._matched[name] = Matched(name, one.source, one.table, summary, settings)

    def __bool__(self) -> bool:
        return bool(self._changed or self._matched)

    def of(self, feature: int) -> list[Compared]:
        """Return what each comparison says of a feature."""
        changed = [one.of(feature) for one in self._changed.values()]
        matched = [one.of(feature) for one in self._matched.values()]
        return [one for one in (*changed, *matched) if one is not None]

    def groups(
        self, links: Links, names: Mapping[int, FeatureName], divergences: Collection[str]
    ) -> list[Group]:
        """Return what the page *Compared* has, in the order of the run.

        Parameters
        ----------
        links
            Addresses of the pages of features.
        names
            What each feature of the run is called.
        divergences
            Names of comparisons of which the browser shows the divergence.
        """
        changed = [
            one.group(links, names, name if name in divergences else "")
            for name, one in self._changed.items()
        ]
        return [*changed, *(one.group(links, names) for one in self._matched.values())]


def _name(one: RunTable) -> str:
    return PurePosixPath(one.source).parent.name


def _config(path: Path, one: RunTable) -> dict[str, Any]:
    schemas: tuple[TableSchema, ...] = (CHANGED_FEATURES, MATCHES)
    if one.schema not in schemas:
        return {}
    config: dict[str, Any] = read_provenance(path / one.source, one.schema)["config"]
    return config
