"""The header of a table as text, from the file next to it."""

import json


def header_of(path):
    metadata = path.with_name(f"{path.name}-metadata.json")
    return json.loads(metadata.read_text())["genointerp:header"]
