import json
import resource
import threading
from pathlib import Path

import pytest

from genointerp.core.config import read_config
from genointerp.core.errors import (
    BudgetError,
    ConfigError,
    EndpointError,
    InputError,
    SchemaError,
    StorageError,
)
from genointerp.labelling.endpoint.config import EndpointConfig
from genointerp.labelling.endpoint.exchange import Capabilities, Message, Request
from tests.labelling.endpoints import (
    NOW,
    SCHEMA,
    StoppedClock,
    answer_number,
    ask,
    asking,
    numbered,
    open_endpoint,
)
from tests.labelling.scripted_server import (
    MODEL,
    Answered,
    Failed,
    completion,
    cut,
    failed,
    garbled,
    ignoring,
    in_turn,
    is_probe,
    oracle,
    probed,
    serving,
    slow,
    without,
)

ECHO = probed(
    lambda payload: Answered(payload["messages"][-1]["content"][::-1], {"A": -1.5, "B": -0.25})
)
NUMBERS = probed(oracle(answer_number))


def test_a_reply_is_what_the_server_said(tmp_path):
    with asking(ECHO, tmp_path, temperature=0.5, seed=7, max_tokens=99) as (server, endpoint):
        reply = endpoint.complete(ask("abc"), n_logprobs=2)
    assert (reply.text, reply.model, reply.date) == ("cba", MODEL, f"{NOW:%Y-%m-%d}")
    assert reply.logprobs == {"A": -1.5, "B": -0.25}
    assert (reply.tokens_in, reply.tokens_out) == (1, 1)
    assert reply.is_answer
    assert not reply.from_cache
    (sent,) = server.asked
    assert (sent["temperature"], sent["seed"], sent["max_tokens"]) == (0.5, 7, 99)
    assert sent["messages"] == [{"role": "user", "content": "abc"}]
    assert "response_format" not in sent


def test_a_text_may_hold_what_is_no_letter(tmp_path):
    def naming(payload):
        return Failed(200, completion(payload, ECHO(payload)).replace(MODEL, "a\\ud800\\u202eb"))

    with asking(naming, tmp_path) as (server, endpoint):
        reply = endpoint.complete(ask("\ud800\u03b2"))
    assert server.asked[0]["messages"][0]["content"] == "\ud800\u03b2"
    assert (reply.text, reply.model) == ("\u03b2\ud800", "ab")


def test_what_a_server_refuses_to_be_told_is_left_out(tmp_path):
    more = {"leave_out": ("seed", "temperature"), "max_tokens_name": "max_completion_tokens"}
    with asking(ECHO, tmp_path, **more) as (server, endpoint):
        endpoint.complete(ask("abc"))
    assert set(server.asked[0]) == {"model", "messages", "max_completion_tokens"}


def test_nothing_is_asked_twice(tmp_path):
    with asking(NUMBERS, tmp_path) as (server, endpoint):
        first = list(endpoint.complete_many(numbered(5)))
        again = list(endpoint.complete_many(numbered(5)))
        assert [it.parsed for it in again] == [it.parsed for it in first]
        assert all(it.from_cache for it in again)
        endpoint.close()
        with open_endpoint(server.url, tmp_path) as anew:
            assert next(anew.complete_many(numbered(5))).from_cache
            # but every difference is another request
            anew.complete(ask("number 0"), schema=SCHEMA, prompt="2")
            anew.complete(ask("number 0"))
            assert len(server.asked) == 7
        with open_endpoint(server.url, tmp_path, max_tokens=64) as other:
            assert not other.complete(ask("number 0"), schema=SCHEMA).from_cache


def test_offline_the_cache_is_all_there_is(tmp_path):
    with asking(NUMBERS, tmp_path) as (server, endpoint):
        list(endpoint.complete_many(numbered(3)))
        url = server.url
    with open_endpoint(url, tmp_path, offline=True) as endpoint:
        found = list(endpoint.complete_many(numbered(3)))
        assert [it.parsed["number"] for it in found] == [0, 1, 2]
        with pytest.raises(
            InputError,
            match=r"replies\.sqlite: .* all of 8 .* none to request 3, .*, request 5 and 2 more$",
        ):
            list(endpoint.complete_many(numbered(8)))
        with pytest.raises(InputError, match=r"none to feature 9$"):
            endpoint.complete(ask("number 9"), name="feature 9")
    with open_endpoint(url, tmp_path / "new", offline=True) as endpoint:
        with pytest.raises(InputError, match=r"none to the probe of the server$"):
            endpoint.capabilities()
        assert endpoint.tokens == 0
    assert not (tmp_path / "new").exists()
    with (
        open_endpoint("http://elsewhere/v1", tmp_path, offline=True) as endpoint,
        pytest.raises(InputError, match=r"none to request 0$"),
    ):
        list(endpoint.complete_many(numbered(1)))


@pytest.mark.parametrize(
    ("script", "mode", "logprobs", "n_probes"),
    [
        pytest.param(ECHO, "json_schema", True, 1, id="all"),
        pytest.param(without(ECHO, "logprobs"), "json_schema", False, 2, id="no-logprobs"),
        pytest.param(without(probed(ECHO), "json_schema"), "json_object", True, 3, id="no-schema"),
        pytest.param(
            without(ECHO, "json_schema", "json_object", "logprobs"), "text", False, 6, id="nothing"
        ),
        pytest.param(oracle(lambda _: "no"), "text", True, 3, id="ignores-the-form"),
    ],
)
def test_what_a_server_can_do_is_found_out_once(script, mode, logprobs, n_probes, tmp_path):
    with asking(script, tmp_path) as (server, endpoint):
        assert endpoint.capabilities() == Capabilities(mode, logprobs)
        assert endpoint.capabilities() is endpoint.capabilities()
        endpoint.close()
        with open_endpoint(server.url, tmp_path) as anew:
            assert anew.capabilities() == Capabilities(mode, logprobs)
        assert len(server.calls) == n_probes


@pytest.mark.parametrize(
    ("status", "said"), [(400, "to a simple question"), (402, "an account that can pay")]
)
def test_a_server_that_refuses_all_is_asked_anew(status, said, tmp_path):
    with asking(failed(status), tmp_path) as (server, endpoint):
        with pytest.raises(EndpointError, match=f"{said}, found status {status}"):
            endpoint.complete(ask("abc"))
        server.script = without(ECHO, "json_schema")
        endpoint.close()
        with open_endpoint(server.url, tmp_path) as anew:
            assert anew.complete(ask("abc")).text == "cba"
            n = len(server.calls)
            assert anew.capabilities().json_mode == "json_object"
    # what was refused before another form was accepted is known, also offline
    with open_endpoint(server.url, tmp_path, offline=True) as offline:
        assert offline.capabilities().json_mode == "json_object"
    assert len(server.calls) == n


def test_a_server_without_a_schema_is_told_it_in_the_system_message(tmp_path):
    script = ignoring(without(NUMBERS, "json_schema", "json_object", "logprobs"))
    with asking(script, tmp_path) as (server, endpoint):
        reply = endpoint.complete([Message("system", "Be brief."), *ask("number 4")], schema=SCHEMA)
        assert endpoint.capabilities().json_mode == "text"
    assert reply.parsed == {"number": 4}
    system, user = server.asked[-1]["messages"]
    assert system["content"].startswith("Be brief.")
    assert json.dumps(SCHEMA["required"]).replace(" ", "") in system["content"]
    assert user["content"] == "number 4"


def test_a_wrong_object_is_asked_for_once_more_with_what_is_wrong(tmp_path):
    wrong = oracle(lambda _: {"number": "four"})
    script = probed(in_turn(wrong, oracle(lambda _: {"number": 4})))
    with asking(script, tmp_path) as (server, endpoint):
        reply = endpoint.complete(ask("number 4"), schema=SCHEMA)
        assert reply.parsed == {"number": 4}
        assert reply.is_answer
        again = server.asked[1]["messages"]
        assert [it["role"] for it in again] == ["user", "assistant", "user"]
        assert "['number']: 'four' is not of type 'integer'" in again[2]["content"]
        # both were paid, and neither is again
        assert reply.tokens_out == len('{"number": "four"}') // 4 + len('{"number": 4}') // 4 + 2
        assert endpoint.complete(ask("number 4"), schema=SCHEMA).from_cache
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('{"number": 4', "no JSON object", id="cut"),
        pytest.param("I do not know.", "no JSON object", id="prose"),
        pytest.param('{"number": NaN}', "no JSON object", id="no-number"),
        pytest.param("[4]", "no JSON object", id="list"),
        pytest.param('{"number": 4, "more": 1}', "'more' was unexpected", id="more"),
        pytest.param('{"a": ' * 3000, "no JSON object", id="deep"),
    ],
)
def test_a_model_that_answers_wrongly_twice_has_failed(text, problem, tmp_path):
    with asking(probed(lambda _: Answered(text, finish="length")), tmp_path) as (server, endpoint):
        reply = endpoint.complete(ask("number 4"), schema=SCHEMA)
    assert reply.parsed is None
    assert not reply.is_answer
    assert problem in reply.failure
    assert len(server.asked) == 2
    assert "cut at the most tokens" in server.asked[1]["messages"][2]["content"]


def test_what_passes_is_tried_again(tmp_path):
    passing = [
        failed(429, Retry_After=7),
        failed(503),
        cut(),
        garbled(),
        failed(429, Retry_After="Sun, 01 Mar 2026 12:00:40 GMT"),
        failed(500),
    ]
    clock = StoppedClock()
    with asking(probed(in_turn(*passing, ECHO)), tmp_path, clock=clock) as (server, endpoint):
        endpoint.capabilities()
        before = endpoint.tokens
        assert endpoint.complete(ask("abc")).text == "cba"
        assert len(server.asked) == 7
        # a broken connection and a body that is no JSON may have been charged
        assert endpoint.tokens - before == 2 + 2 * (2 + endpoint.config.max_tokens)
    lines = (tmp_path / "replies.jsonl").read_text().splitlines()
    assert [json.loads(it)["kind"] for it in lines] == ["answer", "lost", "lost", "answer"]
    # jitter takes up to half of 1, 2, 4, ... seconds, and the server's word is the least
    least, most = [7, 1, 2, 4, 40, 16], [7, 2, 4, 8, 40, 32]
    for waited, low, high in zip(clock.waited, least, most, strict=True):
        assert low <= waited <= high


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(
            failed(500),
            r"a reply in 3 tries, found at the last: status 500 \(scripted failure\)$",
            id="500",
        ),
        pytest.param(
            garbled(), r"at the last: a reply that is no object of JSON \(<html>Bad", id="no-json"
        ),
        pytest.param(cut(), "at the last: a broken connection", id="cut"),
        pytest.param(
            failed(429, Retry_After=86400),
            "120 seconds to wait at most, found status 429 .* 86,400 seconds",
            id="tomorrow",
        ),
        pytest.param(failed(404), "chat completions of the model 'm', found status 404", id="404"),
        pytest.param(
            failed(302, Location="http://127.0.0.1:1/"), "found status 302", id="redirect"
        ),
        pytest.param(
            oracle(lambda _: Failed(200, '{"choices": []}')),
            "a chat completion, found an object without choices",
            id="no-choices",
        ),
        pytest.param(
            failed(400),
            "an answer of the model 'm' to a simple question, found status 400",
            id="400",
        ),
    ],
)
def test_what_does_not_pass_ends_in_one_line(script, said, tmp_path):
    with (
        asking(script, tmp_path, max_retries=2) as (_, endpoint),
        pytest.raises(EndpointError, match=said) as told,
    ):
        endpoint.complete(ask("abc"))
    assert "\n" not in str(told.value)


def test_a_slow_server_is_given_up(tmp_path):
    until = threading.Event()
    with asking(slow(until), tmp_path, timeout=0.1, max_retries=1) as (_, endpoint):
        with pytest.raises(EndpointError, match=r"no reply within 0\.1 s"):
            endpoint.complete(ask("abc"))
        until.set()
    lines = (tmp_path / "replies.jsonl").read_text().splitlines()
    assert [json.loads(it)["kind"] for it in lines] == ["lost", "lost"]


def test_no_server_is_no_matter_of_patience(tmp_path):
    with serving(ECHO) as server:
        url = server.url
    clock = StoppedClock()
    with (
        open_endpoint(url, tmp_path, clock) as endpoint,
        pytest.raises(EndpointError, match="expected a server of a language model, found none"),
    ):
        endpoint.complete(ask("abc"))
    assert clock.waited == []


KEY = "sk-0123456789-secret"


def test_the_key_is_sent_and_shown_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)

    def telling(payload):
        return Answered(f"your key is {KEY}")

    with asking(telling, tmp_path, key_variable="MY_KEY") as (server, endpoint):
        assert endpoint.complete(ask("abc")).text == "your key is ***"
        assert KEY not in repr(vars(endpoint)) + repr(endpoint.config)
    assert set(server.keys) == {f"Bearer {KEY}"}
    for path in tmp_path.iterdir():
        assert KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_names_its_variable(status, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    script = oracle(lambda _: Failed(status, json.dumps({"error": {"message": f"bad key {KEY}"}})))
    with (
        asking(script, tmp_path, key_variable="MY_KEY") as (server, endpoint),
        pytest.raises(
            EndpointError,
            match=rf"environment variable MY_KEY, found status {status} \(bad key \*\*\*\)$",
        ),
    ):
        endpoint.complete(ask("abc"))
    assert len(server.calls) == 1
    with (
        asking(script, tmp_path) as (_, endpoint),
        pytest.raises(EndpointError, match="expected key_variable"),
    ):
        endpoint.complete(ask("abc"))


@pytest.mark.parametrize(
    "value", [None, "", "short", "with blank in it", "non-ascii-\u00e9\u00e9", "line-end-\nX: y"]
)
def test_a_variable_without_a_key_is_refused(value, tmp_path, monkeypatch):
    if value is None:
        monkeypatch.delenv("MY_KEY", raising=False)
    else:
        monkeypatch.setenv("MY_KEY", value)
    with pytest.raises(ConfigError, match="environment variable MY_KEY: expected") as told:
        open_endpoint("http://127.0.0.1:1", tmp_path, key_variable="MY_KEY")
    assert not value or value not in str(told.value)


def test_replies_come_in_order_and_calls_at_the_same_time(tmp_path):
    met = threading.Barrier(4, timeout=60)

    def meeting(payload):
        if not is_probe(payload):
            met.wait()
        return NUMBERS(payload)

    seen = []
    with asking(meeting, tmp_path, n_concurrent=4) as (_, endpoint):
        replies = list(endpoint.complete_many(numbered(8), progress=lambda *it: seen.append(it)))
    assert [it.parsed["number"] for it in replies] == list(range(8))
    assert seen == [(i, 8) for i in range(1, 9)]


def test_the_same_request_twice_at_once_is_one_call(tmp_path):
    with asking(NUMBERS, tmp_path) as (server, endpoint):
        replies = list(endpoint.complete_many(numbered(3) * 4))
        assert [it.parsed["number"] for it in replies] == [0, 1, 2] * 4
        assert len(server.asked) == 3


def test_an_error_comes_after_the_replies_before_it(tmp_path):
    def script(payload):
        return Failed(404) if payload["messages"][-1]["content"] == "number 2" else NUMBERS(payload)

    with asking(script, tmp_path, n_concurrent=1) as (server, endpoint):
        replies = endpoint.complete_many(numbered(9))
        assert [next(replies).parsed["number"] for _ in range(2)] == [0, 1]
        with pytest.raises(EndpointError, match="404"):
            next(replies)
        assert len(server.asked) == 3


def test_a_caller_who_wants_no_more_ends_the_calls(tmp_path):
    with asking(NUMBERS, tmp_path, n_concurrent=2) as (server, endpoint):
        replies = endpoint.complete_many(numbered(200))
        next(replies)
        replies.close()
        assert len(server.asked) < 200


def test_a_request_that_is_refused_is_no_answer(tmp_path):
    def script(payload):
        long = payload["messages"][-1]["content"] == "number 1"
        return Failed(413, '{"error": "too long"}') if long else NUMBERS(payload)

    with asking(script, tmp_path, n_concurrent=1) as (_, endpoint):
        replies = list(endpoint.complete_many(numbered(3)))
    assert [it.is_answer for it in replies] == [True, False, True]
    assert replies[1].failure == "refused: status 413 (too long)"


def test_the_first_request_that_is_refused_ends_all(tmp_path):
    script = probed(failed(422))
    with (
        asking(script, tmp_path, n_concurrent=1) as (server, endpoint),
        pytest.raises(EndpointError, match="an answer to request 0, found status 422"),
    ):
        list(endpoint.complete_many(numbered(9)))
    assert len(server.asked) == 1


def refusing_odd(payload):
    is_odd = answer_number(payload)["number"] % 2 if not is_probe(payload) else 0
    return Failed(400, '{"error": "context length"}') if is_odd else NUMBERS(payload)


def test_a_request_that_is_refused_for_good_is_known(tmp_path):
    with asking(refusing_odd, tmp_path, n_concurrent=1) as (server, endpoint):
        first = list(endpoint.complete_many(numbered(4)))
        assert [it.is_answer for it in first] == [True, False, True, False]
        n = len(server.calls)
        endpoint.close()
        for offline in (False, True):
            with open_endpoint(server.url, tmp_path, offline=offline) as anew:
                again = list(anew.complete_many(numbered(4)))
                assert [it.failure for it in again] == [it.failure for it in first]
                assert all(it.from_cache for it in again)
        assert len(server.calls) == n


def test_one_that_is_refused_after_all_others_were_answered_ends_nothing(tmp_path):
    with asking(refusing_odd, tmp_path) as (server, endpoint):
        list(endpoint.complete_many(numbered(1)))
        endpoint.close()
        with open_endpoint(server.url, tmp_path) as anew:
            replies = list(anew.complete_many(numbered(2) * 2))
            assert [it.is_answer for it in replies] == [True, False] * 2
            assert len(server.asked) == 2
            assert anew.complete(ask("number 1"), schema=SCHEMA).from_cache


def test_a_server_that_refuses_all_in_the_words_for_one_request_is_not_believed(tmp_path):
    with asking(NUMBERS, tmp_path, n_concurrent=1) as (server, endpoint):
        list(endpoint.complete_many(numbered(2)))
        server.script = failed(400)
        with pytest.raises(EndpointError, match="to a simple question, found status 400"):
            list(endpoint.complete_many(numbered(4)))
        server.script = NUMBERS
        assert all(it.is_answer for it in endpoint.complete_many(numbered(4)))
        with open_endpoint(server.url, tmp_path, offline=True) as offline:
            assert all(it.is_answer for it in offline.complete_many(numbered(4)))


def test_an_account_that_is_empty_in_the_middle_ends_the_run(tmp_path):
    def script(payload):
        is_late = payload["messages"][-1]["content"] == "number 2"
        return Failed(402, '{"error": "no credit"}') if is_late else NUMBERS(payload)

    with asking(script, tmp_path, n_concurrent=1) as (server, endpoint):
        with pytest.raises(EndpointError, match=r"can pay, found status 402 \(no credit\)$"):
            list(endpoint.complete_many(numbered(5)))
        assert len(server.asked) == 3


def test_a_budget_of_nothing_ends_before_the_first_call(tmp_path):
    with (
        asking(NUMBERS, tmp_path, budget_tokens=0) as (server, endpoint),
        pytest.raises(
            BudgetError,
            match=r"budget_tokens: expected 522 more tokens for the probe .*, found 0 of 0 spent",
        ),
    ):
        endpoint.complete(ask("number 1"))
    assert server.calls == []


def test_a_budget_is_never_exceeded_by_calls_in_flight(tmp_path):
    # a call is 3 in and 20 out at most, and 4 out as it ends; the probe 6 and 5
    more = {"max_tokens": 20, "n_concurrent": 8}
    with asking(NUMBERS, tmp_path, budget_tokens=100, **more) as (server, endpoint):
        with pytest.raises(BudgetError, match=r"in flight|spent; what was answered is kept"):
            list(endpoint.complete_many(numbered(40)))
        assert 1 <= len(server.asked) < 40
        assert endpoint.tokens <= 100
        spent, n = endpoint.tokens, len(server.asked)
        endpoint.close()
        # what was answered is not paid again, and a budget counts what was spent before
        with open_endpoint(server.url, tmp_path, budget_tokens=spent, **more) as anew:
            assert anew.tokens == spent
            with pytest.raises(BudgetError):
                list(anew.complete_many(numbered(40)))
        assert len(server.asked) == n
        with open_endpoint(server.url, tmp_path, **more) as anew:
            assert len(list(anew.complete_many(numbered(40)))) == 40
        assert len(server.asked) == 40


def test_a_budget_holds_for_the_tries_of_one_call(tmp_path):
    # a try is 2 in and 20 out at most
    more = {"max_tokens": 20, "max_retries": 6}
    with asking(probed(cut()), tmp_path, **more) as (server, endpoint):
        endpoint.capabilities()
        most = endpoint.tokens + 3 * 22
        endpoint.close()
        with open_endpoint(server.url, tmp_path, budget_tokens=most, **more) as anew:
            with pytest.raises(BudgetError, match="expected 22 more tokens for a request"):
                anew.complete(ask("abc"))
            assert len(server.asked) == 3
            assert anew.tokens == most
        with open_endpoint(server.url, tmp_path, **more | {"max_retries": 1}) as anew:
            # the last try is told for what it was
            with pytest.raises(EndpointError, match="a broken connection"):
                anew.complete(ask("abc"))
            assert anew.tokens == most + 2 * 22


def test_a_budget_in_currency(tmp_path):
    prices = {"price_in": 1e6, "price_out": 2e6, "currency": "EUR", "max_tokens": 10}
    with asking(NUMBERS, tmp_path, budget_cost=60.0, n_concurrent=1, **prices) as (
        server,
        endpoint,
    ):
        with pytest.raises(
            BudgetError,
            match=r"budget_cost: expected 23 more EUR for request \d, found \d+ of 60 spent",
        ):
            list(endpoint.complete_many(numbered(9)))
        n_in = sum(len(it["messages"][-1]["content"]) // 4 + 1 for it in server.calls)
        n_out = (
            len('{"answer": "yes"}') // 4 + 1 + len(server.asked) * (len('{"number": 0}') // 4 + 1)
        )
        assert endpoint.cost == pytest.approx(n_in + 2 * n_out)


def test_an_estimate_is_a_rule_and_then_what_was_measured(tmp_path):
    requests = [Request(ask("x" * 300 + f" {i}"), SCHEMA) for i in range(10)]
    with asking(NUMBERS, tmp_path, price_in=3.0, price_out=15.0) as (server, endpoint):
        first = endpoint.estimate(requests)
        assert server.calls == []
        # 302 bytes at 2.5 for a token, and replies as long as they may be
        assert (first.tokens_in, first.tokens_out) == (1208, 10 * 512)
        # a probe is no measure: it is short, and a server adds tokens of its own
        endpoint.capabilities()
        assert endpoint.estimate(requests) == first
        assert first.cost == pytest.approx((1208 * 3 + 5120 * 15) / 1e6)
        assert (
            str(first)
            == "10 of 10 requests to pay: 1,208 tokens in, 5,120 out, 0.08 USD (at most, by a rule)"
        )
        list(endpoint.complete_many(requests[:6]))
        before = endpoint.tokens
        then = endpoint.estimate(requests)
        assert (then.n_known, then.is_measured) == (6, True)
        list(endpoint.complete_many(requests[6:]))
        assert then.tokens_in + then.tokens_out == pytest.approx(endpoint.tokens - before, rel=0.05)
        assert endpoint.estimate(requests).tokens_in == 0
        with open_endpoint(server.url, tmp_path, offline=True) as other:
            more = [Request(ask("y" * 300), SCHEMA)]
            assert other.estimate(more).tokens_in == endpoint.estimate(more).tokens_in < 100
            assert other.estimate(requests).n_known == 10
            assert other.estimate(requests).cost is None


def test_a_server_that_does_not_count_is_counted_as_estimated(tmp_path):
    script = oracle(lambda _: Answered('{"answer": "yes"}', usage=False))
    with asking(script, tmp_path, max_tokens=10) as (_, endpoint):
        endpoint.complete(ask("x" * 30))
        # the probe has 24 bytes
        assert endpoint.tokens == 10 + 10 + 12 + 10
        assert not endpoint.estimate([Request(ask("y"))]).is_measured


def test_a_full_disk_in_the_middle_keeps_what_there_is(tmp_path):
    log = tmp_path / "replies.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with asking(NUMBERS, tmp_path, n_concurrent=1) as (server, endpoint):
        kept = list(endpoint.complete_many(numbered(3)))
        size = log.stat().st_size
        try:
            # the next line begins, and does not end
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, limits[1]))
            with pytest.raises(
                StorageError,
                match=r"replies\.jsonl: expected to write .*File too large.* is kept\)$",
            ):
                list(endpoint.complete_many(numbered(6)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert log.stat().st_size == size
        assert len(server.asked) == 4
        assert [it.parsed for it in endpoint.complete_many(numbered(6))][:3] == [
            it.parsed for it in kept
        ]
        assert len(server.asked) == 7
    for line in log.read_text().splitlines():
        assert json.loads(line)["kind"] == "answer"


def test_the_index_is_made_again_from_the_log(tmp_path):
    index, log = tmp_path / "replies.sqlite", tmp_path / "replies.jsonl"
    with asking(NUMBERS, tmp_path) as (server, endpoint):
        list(endpoint.complete_many(numbered(4)))
        spent = endpoint.tokens
        endpoint.close()
        index.unlink()
        whole = log.read_bytes()
        # killed while it wrote the last line
        log.write_bytes(whole[:-9])
        with open_endpoint(server.url, tmp_path) as anew:
            assert log.read_bytes() == whole[: whole[:-1].rindex(b"\n") + 1]
            assert sum(it.from_cache for it in anew.complete_many(numbered(4))) == 3
            assert anew.tokens == spent


def test_a_cache_has_one_payer_at_a_time(tmp_path):
    with asking(NUMBERS, tmp_path) as (server, endpoint):
        list(endpoint.complete_many(numbered(2)))
        with pytest.raises(
            StorageError, match=r"replies\.sqlite: expected to be the only writer"
        ) as told:
            open_endpoint(server.url, tmp_path)
        assert "\n" not in str(told.value)
        # who pays nothing may read
        with open_endpoint(server.url, tmp_path, offline=True) as offline:
            assert len(list(offline.complete_many(numbered(2)))) == 2
        endpoint.close()
        with open_endpoint(server.url, tmp_path) as anew:
            assert anew.complete(ask("number 0"), schema=SCHEMA).from_cache


def test_files_that_are_none_of_ours_are_refused(tmp_path):
    (tmp_path / "replies.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(SchemaError, match="an index of replies"):
        open_endpoint("http://127.0.0.1:1", tmp_path)
    (tmp_path / "replies.sqlite").unlink()
    (tmp_path / "replies.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(SchemaError, match=r"replies\.jsonl: byte 0: expected a line of a log"):
        open_endpoint("http://127.0.0.1:1", tmp_path)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "every required key"),
        ({"base_url": "127.0.0.1:80", "model": "m"}, "base_url: expected an address"),
        ({"base_url": "http://user:secret@host/v1", "model": "m"}, "base_url: .* found more"),
        ({"base_url": "http://host/v1?key=secret", "model": "m"}, "base_url: .* found more"),
        ({"base_url": "http://host:999999", "model": "m"}, "base_url"),
        ({"base_url": "http://h", "model": " "}, "model: expected the name"),
        *(
            (
                {"base_url": "http://h", "model": "m", "key_variable": key},
                "key_variable: .* not the",
            )
            for key in ("sk-secret", "gsk_secret1", "hf_secret", "r8_secret", "MY_KEYsecret", "K\n")
        ),
        ({"base_url": "http://h", "model": "m", "key": "secret"}, "one of the keys base_url"),
        ({"base_url": "http://h", "model": "m", "budget_cost": 1}, "price_in and price_out"),
        ({"base_url": "http://h", "model": "m", "budget_tokens": -1}, "0 or more"),
        ({"base_url": "http://h", "model": "m", "timeout": 0}, "timeout"),
        ({"base_url": "http://h", "model": "m", "n_concurrent": 0}, "1 or more"),
        ({"base_url": "http://h", "model": "m", "leave_out": ["model"]}, "temperature, seed"),
        ({"base_url": "http://h", "model": "m", "cache": "a.jsonl"}, "cache"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(values, said):
    with pytest.raises(ConfigError, match=said) as told:
        read_config(EndpointConfig, values)
    assert "secret" not in str(told.value)


def test_a_thought_is_no_answer(tmp_path):
    text = '<think>{"number": 1} perhaps</think>{"number": 2}'
    with asking(probed(lambda _: Answered(text)), tmp_path) as (_, endpoint):
        assert endpoint.complete(ask("number 2"), schema=SCHEMA).parsed == {"number": 2}


def test_a_thought_that_was_cut_off_is_no_answer(tmp_path):
    text = '<think>maybe {"number": 2} but no, wait'
    script = probed(lambda _: Answered(text, finish="length"))
    with asking(script, tmp_path) as (_, endpoint):
        reply = endpoint.complete(ask("number 2"), schema=SCHEMA)
    assert reply.parsed is None
    assert "no JSON object" in reply.failure


def test_the_log_tells_what_was_asked(tmp_path):
    with asking(NUMBERS, tmp_path) as (server, endpoint):
        endpoint.complete(ask("number 1"), schema=SCHEMA, prompt="label-1", name="feature 1")
        host = server.url.removeprefix("http://")
    probe, line = map(json.loads, (tmp_path / "replies.jsonl").read_text().splitlines())
    assert probe["prompt"] == "probe-1"
    assert (line["prompt"], line["name"], line["host"]) == ("label-1", "feature 1", host)
    assert line["request"] == server.asked[0]
    assert line["answer"]["text"] == '{"number": 1}'
    assert line["date"] == NOW.isoformat()
    page = (Path(__file__).parents[2] / "docs/schema/replies-v1.md").read_text()
    assert [name for name in [*line, *line["answer"]] if f"`{name}`" not in page] == []


def test_a_key_is_not_sent_in_the_clear_to_another_machine():
    for url in ("http://api.example.com/v1", "http://10.0.0.7:8000/v1"):
        with pytest.raises(ConfigError, match=r"base_url: expected https, .*found http to another"):
            EndpointConfig(url, "m", key_variable="MY_KEY")
        assert EndpointConfig(url, "m").host
        assert EndpointConfig(url, "m", key_variable="MY_KEY", unencrypted=True).host
    for url in ("https://api.example.com/v1", "http://localhost:1/v1", "http://[::1]:1/v1"):
        assert EndpointConfig(url, "m", key_variable="MY_KEY").host
