"""What calls may cost, checked before each one, with those that are in flight."""

import math
import threading
from dataclasses import dataclass

from genointerp.core.errors import BudgetError
from genointerp.labelling.endpoint.config import EndpointConfig
from genointerp.labelling.endpoint.ledger import Spent

BYTES_PER_TOKEN = 2.5
"""Bytes of text in UTF-8 for each token, until a server has counted.

English has about 4; evidence, which is numbers and bases, has 2.6 with the tokens of SmolLM2.
"""


@dataclass(frozen=True)
class Estimate:
    """What requests will cost that were not answered yet.

    Parameters
    ----------
    n_requests, n_known
        Number of requests, and of those that are in the cache and cost nothing.
    tokens_in, tokens_out
        Tokens of the requests and of their replies.
    cost
        In `currency`; None without prices.
    is_measured
        Whether the tokens follow what the server counted before. If not, a token is
        `BYTES_PER_TOKEN` bytes, and each reply is as long as it may be.
    """

    n_requests: int
    n_known: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    currency: str
    is_measured: bool

    def __str__(self) -> str:
        """Return the estimate as one line."""
        n = self.n_requests - self.n_known
        cost = "cost unknown" if self.cost is None else f"{self.cost:,.2f} {self.currency}"
        how = "as measured" if self.is_measured else "at most, by a rule"
        return (
            f"{n:,} of {self.n_requests:,} requests to pay: {self.tokens_in:,} tokens in,"
            f" {self.tokens_out:,} out, {cost} ({how})"
        )


@dataclass(frozen=True)
class Amount:
    """Tokens in and out of one call."""

    tokens_in: int
    tokens_out: int


class Budget:
    """What was spent, and what calls in flight will spend at most; used by several threads.

    Tokens of a request are estimated from its bytes, with `BYTES_PER_TOKEN` until the server has
    counted and with its own ratio from then on; a reply counts as long as it may be until it is
    there. So the sum may exceed the budget by what an estimate of a request falls short.
    """

    def __init__(self, config: EndpointConfig, spent: Spent) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._tokens, self._cost = spent.tokens, spent.cost
        self._n_bytes, self._n_counted = spent.n_bytes_measured, spent.n_measured
        self._counted_in, self._counted_out = spent.tokens_in_measured, spent.tokens_out_measured
        self._reserved_tokens, self._reserved_cost = 0, 0.0

    @property
    def tokens(self) -> int:
        """Tokens that were spent."""
        return self._tokens

    @property
    def cost(self) -> float:
        """Cost that was spent."""
        return self._cost

    def estimate(self, n_bytes: int, n_calls: int) -> tuple[Amount, bool]:
        """Return the tokens of requests of some bytes together, and whether they are measured."""
        with self._lock:
            tokens_in = self._tokens_in(n_bytes)
            if not self._n_counted:
                return Amount(tokens_in, n_calls * self._config.max_tokens), False
            return Amount(tokens_in, round(n_calls * self._counted_out / self._n_counted)), True

    def reserve(self, n_bytes: int, name: str) -> Amount:
        """Set aside what a call will cost at most.

        Raises
        ------
        BudgetError
            If the budget does not suffice for it.
        """
        config = self._config
        with self._lock:
            amount = Amount(self._tokens_in(n_bytes), config.max_tokens)
            tokens = amount.tokens_in + amount.tokens_out
            cost = config.cost(amount.tokens_in, amount.tokens_out)
            spent, reserved = float(self._tokens), float(self._reserved_tokens)
            self._check("budget_tokens", float(tokens), spent, reserved, name)
            self._check("budget_cost", cost, self._cost, self._reserved_cost, name)
            self._reserved_tokens += tokens
            self._reserved_cost += cost
        return amount

    def _check(self, which: str, needed: float, spent: float, reserved: float, name: str) -> None:
        most = getattr(self._config, which)
        if most is not None and spent + reserved + needed > most:
            unit = "tokens" if which == "budget_tokens" else self._config.currency
            flying = f" and {reserved:,.6g} in flight" if reserved else ""
            raise BudgetError(
                which,
                f"{needed:,.6g} more {unit} for {name}",
                f"{spent:,.6g}{flying} of {most:,.6g} spent; what was answered is kept",
            )

    def release(self, amount: Amount) -> None:
        """Give back what was set aside for a call that has ended."""
        with self._lock:
            self._reserved_tokens -= amount.tokens_in + amount.tokens_out
            self._reserved_cost -= self._config.cost(amount.tokens_in, amount.tokens_out)

    def spend(self, amount: Amount, n_bytes: int, *, is_measured: bool) -> float:
        """Count a call, and return its cost; one of 0 bytes is no measure of later ones."""
        cost = self._config.cost(amount.tokens_in, amount.tokens_out)
        with self._lock:
            self._tokens += amount.tokens_in + amount.tokens_out
            self._cost += cost
            if is_measured and n_bytes:
                self._n_bytes += n_bytes
                self._counted_in += amount.tokens_in
                self._counted_out += amount.tokens_out
                self._n_counted += 1
        return cost

    def _tokens_in(self, n_bytes: int) -> int:
        rate = self._n_bytes / self._counted_in if self._counted_in else BYTES_PER_TOKEN
        return math.ceil(n_bytes / max(rate, 1e-9))


class Reservation:
    """What is set aside for one call, of which each try may be charged."""

    def __init__(self, budget: Budget, n_bytes: int, name: str) -> None:
        self._budget, self._n_bytes, self._name = budget, n_bytes, name
        self.amount = budget.reserve(n_bytes, name)
        self._is_held = True

    def release(self) -> None:
        """Give it back, once."""
        if self._is_held:
            self._is_held = False
            self._budget.release(self.amount)

    def hold(self) -> None:
        """Set it aside again if it was given back.

        Raises
        ------
        BudgetError
            If the budget does not suffice for it.
        """
        if not self._is_held:
            self.amount = self._budget.reserve(self._n_bytes, self._name)
            self._is_held = True
