"""Hand-outs in a real browser: the page from a disk, without server or network, and the sheet as it is printed."""

import re

from explorer.diagnosis.comparison import Compared
from explorer.sharing.handout import sheet_html, tour_html
from explorer.stories.tour import SCENES
from explorer.training.run import Training
from explorer.ui.live_chart import CHART

# Scenes of which the start is all that shows.
SHOWN = [scene for scene in SCENES if not scene.figure.trains]


def start(scene):
    """A scene's figure before any update, with its words."""
    trainings = [Training(experiment, record_at=[0]) for experiment in scene.experiments.values()]
    for training in trainings:
        training.advance(0.0)
    compared = Compared.of(scene.experiments, [training.history() for training in trainings])
    return scene.draw(compared, None), scene.describe(compared)


def test_the_page_from_a_disk_shows_answer_and_figure_on_a_click_and_by_keyboard(browser, tmp_path):
    file = tmp_path / "tour.html"
    file.write_text(
        tour_html("The tour", SHOWN, {scene.name: start(scene) for scene in SHOWN}, CHART), encoding="utf-8"
    )
    context = browser.new_context(viewport={"width": 1366, "height": 768}, offline=True)
    page, problems, asked = context.new_page(), [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    first, second = (page.locator(f"#scene-{number}") for number in (1, 2))
    scene = SHOWN[0]
    assert page.locator(".take-home:visible, .main-svg").count() == 0
    wrong = next(index for index in range(len(scene.answers)) if index != scene.right)
    first.locator(".answers button").nth(wrong).click()
    first.locator(".plot .main-svg").first.wait_for()
    assert first.locator(".right").inner_text() == f"{scene.answers[scene.right].text} (right)"
    assert first.locator("[aria-pressed=true]").inner_text().endswith("(your prediction)")
    assert first.locator(".take-home").is_visible()
    assert not second.locator(".take-home").is_visible()
    second.locator(".answers button").first.focus()
    page.keyboard.press("Enter")
    second.locator(".plot .main-svg").first.wait_for()
    # On a phone panels stand below each other, and nothing is wider than the screen.
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('#scene-1 .plot').narrow === true")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#all").click()
    page.wait_for_function(f"document.querySelectorAll('.plot > .plot-container').length === {len(SHOWN)}")
    assert (problems, [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]) == ([], [])
    context.close()


def test_the_sheet_prints_on_both_papers_and_no_page_ends_within_a_question(browser, tmp_path):
    page = browser.new_page()
    for answers in (False, True):
        page.set_content(sheet_html("Questions", SCENES, answers=answers))
        page.emulate_media(media="print")
        for paper, height in (("A4", 297 - 28), ("Letter", 279.4 - 28)):
            tallest = page.evaluate("Math.max(...[...document.querySelectorAll('.question')].map(e => e.offsetHeight))")
            assert tallest * 25.4 / 96 < height / 2  # so that a page holds two at least
            pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper))
            assert 3 <= len(pages) <= 9
        kept = page.evaluate("getComputedStyle(document.querySelector('.question')).breakInside")
        assert kept == "avoid"
    page.close()
