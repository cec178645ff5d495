"""Find the strongest loci of a feature over all genomes, and what lies there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from genointerp.core.errors import ConfigError
from genointerp.feature.loci import LocusConfig, top_loci
from genointerp.feature.locus_files import sequence_text
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.store.table.labels import LABEL, label_texts
from genointerp.store.table.schema.feature import TOP_LOCI
from genointerp.store.table.table import conform


@dataclass(frozen=True)
class TopConfig:
    """Which loci are listed, and how.

    Parameters
    ----------
    n
        Largest number of loci.
    flank
        Number of bases on either side of a locus that its sequence includes, in lower case.
    loci
        Definition of a locus.
    """

    n: int = 20
    flank: int = 0
    loci: LocusConfig = field(default_factory=LocusConfig)

    def __post_init__(self) -> None:
        for name, least in (("n", 1), ("flank", 0)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"{least} or more", str(getattr(self, name)))


def strongest_loci(
    specimens: Sequence[Specimen], feature: int | str, config: TopConfig | None = None
) -> pd.DataFrame:
    """Return the strongest loci of a feature over all genomes, in the schema ``TOP_LOCI``.

    The sequence is empty for a genome without bases, and the nearest element for one without
    annotation. These columns are absent if no genome has any.

    Raises
    ------
    UnknownNameError
        If the dictionary has no such feature.
    """
    config = TopConfig() if config is None else config
    number = specimens[0].features.find_feature(feature)
    tables = []
    for place, specimen in enumerate(specimens):
        table = top_loci(specimen.features, number, n=config.n, config=config.loci)
        tables.append(table.assign(genome=specimen.name, place=place))
    loci = pd.concat(tables, ignore_index=True)
    order = np.argsort(-loci["max_activation"].to_numpy(), kind="stable")[: config.n]
    loci = loci.iloc[order].reset_index(drop=True)
    loci["rank"] = np.arange(1, len(loci) + 1)
    places = loci.pop("place").tolist()
    described = [
        _described(specimens[i], row, config.flank)
        for i, row in zip(places, loci.to_dict(orient="records"), strict=True)
    ]
    for name in _described_columns(specimens):
        kind = np.float64 if name == "distance" else object
        loci[name] = pd.Series([one[name] for one in described], dtype=kind)
    return conform(loci, TOP_LOCI, where=f"feature {number}")


def labelled_loci(
    specimens: Sequence[Specimen], feature: int | str, config: TopConfig | None = None
) -> pd.DataFrame:
    """Return `strongest_loci` with a last column ``label``, if labels of the features are known.

    Errors are those of `strongest_loci`.
    """
    store = specimens[0].features
    loci = strongest_loci(specimens, feature, config)
    labels = None if store.labels is None else store.labels.read(store)
    if labels is None:
        return loci
    return loci.assign(**{LABEL: label_texts(labels).get(store.find_feature(feature), "")})


def _described_columns(specimens: Sequence[Specimen]) -> list[str]:
    columns = ["sequence"] if any(specimen.sequence is not None for specimen in specimens) else []
    if any(specimen.annotation is not None for specimen in specimens):
        columns += ["element", "element_type", "product", "distance", "orientation"]
    return columns


def _described(specimen: Specimen, row: dict[Any, Any], flank: int) -> dict[str, object]:
    place = GenomicInterval(row["seqid"], int(row["start"]), int(row["end"]), row["strand"])
    bases = "" if specimen.sequence is None else sequence_text(place, specimen.sequence, flank)
    found = None if specimen.annotation is None else specimen.nearest.find(place)
    if found is None:
        nothing = dict.fromkeys(("element", "element_type", "product", "orientation"), "")
        return {"sequence": bases, "distance": float("nan"), **nothing}
    return {
        "sequence": bases,
        "element": found.name,
        "element_type": found.element.type,
        "product": found.element.attribute("product"),
        "distance": float(found.distance),
        "orientation": found.orientation,
    }
