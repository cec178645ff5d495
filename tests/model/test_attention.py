"""Causal attention against its definition, and the choice of a kernel where it cannot run."""

import sys
from types import SimpleNamespace

import pytest
import torch
from torch.nn.attention import SDPBackend

from genointerp.core.errors import InputError, UnknownNameError
from genointerp.model import attention
from genointerp.model.attention import FLASH_PACKAGES, causal_attention, choose_backend

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
CPU, CUDA = torch.device("cpu"), torch.device("cuda:0")


def parts(tokens, past=0, *, heads=2, width=8, dtype=torch.float32, device="cpu"):
    generator = torch.Generator().manual_seed(tokens + 100 * past)
    query = torch.randn(2, heads, tokens, width, generator=generator)
    key, value = torch.randn(2, 2, heads, past + tokens, width, generator=generator)
    return [x.to(device, dtype) for x in (query, key, value)]


def naive(query, key, value, past):
    """Softmax over the keys that each row may see, one row after another, in double."""
    query, key, value = (x.double() for x in (query, key, value))
    out = torch.zeros_like(query)
    for row in range(query.shape[2]):
        seen = past + row + 1
        score = (query[:, :, row, None] * key[:, :, :seen]).sum(-1) / query.shape[-1] ** 0.5
        out[:, :, row] = (score.softmax(-1)[..., None] * value[:, :, :seen]).sum(2)
    return out


def test_two_tokens_by_hand():
    query = key = torch.tensor([[[[1.0], [2.0]]]])
    value = torch.tensor([[[[10.0], [20.0]]]])
    # the second row scores 2 and 4: weights 1 / (1 + e^2) and its rest
    late = 20 - 10 / (1 + torch.e**2)
    out = causal_attention(query, key, value).flatten().tolist()
    assert out == pytest.approx([10, late])
    chunk = causal_attention(query[:, :, 1:], key, value, past=1)
    assert chunk.flatten().tolist() == pytest.approx([late])


@pytest.mark.parametrize(
    ("tokens", "past"), [(1, 0), (9, 0), (1, 5), (4, 3), (3, 40), (40, 3), (17, 17)]
)
@pytest.mark.parametrize("mask_entries", [1 << 20, 100, 1])
def test_each_row_sees_the_keys_up_to_its_own(tokens, past, mask_entries, monkeypatch):
    monkeypatch.setattr(attention, "_MASK_ENTRIES", mask_entries)
    q, k, v = parts(tokens, past)
    expected = naive(q, k, v, past)
    torch.testing.assert_close(
        causal_attention(q, k, v, past=past).double(), expected, rtol=1e-5, atol=1e-6
    )


def test_chunks_with_a_cache_equal_one_pass():
    q, k, v = parts(31)
    whole = causal_attention(q, k, v)
    for chunk in (1, 4, 13, 30):
        pieces = []
        for first in range(0, 31, chunk):
            last = min(first + chunk, 31)
            rows = q[:, :, first:last], k[:, :, :last], v[:, :, :last]
            pieces.append(causal_attention(*rows, past=first))
        torch.testing.assert_close(torch.cat(pieces, 2), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("past", [0, 6])
@pytest.mark.parametrize("groups", [1, 2])
def test_query_heads_that_lie_together_share_a_key(groups, past):
    q, k, v = parts(5, past, heads=4)
    shared_k, shared_v = k[:, :groups], v[:, :groups]
    own_k, own_v = (torch.stack([x[:, head * groups // 4] for head in range(4)], 1) for x in (k, v))
    found = causal_attention(q, shared_k, shared_v, past=past)
    torch.testing.assert_close(found.double(), naive(q, own_k, own_v, past), rtol=1e-5, atol=1e-6)


@pytest.fixture
def mask_sizes(monkeypatch):
    """Entries of the masks that are laid out."""
    sizes = []
    real = torch.nn.functional.scaled_dot_product_attention

    def watch(*args, attn_mask, **kwargs):
        sizes.append(attn_mask.numel())
        return real(*args, attn_mask=attn_mask, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watch)
    return sizes


def test_masks_stay_small_however_long_the_cache(mask_sizes, monkeypatch):
    monkeypatch.setattr(attention, "_MASK_ENTRIES", 500)
    causal_attention(*parts(20, 80), past=80)
    assert max(mask_sizes) <= 500
    assert len(mask_sizes) == 4


def test_a_mask_holds_no_more_than_a_mebibyte(mask_sizes):
    past = 2**15 - 64
    causal_attention(*parts(64, past, heads=1, width=2), past=past)
    # 32 rows of 32,768 keys, less those that none of the 32 may see
    assert mask_sizes == [32 * (2**15 - 32), 32 * 2**15]


def test_a_cache_of_another_length_is_refused():
    q, k, v = parts(4, 3)
    with pytest.raises(InputError, match=r"past \+ token = 6 keys, found 7"):
        causal_attention(q, k, v, past=2)


@pytest.fixture
def machine(monkeypatch):
    """Pretend: some packages are installed, and a GPU of some generation is there."""

    def pretend(*installed, capability=9):
        versions = {FLASH_PACKAGES[name].distribution: "1.2.3" for name in installed}

        def version(distribution):
            if distribution not in versions:
                raise attention.metadata.PackageNotFoundError(distribution)
            return versions[distribution]

        monkeypatch.setattr(attention.metadata, "version", version)
        monkeypatch.setattr(attention, "find_spec", lambda _name: object())
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (capability, 0))

    return pretend


FA4, FA3, FA2 = FLASH_PACKAGES


@pytest.mark.parametrize(
    ("installed", "capability", "dtype", "expected"),
    [
        pytest.param([FA4, FA3, FA2], 9, torch.bfloat16, FA4, id="4-before-3-before-2"),
        pytest.param([FA3, FA2], 9, torch.float16, FA3, id="3-before-2"),
        pytest.param([FA2], 9, torch.bfloat16, FA2, id="2"),
        pytest.param([FA4, FA3, FA2], 8, torch.bfloat16, FA2, id="ampere-has-only-2"),
        pytest.param([FA4, FA3], 10, torch.bfloat16, FA4, id="blackwell-has-no-3"),
        pytest.param([FA4, FA3], 8, torch.bfloat16, "sdpa", id="nothing-for-ampere"),
        pytest.param([FA4, FA3, FA2], 9, torch.float32, "sdpa", id="single-precision"),
        pytest.param([], 9, torch.bfloat16, "sdpa", id="nothing-installed"),
    ],
)
def test_the_best_package_that_can_run_is_chosen(machine, installed, capability, dtype, expected):
    machine(*installed, capability=capability)
    backend = choose_backend(CUDA, dtype)
    assert backend.transformers_name == expected
    if expected == "sdpa":
        assert backend.name == "torch-sdpa-cuda[flash,cudnn,efficient,math]"
    else:
        assert backend.name == f"{FLASH_PACKAGES[expected].distribution}-1.2.3"
        assert backend.order == ()


def test_widths_of_heads_rule_out_the_kernels_that_cannot_hold_them(machine):
    machine(FA4, FA2)
    widths = {width: choose_backend(CUDA, torch.bfloat16, head_width=width) for width in (128, 256)}
    assert {width: found.transformers_name for width, found in widths.items()} == {
        128: FA4,
        256: FA2,
    }
    assert choose_backend(CUDA, torch.bfloat16, head_width=512).transformers_name == "sdpa"
    assert choose_backend(CUDA, torch.bfloat16, head_width=60).transformers_name == "sdpa"


def test_the_users_choice_comes_first(machine):
    machine(FA4, FA3, FA2)
    assert choose_backend(CUDA, torch.bfloat16, wanted=FA2).transformers_name == FA2
    assert choose_backend(CUDA, torch.bfloat16, wanted="sdpa").transformers_name == "sdpa"


def test_the_cpu_has_its_own_kernel(machine):
    machine(FA4, FA3, FA2)
    backend = choose_backend(CPU, torch.bfloat16)
    assert (backend.name, backend.transformers_name) == ("torch-sdpa-cpu", "sdpa")


def test_torch_tries_its_kernels_in_order_for_the_length_of_a_block(machine):
    machine()
    before = torch.nn.attention._cur_sdpa_kernel_backends(with_priority=True)
    backend = choose_backend(CUDA, torch.bfloat16)
    with backend.kernels():
        assert torch.nn.attention._cur_sdpa_kernel_backends(with_priority=True) == [
            SDPBackend.FLASH_ATTENTION,
            SDPBackend.CUDNN_ATTENTION,
            SDPBackend.EFFICIENT_ATTENTION,
            SDPBackend.MATH,
        ]
    assert torch.nn.attention._cur_sdpa_kernel_backends(with_priority=True) == before


def test_where_flash_is_required_torch_may_use_nothing_else(machine):
    machine()
    backend = choose_backend(CUDA, torch.bfloat16, require_flash=True)
    assert backend.name == "torch-sdpa-cuda[flash]"
    assert backend.order == (SDPBackend.FLASH_ATTENTION,)
    machine(FA2)
    assert choose_backend(CUDA, torch.bfloat16, require_flash=True).transformers_name == FA2


@pytest.mark.parametrize(
    ("device", "dtype", "width", "capability", "found"),
    [
        pytest.param(CPU, torch.bfloat16, None, 9, "the device is cpu, not cuda", id="device"),
        pytest.param(
            CUDA,
            torch.float32,
            None,
            9,
            "the dtype is float32, not bfloat16 or float16",
            id="dtype",
        ),
        pytest.param(
            CUDA, torch.bfloat16, 320, 9, "heads are 320 wide, more than 256", id="head-width"
        ),
        pytest.param(
            CUDA, torch.bfloat16, None, 7, "compute capability 7.x, not 8.x, 9.x", id="old-gpu"
        ),
    ],
)
@pytest.mark.parametrize("wanted", [None, "sdpa"])
def test_a_required_flash_kernel_that_cannot_run_says_why(
    machine, device, dtype, width, capability, found, wanted
):
    machine(capability=capability)
    with pytest.raises(InputError, match="attention backend: expected a flash kernel") as error:
        choose_backend(device, dtype, wanted=wanted, require_flash=True, head_width=width)
    assert found in error.value.found
    assert ("flash-attn-3 is not installed" in error.value.found) == (wanted is None)


def test_a_wanted_package_that_cannot_run_says_why(machine):
    machine(FA2)
    with pytest.raises(InputError, match="expected flash_attention_3, found flash-attn-3 is not"):
        choose_backend(CUDA, torch.bfloat16, wanted=FA3)
    with pytest.raises(InputError, match="found the device is cpu, not cuda; the dtype is float32"):
        choose_backend(CPU, torch.float32, wanted=FA2)


@pytest.mark.parametrize("name", [*FLASH_PACKAGES, "sdpa"])
def test_a_flash_kernel_alone_refuses_inputs_that_it_cannot_take(machine, name):
    machine(*FLASH_PACKAGES)
    backend = choose_backend(CUDA, torch.bfloat16, wanted=name, require_flash=True)
    expected = "torch's flash kernel" if name == "sdpa" else name
    with pytest.raises(
        InputError, match=f"inputs for {expected}, found the device is cpu"
    ) as error:
        causal_attention(*parts(4, 2, width=264), past=2, backend=backend)
    assert "float32, not bfloat16" in error.value.found
    assert "heads are 264 wide" in error.value.found


def test_an_unknown_backend_is_named():
    with pytest.raises(UnknownNameError, match=r"one of sdpa, flash_attention_4.*found 'xformers'"):
        choose_backend(CPU, torch.float32, wanted="xformers")


def test_a_module_without_its_distribution_is_not_installed(monkeypatch):
    # FlashAttention 2 brings parts of 4 under the same module
    monkeypatch.setattr(attention, "find_spec", lambda _name: object())
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (9, 0))
    assert choose_backend(CUDA, torch.bfloat16).transformers_name == "sdpa"


@pytest.mark.parametrize("name", FLASH_PACKAGES)
@pytest.mark.parametrize("with_lse", [False, True], ids=["out", "out-and-lse"])
@pytest.mark.parametrize("past", [0, 5])
def test_a_package_is_called_directly_with_tokens_before_heads(
    machine, monkeypatch, name, with_lse, past
):
    def flash_attn_func(query, key, value, *, causal):
        assert causal
        heads_first = (x.transpose(1, 2) for x in (query, key, value))
        out = naive(*heads_first, key.shape[1] - query.shape[1]).float().transpose(1, 2)
        return (out, "lse") if with_lse else out

    module = SimpleNamespace(flash_attn_func=flash_attn_func)
    monkeypatch.setitem(sys.modules, "flash_attn", SimpleNamespace(__path__=[], cute=module))
    monkeypatch.setitem(sys.modules, FLASH_PACKAGES[name].module, module)
    machine(name)
    backend = choose_backend(CUDA, torch.bfloat16, wanted=name)
    monkeypatch.setattr(attention, "_unfit", lambda *_inputs: [])
    q, k, v = parts(4, past)
    out = causal_attention(q, k, v, past=past, backend=backend)
    torch.testing.assert_close(out, causal_attention(q, k, v, past=past), rtol=1e-5, atol=1e-6)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("tokens", "past"), [(64, 0), (1, 64), (32, 500), (500, 32)])
def test_on_cuda_each_row_sees_the_keys_up_to_its_own(dtype, tokens, past):
    q, k, v = parts(tokens, past, width=128, dtype=dtype, device="cuda")
    out = causal_attention(q, k, v, past=past)
    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(out.double(), naive(q, k, v, past), rtol=tolerance, atol=tolerance)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("past", [0, 1024])
def test_on_cuda_a_required_flash_kernel_takes_chunks(past, groups):
    backend = choose_backend(CUDA, torch.bfloat16, wanted="sdpa", require_flash=True)
    q, k, v = parts(512, past, width=128, dtype=torch.bfloat16, device="cuda")
    k, v = k[:, :groups], v[:, :groups]
    with torch.profiler.profile() as profile:
        causal_attention(q, k, v, past=past, backend=backend)
    assert any("flash" in event.key for event in profile.key_averages())


@pytest.mark.gpu
@needs_cuda
def test_on_cuda_a_required_flash_kernel_refuses_single_precision():
    backend = choose_backend(CUDA, torch.bfloat16, wanted="sdpa", require_flash=True)
    with pytest.raises(InputError, match="found the dtype is float32"):
        causal_attention(*parts(8, device="cuda"), backend=backend)


@pytest.mark.gpu
@needs_cuda
def test_on_cuda_memory_does_not_grow_with_the_square_of_the_length():
    q, k, v = parts(4096, 61_440, heads=1, width=64, dtype=torch.bfloat16, device="cuda")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    causal_attention(q, k, v, past=61_440)
    # a mask would hold 4096 * 65536 entries, 256 MiB
    assert torch.cuda.max_memory_allocated() - before < 2**26
