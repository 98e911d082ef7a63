"""Homework: a challenge solved by hand, its answer saved with a name, and checked as a teacher does."""

from explorer.__main__ import main
from explorer.stories.challenges import BY_ADDRESS, change_key

CHALLENGE = BY_ADDRESS["kill the relus"]


def test_a_student_solves_a_challenge_and_a_teacher_checks_the_answer(screen, tmp_path, capsys):
    screen.open("/homework", complete=True)
    screen.page.get_by_role("button", name="4. Kill the ReLUs").click()
    screen.page.get_by_role("heading", name="Kill the ReLUs").wait_for()
    screen.finish()
    assert screen.parameters()["challenge"] == "kill the relus"
    screen.slide(change_key(CHALLENGE, "learning_rate"), ["End"])
    words = screen.page.locator(".st-key-homework_judgment")
    words.get_by_text("Solved.", exact=True).wait_for()
    # No key follows: the press on Share ends the typing.
    words.get_by_role("textbox").fill("Ada <b>L.</b>")
    name, content = screen.saved("Answer (JSON)")
    assert name.startswith("answer_homework-4_")
    (tmp_path / name).write_bytes(content)
    assert main(["check", str(tmp_path / name)]) == 0
    assert "Ada <b>L.</b>" in capsys.readouterr().out
    screen.page.keyboard.press("Escape")
    screen.page.reload()
    screen.wait_for_chart()
    screen.finish()
    words.get_by_text("Solved.", exact=True).wait_for()
    assert not screen.faults()
