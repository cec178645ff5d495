"""Files damaged by chance, from a seed, and JSON with values that do not belong there."""

import copy
import json
import os
import random

ODD_VALUES = (
    None,
    True,
    -1,
    0,
    10**11,
    10**400,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "\x00\n\t",
    "x" * 10_000,
    "٣",
    [],
    {},
    [[1, [2]]],
    {"a": {"b": None}},
)
DEEP = "[" * 100_000


def flipped(content, seed, n_bytes=1):
    """Return the content with bytes changed, cut off, repeated or put in, as the seed has it."""
    draw = random.Random(seed)
    changed = bytearray(content)
    kind = draw.choice(["flip", "flip", "flip", "cut", "repeat", "insert"])
    for _ in range(n_bytes):
        place = draw.randrange(max(1, len(changed)))
        if kind == "flip" and changed:
            changed[place] ^= 1 << draw.randrange(8)
        elif kind == "cut":
            del changed[place:]
        elif kind == "repeat":
            changed[place:place] = changed[max(0, place - 50) : place]
        else:
            changed[place:place] = draw.randbytes(draw.randrange(1, 20))
    return bytes(changed)


def odd_json(text):
    """Yield what was changed and the JSON text, for every entry and every odd value or its lack."""
    value = json.loads(text)
    for place in _places(value):
        for number, odd in enumerate((*ODD_VALUES, "absent")):
            changed = copy.deepcopy(value)
            holder = changed
            for key in place[:-1]:
                holder = holder[key]
            if odd == "absent":
                del holder[place[-1]]
            else:
                holder[place[-1]] = odd
            yield f"{place}-{number}", json.dumps(changed)


def _places(value, at=()):
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        yield (*at, key)
        if isinstance(inner, dict | list):
            yield from _places(inner, (*at, key))


def make_pipe(path):
    """Put a pipe that nobody writes in the place of a file; whoever opens it waits for ever."""
    path.unlink()
    os.mkfifo(path)
