"""What the pages of a run ask for as they are used, as plain values.

What is typed is only ever compared and looked up.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from genointerp.core.errors import CoordinateError, InputError
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.page.browser import track_with
from genointerp.page.label import concept_label, family_label, track_label
from genointerp.page.measure import Ground
from genointerp.page.run import Run
from genointerp.panel.style import visible_text
from genointerp.server.compared.divergences import Divergences
from genointerp.server.compared.said import FeatureName
from genointerp.server.genes import Genes
from genointerp.server.kept import Kept
from genointerp.server.known import known
from genointerp.server.labels import Labels, State
from genointerp.server.sequence import ServedSequence
from genointerp.server.tracks import Tracks
from genointerp.store.feature.store import STRANDS, ReadStrand

MAX_TEXT = 200
"""Longest text of a search, in letters."""

N_FEATURES = 20
"""Number of features that a search tells."""

_NUMBER = re.compile(r"(?:f/)?(\d{1,9})")


class Answers:
    """Answers about one run, for any number of threads.

    Parameters
    ----------
    features
        Features that fire, in the order in which a search lists them.
    labels
        What they are said to be.
    """

    def __init__(self, run: Run, ground: Ground, features: Sequence[int], labels: Labels) -> None:
        self._ground, self._features = ground, features
        self._by_name = {specimen.name: specimen for specimen in run.specimens}
        table = run.features.set_index("feature", drop=False)
        self._rows: Mapping[Hashable, Mapping[Hashable, Any]] = table.to_dict("index")
        self._run, self._labels = run, labels
        # labels change as people write them
        self._by_state: Kept[State, dict[int, dict[str, Any]]] = Kept(self._tell, most=1)
        self._genes, self._tracks = Genes(ground), Tracks(ground)
        self.divergences = Divergences(run.path, run.config)
        self.sequence = ServedSequence(ground)

    def options(self, feature: int) -> dict[str, Any]:
        """Return the track of a feature as the browser takes it, whose data it then asks for."""
        self._check(feature)
        sources = {strand: {"asks": {"feature": feature, "strand": strand}} for strand in STRANDS}
        row, names = self._rows[feature], self._run.specimens[0].features.names_of(feature)
        label = " ".join([*names, track_label(row)])
        return track_with(feature, label, float(row["max_activation"]), sources)

    @property
    def names(self) -> dict[int, FeatureName]:
        """What each feature is called."""
        return {
            feature: FeatureName(told["name"].partition(" ")[2], told["label"])
            for feature, told in self._told.items()
        }

    def track(
        self, feature: int, name: str, start: int, end: int, bin_bp: int
    ) -> dict[ReadStrand, dict[str, list[Any]]]:
        """Return the activations of a feature in a part of a contig, by strand.

        Parameters
        ----------
        name
            Name of the contig in the browser.
        start, end
            0-based and half-open; what lies beyond the contig is left out.
        bin_bp
            Length in bp of the bins, see `Tracks.region`.

        Raises
        ------
        CoordinateError, UnknownNameError
            If there are no such bases, or the dictionary has no such feature.
        """
        self._check(feature)
        specimen, place = self._place(name, start, end)
        return self._tracks.region(feature, specimen, place, bin_bp)

    def divergence(
        self, comparison: str, name: str, start: int, end: int, bin_bp: int
    ) -> dict[str, dict[ReadStrand, dict[str, list[Any]]]]:
        """Return how far a tuned model is from that of the run in a part of a contig.

        Parameters
        ----------
        comparison
            Name of the comparison.
        name, start, end, bin_bp
            As of `track`.

        Raises
        ------
        CoordinateError, UnknownNameError
            If there are no such bases, or no such comparison.
        """
        specimen, place = self._place(name, start, end)
        return self.divergences.region(comparison, specimen.name, place, bin_bp)

    def region(self, name: str, start: int, end: int) -> dict[str, Any]:
        """Return the features that fire in a part of a contig, the strongest first."""
        specimen, place = self._place(name, start, end)
        found = self._tracks.strongest(specimen, place)
        told = self._told
        for one in found["features"]:
            one.update(told[one["feature"]])
        return found

    def genes(self, name: str, start: int, end: int) -> dict[str, Any]:
        """Return the elements in a part of a contig."""
        return {"genes": self._genes.region(*self._place(name, start, end))}

    def search(self, text: str) -> dict[str, Any]:
        """Return the features and the places that a text means, the best first."""
        words = self._checked(text).lower().split()
        told = self._told
        found = [one for one in self._order(text) if _fits(told[one], words)] if words else []
        return {
            "features": [told[feature] for feature in found[:N_FEATURES]],
            "n_features": len(found),
            "places": self._genes.find(text) if words else [],
        }

    def locate(self, text: str) -> list[dict[str, Any]]:
        """Return the first place that a text means, as the browser's own search takes it."""
        found = []
        for place in self._genes.find(self._checked(text))[:1]:
            name, _, ends = place["locus"].rpartition(":")
            first, last = map(int, ends.split("-"))
            found.append({"chromosome": name, "start": first, "end": last, "gene": text})
        return found

    @property
    def _told(self) -> dict[int, dict[str, Any]]:
        return self._by_state.get(self._labels.state)

    def _tell(self, _: State) -> dict[int, dict[str, Any]]:
        said = self._labels.said()
        told = [_told(self._run, row) for row in self._rows.values()]
        return {one["feature"]: {**one, "said": said.get(one["feature"], "")} for one in told}

    def _place(self, name: str, start: int, end: int) -> tuple[Specimen, GenomicInterval]:
        genome, seqid = known(self._ground.places.contigs, name)
        specimen = self._by_name[genome]
        length = specimen.features.lengths[seqid]
        if not 0 <= start < min(end, length):
            expected = f"0 <= start < end, start below {length}"
            raise CoordinateError(name, expected, f"start={start}, end={end}")
        return specimen, GenomicInterval(seqid, start, min(end, length))

    def _order(self, text: str) -> Sequence[int]:
        number = _NUMBER.fullmatch(text.strip())
        if number is not None:
            return [int(number[1])] if int(number[1]) in self._rows else []
        return self._features

    def _check(self, feature: int) -> None:
        self._ground.specimens[0].features.check_feature(feature)

    @staticmethod
    def _checked(text: str) -> str:
        if len(text) > MAX_TEXT:
            raise InputError("text", f"at most {MAX_TEXT} letters", str(len(text)))
        return text


def _fits(own: Mapping[str, Any], words: list[str]) -> bool:
    told = f"{own['name']} {own['label']} {own.get('circuit', '')}".lower()
    return all(word in told for word in words)


def _told(run: Run, row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Return what a list of features tells of one."""
    feature = int(row["feature"])
    names = run.specimens[0].features.names_of(feature)
    told = {
        "feature": feature,
        "name": visible_text(" ".join([f"f/{feature}", *names])),
        "label": visible_text(concept_label(row)),
    }
    if run.families is not None:
        told["circuit"] = family_label(row)
    return told
