"""A run in the browser, on this machine, read as one moves. Torch-free unless it paints."""

import logging
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError
from genointerp.page.run import open_run
from genointerp.server.address import PORT
from genointerp.store.feature.run_folder import RunFolder

if TYPE_CHECKING:
    from genointerp.server.site import Bench

_log = logging.getLogger(__name__)


def serve(
    run_dir: StrPath,
    *,
    model: str | None = None,
    device: str = "cpu",
    port: int = PORT,
    read_only: bool = False,
    show: Callable[[str], None] | None = None,
) -> None:
    """Serve a run as a local web application, until the process is interrupted.

    It has the map, the search and the pages of the folder of a report, made when they are asked
    for, and a genome browser with the track of any feature. In the browser features can be painted
    on the genome: the model then says what changes, and writes designs. It writes nothing but
    labels by hand, which are in the run's ``hand_labels.tsv``.

    Parameters
    ----------
    run_dir
        As for `genointerp.report`.
    model
        Name of the model for painting, as `load_model` takes it; where None, that of the run, which
        is loaded when it is first needed. Without torch, or where the run does not say its model or
        lacks its dictionary, nothing can be painted.
    device
        Device of the model.
    port
        Port at which it listens, on this machine only; 0 takes any that is free.
    read_only
        Whether labels are shown and none is written, as in a run that cannot be written to.
    show
        Called with the address to open, in place of logging it. The address holds a token, without
        which nothing is answered.

    Raises
    ------
    InputError
        If the directory lacks a file of a run, the port is in use, the libraries of the extra
        ``serve`` are not installed, or a model that is named cannot be loaded.

    Examples
    --------
    >>> import genointerp as gi
    >>> gi.serve("results/demo")  # doctest: +SKIP
    """
    try:
        from genointerp.server.listen import bind, listen
    except ImportError as error:
        expected = 'starlette and uvicorn (pip install "genointerp[serve]")'
        raise InputError("serve", expected, f"no {error.name}") from error
    from genointerp.server.site import Site

    # a port in use is told before the run is read, which takes longer
    folder = RunFolder.open(run_dir)
    with closing(bind(port)) as bound:
        bench = _bench(folder, model, device)
        _log.info("reading %s", folder.path)
        site = Site.of(open_run(folder.path), bench, is_read_only=read_only)
        listen(site, bound, _log.info if show is None else show)


def _bench(folder: RunFolder, model: str | None, device: str) -> "Bench | None":
    """Return what runs the model; None if nobody named one and there is none to run."""
    has_torch = find_spec("torch") is not None
    if model is None and not (has_torch and folder.sae.is_dir() and folder.model):
        return None
    if not has_torch:
        raise InputError("model", "torch, to paint with", "none")
    from genointerp.explanation.workbench import Workbench as Explains
    from genointerp.intervention.workbench import Workbench as Paints
    from genointerp.reading.kept_model import KeptModel
    from genointerp.reading.model_choice import RecordedModel, loaded
    from genointerp.server.site import Bench

    # what was named and cannot be loaded is told before the run is read
    choice = RecordedModel({"device": device}) if model is None else loaded(model, device=device)
    kept = KeptModel(folder.path, folder.sae, choice)
    return Bench(Paints(kept), Explains(kept))
