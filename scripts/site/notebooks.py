"""Pages of the notebooks: their text and code, without results, and the notebooks themselves."""

import json
from collections.abc import Iterator
from pathlib import Path

from scripts.site.repository import DOCS, ROOT, site_links

FOLDER = "notebooks"


def notebook_pages() -> dict[str, str]:
    """Return the page of each notebook of ``docs`` by its place in the site."""
    paths = sorted((ROOT / DOCS / FOLDER).glob("*.ipynb"))
    return {f"{FOLDER}/{path.stem}.md": "\n\n".join(_page(path)) + "\n" for path in paths}


def _page(path: Path) -> Iterator[str]:
    uri = f"{FOLDER}/{path.stem}.md"
    title, *cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    yield site_links("".join(title["source"]), f"{DOCS}/{FOLDER}/{path.name}", uri)
    yield f"The notebook itself: [{path.name}]({path.name}); it is stored without results."
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            yield f"```python\n{text}\n```"
        else:
            yield site_links(text, f"{DOCS}/{FOLDER}/{path.name}", uri)
