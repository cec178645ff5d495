"""Rewrite the golden files of the tests: ``python -m scripts.make_golden``, from the root.

Read the diff before you commit it. Archives of old format versions are not golden files: an
existing one is never rewritten.
"""

import sys
import tempfile
from pathlib import Path

from tests.golden.chain import GOLDEN, make_golden
from tests.store.archives import ARCHIVES, write_archives


def main() -> None:
    """Write the golden files, and archives of the current format versions that are missing."""
    with tempfile.TemporaryDirectory() as folder:
        texts = make_golden(Path(folder))
    GOLDEN.mkdir(exist_ok=True)
    for name, text in texts.items():
        (GOLDEN / name).write_text(text)
    ARCHIVES.mkdir(exist_ok=True)
    made = [*(GOLDEN / name for name in texts), *write_archives(ARCHIVES)]
    sys.stdout.write("".join(f"{path}\n" for path in made))


if __name__ == "__main__":
    main()
