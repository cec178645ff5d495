"""How a notebook shows an object: a small table of what it is."""

from collections.abc import Mapping
from html import escape


def facts_table(title: str, facts: Mapping[str, object]) -> str:
    """Return a table in HTML with a caption and a row for each fact, all text escaped.

    Examples
    --------
    >>> print(facts_table("Genome", {"contigs": "<b>"}))
    <table><caption>Genome</caption><tr><th>contigs</th><td>&lt;b&gt;</td></tr></table>
    """
    rows = (
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in facts.items()
    )
    return f"<table><caption>{escape(title)}</caption>{''.join(rows)}</table>"
