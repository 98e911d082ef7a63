"""Walk in the browser: by keyboard, at once, for every reader, and taken away as it stands."""

import re
from urllib.parse import urlencode

import pytest

from tests.browser.test_access import findings

DEEP = {"baseline": "none", "walk_sample": 2, "walk_run": 3, "walk_epoch": 100}
SKIPS = {"baseline": "none", "depth": 3, "skip": "two layers", "normalization": "batch", "task": "moons"}


def walking(screen, **settings):
    """Open the page and wait for its graph."""
    screen.page.goto(f"{screen.address}/walk?{urlencode(settings)}")
    screen.page.wait_for_selector(".walk .graph svg text")
    return screen.finish()


def says(screen):
    return screen.page.locator(".walk .says").inner_text()


def test_a_walk_is_stepped_through_by_keyboard_and_taken_away_as_it_stands(new_screen):
    screen = walking(new_screen(1920, 1080), **DEEP)
    assert says(screen).startswith("Step 1 of 19. Sample 2 enters the net; its target is 1.")
    assert "Seed 2, sample 2, epoch 100" in screen.page.locator("[data-testid=stMain]").inner_text()
    for key in ["ArrowRight"] * 12 + ["PageDown"] * 12:
        screen.page.keyboard.press(key)
    product, ratio = re.findall(r"[\d.]+ × 10⁻\S*\d*[⁰¹²³⁴⁵⁶⁷⁸⁹]", says(screen))
    assert product == ratio
    screen.page.keyboard.press("Home")
    assert says(screen).startswith("Step 1 of 19")
    for _ in range(12):
        screen.page.keyboard.press("ArrowRight")
    screen.page.keyboard.press("PageUp")
    screen.page.wait_for_function("new URLSearchParams(location.search).get('walk_step') === '12'")
    screen.shared("Page")  # the menu opens, and the server hears of the step
    assert b"show(12 - 1)" in screen.finish().saved("Page")[1]
    screen.page.keyboard.press("Escape")
    screen.page.reload()
    screen.page.wait_for_selector(".walk .graph svg text")
    screen.finish()
    assert "dL/da₁₁ = dL/dz₁₂ W₁₂ᵀ" in says(screen)
    box = screen.page.locator('.walk [data-key="dh11"]')
    assert "Not computed yet" not in box.get_attribute("aria-label")
    assert "Not computed yet" in screen.page.locator('.walk [data-key="dz1"]').get_attribute("aria-label")
    screen.page.locator('.walk [data-key="z2"]').focus()
    screen.page.keyboard.press("Enter")
    assert screen.page.locator(".walk .arithmetic").inner_text().count(" · ") == 2 * 4 * (
        4 + 1
    )  # the input that is 1, with b, too
    assert "self._rows(self.theta, layer)" in screen.page.locator(".walk .engine").inner_text()
    assert not findings(screen)
    name, picture = screen.saved("SVG")
    text = picture.decode()
    assert name.endswith(".svg") and "dL/da₁₁" in text and "× 0." not in text  # the factors are not known at this step
    smallest = screen.page.evaluate(
        "(() => { const svg = document.querySelector('.walk svg'); return 18 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width; })()"
    )
    assert smallest >= 15.99


@pytest.mark.parametrize("size", [(390, 844)])
def test_skips_and_normalization_on_a_phone_and_the_way_there_from_explore(new_screen, size):
    screen = walking(new_screen(*size), **SKIPS)
    screen.page.keyboard.press("End")
    wide = "(() => { const main = document.querySelector('[data-testid=stMain]'); return main.scrollWidth - main.clientWidth; })()"
    assert screen.page.evaluate(wide) <= 1
    first, second = re.findall(r"(?<=: )[\d.]+\d", says(screen))
    assert first == second
    assert screen.page.locator('.walk [data-key="dh1"]').inner_html().count("skip") == 1
    screen.page.set_viewport_size({"width": 1366, "height": 768})
    screen.open("/", complete=True, **(SKIPS | {"epochs": 20}))
    screen.page.get_by_role("button", name="Walk through it").first.click()
    screen.page.wait_for_selector(".walk .graph svg text")
    screen.finish()
    assert screen.parameters()["skip"] == "two layers" and screen.page_name() == "walk"
    assert "3 hidden layers" in screen.headline()
    corner = "(() => { const { right, bottom } = document.querySelector('.walk .graph svg').getBoundingClientRect(); return [right, bottom]; })()"
    right, bottom = screen.page.evaluate(corner)  # a laptop has the whole graph in sight
    assert right <= 1366 and bottom <= 768


def test_a_seed_that_diverges_is_walked_through_where_it_did(new_screen):
    screen = walking(
        new_screen(1366, 768), task="curve", activation="linear", learning_rate=100, depth=4, epochs=9, walk_epoch=9
    )
    assert "this seed has diverged" in screen.headline() and "epoch 3" in screen.warnings()
    screen.page.keyboard.press("End")
    assert "not finite" in says(screen) and not screen.faults()
