"""Pages that lie outside ``docs``, and links as the site has them."""

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = "docs"
_WEIGHTS = "genointerp/model/weights"
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s:#]+)(#[^)\s]*)?\)")


def placed() -> dict[str, str]:
    """Return the files of the repository that the site shows from outside ``docs``.

    Returns
    -------
    The place of each in the site by its path in the repository.
    """
    cards = sorted(path.parent.name for path in (ROOT / _WEIGHTS).glob("*/MODEL_CARD.md"))
    return {
        "README.md": "index.md",
        "CONTRIBUTING.md": "contributing.md",
        "CHANGELOG.md": "changelog.md",
        "CITATION.cff": "CITATION.cff",
        "benchmarks/results/0.1.0/epyc-2cores.json": "benchmarks/epyc-2cores.json",
        **{f"{_WEIGHTS}/{name}/MODEL_CARD.md": f"cards/{name}.md" for name in cards},
    }


def site_links(text: str, source: str, uri: str) -> str:
    """Return a page with its relative links as they are in the site.

    Parameters
    ----------
    source
        Path of the page in the repository, to which its links are relative.
    uri
        Place of the page in the site.

    Examples
    --------
    >>> site_links("[models](docs/models.md#tokens)", "README.md", "index.md")
    '[models](models.md#tokens)'
    >>> site_links("[formats](docs/schema)", "README.md", "index.md")
    '[formats](schema/README.md)'
    >>> site_links("[begin](docs/notebooks/five_minutes.ipynb)", "README.md", "index.md")
    '[begin](notebooks/five_minutes.md)'
    >>> site_links("[changes](../../CHANGELOG.md)", "docs/demo/README.md", "demo/README.md")
    '[changes](../changelog.md)'
    """

    def moved(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[2]))
        place = _place(target)
        if place is None:
            return link[0]
        shown = posixpath.relpath(place, posixpath.dirname(uri) or ".")
        return f"{link[1]}{shown}{link[3] or ''})"

    return _LINK.sub(moved, text)


def _place(target: str) -> str | None:
    """Return where a file of the repository lies in the site, None where it does not.

    In place of a notebook there is its page.
    """
    if not target.startswith(f"{DOCS}/"):
        return placed().get(target)
    inside = target.removeprefix(f"{DOCS}/").replace(".ipynb", ".md")
    return f"{inside}/README.md" if (ROOT / target).is_dir() else inside
