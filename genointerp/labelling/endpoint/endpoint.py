"""A model behind a server: what it can do, its replies, and what they cost."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from genointerp.core.errors import BudgetError, EndpointError, InputError
from genointerp.core.lock import only_writer
from genointerp.core.progress import Progress, silent
from genointerp.labelling.endpoint.answer import Answer, read_answer, read_object
from genointerp.labelling.endpoint.budget import Amount, Budget, Estimate, Reservation
from genointerp.labelling.endpoint.config import EndpointConfig
from genointerp.labelling.endpoint.exchange import (
    Capabilities,
    JsonMode,
    Message,
    Reply,
    Request,
    key_of,
    n_bytes_of,
    payload_of,
)
from genointerp.labelling.endpoint.ledger import Entry, EntryKind, Ledger
from genointerp.labelling.endpoint.wire import Clock, Refused, Stopped, Wire

PROBE = "probe-1"
"""Version of the question that finds out what a server can do."""

_LONGEST_QUOTE = 4000
_N_NAMED = 3
_JSON_MODES: tuple[JsonMode, ...] = ("json_schema", "json_object", "text")
_PROBE = Request(
    # a server that ignores the schema answers no, or with another object
    messages=(Message("user", "Answer with the word no."),),
    schema={
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": ["yes"]}},
        "required": ["answer"],
        "additionalProperties": False,
    },
    n_logprobs=2,
    prompt=PROBE,
    name="the probe of the server",
)

_ALL = Capabilities("json_schema", logprobs=True)


class _Missing(Exception):
    """A reply that is not in the cache, offline."""


def _never() -> bool:
    return False


class Endpoint:
    """A model behind a server that speaks OpenAI's chat completions.

    Every answer is kept before it is used, and none is asked for twice. Several threads may use it;
    no two that are online may have the same cache at the same time.

    Parameters
    ----------
    clock
        What time it is, and how to wait.

    Raises
    ------
    StorageError
        If the cache cannot be written, or another one that is online has it.
    ConfigError
        If the key is not where the configuration says.

    Examples
    --------
    >>> config = EndpointConfig("http://127.0.0.1:8080/v1", "some-model")
    >>> with Endpoint(config) as endpoint:  # doctest: +SKIP
    ...     endpoint.complete([Message("user", "What is a tRNA?")]).text
    """

    def __init__(self, config: EndpointConfig, *, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = Clock() if clock is None else clock
        self._wire: Wire | None = None
        with ExitStack() as stack:
            if not config.offline:
                self._wire = Wire(config, self._clock)
                stack.callback(self._wire.close)
                # another one would pay for the same, and have the whole budget as well
                stack.enter_context(only_writer(config.cache))
            self._ledger = Ledger(config.cache, is_read_only=config.offline)
            stack.callback(self._ledger.close)
            self._opened = stack.pop_all()
        spent = self._ledger.spent()
        self._budget = Budget(config, spent)
        self._changed = threading.Condition()
        self._asking: set[str] = set()
        self._probing = threading.Lock()
        self._capabilities: Capabilities | None = None
        self._n_answered = spent.n_answered
        self._doubted: dict[str, _Refusal] = {}

    def close(self) -> None:
        """Close the cache and the connections."""
        self._opened.close()

    def __enter__(self) -> "Endpoint":
        """Return the endpoint itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def tokens(self) -> int:
        """Tokens that were spent, over all that the cache holds."""
        return self._budget.tokens

    @property
    def cost(self) -> float:
        """Cost that was spent, over all that the cache holds."""
        return self._budget.cost

    def capabilities(self) -> Capabilities:
        """Return what the server can do for the model, which it is asked once.

        Raises
        ------
        EndpointError
            If there is no server, or it refuses the simplest question.
        InputError
            If it was not asked before, offline.
        """
        with self._probing:
            if self._capabilities is None:
                try:
                    self._capabilities = self._probed(_Call(_PROBE, _never))
                except _Missing as error:
                    raise self._not_there([_PROBE.name], 1) from error
            return self._capabilities

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        n_logprobs: int = 0,
        prompt: str = "",
        name: str = "a request",
    ) -> Reply:
        """Ask for one reply.

        Parameters are those of `Request`.

        Raises
        ------
        EndpointError
            If there is no server, it takes no key or another one, or fails to the last try.
        BudgetError
            If the budget does not suffice.
        StorageError
            If the reply cannot be kept.
        InputError
            If the reply is not in the cache, offline.
        """
        request = Request(messages, schema, n_logprobs, prompt, name)
        try:
            reply = self._complete(request, _never)
        except _Missing as error:
            raise self._not_there([name], 1) from error
        self._settle()
        return reply

    def complete_many(
        self, requests: Iterable[Request], *, progress: Progress = silent
    ) -> Iterator[Reply]:
        """Yield the replies to requests in their order, each as soon as those before it are there.

        Up to ``n_concurrent`` calls are made at the same time. What ends one ends all: calls in
        flight are waited for and kept, no others begin, and the error is raised after the replies
        before it. Offline, all that is missing is named before the first reply.

        Parameters
        ----------
        progress
            Called with replies that were yielded, and all.

        Raises
        ------
        GenointerpError
            As `complete`.
        """
        wanted = list(requests)
        if self.config.offline:
            yield from self._from_cache(wanted, progress)
            return
        run = _Run(self._complete, self.config.n_concurrent)
        yield from run.replies(wanted, progress)
        self._settle()

    def estimate(self, requests: Iterable[Request]) -> Estimate:
        """Return what requests will cost, without a call.

        A second asking, for a reply that does not fit its schema, is not foreseen.
        """
        known = self._known_capabilities()
        n = n_known = n_bytes = 0
        for request in requests:
            n += 1
            payload = payload_of(request, self.config, known or _ALL)
            key = key_of(payload, request, self.config)
            if known is not None and self._ledger.find(key) is not None:
                n_known += 1
            else:
                n_bytes += n_bytes_of(payload)
        amount, is_measured = self._budget.estimate(n_bytes, n - n_known)
        cost = self.config.cost(amount.tokens_in, amount.tokens_out)
        has_price = None not in (self.config.price_in, self.config.price_out)
        return Estimate(
            n_requests=n,
            n_known=n_known,
            tokens_in=amount.tokens_in,
            tokens_out=amount.tokens_out,
            cost=cost if has_price else None,
            currency=self.config.currency,
            is_measured=is_measured,
        )

    def _known_capabilities(self) -> Capabilities | None:
        with self._probing:
            if self._capabilities is None:
                try:
                    self._capabilities = self._probed(_Call(_PROBE, _never, is_offline=True))
                except _Missing:
                    return None
            return self._capabilities

    def _probed(self, call: "_Call") -> Capabilities:
        """Return the best of what the server can do, from what it answers to the same question."""
        assert _PROBE.schema is not None
        validator = Draft202012Validator(_PROBE.schema)
        refusals: list[_Refusal] = []
        call = replace(call, refusals=refusals)
        refused, tells = "", True
        for mode in _JSON_MODES:
            for logprobs in (True, False):
                if logprobs and not tells:
                    continue
                asked = Capabilities(mode, logprobs)
                answer, _ = self._ask(replace(call, capabilities=asked), _PROBE.messages)
                if answer.refused:
                    refused = answer.refused
                    continue
                tells = answer.logprobs is not None
                if mode == "text" or read_object(answer.text, validator)[0] is not None:
                    # a server that refuses all may answer once it is paid, or has another key
                    self._keep_refusals(refusals)
                    return Capabilities(mode, tells)
                break
        raise self._refuses_all(refused)

    def _complete(self, request: Request, is_stopped: Callable[[], bool]) -> Reply:
        if not request.messages:
            raise InputError(request.name, "one message or more", "none")
        known = self._known_capabilities() if self.config.offline else self.capabilities()
        if known is None:
            raise _Missing
        call = _Call(request, is_stopped, known)
        answer, is_kept = self._ask(call, request.messages)
        reply = _reply(answer, from_cache=is_kept)
        if answer.refused or request.schema is None:
            return reply
        parsed, problem = _read(answer, request)
        if parsed is not None:
            return replace(reply, parsed=parsed)
        again = [*request.messages, *_second_asking(answer, problem)]
        second, is_kept = self._ask(call, again)
        both = _reply(second, from_cache=reply.from_cache and is_kept)
        both = replace(
            both,
            tokens_in=reply.tokens_in + both.tokens_in,
            tokens_out=reply.tokens_out + both.tokens_out,
            logprobs=reply.logprobs,
        )
        if second.refused:
            return both
        parsed, problem = _read(second, request)
        return replace(both, parsed=parsed, failure="" if parsed is not None else problem)

    def _ask(self, call: "_Call", messages: Sequence[Message]) -> tuple[Answer, bool]:
        """Return the answer to one call, and whether it was in the cache."""
        request = replace(call.request, messages=messages)
        payload = payload_of(request, self.config, call.capabilities)
        key = key_of(payload, request, self.config)
        with self._alone(key):
            kept = self._ledger.find(key)
            if kept is not None:
                return kept[1], True
            doubted = self._doubted.get(key)
            if doubted is not None:
                return doubted.answer, False
            if self._wire is None or call.is_offline:
                raise _Missing
            return self._paid(payload, key, call, self._wire), False

    def _paid(self, payload: Mapping[str, Any], key: str, call: "_Call", wire: Wire) -> Answer:
        n_bytes = n_bytes_of(payload)
        said = {
            "date": self._clock.now().isoformat(),
            "host": self.config.host,
            "prompt": call.request.prompt,
            "name": call.request.name,
            "request": payload,
        }
        reservation = Reservation(self._budget, n_bytes, call.request.name)
        if call.request is _PROBE:
            # most of its tokens are the server's own: no measure of texts
            n_bytes = 0
        n_lost = 0
        before = tuple(self._doubted.values())

        def lose() -> None:
            nonlocal n_lost
            n_lost += 1
            own = f"{key} lost {n_lost} at {said['date']}"
            amount = reservation.amount
            cost = self._budget.spend(amount, n_bytes, is_measured=False)
            reservation.release()
            self._ledger.keep(_entry(own, "lost", Answer(), n_bytes, amount, cost), said)

        def is_over() -> bool:
            is_stopped = call.is_stopped()
            if not is_stopped:
                # after a try that was lost, which may have been charged
                reservation.hold()
            return is_stopped

        try:
            body = wire.post(payload, key=key, is_stopped=is_over, on_lost=lose)
            if isinstance(body, Refused):
                return self._refused(body, key, call, said)
            answer = read_answer(body, f"{self._clock.now():%Y-%m-%d}")
            if answer is None:
                lose()
                found = "an object without choices, or of another form"
                raise EndpointError(self.config.base_url, "a chat completion", found)
            self._keep(answer, key, n_bytes, reservation.amount, said)
        finally:
            reservation.release()
        self._n_answered += call.request is not _PROBE
        # it answers others, so that these were refused for what they are
        self._keep_refusals(it for it in before if self._doubted.pop(it.key, None))
        return answer

    def _keep(
        self, answer: Answer, key: str, n_bytes: int, asked: Amount, said: Mapping[str, Any]
    ) -> None:
        is_measured = answer.tokens_in is not None and answer.tokens_out is not None
        own = Amount(answer.tokens_in or 0, answer.tokens_out or 0) if is_measured else asked
        cost = self._budget.spend(own, n_bytes, is_measured=is_measured)
        entry = _entry(key, "answer", answer, n_bytes, own, cost)
        self._ledger.keep(replace(entry, is_measured=is_measured), said)

    def _refused(self, body: Refused, key: str, call: "_Call", said: Mapping[str, Any]) -> Answer:
        answer = Answer(refused=body.said)
        refusal = _Refusal(key, answer, said)
        if call.request is _PROBE:
            call.refusals.append(refusal)
        elif self._n_answered:
            self._doubted[key] = refusal
        else:
            # the next one would be refused as well
            raise EndpointError(
                self.config.base_url, f"an answer to {call.request.name}", body.said
            )
        return answer

    def _keep_refusals(self, refusals: Iterable["_Refusal"]) -> None:
        for it in refusals:
            entry = _entry(it.key, "refused", it.answer, 0, Amount(0, 0), 0.0)
            self._ledger.keep(entry, it.said)

    def _settle(self) -> None:
        """Ask the simplest question anew if nothing was answered after a request was refused.

        A server may refuse all in the words for one request, such as one with another key.

        Raises
        ------
        EndpointError
            If it is refused as well.
        """
        doubted = tuple(self._doubted.values())
        if not doubted or self._wire is None:
            return
        known = self.capabilities()
        payload = payload_of(_PROBE, self.config, known)
        # not the probe's own key, whose answer is kept
        key = f"{doubted[0].key} doubted at {self._clock.now().isoformat()}"
        try:
            answer = self._paid(payload, key, _Call(_PROBE, _never, known), self._wire)
        except BudgetError:
            return
        finally:
            # what stays in doubt is asked again when it is wanted again
            for it in doubted:
                self._doubted.pop(it.key, None)
        if answer.refused:
            raise self._refuses_all(answer.refused)

    def _refuses_all(self, said: str) -> EndpointError:
        expected = f"an answer of the model {self.config.model!r} to a simple question"
        return EndpointError(self.config.base_url, expected, said)

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """Wait while another thread asks the same."""
        with self._changed:
            self._changed.wait_for(lambda: key not in self._asking)
            self._asking.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._asking.discard(key)
                self._changed.notify_all()

    def _from_cache(self, wanted: Sequence[Request], progress: Progress) -> Iterator[Reply]:
        found, missing = [], []
        for request in wanted:
            try:
                found.append(self._complete(request, _never))
            except _Missing:
                missing.append(request.name)
        if missing:
            raise self._not_there(missing, len(wanted))
        for done, reply in enumerate(found, start=1):
            yield reply
            progress(done, len(wanted))

    def _not_there(self, names: Sequence[str], n: int) -> InputError:
        shown = ", ".join(names[:_N_NAMED])
        more = f" and {len(names) - _N_NAMED:,} more" if len(names) > _N_NAMED else ""
        expected = f"the replies to all of {n:,} requests to {self.config.model!r}, offline"
        return InputError(str(self.config.cache), expected, f"none to {shown}{more}")


class _Refusal(NamedTuple):
    """A call that was refused, which is kept once the server has answered another one."""

    key: str
    answer: Answer
    said: Mapping[str, Any]


@dataclass(frozen=True)
class _Call:
    """A request on its way.

    Parameters
    ----------
    is_stopped
        Whether another call has ended the run.
    is_offline
        Whether to look into the cache alone.
    refusals
        Where a refusal of the probe is left.
    """

    request: Request
    is_stopped: Callable[[], bool]
    capabilities: Capabilities = _ALL
    is_offline: bool = False
    refusals: list[_Refusal] = field(default_factory=list)


class _Run:
    """Requests that are asked at the same time; the first error ends them all."""

    def __init__(
        self, complete: Callable[[Request, Callable[[], bool]], Reply], n_concurrent: int
    ) -> None:
        self._complete, self._n = complete, n_concurrent
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._error: BaseException | None = None

    def replies(self, wanted: Sequence[Request], progress: Progress) -> Iterator[Reply]:
        """Yield the replies in the order of the requests."""
        pool = ThreadPoolExecutor(self._n, thread_name_prefix="endpoint")
        try:
            futures: list[Future[Reply | None]] = [pool.submit(self._one, it) for it in wanted]
            for done, future in enumerate(futures, start=1):
                reply = future.result()
                if reply is None:
                    break
                yield reply
                progress(done, len(wanted))
        finally:
            # also if the caller wants no more, or is interrupted
            self._is_over.set()
            pool.shutdown(wait=True, cancel_futures=True)
        if self._error is not None:
            raise self._error

    def _one(self, request: Request) -> Reply | None:
        if self._is_over.is_set():
            return None
        try:
            return self._complete(request, self._is_over.is_set)
        except Stopped:
            return None
        except BaseException as error:  # noqa: BLE001 - raised in the thread that asked
            with self._lock:
                self._error = self._error or error
            self._is_over.set()
            return None


def _read(answer: Answer, request: Request) -> tuple[Mapping[str, Any] | None, str]:
    """Return the object that a request asks for, and what is wrong if there is none."""
    assert request.schema is not None
    parsed, problem = read_object(answer.text, Draft202012Validator(request.schema))
    if parsed is not None and request.check is not None:
        problem = request.check(parsed)
    return (None if problem else parsed), problem


def _reply(answer: Answer, *, from_cache: bool) -> Reply:
    return Reply(
        text=answer.text,
        logprobs=answer.logprobs or {},
        tokens_in=answer.tokens_in or 0,
        tokens_out=answer.tokens_out or 0,
        model=answer.model,
        date=answer.date,
        from_cache=from_cache,
        failure=f"refused: {answer.refused}" if answer.refused else "",
    )


def _entry(
    key: str, kind: EntryKind, answer: Answer, n_bytes: int, amount: Amount, cost: float
) -> Entry:
    tokens = amount.tokens_in, amount.tokens_out
    return Entry(key, kind, answer, n_bytes, *tokens, is_measured=False, cost=cost)


def _second_asking(answer: Answer, problem: str) -> tuple[Message, Message]:
    """Return what a model that did not answer as it was asked to is told."""
    cut = " It was cut at the most tokens of a reply." if answer.finish == "length" else ""
    return (
        Message("assistant", answer.text[:_LONGEST_QUOTE] or "(nothing)"),
        Message(
            "user",
            f"This is not the object that was asked for: {problem}.{cut}"
            " Answer with the object alone.",
        ),
    )
