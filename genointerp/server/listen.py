"""Listen at a port of this machine until the user has enough."""

import errno
import logging
import secrets
import socket
from collections.abc import Callable

import uvicorn

from genointerp.core.errors import InputError
from genointerp.server.address import HOST
from genointerp.server.application import make_application
from genointerp.server.site import Site

_SECONDS = 2
"""How long requests that are under way may take at the end."""


def bind(port: int) -> socket.socket:
    """Take a port of this machine; 0 takes any.

    Raises
    ------
    InputError
        If another program has it.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        expected = "one that is free (--port 0 takes any)"
        raise InputError(f"port {port}", expected, "one in use") from error


def listen(site: Site, bound: socket.socket, show: Callable[[str], None]) -> None:
    """Answer for a site until the process is interrupted.

    Parameters
    ----------
    show
        Called once, with the address that holds the token.
    """
    port, token = bound.getsockname()[1], secrets.token_urlsafe(32)
    config = uvicorn.Config(
        make_application(site, port=port, token=token),
        # the log of requests would hold the token
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_SECONDS,
    )
    show(f"http://{HOST}:{port}/?token={token}")
    try:
        uvicorn.Server(config).run(sockets=[bound])
    except KeyboardInterrupt:
        # it has ended by itself, and raises again what ended it
        return
