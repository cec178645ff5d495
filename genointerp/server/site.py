"""A run as the server has it: pages, and the answers that they ask for."""

from typing import NamedTuple

from genointerp.page.measure import Ground, live_features, measure_run
from genointerp.page.run import Run
from genointerp.server.answers import Answers
from genointerp.server.pages import Pages
from genointerp.server.painting import Painting, PaintsRun


class Site(NamedTuple):
    """The pages of one run, and the answers that they ask for.

    ``painting`` is None if nothing runs the model.
    """

    pages: Pages
    answers: Answers
    painting: Painting | None

    @classmethod
    def of(cls, run: Run, bench: PaintsRun | None = None) -> "Site":
        """Measure what all pages share.

        Parameters
        ----------
        bench
            What runs the model.
        """
        ground, measured = Ground.of(run.specimens), measure_run(run, [])
        features = live_features(measured, run)
        answers = Answers(run, ground, features)
        painting = None if bench is None else Painting(run, ground, bench)
        pages = Pages(run, ground, measured, features, answers, paints=painting is not None)
        return cls(pages, answers, painting)
