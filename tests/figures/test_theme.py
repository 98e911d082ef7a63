"""Colours: contrast on both backgrounds, and what colour-blind viewers can tell apart.

Contrast as in WCAG 2.2 (1.4.3 text, 1.4.11 graphics); colour vision as simulated by Machado et al. 2009, table 1, at
full severity; distances are CIE76 in CIELAB, of which about 2.3 is the least that is seen side by side.
"""

import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import plotly.colors
import pytest

from explorer import Experiment, train
from explorer.figures import theme
from explorer.figures.panels import position_by_epoch
from explorer.figures.view import View

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
LOOKS = ("light", "dark")
VISION = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LINES = {"now": theme.NOW, "baseline": theme.BASELINE, "theory": theme.THEORY}
MARKS = {"exactly 0": theme.EXACT_ZERO, "not finite": theme.NOT_FINITE}
CLASSES = dict(zip("ab", theme.CLASSES, strict=True))
COMPARED = {f"net {number}": colour for number, colour in enumerate(theme.COMPARED, start=1)}
COLOURS = LINES | MARKS | {f"class {name}": colour for name, colour in CLASSES.items()} | COMPARED | theme.PARTS

each_look = pytest.mark.parametrize("look", LOOKS)
each_vision = pytest.mark.parametrize("vision", VISION)


def linear(colour):
    """Linear red, green and blue, from 0 to 1."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def mixed(colour, background, share):
    """A colour that covers a share of what lies behind it, as browsers mix."""
    values = [
        round(share * int(colour[i : i + 2], 16) + (1 - share) * int(background[i : i + 2], 16)) for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{value:02x}" for value in values)


def contrast(one, other):
    light, dark = sorted((linear(each) @ [0.2126, 0.7152, 0.0722] for each in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(colour, vision="usual"):
    seen = np.clip(np.array(VISION[vision]) @ linear(colour), 0, 1)
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    x, y, z = (np.array(to_xyz) @ seen) / [0.95047, 1.0, 1.08883]
    x, y, z = (np.cbrt(v) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one, other, vision):
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))


def test_the_yardsticks_themselves():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    np.testing.assert_allclose(lab("#ff0000"), [53.24, 80.09, 67.20], atol=0.05)
    assert distance("#ff0000", "#00ff00", "usual") > 150
    # Red and green of equal lightness are what a deuteranope confuses.
    assert distance("#b08000", "#80a000", "deuteranopia") < distance("#b08000", "#80a000", "usual") / 2
    for matrix in VISION.values():  # white stays white
        np.testing.assert_allclose(np.array(matrix).sum(axis=1), 1, atol=1e-5)


# --- contrast -----------------------------------------------------------------------------------


def backgrounds(look):
    part = CONFIG[look]
    return [part["backgroundColor"], part["sidebar"]["backgroundColor"]]


@each_look
@pytest.mark.parametrize("share", [1.0, 0.6])  # Streamlit writes captions at 60%
def test_text_and_captions_have_a_contrast_of_4_5(look, share):
    for background in backgrounds(look):
        assert contrast(mixed(CONFIG[look]["textColor"], background, share), background) >= 4.5


@each_look
def test_text_has_it_on_the_fields_of_widgets_as_well(look):
    for field in (CONFIG[look]["secondaryBackgroundColor"], CONFIG[look]["sidebar"]["secondaryBackgroundColor"]):
        assert contrast(CONFIG[look]["textColor"], field) >= 4.5


@each_look
@pytest.mark.parametrize("colour", ["primaryColor", "linkColor"])
def test_the_accent_and_links_can_be_read_also_on_what_is_chosen(look, colour):
    for background in backgrounds(look):
        assert contrast(CONFIG[look][colour], background) >= 4.5
        chosen = mixed(CONFIG[look]["primaryColor"], background, 0.1)
        assert contrast(CONFIG[look]["primaryColor"], chosen) >= 4.5


@each_look
@pytest.mark.parametrize("name", COLOURS)
def test_every_colour_has_a_contrast_of_3_on_both_backgrounds(look, name):
    assert contrast(COLOURS[name], CONFIG[look]["backgroundColor"]) >= 3


def test_small_text_is_never_written_in_a_colour():
    # None would have 4.5 on both backgrounds: names carry a square of their colour instead.
    for path in (ROOT / "explorer").glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if "label(" in line and "color=" in line.replace("color:", "")], path.name


def test_faint_colours_are_the_strong_ones():
    for faint, colour in (
        (theme.NOW_FAINT, theme.NOW),
        (theme.NOW_BAND, theme.NOW),
        (theme.BASELINE_BAND, theme.BASELINE),
        *((theme.see_through(colour, 0.2), colour) for colour in theme.COMPARED),
    ):
        values = [int(part) for part in faint.removeprefix("rgba(").split(",")[:3]]
        assert "#" + "".join(f"{value:02x}" for value in values) == colour


# --- colour-blind viewers -----------------------------------------------------------------------


@each_vision
@pytest.mark.parametrize(
    "colours",
    [LINES, MARKS, CLASSES, COMPARED | {"theory": theme.THEORY}, theme.PARTS],
    ids=["lines", "marks", "classes", "compared", "parts"],
)
def test_colours_of_one_kind_stay_apart(vision, colours):
    for one, other in combinations(colours, 2):
        assert distance(colours[one], colours[other], vision) >= 12, (one, other)


@each_vision
def test_the_three_cells_stay_twice_as_far_apart(vision):
    for one, other in combinations(theme.COMPARED[:3], 2):
        assert distance(one, other, vision) >= 24


def test_what_is_compared_differs_in_its_dashes_as_well():
    assert len(set(theme.DASHES)) == len(theme.DASHES) == len(set(theme.COMPARED)) == len(theme.COMPARED)


@each_vision
def test_marks_stay_apart_from_lines_which_also_differ_in_shape(vision):
    for line in (LINES | COMPARED).values():
        for mark in MARKS.values():
            assert distance(line, mark, vision) >= 6


def colours(scale):
    """A scale's colours, at 33 places."""
    return plotly.colors.sample_colorscale(scale, np.linspace(0, 1, 33).tolist())


def lightness(scale, vision):
    return np.array([lab(as_hex(each), vision)[0] for each in colours(scale)])


def as_hex(text):
    if text.startswith("#"):
        return text
    return "#" + "".join(f"{round(float(value)):02x}" for value in text[4:-1].split(","))


@each_vision
@pytest.mark.parametrize("scale", [theme.SIZE_SCALE, theme.SHARE_SCALE])
def test_sequential_scales_get_lighter_all_the_way(vision, scale):
    seen = lightness(scale, vision)
    assert (np.diff(seen) > 0).all()
    assert seen[-1] - seen[0] > 60


@each_vision
@pytest.mark.parametrize("scale", [theme.RATIO_SCALE, theme.ANSWER_SCALE], ids=["ratio", "answers"])
def test_diverging_scales_are_lightest_in_the_middle_and_their_ends_apart(vision, scale):
    seen = lightness(scale, vision)
    middle = len(seen) // 2
    assert (np.diff(seen[: middle + 1]) > 0).all()
    assert (np.diff(seen[middle:]) < 0).all()
    ends = [as_hex(each) for each in (colours(scale)[0], colours(scale)[-1])]
    assert distance(*ends, vision) >= 12


def nearest(mark, scale, vision):
    return min(distance(mark, as_hex(each), vision) for each in colours(scale))


def test_marks_are_no_colours_of_a_scale():
    for scale in (theme.RATIO_SCALE, theme.SIZE_SCALE, theme.SHARE_SCALE):
        assert nearest(theme.NOT_FINITE, scale, "usual") >= 20
    for scale in (theme.RATIO_SCALE, theme.SIZE_SCALE):
        assert nearest(theme.EXACT_ZERO, scale, "usual") >= 20


def test_where_a_colour_blind_viewer_could_confuse_them_marks_are_told_by_their_shape():
    assert nearest(theme.EXACT_ZERO, theme.SIZE_SCALE, "protanopia") < 6  # why it is needed
    history = train(Experiment(depth=3, runs=2, epochs=5, initializer="zeros"))
    colour, flat = [trace for trace in position_by_epoch(history, View(), "x", "y") if trace["type"] == "heatmap"]
    assert flat["colorscale"][0][1] == theme.EXACT_ZERO
    assert flat["ygap"] > 0
    assert "ygap" not in colour
