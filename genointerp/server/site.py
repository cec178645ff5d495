"""A run as the server has it: pages, and the answers that they ask for."""

from typing import NamedTuple

from genointerp.page.measure import Ground, live_features, measure_run
from genointerp.page.run import Run
from genointerp.server.answers import Answers
from genointerp.server.explaining import Explaining, ExplainsRun
from genointerp.server.jobs import Jobs
from genointerp.server.labels import Labels
from genointerp.server.pages import Pages
from genointerp.server.painting import Painting, PaintsRun


class Bench(NamedTuple):
    """What runs the model of a run."""

    paints: PaintsRun
    explains: ExplainsRun


class Asking(NamedTuple):
    """What the model of a run is asked for, and the work that this is."""

    painting: Painting
    explaining: Explaining
    jobs: Jobs


class Site(NamedTuple):
    """The pages of one run, and the answers that they ask for.

    ``asking`` is None if nothing runs the model; ``labels`` may be written by hand.
    """

    pages: Pages
    answers: Answers
    asking: Asking | None
    labels: Labels

    @classmethod
    def of(cls, run: Run, bench: Bench | None = None, *, is_read_only: bool = False) -> "Site":
        """Measure what all pages share.

        Parameters
        ----------
        bench
            What runs the model.
        is_read_only
            Whether no label is written by hand.
        """
        labels = Labels(run, is_read_only=is_read_only)
        ground, measured = Ground.of(run.specimens), measure_run(run, [])
        features = live_features(measured, run)
        answers = Answers(run, ground, features, labels)
        asking = None
        if bench is not None:
            jobs = Jobs()
            asking = Asking(
                Painting(run, ground, bench.paints, jobs),
                Explaining(run, ground, bench.explains, jobs),
                jobs,
            )
        has_model = asking is not None
        pages = Pages(run, ground, measured, features, answers, labels, has_model=has_model)
        return cls(pages, answers, asking, labels)
