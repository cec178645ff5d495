"""A run in the browser, on this machine, read as one moves. Torch-free."""

import logging
from collections.abc import Callable
from contextlib import closing

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError
from genointerp.page.run import open_run
from genointerp.server.address import PORT
from genointerp.store.feature.run_folder import RunFolder

_log = logging.getLogger(__name__)


def serve(run_dir: StrPath, *, port: int = PORT, show: Callable[[str], None] | None = None) -> None:
    """Serve a run as a local web application, until the process is interrupted.

    It has the map, the search and the pages of the folder of a report, made when they are asked
    for, and a genome browser with the track of any feature. It writes nothing.

    Parameters
    ----------
    run_dir
        As for `genointerp.report`.
    port
        Port at which it listens, on this machine only; 0 takes any that is free.
    show
        Called with the address to open, in place of logging it. The address holds a token, without
        which nothing is answered.

    Raises
    ------
    InputError
        If the directory lacks a file of a run, the port is in use, or the libraries of the extra
        ``serve`` are not installed.

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
    path = RunFolder.open(run_dir).path
    with closing(bind(port)) as bound:
        _log.info("reading %s", path)
        listen(Site.of(open_run(path)), bound, _log.info if show is None else show)
