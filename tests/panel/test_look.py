"""Resolution, width, title and format: what all figures share."""

import numpy as np
import pytest
import typer
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner

from genointerp.cli.look import with_look
from genointerp.cli.main import app
from genointerp.core.errors import InputError
from genointerp.figure.file import DPI, FORMATS, new_figure, save_figure, with_few_colors
from genointerp.panel.style import FAMILY_COLORS, NOT_READ, PALETTE

KINDS = typer.main.get_command(app).commands["plot"].commands


def drawn(out, **look):
    figure = new_figure(4.0, 2.0, own_title="its $own$", **look)
    ax = figure.subplots()
    ax.fill_between(np.arange(5), np.arange(5), rasterized=True)
    ax.set_xlabel("an axis")
    return save_figure(figure, out)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_figure_drawn_twice_has_the_same_bytes(suffix, tmp_path):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for out in (first, second):
        drawn(out)
    assert first.read_bytes() == second.read_bytes()


def test_text_of_an_svg_is_text_in_fonts_that_readers_have(tmp_path):
    drawn(tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text()
    assert ">an axis</text>" in svg
    assert ">its $own$</text>" in svg
    assert "'DejaVu Sans', 'Verdana', 'Arial', 'Helvetica', sans-serif" in svg


def test_text_of_a_pdf_is_of_truetype_fonts(tmp_path):
    drawn(tmp_path / "a.pdf")
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert b"/CIDFontType2" in pdf
    assert b"/Type3" not in pdf


def test_a_resolution_sets_the_pixels_of_an_inch(tmp_path):
    for dpi, look in ((DPI, {}), (300, {"dpi": 300})):
        drawn(tmp_path / f"{dpi}.png", **look)
        with Image.open(tmp_path / f"{dpi}.png") as image:
            assert image.size == (4 * dpi, 2 * dpi)


@pytest.mark.parametrize(
    ("width", "follows", "height"),
    [(203.2, "shape", 4.0), (76.2, "shape", 1.75), (76.2, "rows", 2.0), (203.2, "rows", 2.0)],
)
def test_the_height_follows_the_width_in_mm(width, follows, height):
    figure = new_figure(4.0, 2.0, follows=follows, width=width)
    assert figure.get_size_inches().tolist() == pytest.approx([width / 25.4, height])


def test_a_title_replaces_that_of_the_figure_and_an_empty_one_removes_it():
    titles = [drawn(None, **look).get_suptitle() for look in ({}, {"title": "$x"}, {"title": ""})]
    assert titles == [r"its \$own\$", r"\$x", ""]


@pytest.mark.parametrize(
    ("look", "message"),
    [
        ({"width": 20.0}, "width: expected 60 to 1000 mm, found 20"),
        ({"width": float("nan")}, "width: expected 60 to 1000 mm, found nan"),
        ({"dpi": 0}, "dpi: expected 1 to 2,400, found 0"),
    ],
)
def test_a_look_out_of_range_is_refused(look, message):
    with pytest.raises(InputError, match=message):
        new_figure(4.0, 2.0, **look)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_has_the_same_look_on_the_command_line(kind):
    own = {option.name for option in KINDS[kind].params}
    assert {"out", "dpi", "width", "title", "force"} <= own


def test_a_command_gets_only_what_was_given():
    found = []
    one = typer.Typer()

    @one.command()
    @with_look
    def draw(name: str, look) -> None:
        found.append((name, look))

    for words in (["a"], ["b", "--dpi", "300", "--width", "89", "--title", ""]):
        assert CliRunner().invoke(one, words).exit_code == 0
    assert found == [("a", {}), ("b", {"dpi": 300, "width": 89.0, "title": ""})]


def test_a_small_picture_keeps_every_colour_of_a_legend():
    kept = [*FAMILY_COLORS.values(), *PALETTE, NOT_READ["facecolor"], "#ffffff", "#000000"]
    image = Image.new("RGB", (len(kept), 1))
    for index, color in enumerate(kept):
        image.putpixel((index, 0), tuple(int(color[at : at + 2], 16) for at in (1, 3, 5)))
    small = with_few_colors(image)
    assert small.mode == "P"
    # a grey may be one step off, since its neighbours are in the palette too
    np.testing.assert_allclose(small.convert("RGB"), np.asarray(image).astype(int), atol=1)


def test_a_figure_is_one_of_matplotlib():
    assert isinstance(new_figure(1.0, 1.0), Figure)
