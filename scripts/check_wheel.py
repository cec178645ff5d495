"""Compare the files in a wheel with those of the checkout from which it was built."""

import argparse
import subprocess
import sys
import zipfile
from pathlib import Path

_PLACES = {
    "genointerp/": "genointerp/",
    "annotations/": "genointerp/_data/annotations/",
    "workflows/": "genointerp/_data/workflows/",
}


def main() -> None:
    """Parse the arguments, compare, and end with status 1 if the two differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = expected()
    for name in sorted(wanted - found):
        sys.stdout.write(f"{wheel}: expected {name}, found none\n")
    for name in sorted(found - wanted):
        sys.stdout.write(f"{wheel}: expected no {name}\n")
    if wanted != found:
        raise SystemExit(1)
    sys.stdout.write(f"{wheel}: {len(found)} files, as in the checkout\n")


def expected() -> set[str]:
    """Return the names that the tracked files of the package should have in a wheel."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", *_PLACES], capture_output=True, text=True, check=True
    )
    files = [name for name in listing.stdout.split("\0") if name]
    return {
        inside + name.removeprefix(folder)
        for name in files
        for folder, inside in _PLACES.items()
        if name.startswith(folder)
    }


if __name__ == "__main__":
    main()
