"""A process group that ends with the process that began it, even if that one is killed.

This file is also a program, which runs in processes of their own and imports no other module of
the package: ``begin`` starts a command, ``watch`` ends its group once its starter has gone.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

GRACE_S = 2.0
"""Seconds that processes have to end by themselves, each time that they are asked."""

INTERVAL_S = 0.05
"""Seconds between two looks at whether they have."""

_PR_SET_PDEATHSIG = 1
_WITHOUT_PACKAGE = [sys.executable, "-I", __file__]


@contextmanager
def process_group(
    command: Sequence[str],
    *,
    output: IO[bytes] | None,
    environment: Mapping[str, str],
    keep_open: Sequence[int] = (),
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a command as the leader of a process group, all of which has ended when the block ends.

    SIGTERM and SIGHUP, where they would have ended this process at once, leave the block, too, by
    a `SystemExit`. If this process is killed, a watcher ends the group.

    Parameters
    ----------
    output
        Where both streams of the command go; those of this process where None.
    keep_open
        File descriptors that the command and the watcher hold as well, until the last process of
        the group has ended.
    """
    begun = subprocess.Popen(
        [*_WITHOUT_PACKAGE, "begin", *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=environment,
        pass_fds=keep_open,
        process_group=0,
    )
    with _left_upon_signals():
        watcher = subprocess.Popen(
            [*_WITHOUT_PACKAGE, "watch", str(begun.pid)],
            stdin=subprocess.PIPE,
            pass_fds=keep_open,
            start_new_session=True,
        )
        try:
            yield begun
        finally:
            end_group(begun.pid, reap=begun.poll)
            watcher.communicate(b"done")


def end_group(leader: int, *, reap: Callable[[], object] = lambda: None) -> None:
    """End all processes of a group: ask them twice, then kill those that are left.

    Parameters
    ----------
    leader
        Its process id, which is that of the group.
    reap
        Called again and again meanwhile, to collect the leader where it is a child of this process.
    """
    with suppress(ProcessLookupError):
        # Snakemake cancels the jobs of a cluster upon an interrupt, not upon SIGTERM
        os.kill(leader, signal.SIGINT)
    # twice: a process may have started another just before it was asked
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + GRACE_S
        send = int(number)
        while time.monotonic() < until:
            reap()
            try:
                os.killpg(leader, send)
            except ProcessLookupError:
                return
            send = 0
            time.sleep(INTERVAL_S)


@contextmanager
def _left_upon_signals() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    ours = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in ours:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _begin(command: Sequence[str]) -> None:
    if sys.platform == "linux":
        # until there is a watcher: the system itself tells the command that its starter has gone
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
    os.execvp(command[0], [*command])


def _watch(leader: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not sys.stdin.buffer.read():
        end_group(leader)


if __name__ == "__main__":
    if sys.argv[1] == "begin":
        _begin(sys.argv[2:])
    else:
        _watch(int(sys.argv[2]))
