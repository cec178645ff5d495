"""Read logs as they grow."""

from collections.abc import Callable
from pathlib import Path


class GrowingLog:
    """Reads the lines that were appended to a log since the last look; it need not exist yet.

    Parameters
    ----------
    skip
        Whether text that is there now is not read, since it belongs to an earlier run. A log that
        is written to after that was begun anew, and is read from its start.
    """

    def __init__(self, path: Path, *, skip: bool = False) -> None:
        self.path = path
        self._read = 0
        self._old = self._changed() if skip else None

    def lines(self, *, is_over: bool = False) -> list[str]:
        """Return the lines that were completed; where the log is over, the last is one anyway."""
        changed = self._changed()
        if changed is None or changed == self._old:
            return []
        self._old = None
        if self.path.stat().st_size < self._read:  # the log was begun anew
            self._read = 0
        with self.path.open("rb") as handle:
            handle.seek(self._read)
            fresh = handle.read()
        if not is_over:
            fresh = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(fresh)
        return [line.rstrip() for line in fresh.decode(errors="replace").splitlines()]

    def _changed(self) -> int | None:
        return self.path.stat().st_mtime_ns if self.path.exists() else None


class LogFollower:
    """Reads the logs of the steps of a run, each line under the name of its step.

    Parameters
    ----------
    folder
        Holds ``{step}.log`` and ``{genome}/{step}.log``; need not exist yet.
    show
        Called with the step, such as ``genome/step``, and each complete line.
    """

    def __init__(self, folder: Path, show: Callable[[str, str], None]) -> None:
        self.folder = folder
        self.show = show
        self._logs = {path: GrowingLog(path, skip=True) for path in self._paths()}

    def look(self, *, is_over: bool = False) -> None:
        """Show the lines that were completed since the last look, or all that are left."""
        for path in self._paths():
            if path not in self._logs:
                self._logs[path] = GrowingLog(path)
            step = path.relative_to(self.folder).with_suffix("").as_posix()
            for line in self._logs[path].lines(is_over=is_over):
                if line.strip():
                    self.show(step, line)

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("**/*.log"))
