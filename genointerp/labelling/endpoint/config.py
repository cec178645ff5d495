"""Configuration of a server of language models. The defaults live only here."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from genointerp.core.errors import ConfigError

MaxTokensName = Literal["max_tokens", "max_completion_tokens"]

_MAY_BE_LEFT_OUT = ("temperature", "seed")
_VARIABLE = re.compile("[A-Z][A-Z0-9_]*")


def is_loopback(url: str) -> bool:
    """Return whether an address is one of this machine."""
    name = urlsplit(url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


@dataclass(frozen=True)
class EndpointConfig:
    """Which model is asked where, within which budget.

    Parameters
    ----------
    base_url
        Address without ``/chat/completions``, such as ``http://127.0.0.1:8080/v1``. Its parts must
        not hold a key.
    model
        Name by which the server knows the model.
    key_variable
        Name of the environment variable that holds the key, in capitals; empty for a server without
        one. The key itself is in no file.
    max_tokens
        Most tokens of a reply.
    max_tokens_name
        What the server calls this parameter.
    temperature, seed
        Of the model; 0 for replies that are as repeatable as the server allows.
    leave_out
        ``temperature`` or ``seed``, if the server refuses them.
    timeout
        Seconds after which a call counts as lost.
    n_concurrent
        Most calls at the same time.
    max_retries
        How often a call is repeated that failed for the moment.
    budget_tokens
        Most tokens, of requests and replies, over all that the cache holds; None for any number.
    budget_cost
        Most cost over all that the cache holds; None for any. It needs both prices.
    price_in, price_out
        Cost of a million tokens of requests and of replies; None if unknown.
    currency
        Word for the unit of the cost.
    offline
        Whether to take replies from the cache alone.
    cache
        SQLite file of replies, relative to the working folder; the log beside it has the same name
        with the suffix ``.jsonl``.
    unencrypted
        Whether the key may be sent over ``http`` to another machine, where all on the way can read
        it; on this machine it always may.

    Raises
    ------
    ConfigError
        If a value is none that it may have.

    Examples
    --------
    >>> EndpointConfig("http://127.0.0.1:8080/v1/", "some-model").host
    '127.0.0.1:8080/v1'
    """

    base_url: str
    model: str
    key_variable: str = ""
    max_tokens: int = 512
    max_tokens_name: MaxTokensName = "max_tokens"
    temperature: float = 0.0
    seed: int = 0
    leave_out: tuple[str, ...] = ()
    timeout: float = 120.0
    n_concurrent: int = 8
    max_retries: int = 6
    budget_tokens: int | None = None
    budget_cost: float | None = None
    price_in: float | None = None
    price_out: float | None = None
    currency: str = "USD"
    offline: bool = False
    cache: Path = Path("replies.sqlite")
    unencrypted: bool = False

    def __post_init__(self) -> None:
        self._check_address()
        for name in ("max_tokens", "n_concurrent"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "1 or more", str(getattr(self, name)))
        for name in ("max_retries", "temperature", *_AMOUNTS):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ConfigError(name, "0 or more", str(value))
        if not self.timeout > 0:
            raise ConfigError("timeout", "more than 0 seconds", str(self.timeout))
        for name in self.leave_out:
            if name not in _MAY_BE_LEFT_OUT:
                raise ConfigError("leave_out", f"names among {', '.join(_MAY_BE_LEFT_OUT)}", name)
        if self.budget_cost is not None and None in (self.price_in, self.price_out):
            raise ConfigError("budget_cost", "price_in and price_out next to it", "none")
        if self.cache.suffix in ("", ".jsonl"):
            expected = "a name with a suffix other than .jsonl, which is the log beside it"
            raise ConfigError("cache", expected, str(self.cache))

    def _check_address(self) -> None:
        expected = "an address such as http://127.0.0.1:8080/v1"
        try:
            parts = urlsplit(self.base_url)
            is_known = parts.scheme in ("http", "https") and bool(parts.hostname)
            # read for the error that it raises
            _ = parts.port
        except ValueError as error:
            raise ConfigError("base_url", expected, "none that can be read") from error
        if not is_known:
            raise ConfigError("base_url", expected, "another text")
        if parts.username or parts.password or parts.query or parts.fragment:
            # not shown: it may be a key
            raise ConfigError("base_url", f"{expected} and nothing else", "more, such as a name")
        if not self.model.strip():
            raise ConfigError("model", "the name of a model", "an empty text")
        if self.key_variable and not _VARIABLE.fullmatch(self.key_variable):
            # not shown: it may be the key itself, and many keys are identifiers
            expected = "the name of an environment variable in capitals such as MY_KEY, not the key"
            raise ConfigError("key_variable", expected, "what is no name of one")
        is_open = parts.scheme == "http" and not is_loopback(self.base_url)
        if self.key_variable and is_open and not self.unencrypted:
            expected = "https, so that nobody reads the key (or unencrypted: true)"
            raise ConfigError("base_url", expected, "http to another machine")

    @property
    def host(self) -> str:
        """Address without its scheme, which is part of the key of each reply in the cache."""
        parts = urlsplit(self.base_url)
        return f"{parts.netloc}{parts.path}".rstrip("/")

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Return the cost of a number of tokens; 0 without prices."""
        return (tokens_in * (self.price_in or 0) + tokens_out * (self.price_out or 0)) / 1e6


_AMOUNTS = ("budget_tokens", "budget_cost", "price_in", "price_out")
