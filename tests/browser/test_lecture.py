"""A lecture: a room is opened, two phones join, vote, change their mind, vote again, and see the answer."""

import csv
import io
import re

from explorer.stories.tour import SCENES
from explorer.ui.room import ALONE

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
    lecturer.get_by_role("button", name="Open a room").wait_for()
