import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import InputError
from genointerp.model.device import find_devices, spread_blocks


def test_the_cpu_is_found():
    assert find_devices("cpu") == (torch.device("cpu"),)


def test_auto_is_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert find_devices("auto") == (torch.device("cpu"),)


@pytest.fixture
def three_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr("genointerp.model.device.find_device", torch.device)


@pytest.mark.usefixtures("three_gpus")
def test_auto_is_every_gpu():
    assert find_devices("auto") == tuple(torch.device("cuda", i) for i in range(3))


@pytest.mark.usefixtures("three_gpus")
def test_several_devices_keep_their_order():
    found = find_devices("cuda:2, cuda:0")
    assert found == (torch.device("cuda:2"), torch.device("cuda:0"))


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize("names", ["cuda:0,cuda:0", "cuda,cuda:1", "cpu,cpu"])
def test_devices_must_be_different_and_numbered(names):
    with pytest.raises(InputError, match=f"different devices with their numbers, found '{names}'"):
        find_devices(names)


@pytest.mark.usefixtures("three_gpus")
def test_devices_must_be_of_one_kind():
    with pytest.raises(InputError, match="devices of one kind"):
        find_devices("cuda:0,cpu:0")


@pytest.mark.parametrize("names", ["warp", "cpu,warp:1", "", "cuda:99"])
def test_a_device_that_is_not_here_is_named(names):
    with pytest.raises(InputError, match=r"device: .*this machine has \(cpu"):
        find_devices(names)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 6))
def test_blocks_are_spread_in_order_and_evenly(sizes, n_devices):
    devices = [torch.device("cuda", i) for i in range(n_devices)]
    spread = spread_blocks(sizes, devices)
    numbers = [device.index for device in spread]
    assert len(spread) == len(sizes)
    assert numbers == sorted(numbers)
    for device in devices:
        load = sum(size for size, place in zip(sizes, spread, strict=True) if place == device)
        assert load <= sum(sizes) / n_devices + max(sizes)


def test_equal_blocks_are_shared_equally():
    devices = [torch.device("cuda", i) for i in range(3)]
    numbers = [device.index for device in spread_blocks([7] * 6, devices)]
    assert numbers == [0, 0, 1, 1, 2, 2]


def test_a_block_goes_where_most_of_it_lies():
    devices = [torch.device("cuda", i) for i in range(2)]
    assert [device.index for device in spread_blocks([2, 3, 1], devices)] == [0, 1, 1]
