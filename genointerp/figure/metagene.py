"""Figures of features beside concepts, measured anew on the test side of the associations."""

from pathlib import Path

from genointerp.association.profile.metagene import ANCHORS, FLANK, metagene
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.figure.measured import Measured
from genointerp.plot.metagene import plot_metagene
from genointerp.plot.style import FONT_SIZE, plain_text


def draw_metagene(
    measured: Measured, out: Path, *, feature: int | str, concept: str, flank: int = FLANK
) -> None:
    """Draw the mean activation around starts and ends of a concept's elements on test."""
    check_suffix(out)
    number = measured.stores[0].find_feature(feature)
    profile = metagene(
        measured.stores, measured.elements, number, concept, config=measured.config, flank=flank
    )
    figure = new_figure(9.0, 3.0)
    axes = figure.subplots(1, len(ANCHORS), sharey=True)
    for ax, anchor in zip(axes, ANCHORS, strict=True):
        plot_metagene(profile, anchor, ax=ax)
    axes[1].set_ylabel("")
    axes[1].get_legend().set_visible(False)
    names = " ".join([f"f/{number}", *measured.stores[0].names_of(number)])
    figure.suptitle(plain_text(f"{names} around {concept}"), fontsize=FONT_SIZE + 3)
    save_figure(figure, out)
