from dataclasses import replace

import pytest

from genointerp.core.errors import GenointerpError, InputError, MismatchError
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.reading.parallel import ModelCopies, _check_alike, harvest_on
from tests.reading.loaders import KilledAfter, load_toy
from tests.reading.test_harvest import data_of, genome_of
from tests.toy_model import ToyDnaModel

CONFIG = HarvestConfig(window=20, warmup=5, batch=3)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    # the size is written into the manifest, which the processes read
    monkeypatch.setattr("genointerp.store.activation.shards.SHARD_BYTES", 2 * 8 * 60)


def test_two_processes_write_what_one_writes_and_go_on_where_they_were_killed(tmp_path):
    genome = genome_of(211)
    alone = harvest(
        ToyDnaModel(), genome, site="blocks.0", out=tmp_path / "alone.h5", config=CONFIG
    )
    told, out = [], tmp_path / "a.h5"
    with pytest.raises(GenointerpError, match=r"process on cpu: .* \(killed by signal 9\); run"):
        harvest_on(ModelCopies(KilledAfter(3), ("cpu", "cpu")), genome, out=out, config=CONFIG)
    assert not out.exists()
    assert list((tmp_path / "a.h5.shards").glob("shard-*.bin"))
    store = harvest_on(
        ModelCopies(load_toy, ("cpu", "cpu")),
        genome,
        out=out,
        config=CONFIG,
        progress=lambda *x: told.append(x),
    )
    assert data_of(store.path) == data_of(alone.path)
    assert store.manifest_sha256 == alone.manifest_sha256
    assert 0 < told[0][0] < told[-1][0] == told[-1][1] == 4 * 211
    assert sorted(told) == told


def test_what_a_process_raises_is_raised_here(tmp_path):
    copies = ModelCopies(load_toy, ("cpu", "none"))
    with pytest.raises(
        InputError, match="device: expected one that this machine has, found 'none'"
    ):
        harvest_on(copies, genome_of(60), out=tmp_path / "a.h5", config=CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_copies_that_differ_are_refused():
    spec = ToyDnaModel.spec
    other = replace(spec, attention_backend="flash")
    message = "model on cuda:1: expected attention backend 'none' as on cuda:0, found 'flash'"
    with pytest.raises(MismatchError, match=message):
        _check_alike([spec, other], ["cuda:0", "cuda:1"])
    _check_alike([spec, replace(spec, name="nickname")], ["cuda:0", "cuda:1"])


def test_one_device_needs_no_other_process(tmp_path):
    store = harvest_on(
        ModelCopies(lambda *, device: ToyDnaModel()),
        genome_of(60),
        out=tmp_path / "a.h5",
        config=CONFIG,
    )
    assert (store.header.site, store.n_bases) == ("blocks.0", 240)
    with pytest.raises(InputError, match="devices: expected at least one, found none"):
        ModelCopies(load_toy, ())
