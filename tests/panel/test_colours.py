"""Colours stay apart for all readers: seen, and simulated without one kind of cone."""

from itertools import combinations

import numpy as np
import pytest

from genointerp.annotation.concepts import load_concepts
from genointerp.panel.style import (
    BASE_COLORS,
    FAMILY_COLORS,
    NOT_READ,
    PALETTE,
    STRAND_COLORS,
    family,
    rank_in_family,
)

VISION = {
    "all cones": np.eye(3),
    # Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, table 1, severity 1.0
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Matrices over linear RGB."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Of sRGB, with white D65."""

PAGE_DARK = "#17191b"


def linear(color):
    """Return linear RGB of an sRGB colour."""
    coded = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Return CIELAB of linear RGB."""
    ratio = TO_XYZ @ rgb / TO_XYZ.sum(axis=1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(first, second):
    """Return the distance of two colours in CIELAB (Sharma, Wu and Dalal 2005, equations 2-22)."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    hue = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    light, c = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * cos(hue - 30) + 0.24 * cos(2 * hue) + 0.32 * cos(3 * hue + 6)
    t -= 0.20 * cos(4 * hue - 63)
    s_l = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    angle = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(angle))
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / s_c
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / s_h
    return float(np.sqrt(d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h))


def cos(degrees):
    return np.cos(np.radians(degrees))


def seen(color, vision):
    return lab(np.clip(np.array(VISION[vision]) @ linear(color), 0, 1))


def contrast(color, background):
    """Return the contrast of WCAG 2, from 1 to 21."""
    low, high = sorted(float(TO_XYZ[1] @ linear(one)) + 0.05 for one in (color, background))
    return high / low


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_distance_is_that_of_the_published_examples(first, second, distance):
    """Sharma, Wu and Dalal (2005), table 1."""
    assert ciede2000(first, second) == pytest.approx(distance, abs=1e-4)
    assert ciede2000(second, first) == pytest.approx(distance, abs=1e-4)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    ("colors", "least"),
    [
        pytest.param([*FAMILY_COLORS.values(), NOT_READ["facecolor"]], 15, id="concepts"),
        pytest.param(list(PALETTE), 10, id="series"),
        pytest.param([STRAND_COLORS["+"], STRAND_COLORS["-"]], 20, id="strands"),
        pytest.param(list(BASE_COLORS.values()), 10, id="bases"),
    ],
)
def test_any_two_colours_of_a_legend_are_apart(colors, least, vision):
    assert len(set(colors)) == len(colors)
    apart = {
        (one, two): ciede2000(seen(one, vision), seen(two, vision))
        for one, two in combinations(colors, 2)
    }
    assert min(apart.values()) >= least, min(apart, key=apart.get)


@pytest.mark.parametrize("background", ["#ffffff", PAGE_DARK])
def test_colours_of_concepts_are_seen_on_light_and_on_dark(background):
    assert min(contrast(color, background) for color in FAMILY_COLORS.values()) >= 2


def test_what_was_not_read_differs_from_the_white_of_silence():
    assert ciede2000(lab(linear(NOT_READ["facecolor"])), lab(linear("#ffffff"))) >= 5


def test_every_shipped_concept_has_a_family_and_pseudogenes_are_of_none():
    families = {name: family(name) for name in load_concepts()}
    assert {name for name, found in families.items() if found == "other"} == {"pseudogene"}
    assert set(families.values()) == set(FAMILY_COLORS)


def test_names_of_one_family_are_numbered_in_their_order():
    names = ["tRNA", "CDS_phase0", "CDS", "CDS_phase0", "x", "stop_codon"]
    assert rank_in_family(names) == {"tRNA": 0, "CDS_phase0": 0, "CDS": 1, "x": 0, "stop_codon": 2}
