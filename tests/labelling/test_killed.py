"""A run that is killed at any moment goes on, and pays nothing twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import compress

from tests.labelling.endpoints import answer_number
from tests.labelling.scripted_server import oracle, probed, serving

N_REQUESTS, N_KILLS, N_CONCURRENT = 45, 20, 3
WORKER = f"""
import os, sys
from pathlib import Path

from genointerp.labelling.endpoint.config import EndpointConfig
from genointerp.labelling.endpoint.endpoint import Endpoint
from genointerp.labelling.endpoint.wire import _certificates
from tests.labelling.endpoints import numbered

_certificates()
for line in sys.stdin:
    url, cache, os.environ["RUN"] = line.split()
    child = os.fork()
    if not child:
        own = dict(key_variable="RUN", cache=Path(cache), n_concurrent={N_CONCURRENT})
        config = EndpointConfig(url, "m", **own)
        with Endpoint(config) as endpoint:
            n = sum(it.parsed is not None for it in endpoint.complete_many(numbered({N_REQUESTS})))
        os._exit(0 if n == {N_REQUESTS} else 1)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def answered(log):
    """Requests with a complete line in the log."""
    if not log.exists():
        return set()
    whole = log.read_bytes().rpartition(b"\n")[0]
    lines = [json.loads(it) for it in whole.splitlines()]
    return {it["request"]["messages"][-1]["content"] for it in lines if it["kind"] == "answer"}


def test_no_reply_is_paid_twice_whenever_the_run_is_killed(tmp_path):
    log, moment = tmp_path / "replies.jsonl", {}
    lock = threading.Lock()

    def killing(payload):
        with lock:
            moment["n"] += 1
            is_now = moment["n"] == moment["at"]
        if is_now and moment["before"]:
            # the call is in flight: nothing was answered
            os.kill(moment["pid"], signal.SIGKILL)
        elif is_now:
            # while the reply is read, or written, or after that
            delay = 0.0005 * moment["late"]
            timer = threading.Timer(delay, kill, (moment["pid"],))
            timers.append(timer)
            timer.start()
        return probed(oracle(answer_number))(payload)

    def kill(pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    timers = []
    with (
        serving(killing) as server,
        subprocess.Popen(
            [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as worker,
    ):
        n_killed = 0
        for number in range(N_KILLS + 1):
            known, key = answered(log), f"run-number-{number}"
            is_last = number == N_KILLS
            moment |= {
                "n": 0,
                "at": 0 if is_last else 1 + number % 4,
                "before": number % 2,
                "late": number // 2,
            }
            with lock:
                worker.stdin.write(f"{server.url} {tmp_path / 'replies.sqlite'} {key}\n")
                worker.stdin.flush()
                moment["pid"] = int(worker.stdout.readline())
            status = int(worker.stdout.readline())
            n_killed += os.WIFSIGNALED(status)
            # a call of a run that was killed may come to the server after the next has begun
            own = [it == f"Bearer {key}" for it in server.keys]
            asked = [it["messages"][-1]["content"] for it in compress(server.calls, own)]
            # what had been answered is not asked again, nor is anything twice in one run
            assert not known & set(asked)
            assert len(set(asked)) == len(asked)
        worker.stdin.close()
        for timer in timers:
            timer.join()
    assert status == 0
    assert n_killed >= N_KILLS // 2
    assert len(answered(log)) == N_REQUESTS + 1
    # only calls that were in flight when it was killed are made again
    assert len(server.calls) <= N_REQUESTS + 1 + n_killed * N_CONCURRENT
