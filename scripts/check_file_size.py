"""Refuse files above 500 kB; the hook lists the exceptions (genomes and shipped weights)."""

import sys
from pathlib import Path

LIMIT = 500_000


def main(paths: list[str]) -> int:
    """Print each file that is too large; return 1 if there is one."""
    sizes = {path: Path(path).stat().st_size for path in paths}
    large = {path: size for path, size in sizes.items() if size > LIMIT}
    for path, size in large.items():
        sys.stderr.write(f"{path}: expected at most {LIMIT} bytes, found {size}\n")
    return 1 if large else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
