"""Harvest over several devices: processes with a model each share the shards of one file."""

import multiprocessing
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

import torch

from genointerp.core.errors import GenointerpError, InputError, MismatchError
from genointerp.core.lock import only_writer
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel, ModelSpec
from genointerp.reading.harvest import HarvestConfig, HarvestPlan, harvest, harvest_shard
from genointerp.store.activation.shards import ActivationShards
from genointerp.store.activation.store import ActivationStore

_GRACE_S = 10.0
_DONE = "done"


@runtime_checkable
class LoadModel(Protocol):
    """How a process comes by its model; where there are several it must be picklable.

    ``functools.partial(load_model, "nano")`` is one.
    """

    def __call__(self, *, device: str) -> DnaModel:
        """Return the model, on a device."""
        ...


@dataclass(frozen=True)
class ModelCopies:
    """A model, and where copies of it run.

    Parameters
    ----------
    load
        Makes a copy.
    devices
        One for each copy; a copy may be spread over several, named as ``load`` understands them.
    """

    load: LoadModel
    devices: tuple[str, ...] = ("cpu",)

    def __post_init__(self) -> None:
        if not self.devices:
            raise InputError("devices", "at least one", "none")


def parse_devices(devices: str | None, device: str) -> tuple[str, ...]:
    """Return the device of each copy of a model; ``+`` joins those that one copy is spread over.

    Examples
    --------
    >>> parse_devices("cuda:0,cuda:1", "cpu")
    ('cuda:0', 'cuda:1')
    >>> parse_devices("cuda:0+cuda:1,cuda:2+cuda:3", "cpu")
    ('cuda:0,cuda:1', 'cuda:2,cuda:3')
    >>> parse_devices(None, "cuda")
    ('cuda',)
    """
    if devices is None:
        return (device,)
    return tuple(copy.strip().replace("+", ",") for copy in devices.split(","))


def harvest_on(
    copies: ModelCopies,
    genome: Genome,
    *,
    out: Path,
    site: str | None = None,
    config: HarvestConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> ActivationStore:
    """Harvest with one copy of a model or several; see :func:`harvest`.

    The file does not depend on their number, as long as their devices are of one kind. Several are
    a process each, which imports the script that calls this anew: what the script does must stand
    below ``if __name__ == "__main__":``.

    Parameters
    ----------
    site
        The model's default where None.

    Raises
    ------
    GenointerpError
        What a copy raised; or that a process ended, killed for want of memory or by an error that
        is none of this package. Shards already written remain.
    MismatchError
        If the copies are not alike.
    StorageError
        If another process writes the file.
    """
    config = HarvestConfig() if config is None else config
    if len(copies.devices) == 1:
        model = copies.load(device=copies.devices[0])
        site = model.spec.default_site if site is None else site
        return harvest(
            model, genome, site=site, out=out, config=config, regions=regions, progress=progress
        )
    with ExitStack() as stack:
        crew = [stack.enter_context(_Worker(copies.load, it)) for it in copies.devices]
        specs = [_spec_of(worker) for worker in crew]
        _check_alike(specs, copies.devices)
        site = specs[0].default_site if site is None else site
        plan = HarvestPlan(specs[0], genome, site, config, tuple(regions))
        plan.check()
        stack.enter_context(only_writer(out))
        found = plan.existing(out)
        if found is not None:
            return found
        shards = plan.shards(out)
        for worker in crew:
            worker.send(_Task(plan, out))
        with shards.dropped_if_empty():
            _share_out(crew, plan, shards, progress)
        return shards.finish()


@dataclass(frozen=True)
class _Task:
    plan: HarvestPlan
    out: Path


class _Worker:
    """The end of a process that is here. It ends with the block, whatever it is doing."""

    def __init__(self, load: LoadModel, device: str) -> None:
        # a forked process cannot use CUDA
        context = multiprocessing.get_context("spawn")
        self.device = device
        self.connection, self._theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(self._theirs, load, device, torch.get_num_threads()), daemon=True
        )

    def __enter__(self) -> "_Worker":
        self._process.start()
        # the other end must be closed here, or its death would go unnoticed
        self._theirs.close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()
        if kind is not None:
            self._process.terminate()
        self._process.join(_GRACE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def send(self, message: object) -> None:
        try:
            self.connection.send(message)
        except OSError as error:
            raise self._death() from error

    def receive(self) -> object:
        try:
            message: object = self.connection.recv()
        except (EOFError, OSError) as error:
            raise self._death() from error
        if isinstance(message, GenointerpError):
            raise message
        return message

    def _death(self) -> GenointerpError:
        self._process.join(_GRACE_S)
        code = self._process.exitcode
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"status {code}"
        return GenointerpError(
            f"process on {self.device}: expected it to harvest its shards, found that it ended "
            f"({how}); run again to go on where it stopped"
        )


def _share_out(
    crew: Sequence[_Worker], plan: HarvestPlan, shards: ActivationShards, progress: Progress
) -> None:
    """Give each process a shard, and another when it is done, until none is left."""
    pending = shards.pending()
    done = plan.n_bases - sum(plan.n_bases_of(shards, shard) for shard in pending)
    progress(done, plan.n_bases)
    busy: dict[Any, _Worker] = {}
    for worker, shard in zip(crew, pending, strict=False):
        worker.send(shard)
        busy[worker.connection] = worker
    waiting = pending[len(busy) :]
    while busy:
        for connection in wait(list(busy)):
            message = busy[connection].receive()
            if isinstance(message, int):
                done += message
                progress(done, plan.n_bases)
            elif waiting:
                busy[connection].send(waiting.pop(0))
            else:
                del busy[connection]


def _spec_of(worker: _Worker) -> ModelSpec:
    spec = worker.receive()
    assert isinstance(spec, ModelSpec)
    return spec


def _check_alike(specs: Sequence[ModelSpec], devices: Sequence[str]) -> None:
    for spec, device in zip(specs, devices, strict=True):
        for field in ("sha256", "dtype", "attention_backend"):
            expected, found = getattr(specs[0], field), getattr(spec, field)
            if found != expected:
                where = f"devices: model on {device}"
                wanted = f"{field.replace('_', ' ')} {expected!r} as on {devices[0]}"
                raise MismatchError(where, wanted, repr(found))


def _work(connection: Connection, load: LoadModel, device: str, n_threads: int) -> None:
    """Load a model, then harvest the shards whose numbers come, until the other end is closed."""
    # results on a CPU depend on the number of threads
    torch.set_num_threads(n_threads)
    try:
        model = load(device=device)
        connection.send(model.spec)
        task = _next(connection)
        if not isinstance(task, _Task):
            return
        shards = task.plan.shards(task.out)
        while isinstance(shard := _next(connection), int):
            for n_bases in harvest_shard(model, task.plan, shards, shard):
                connection.send(n_bases)
            connection.send(_DONE)
    except GenointerpError as error:
        connection.send(error)


def _next(connection: Connection) -> object:
    try:
        return connection.recv()
    except EOFError:
        return None
