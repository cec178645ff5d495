"""A run as the server has it: pages, and the answers that they ask for."""

from typing import NamedTuple

from genointerp.page.measure import Ground, live_features, measure_run
from genointerp.page.run import Run
from genointerp.server.answers import Answers
from genointerp.server.pages import Pages


class Site(NamedTuple):
    """The pages of one run, and the answers that they ask for."""

    pages: Pages
    answers: Answers

    @classmethod
    def of(cls, run: Run) -> "Site":
        """Measure what all pages share."""
        ground, measured = Ground.of(run.specimens), measure_run(run, [])
        features = live_features(measured, run)
        answers = Answers(run, ground, features)
        return cls(Pages(run, ground, measured, features, answers), answers)
