"""Refuse every request that does not come from a page of this server, whatever it asks for.

A page of another site can send requests to any port of the machine on which it is read. It cannot
choose the Host header (a name that resolves to 127.0.0.1 shows there), nor hide its Origin, and it
does not know the token.
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from typing import Any
from urllib.parse import parse_qs

from genointerp.page.template import served_policy

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

METHODS = ("GET", "HEAD")
POSTED = ("/change", "/write", "/why", "/cancel", "/canvas.tsv", "/label", "/unlabel")
"""The only addresses to which something is sent, with the method POST."""

MAX_BODY = 1 << 18
"""Most bytes that are sent to them."""

MAX_ADDRESS = 2000
"""Longest path and longest query of an address, in bytes."""

_DIGITS = 12
_HTTP_PORT = 80

HEADERS = {
    "Content-Security-Policy": f"{served_policy()}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer."""

_ENTRY = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">
<meta http-equiv="refresh" content="0; url=/">
<title>genointerp</title></head><body><p><a href="/">Go on</a></p></body></html>
"""
"""Page that leads on from the address with the token.

A redirect would not do: where another site led here, the browser holds the cookie back from it.
"""


class Guard:
    """An application that lets only requests of its own pages through to another one.

    Parameters
    ----------
    port
        Port at which the server listens on 127.0.0.1.
    token
        Text that the first address has as its query ``token``, and then a cookie.
    """

    def __init__(self, application: Application, *, port: int, token: str) -> None:
        self._application = application
        # browsers leave out the port of HTTP
        ends = (f":{port}", "") if port == _HTTP_PORT else (f":{port}",)
        self._hosts = {f"{name}{end}" for name in ("127.0.0.1", "localhost") for end in ends}
        self._token = token.encode()
        # cookies know no ports, and there may be a server of another run
        self._cookie = f"genointerp_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        refused = self._refusal(scope, headers)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if refused is not None:
            await _say(send, *refused)
        elif scope["path"] == "/" and given and self._is_token(given[0].encode()):
            value = f"{self._cookie}={self._token.decode()}; Path=/; HttpOnly; SameSite=Strict"
            await _say(send, 200, _ENTRY, [(b"set-cookie", value.encode())])
        elif any(map(self._is_token, _cookies(headers, self._cookie))):
            await self._application(scope, receive, send)
        else:
            told = "expected the address that `genointerp serve` printed, found one without a token"
            await _say(send, 403, f"<!DOCTYPE html><title>genointerp</title><p>{escape(told)}</p>")

    def _refusal(self, scope: Scope, headers: dict[str, bytes]) -> tuple[int, str] | None:
        """Return the status and the reason with which a request is refused; None if it is not."""
        host = headers.get("host", b"").decode("latin-1").lower()
        origin = headers.get("origin")
        if host not in self._hosts:
            return 400, "expected the host 127.0.0.1, found another one"
        if origin is not None and origin.decode("latin-1").lower() != f"http://{host}":
            return 403, "expected a request of a page of this server, found another origin"
        methods = ("POST",) if scope["path"] in POSTED else METHODS
        if scope["method"] not in methods:
            return 405, f"expected one of {', '.join(methods)}, found another method"
        # browsers send it with every POST
        if origin is None and scope["method"] == "POST":
            return 403, "expected a request of a page of this server, found one without an origin"
        size, most = headers.get("content-length", b"0"), MAX_BODY * (scope["path"] in POSTED)
        is_size = size.isdigit() and len(size) <= _DIGITS
        if not is_size or int(size) > most or "transfer-encoding" in headers:
            return 413, f"expected a body of at most {most} bytes, found another one"
        if max(len(scope["path"].encode()), len(scope["query_string"])) > MAX_ADDRESS:
            return 414, f"expected an address of at most {MAX_ADDRESS} bytes, found a longer one"
        return None

    def _is_token(self, given: bytes) -> bool:
        return secrets.compare_digest(given, self._token)


def _cookies(headers: dict[str, bytes], name: str) -> list[bytes]:
    """Return the values of the cookies of a name.

    `http.cookies` gives up at a malformed one, which a server of another port may have set.
    """
    pairs = [pair.strip().partition(b"=") for pair in headers.get("cookie", b"").split(b";")]
    return [value for key, _, value in pairs if key == name.encode()]


def _with_headers(send: Send) -> Send:
    own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *own]
        await send(message)

    return sending


async def _say(
    send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    kind = b"text/html" if text.startswith("<") else b"text/plain"
    content = text.encode()
    length = (b"content-length", str(len(content)).encode())
    own = [(b"content-type", kind + b"; charset=utf-8"), length, *(headers or ())]
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": content})
