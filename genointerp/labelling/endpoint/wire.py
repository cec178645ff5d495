"""One call over HTTP, repeated while what stands in its way may pass."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ssl import SSLContext
from typing import Any, NamedTuple

from genointerp.core.errors import ConfigError, EndpointError, InputError
from genointerp.core.parsing import parse_json
from genointerp.core.seed import rng
from genointerp.core.text import one_line
from genointerp.labelling.endpoint.config import EndpointConfig, is_loopback

MOST_WAIT_S = 120.0
"""Longest pause between two tries, in seconds; a server that asks for more ends the run."""

MOST_BODY = 16 << 20
"""Longest body of a reply, in bytes."""

_PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529)
_NO_KEY = (401, 402, 403)
_NO_CREDIT = 402
_LEAST_KEY = 8
_LONGEST_SAID = 200


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """What time it is, and how to wait; tests give their own.

    Parameters
    ----------
    now
        The time, with its zone.
    wait
        Called with seconds.
    """

    now: Callable[[], datetime] = _now
    wait: Callable[[float], None] = time.sleep


class Refused(NamedTuple):
    """A server that will not answer this call, however often it is asked."""

    said: str


class Stopped(Exception):
    """The call was given up, since another one has ended the run."""


class _Passing(NamedTuple):
    """What stood in the way of one try, and may pass.

    Parameters
    ----------
    is_lost
        Whether the server may have answered, and charged for it.
    pause
        Seconds that the server asks to wait.
    """

    found: str
    is_lost: bool = False
    pause: float = 0.0


class Wire:
    """The connection to the server of a configuration; several threads may share it.

    Raises
    ------
    InputError
        If httpx is not installed.
    ConfigError
        If the environment variable of the key is not set, or holds no key.
    """

    def __init__(self, config: EndpointConfig, clock: Clock) -> None:
        try:
            import httpx
        except ModuleNotFoundError as error:
            expected = 'the package httpx (pip install "genointerp[label]")'
            raise InputError("endpoint", expected, "none") from error
        self._httpx = httpx
        self._config, self._clock = config, clock
        self._url = f"{config.base_url.rstrip('/')}/chat/completions"
        self._key = _key(config.key_variable)
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._client = httpx.Client(
            headers=headers,
            timeout=config.timeout,
            # what is on this machine is not asked through a proxy
            trust_env=not is_loopback(config.base_url),
            verify=_certificates(),
            limits=httpx.Limits(max_connections=config.n_concurrent),
        )
        self._was_answered = False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def post(
        self,
        payload: Mapping[str, Any],
        *,
        key: str,
        is_stopped: Callable[[], bool],
        on_lost: Callable[[], None],
    ) -> Mapping[str, Any] | Refused:
        """Return the body of the reply to a call, or what the server refuses it with.

        Parameters
        ----------
        key
            Of the request; pauses are drawn from it.
        is_stopped
            Asked before each try.
        on_lost
            Called for each try that may have been charged without an answer.

        Raises
        ------
        EndpointError
            If there is no server, it takes no key or another one, or fails to the last try.
        Stopped
            If it was stopped.
        """
        draw = rng(self._config.seed, f"pauses of {key}")
        last = _Passing("nothing")
        for number in range(self._config.max_retries + 1):
            if is_stopped():
                raise Stopped
            if number:
                pause = min(2.0 ** (number - 1), MOST_WAIT_S / 2) * (0.5 + draw.random() / 2)
                self._clock.wait(max(pause, last.pause))
            found = self._try(payload)
            if not isinstance(found, _Passing):
                return found
            last = found
            if last.is_lost:
                on_lost()
            if last.pause > MOST_WAIT_S:
                said = f"{last.found} and {last.pause:,.0f} seconds to wait"
                raise EndpointError(self._url, f"{MOST_WAIT_S:g} seconds to wait at most", said)
        n = self._config.max_retries + 1
        raise EndpointError(self._url, f"a reply in {n} tries", f"at the last: {last.found}")

    def _try(self, payload: Mapping[str, Any]) -> Mapping[str, Any] | Refused | _Passing:
        httpx = self._httpx
        try:
            with self._client.stream("POST", self._url, content=json.dumps(payload)) as response:
                body = self._read(response.iter_bytes())
                self._was_answered = True
                return self._judged(response.status_code, response.headers, body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if not self._was_answered:
                expected = "a server of a language model"
                raise EndpointError(self._url, expected, f"none ({one_line(error)})") from error
            return _Passing(f"no connection ({one_line(error)})")
        except (httpx.TimeoutException, _TooSlow):
            return _Passing(f"no reply within {self._config.timeout:g} s", is_lost=True)
        except httpx.TransportError as error:
            return _Passing(f"a broken connection ({one_line(error)})", is_lost=True)
        except httpx.DecodingError:
            return _Passing("a body that is not encoded as it says", is_lost=True)
        except httpx.InvalidURL as error:
            raise ConfigError("base_url", "an address", one_line(error)) from error

    def _read(self, chunks: Iterator[bytes]) -> bytes:
        # the client's timeout is that of each chunk, so that a trickle would never end
        until = time.monotonic() + self._config.timeout
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > MOST_BODY:
                raise EndpointError(self._url, f"a reply of {MOST_BODY:,} bytes at most", "more")
            if time.monotonic() > until:
                raise _TooSlow
        return bytes(body)

    def _judged(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, Any] | Refused | _Passing:
        text = self._without_key(body.decode("utf-8", "replace"))
        said = f"status {status}{_said(text)}"
        if status in _NO_KEY:
            raise self._no_key(status, said)
        if status in _PASSING:
            return _Passing(said, pause=self._asked_pause(headers.get("retry-after", "")))
        if (400 <= status < 500 and status not in (404, 405)) or status == 501:
            return Refused(said)
        if not 200 <= status < 300:
            expected = f"chat completions of the model {self._config.model!r}"
            raise EndpointError(self._url, expected, said)
        found = _object(text)
        if found is None:
            return _Passing(f"a reply that is no object of JSON{_said(text)}", is_lost=True)
        return found

    def _no_key(self, status: int, said: str) -> EndpointError:
        variable = self._config.key_variable
        if status == _NO_CREDIT:
            return EndpointError(self._url, "an account that can pay", said)
        expected = f"a key that it accepts in the environment variable {variable}"
        if not variable:
            expected = "key_variable, the name of the environment variable with the key"
        return EndpointError(self._url, expected, said)

    def _asked_pause(self, text: str) -> float:
        """Return the seconds of a header Retry-After, which are a number or a date."""
        try:
            return max(float(text), 0.0)
        except ValueError:
            pass
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return 0.0
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max((at - self._clock.now()).total_seconds(), 0.0)

    def _without_key(self, text: str) -> str:
        """Return what a server said without the key, which some of them repeat."""
        return text.replace(self._key, "***") if self._key else text


class _TooSlow(Exception):
    """A reply that trickles."""


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = parse_json(text, where="reply", error=InputError)
    except InputError:
        return None
    return found if isinstance(found, dict) else None


@cache
def _certificates() -> SSLContext:
    """Return the authorities that are trusted, which take longer to read than a call."""
    import httpx

    context: SSLContext = httpx.create_ssl_context()
    return context


def _key(variable: str) -> str:
    """Return the key; no message shows it."""
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    where = f"environment variable {variable}"
    if not key:
        raise ConfigError(where, "the key of the server", "nothing")
    if len(key) < _LEAST_KEY or not all("!" <= letter <= "~" for letter in key):
        expected = f"a key of {_LEAST_KEY} or more letters of ASCII without blanks"
        raise ConfigError(where, expected, "another text")
    return key


def _said(text: str) -> str:
    """Return what an error of a server says, in brackets."""
    try:
        found = json.loads(text)
        inner = found.get("error", found)
        text = inner if isinstance(inner, str) else str(inner.get("message") or text)
    except (ValueError, AttributeError, RecursionError):
        pass
    said = one_line(text)[:_LONGEST_SAID]
    return f" ({said})" if said else ""
