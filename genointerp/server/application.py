"""The addresses of the server: which page or answer of a `Site` each one is."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from genointerp.core.errors import GenointerpError, InputError, SchemaError, UnknownNameError
from genointerp.core.text import is_count
from genointerp.server.answers import Answers
from genointerp.server.guard import Guard
from genointerp.server.pages import Pages
from genointerp.server.site import Site

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")
_MAX_DIGITS = 12
_KINDS = {".js": "text/javascript", ".css": "text/css"}

N_THREADS = 4
"""Requests that are answered at the same time; more would only wait for each other."""

Answer = Callable[[Request], Response]


def make_application(site: Site, *, port: int, token: str) -> Guard:
    """Return the application that answers for a site, behind its guard.

    Parameters
    ----------
    port, token
        See `Guard`.
    """
    application = Starlette(
        lifespan=_few_threads,
        routes=[Route(path, answer) for path, answer in _answers(site).items()],
        exception_handlers={GenointerpError: _refused},
    )
    return Guard(application, port=port, token=token)


@asynccontextmanager
async def _few_threads(_: Starlette) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = N_THREADS
    yield


def _answers(site: Site) -> dict[str, Answer]:
    pages, answers = site
    return {
        **dict.fromkeys(("/", "/index.html"), lambda _: HTMLResponse(pages.index)),
        "/browse.html": lambda _: HTMLResponse(pages.browse),
        "/features/{feature:int}.html": lambda asked: HTMLResponse(
            pages.feature(asked.path_params["feature"])
        ),
        "/features/{feature:int}.js": lambda asked: _file(
            ".js", pages.feature_script(asked.path_params["feature"])
        ),
        "/pictures/{feature:int}/{name}.png": lambda asked: Response(
            pages.picture(asked.path_params["feature"], asked.path_params["name"]),
            media_type="image/png",
        ),
        "/library/{name}": lambda asked: _library(pages, asked.path_params["name"]),
        "/tables/{path:path}": lambda asked: PlainTextResponse(
            pages.table(asked.path_params["path"]), media_type="text/tab-separated-values"
        ),
        "/sequence.fa": lambda asked: _sequence(answers, asked),
        "/sequence.fa.fai": lambda _: PlainTextResponse(answers.sequence.index),
        "/alive": lambda _: JSONResponse({}),
        "/options": lambda asked: JSONResponse(answers.options(_count(asked, "feature"))),
        "/track": lambda asked: JSONResponse(
            answers.track(_count(asked, "feature"), *_where(asked), _count(asked, "bin"))
        ),
        "/region": lambda asked: JSONResponse(answers.region(*_where(asked))),
        "/genes": lambda asked: JSONResponse(answers.genes(*_where(asked))),
        "/search": lambda asked: JSONResponse(answers.search(_text(asked, "text"))),
        "/locate": lambda asked: JSONResponse(answers.locate(_text(asked, "text"))),
    }


def _library(pages: Pages, name: str) -> Response:
    return _file(name[name.rfind(".") :], pages.library(name))


def _file(suffix: str, text: str) -> Response:
    return PlainTextResponse(text, media_type=_KINDS[suffix])


def _sequence(answers: Answers, asked: Request) -> Response:
    """Return the bytes of the sequence that a request has as its range."""
    text = asked.headers.get("range", "")
    found = _RANGE.fullmatch(text)
    if found is None:
        raise InputError("range", "one like bytes=0-99", repr(text))
    start, last = int(found[1]), int(found[2])
    content = answers.sequence.piece(start, last + 1)
    told = f"bytes {start}-{start + len(content) - 1}/{answers.sequence.size}"
    return Response(
        content, status_code=206, media_type="text/plain", headers={"content-range": told}
    )


def _where(asked: Request) -> tuple[str, int, int]:
    return _text(asked, "chr"), _count(asked, "start"), _count(asked, "end")


def _text(asked: Request, name: str) -> str:
    return str(asked.query_params.get(name, ""))


def _count(asked: Request, name: str) -> int:
    text = _text(asked, name)
    if not is_count(text) or len(text) > _MAX_DIGITS:
        raise InputError(name, "a number from 0", repr(text))
    return int(text)


def _refused(asked: Request, error: Exception) -> Response:
    """Return an error as one line; only a file of the run that is damaged is the server's fault."""
    status = 400 if isinstance(error, InputError) else 500
    if isinstance(error, UnknownNameError):
        status = 404
    elif isinstance(error, SchemaError):
        status = 500
    return JSONResponse({"error": str(error)}, status_code=status)
