"""The addresses of the server: which page or answer of a `Site` each one is."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from genointerp.core.errors import (
    ConflictError,
    GenointerpError,
    InputError,
    SchemaError,
    UnknownNameError,
)
from genointerp.core.text import is_count
from genointerp.server.answers import Answers
from genointerp.server.asked import (
    AskedCanvas,
    AskedChange,
    AskedDesigns,
    AskedJob,
    AskedLabel,
    AskedRemoval,
    AskedWhy,
    read_asked,
)
from genointerp.server.explaining import Explaining
from genointerp.server.guard import Guard
from genointerp.server.labels import Labels
from genointerp.server.pages import Pages
from genointerp.server.painting import Painting
from genointerp.server.site import Asking, Site

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")
_MAX_DIGITS = 12
_KINDS = {".js": "text/javascript", ".css": "text/css"}
_FILES = {".tsv": "text/tab-separated-values", ".fasta": "text/x-fasta", ".gff3": "text/x-gff3"}

N_THREADS = 4
"""Requests that are answered at the same time; more would only wait for each other."""

Answer = Callable[[Request], Response]
Posted = Callable[[Request], Awaitable[Response]]


def make_application(site: Site, *, port: int, token: str) -> Guard:
    """Return the application that answers for a site, behind its guard.

    Parameters
    ----------
    port, token
        See `Guard`.
    """
    application = Starlette(
        lifespan=lambda _: _ready(site),
        routes=[
            *(Route(path, answer) for path, answer in _answers(site).items()),
            *_asking(site.asking),
            *_labelling(site.labels),
        ],
        exception_handlers={GenointerpError: _refused},
    )
    return Guard(application, port=port, token=token)


@asynccontextmanager
async def _ready(site: Site) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = N_THREADS
    yield
    if site.asking is not None:
        site.asking.jobs.close()


def _answers(site: Site) -> dict[str, Answer]:
    pages, answers = site.pages, site.answers
    return {
        **dict.fromkeys(("/", "/index.html"), lambda _: HTMLResponse(pages.index)),
        "/browse.html": lambda _: HTMLResponse(pages.browse),
        "/compared.html": lambda _: HTMLResponse(pages.compared),
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
        "/divergence/options": lambda asked: JSONResponse(
            answers.divergences.options(_text(asked, "divergence"))
        ),
        "/divergence": lambda asked: JSONResponse(
            answers.divergence(_text(asked, "divergence"), *_where(asked), _count(asked, "bin"))
        ),
        "/region": lambda asked: JSONResponse(answers.region(*_where(asked))),
        "/genes": lambda asked: JSONResponse(answers.genes(*_where(asked))),
        "/search": lambda asked: JSONResponse(answers.search(_text(asked, "text"))),
        "/locate": lambda asked: JSONResponse(answers.locate(_text(asked, "text"))),
    }


def _asking(asking: Asking | None) -> list[Route]:
    """Return the addresses of what the model is asked for, if there is one."""
    if asking is None:
        return []
    painting, explaining, jobs = asking
    posted: dict[str, Callable[[bytes], Response]] = {
        "/change": lambda body: JSONResponse(
            jobs.told(painting.change(read_asked(AskedChange, body)).number)
        ),
        "/write": lambda body: JSONResponse(
            jobs.told(painting.write(read_asked(AskedDesigns, body)).number)
        ),
        "/why": lambda body: JSONResponse(
            jobs.told(explaining.why(read_asked(AskedWhy, body)).number)
        ),
        "/cancel": lambda body: JSONResponse(jobs.cancel(read_asked(AskedJob, body).job)),
        "/canvas.tsv": lambda body: PlainTextResponse(
            painting.canvas_text(read_asked(AskedCanvas, body))
        ),
    }
    answers: dict[str, Answer] = {
        "/jobs/{job:int}": lambda asked: JSONResponse(jobs.told(asked.path_params["job"])),
        "/jobs/{job:int}/changes": lambda asked: JSONResponse(
            painting.changes(asked.path_params["job"])
        ),
        "/jobs/{job:int}/designs": lambda asked: JSONResponse(
            painting.designs(asked.path_params["job"])
        ),
        "/jobs/{job:int}/reasons": lambda asked: JSONResponse(
            explaining.reasons(asked.path_params["job"])
        ),
        "/jobs/{job:int}/files/{name}": lambda asked: _download(
            explaining if asked.path_params["name"] in explaining.files else painting, asked
        ),
    }
    return [
        *(Route(path, _of_body(answer), methods=["POST"]) for path, answer in posted.items()),
        *(Route(path, answer) for path, answer in answers.items()),
    ]


def _labelling(labels: Labels) -> list[Route]:
    """Return the addresses at which labels are written by hand, if the run takes any."""
    if not labels.can_write:
        return []
    posted: dict[str, Callable[[bytes], Response]] = {
        "/label": lambda body: JSONResponse(labels.write(read_asked(AskedLabel, body))),
        "/unlabel": lambda body: JSONResponse(labels.remove(read_asked(AskedRemoval, body))),
    }
    return [Route(path, _of_body(answer), methods=["POST"]) for path, answer in posted.items()]


def _of_body(answer: Callable[[bytes], Response]) -> Posted:
    async def answered(asked: Request) -> Response:
        return await run_in_threadpool(answer, await asked.body())

    return answered


def _download(source: Painting | Explaining, asked: Request) -> Response:
    name = asked.path_params["name"]
    text = source.file(asked.path_params["job"], name)
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, media_type=_FILES[name[name.rfind(".") :]], headers=headers)


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
    """Return an error as one line.

    Only a file of the run that is damaged is the server's fault; a canvas that is sent is none.
    """
    status = 400 if isinstance(error, InputError) else 500
    if isinstance(error, UnknownNameError):
        status = 404
    elif isinstance(error, ConflictError):
        status = 409
    elif isinstance(error, SchemaError) and asked.method != "POST":
        status = 500
    return JSONResponse({"error": str(error)}, status_code=status)
