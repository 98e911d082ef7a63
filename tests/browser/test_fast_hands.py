"""Fast hands lose nothing: while a key is held on a slider, no older value is written over a newer one."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.browser.driver import few


@dataclass(frozen=True)
class Slider:
    """A slider of a page.

    Attributes
    ----------
    path, key : str
        The page's, and the slider's in the link.
    said : str
        How the page's picture says the slider's value.
    settings : dict
        Of the link: small nets that are still in training while the key is held.
    """

    path: str
    key: str
    said: str
    settings: dict[str, Any] = field(default_factory=dict)


NETS = {"width": 2, "runs": 2, "epochs": 500}
SLIDERS = {
    "Explore": Slider("/", "depth", "· {} hidden layer", NETS | {"epochs": 1000}),
    "Tour": Slider("/tour", "never-learns_depth", "· {} hidden layer", {"scene": "never learns", "revealed": "answer"}),
    "Remedies": Slider("/remedies", "depth", "· {} hidden layer", NETS),
    "Depth": Slider("/depth", "deepest", "· depth 1 to {} ", NETS),
    "Sweep": Slider("/sweep", "depth", "· {} hidden layer", NETS | {"cells": 4}),
    "Time": Slider("/time", "time_length", "{} steps", {"time_hidden": 4, "time_runs": 2, "time_epochs": 200}),
    "Cliff": Slider("/cliff", "cliff_steps", ", {} steps"),
}
FEW, MANY = 1, 50


def hold_and_check(screen, slider, chance):
    """Hold an arrow key for some presses, towards the farther end; slider, link and picture must agree on where it ended."""
    handle = screen.box(slider.key).locator("input[type=range]")
    handle.wait_for()
    screen.page.wait_for_timeout(chance.randrange(900))
    at, low, high = (int(handle.get_attribute(name)) for name in ("value", "min", "max"))
    right = high - at >= at - low
    presses = min(chance.randrange(5, 13), high - at if right else at - low)
    handle.focus()
    for _ in range(presses):
        screen.page.keyboard.press("ArrowRight" if right else "ArrowLeft")
        screen.page.wait_for_timeout(chance.randrange(30, 61))
    wanted = at + presses if right else at - presses
    screen.page.wait_for_timeout(1500)  # for a value that comes late
    screen.page.wait_for_function(AGREE, arg=[slider.key, slider.said])
    assert int(handle.get_attribute("value")) == wanted


# Where the link is silent, the slider stands at its default.
AGREE = """([key, said]) => {
  const value = explorer.value(key), link = new URL(location.href).searchParams.get(key);
  const texts = [...document.querySelectorAll(".js-plotly-plot .annotation-text")].filter(explorer.shown);
  return (link === null || link === value) && texts.some(e => e.textContent.includes(said.replace("{}", value)));
}"""


def hold_often(screen, slider, tries):
    chance = random.Random(slider.key)
    for _ in range(tries):
        hold_and_check(screen, slider, chance)


# In every run on a page that was just come to, below.
@pytest.mark.parametrize(
    ("page", "tries"),
    few([(page, tries) for page in SLIDERS for tries in (FEW, MANY)], []),
)
def test_a_held_key_moves_a_slider_as_often_as_it_is_pressed(screen, page, tries):
    slider = SLIDERS[page]
    link = "&".join(f"{key}={value}" for key, value in slider.settings.items())
    screen.page.goto(f"{screen.address}{slider.path}?{link}")
    hold_often(screen, slider, tries)


@pytest.mark.parametrize("tries", [1, pytest.param(10, marks=pytest.mark.long)])
def test_so_it_does_on_a_page_that_was_just_come_to(screen, tries):
    slider = SLIDERS["Explore"]
    link = "&".join(f"{key}={value}" for key, value in slider.settings.items())
    for _ in range(tries):
        screen.page.goto(f"{screen.address}/tour?{link}")
        screen.page.locator("header").get_by_role("link", name="Explore", exact=True).click()
        hold_often(screen, slider, 1)
