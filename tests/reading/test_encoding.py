"""What is rounded on the model's device is what the store's own encoding gives."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import InputError
from genointerp.reading.encoding import encode_tensor
from genointerp.store.activation.store import STORED, encode_values

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
# halfway between neighbours of float16 and bfloat16, their largest, their smallest
EDGES = [
    1 + 2**-11,
    1 + 3 * 2**-11,
    1 + 2**-8,
    1 + 3 * 2**-8,
    65_503.0,
    65_504.0,
    65_519.0,
    65_520.0,
]
EDGES += [3.38e38, 3.39e38, 3.4e38, 2**-24, 2**-25, 1.5 * 2**-25, 1e-40, 0.0, np.nan, np.inf]
numbers = st.one_of(
    st.sampled_from([sign * x for x in EDGES for sign in (1, -1)]),
    st.floats(-7e4, 7e4, width=32),
    st.integers(0, 2**32 - 1).map(lambda bits: np.uint32(bits).view(np.float32)),
)


def outcome(encode, x, encoding):
    """The bits, or what the error says."""
    try:
        raw = encode(x, encoding)
    except InputError as error:
        return str(error)
    assert raw.dtype == STORED[encoding]
    return raw.view(np.uint16).tolist()


def same_on(device, values, encoding, dtype):
    x = torch.from_numpy(np.array(values, np.float32).reshape(-1, 2)).to(device, dtype)
    expected = outcome(encode_values, x.float().cpu().numpy(), encoding)
    assert outcome(encode_tensor, x, encoding) == expected


pairs = st.lists(st.tuples(numbers, numbers), max_size=6)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("encoding", ["float16", "bfloat16"])
@given(values=pairs)
def test_a_tensor_is_encoded_as_its_values_are(values, encoding, dtype):
    same_on("cpu", values, encoding, dtype)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("encoding", ["float16", "bfloat16"])
@given(values=pairs)
def test_a_tensor_on_cuda_is_encoded_as_its_values_are(values, encoding, dtype):
    same_on("cuda", values, encoding, dtype)


@pytest.mark.parametrize(
    ("value", "encoding", "bits"),
    [
        pytest.param(1 + 2**-11, "float16", 0x3C00, id="float16-tie-to-even-below"),
        pytest.param(1 + 3 * 2**-11, "float16", 0x3C02, id="float16-tie-to-even-above"),
        pytest.param(2**-24, "float16", 1, id="float16-smallest"),
        pytest.param(1 + 2**-8, "bfloat16", 0x3F80, id="bfloat16-tie-to-even-below"),
        pytest.param(1 + 3 * 2**-8, "bfloat16", 0x3F82, id="bfloat16-tie-to-even-above"),
        pytest.param(70_000.0, "bfloat16", 0x4789, id="bfloat16-beyond-float16"),
    ],
)
def test_rounding_by_hand(value, encoding, bits):
    assert encode_tensor(torch.tensor([[value]]), encoding).view(np.uint16).item() == bits


@pytest.mark.parametrize("bad", [65_520.0, torch.nan, -torch.inf])
def test_a_refused_value_is_named(bad):
    x = torch.zeros(3, 2, dtype=torch.float32)
    x[2, 1] = bad
    with pytest.raises(InputError, match=rf"activations\[2, 1\]: expected finite.*found {bad}"):
        encode_tensor(x, "float16")
