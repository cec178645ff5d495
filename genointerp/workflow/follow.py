"""Show the logs of the steps as they grow, each line under the name of its step."""

from collections.abc import Callable
from pathlib import Path


class LogFollower:
    """Read what was appended to the logs of a folder since the last look.

    Text that was in a log at the beginning belongs to an earlier run and is not shown.

    Parameters
    ----------
    folder
        Holds ``{step}.log`` and ``{genome}/{step}.log``; need not exist yet.
    show
        Called with each complete line, which begins with ``genome/step: ``.
    """

    def __init__(self, folder: Path, show: Callable[[str], None]) -> None:
        self.folder = folder
        self.show = show
        self._read = {path: _size(path) for path in self._logs()}

    def look(self) -> None:
        """Show the lines that were completed since the last look."""
        for path in self._logs():
            self._look_at(path, whole_lines=True)

    def finish(self) -> None:
        """Show what is left, complete line or not."""
        for path in self._logs():
            self._look_at(path, whole_lines=False)

    def _logs(self) -> list[Path]:
        return sorted(self.folder.glob("**/*.log"))

    def _look_at(self, path: Path, *, whole_lines: bool) -> None:
        begin = self._read.get(path, 0)
        if _size(path) < begin:  # the step began its log anew
            begin = 0
        with path.open("rb") as handle:
            handle.seek(begin)
            fresh = handle.read()
        if whole_lines:
            fresh = fresh[: fresh.rfind(b"\n") + 1]
        self._read[path] = begin + len(fresh)
        step = path.relative_to(self.folder).with_suffix("").as_posix()
        for line in fresh.decode(errors="replace").splitlines():
            if line.strip():
                self.show(f"{step}: {line.rstrip()}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
