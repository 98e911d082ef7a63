"""A lecture: a room is opened, two phones join, vote, change their mind, vote again, and see the answer."""

import csv
import io
import re

from explorer.stories.plan import PRESETS
from explorer.stories.tour import SCENES
from explorer.ui.lecture import ALONE

SCENE = SCENES[0]


def phone(browser, link):
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(link)
    page.get_by_role("button", name=SCENE.answers[0].text).wait_for()
    return page


def test_a_room_votes_and_the_lecturer_shows_what_it_said(browser, new_screen):
    screen = new_screen(1366, 768)
    lecturer = screen.page
    lecturer.goto(f"{screen.address}/tour?present=presenter&scene={SCENE.address}")
    lecturer.locator(".st-key-lecture_menu button").first.click()
    lecturer.get_by_role("button", name="Open a room").click()
    letters = lecturer.locator(".st-key-room_beside .letters")
    letters.filter(has_text=re.compile("^[A-Z]{5}$")).wait_for()
    code = letters.inner_text()
    assert "server.address" in ALONE and lecturer.get_by_text("Phones cannot open this address").count() == 1
    assert screen.page.evaluate("document.documentElement.scrollHeight <= innerHeight")

    phones = [phone(browser, f"{screen.address}/room/{code}") for _ in range(2)]
    says = lecturer.locator(".st-key-room_beside .count")
    for page, answer in zip(phones, (0, 1), strict=True):
        page.get_by_role("button", name=SCENE.answers[answer].text).click()
    says.filter(has_text="2 voted · 2 phones").wait_for()

    lecturer.reload()  # the lecturer still has the room, and it its votes
    says.filter(has_text="2 voted · 2 phones").wait_for()
    screen.finish()
    lecturer.get_by_role("button", name="Vote again").click()
    for page in phones:
        page.get_by_text("Vote again: has your neighbour convinced you?").wait_for()
        page.get_by_role("button", name=SCENE.answers[SCENE.right].text).click()
    says.filter(has_text="2 voted").wait_for()

    lecturer.keyboard.press("PageDown")
    for page in phones:
        page.get_by_text("right, your answer").wait_for()
        page.get_by_text(SCENE.take_home).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    bars = lecturer.locator(".votes")
    bars.last.wait_for()
    assert [re.findall(r"\d+%", bars.nth(index).inner_text()) for index in range(len(SCENE.answers))] == [
        ["50%", "0%"],
        ["50%", "0%"],
        ["0%", "100%"],
    ]

    screen.finish()
    lecturer.locator(".st-key-room_menu button").first.click()
    with lecturer.expect_download() as coming:
        lecturer.get_by_role("button", name="Votes (CSV)").click()
    with open(coming.value.path(), encoding="utf-8") as file:
        rows = list(csv.DictReader(io.StringIO(file.read())))
    assert [int(row["votes"]) for row in rows] == [1, 1, 0, 0, 0, 2]

    lecturer.get_by_role("button", name="Close the room").click()
    for page in phones:
        page.get_by_text("The room is closed.").wait_for()
        page.context.close()
    lecturer.locator(".st-key-lecture_menu button", has_text="Lecture").first.wait_for()


def test_a_plan_is_changed_started_and_led_from_the_speakers_window(new_screen):
    screen = new_screen(1366, 768)
    page = screen.page
    page.goto(f"{screen.address}/plan")
    page.get_by_role("button", name="20 minutes").click()
    page.get_by_role("heading", name="6 scenes in 20 minutes").wait_for()
    plan = PRESETS["20 minutes"].plan
    first, second = plan.scenes[:2]
    page.locator(f".st-key-plan_later_{first.address.replace(' ', '-')} button").click()
    page.locator(".st-key-plan_stops").get_by_text(f"1. {second.name}").wait_for()
    screen.rest()  # While scenes change places, one may be there twice
    page.locator(f".st-key-plan_leave_out_{plan.scenes[2].address.replace(' ', '-')} button").click()
    page.get_by_role("heading", name="5 scenes in 17 minutes").wait_for()
    page.locator(f".st-key-plan_note_{second.address.replace(' ', '-')} button").first.click()
    page.get_by_role("textbox", name=f"Note for {second.name}").fill("Ask for hands first.")
    page.keyboard.press("Control+Enter")
    # Its button says that there is one; before, the page may change under the next click.
    page.locator(f".st-key-plan_note_{second.address.replace(' ', '-')}", has_text="sticky_note_2").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start the lecture").click()
    page.get_by_role("heading", name=second.name).wait_for()
    dots = page.locator(".st-key-scene [role=radio]")
    dots.nth(5).wait_for()
    assert dots.count() == 6  # and what to remember
    page.locator(".st-key-lecture_menu button").first.click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Speaker's view").click()
    speaker = opened.value
    speaker.get_by_text("Ask for hands first.").wait_for()
    assert first.name in speaker.locator("#after").inner_text()
    assert speaker.locator("#answers .right").inner_text() == second.answers[second.right].text
    assert "of 17 min" in speaker.locator("#plan").inner_text()
    speaker.keyboard.press("PageDown")
    page.locator(".st-key-tour_options").get_by_text(second.answers[second.right].text).wait_for()
    speaker.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name=first.name).wait_for()
    speaker.get_by_role("heading", name=f"2. {first.name}").wait_for()
    screen.rest()
    assert screen.parameters()["scene"] == first.address and screen.parameters()["plan"].startswith(second.address)
