"""What happens between the files of the repository and the pages of the site (events of MkDocs)."""

import re
from pathlib import Path
from typing import TypeAlias

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.site import commands, notebooks, reference
from scripts.site.repository import DOCS, ROOT, placed, site_links

_FETCHED = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="((?:https?:)?//[^"]*)"')
_MADE = {
    commands.FOLDER: commands.command_pages,
    notebooks.FOLDER: notebooks.notebook_pages,
    reference.FOLDER: reference.reference_pages,
}
_Entry: TypeAlias = "str | dict[str, str | list[_Entry]]"
"""Of the navigation: a page, or what stands below a title."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that are made in the place of their folder in the navigation."""
    config.nav = [_filled(entry) for entry in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and those that lie outside ``docs``."""
    lacking = reference.undocumented()
    if lacking:
        raise PluginError(
            f"genointerp: expected docstrings of every public name, none of {lacking}"
        )
    for make in _MADE.values():
        for uri, text in make().items():
            files.append(File.generated(config, uri, content=text))
    for path, uri in placed().items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages."""
    uri = page.file.src_uri
    outside = {place: path for path, place in placed().items()}
    if Path(uri).parts[0] in _MADE:
        return markdown
    return site_links(markdown, outside.get(uri, f"{DOCS}/{uri}"), uri)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would fetch something from elsewhere when it is read."""
    fetched = _FETCHED.findall(output)
    if fetched:
        raise PluginError(f"{page.file.src_uri}: expected nothing from elsewhere, found {fetched}")
    return output


def _filled(entry: _Entry) -> _Entry:
    """Return an entry of the navigation with the pages of the folders that it names."""
    if isinstance(entry, str):
        return entry
    ((title, inside),) = entry.items()
    if isinstance(inside, list):
        return {title: [_filled(one) for one in inside]}
    make = _MADE.get(str(inside).rstrip("/"))
    return {title: [_named(uri) for uri in make()]} if make else entry


def _named(uri: str) -> _Entry:
    """Return an entry for a page that is made, with its name unless it lists the others."""
    name = Path(uri).stem
    return uri if name == "index" else {name: uri}
