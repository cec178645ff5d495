"""Harvest on several devices: processes, each with a copy of the model, share one file's shards."""

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
    """A function that loads the model of a process; it must be picklable if there are several.

    An example is ``functools.partial(load_model, "nano")``.
    """

    def __call__(self, *, device: str) -> DnaModel:
        """Return the model, on a device."""
        ...


@dataclass(frozen=True)
class ModelCopies:
    """A model, and the devices on which copies of it run.

    Parameters
    ----------
    load
        Function that loads a copy.
    devices
        Device of each copy, in a form that ``load`` understands; a copy may be spread over several.
    """

    load: LoadModel
    devices: tuple[str, ...] = ("cpu",)

    def __post_init__(self) -> None:
        if not self.devices:
            raise InputError("devices", "at least one", "none")


def parse_devices(devices: str | None, device: str) -> tuple[str, ...]:
    """Return the device of each copy of a model; ``+`` joins the devices that share one copy.

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
    """Harvest with one copy of a model, or with several; see :func:`harvest`.

    The file does not depend on their number, if their devices are of one kind. Each of several
    copies runs in a process of its own, which imports the calling script again; so the script must
    do its work below ``if __name__ == "__main__":``.

    Parameters
    ----------
    site
        Site of the activations; None means the default site of the model.

    Raises
    ------
    GenointerpError
        If a copy raised it, or if a process ended, because it was killed (for example for lack of
        memory) or by an error from outside this package. Shards that are already written remain.
    MismatchError
        If the copies differ in weights, dtype or attention kernels.
    StorageError
        If another process is writing the file.
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
    """Handle of a process, which ends with the ``with`` block, whatever the process is doing."""

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
        # unless the other end is closed here too, the end of the other process goes unnoticed
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
            f"({how}); run again to continue where it stopped"
        )


def _share_out(
    crew: Sequence[_Worker], plan: HarvestPlan, shards: ActivationShards, progress: Progress
) -> None:
    """Give each process a shard, and the next one when it is done, until none is left."""
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
    """Load a model, then harvest the shards whose numbers are sent, until the other end closes."""
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
