"""Templates, styles and scripts of pages, and the policy under which their scripts run."""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

SCRIPTS = ("tables.js", "browser.js", "index.js")
"""Scripts of this package, in the order in which they run after igv.js."""


def page_environment() -> Environment:
    """Return the environment of the templates, which escape all text."""
    return Environment(
        loader=PackageLoader("genointerp.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def own_text(name: str) -> str:
    """Return a style or script of this package."""
    return (files("genointerp.page") / "templates" / name).read_text(encoding="utf-8")


def igv_text() -> str:
    """Return igv.js, which can stand inside a script element."""
    text = (files("igv_notebook") / "js" / "igv.min.js").read_text(encoding="utf-8")
    return text.replace("</script", "<\\/script")


def script_json(value: object) -> Markup:
    """Return JSON that is safe inside a script element, since nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def policy(scripts: Sequence[str] = ()) -> str:
    """Return the policy of a page, under which it loads nothing from another place.

    Parameters
    ----------
    scripts
        Scripts inside the page, which alone may run. If there are none, files next to it may.
    """
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    # a page that is opened from disk has no origin that 'self' could stand for
    here = "" if scripts else "'self' file:"
    return (
        f"default-src 'none'; script-src {hashes or here}; style-src 'unsafe-inline' {here}; "
        "img-src data: blob:; font-src data:; connect-src data: blob:; form-action 'none'"
    )


def served_policy() -> str:
    """Return the policy of a page from a server, under which it loads nothing but from there."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline' 'self'; "
        "img-src 'self' data: blob:; font-src data:; connect-src 'self' data: blob:; "
        "form-action 'none'; base-uri 'none'"
    )
