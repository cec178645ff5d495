"""Write the shipped concepts, and those that the backtest keeps in reserve, for `--concepts`.

``python -m scripts.reserve_concepts OUT.yaml``. Pass the file to `associate` and to `backtest`,
which then hides the reserved concepts too. They are not shipped, since each concept adds to the
cost of comparing features with all concepts.
"""

import argparse
from pathlib import Path

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import load_concepts

TRNA_TYPES = ("Leu", "Met", "Ser", "Sec")


def main() -> None:
    """Parse the argument and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    out.write_text(text())
    load_concepts(out)


def text() -> str:
    """Return the shipped text, with an entry for each reserved concept that it lacks."""
    entries = [
        f"tRNA_{name}:\n  description: Genes of transfer RNA for {name}.\n  of: tRNA\n"
        f"  where: {{product: '\\b{name}\\b'}}\n"
        for name in TRNA_TYPES
    ]
    if "terminator" not in load_concepts():
        entries.append(
            "terminator:\n  description: Terminators of transcription.\n  types: [terminator]\n"
        )
    shipped = (annotations_folder() / "concepts.yaml").read_text()
    return "\n".join([shipped, *entries])


if __name__ == "__main__":
    main()
