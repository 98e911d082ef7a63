"""`python -m benchmarks.room [--voters 200]`: a room of so many phones and its lecturer, on this machine alone.

Each phone keeps a connection of its own, asks every two seconds as the real page does, and votes once at some moment within ten
seconds. The lecturer, in Chromium, then shows the answer and goes on to the next scene. Says how long that takes to reach the
phones, whether every vote was counted once, and what the server used before, during and after.
"""

import argparse
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import psutil
import requests
from playwright.sync_api import Page, sync_playwright

from explorer.stories.tour import SCENES
from tests.browser.driver import BROWSER_FLAGS, PATIENCE, chromium, server

EVERY, WITHIN, QUIET = 2.0, 10.0, 5.0  # seconds
FIRST, SECOND = SCENES[:2]
ANSWER = "the answer"


class Phone:
    """A voter."""

    def __init__(self, room: str) -> None:
        self._room, self._session = room, requests.Session()
        self.answer = random.randrange(len(FIRST.answers))
        self.now: dict[str, Any] = {}
        self.seen: dict[str, float] = {}  # when it first saw a scene, by its address, and the first scene's answer
        self.took: list[float] = []  # seconds of each request

    def live(self, start: float, stop: Event) -> None:
        """Join, follow and vote, until told to stop."""
        self._ask("GET", "")
        at, voted = start + random.uniform(0, WITHIN), False
        while not stop.is_set():
            if not voted and time.perf_counter() >= at:
                self._note(self._ask("POST", "/vote", {"scene": FIRST.address, "answer": self.answer}))
                voted = True
            self._note(self._ask("GET", "/now"))
            stop.wait(EVERY if voted else min(EVERY, max(0.0, at - time.perf_counter())))

    def _note(self, answer: requests.Response) -> None:
        self.now = answer.json()
        for state in [str(self.now["scene"]), *([ANSWER] if "right" in self.now else [])]:
            self.seen.setdefault(state, time.perf_counter())

    def _ask(self, method: str, path: str, vote: dict[str, Any] | None = None) -> requests.Response:
        begun = time.perf_counter()
        answer = self._session.request(method, self._room + path, json=vote, timeout=30)
        self.took.append(time.perf_counter() - begun)
        answer.raise_for_status()
        return answer


def used(process: psutil.Process, seconds: float) -> str:
    """Say what the server uses over some seconds."""
    before, begun = process.cpu_times(), time.perf_counter()
    time.sleep(seconds)
    after, took = process.cpu_times(), time.perf_counter() - begun
    share = (after.user + after.system - before.user - before.system) / took
    return f"{share:.0%} of a core, {process.memory_info().rss / 1e6:.0f} MB"


def lecture(page: Page, address: str, voters: int) -> None:
    """Hold the lecture and print what became of it."""
    process = next(
        psutil.Process(each.pid)
        for each in psutil.net_connections("tcp")
        if each.status == "LISTEN" and each.laddr.port == int(address.rpartition(":")[2]) and each.pid
    )
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/tour?present=presenter&scene={FIRST.address}")
    page.locator(".st-key-lecture_menu button").first.click()
    page.get_by_role("button", name="Open a room").click()
    page.wait_for_function("document.querySelector('.st-key-room_beside') !== null")
    code = page.locator(".st-key-room_beside .letters").inner_text()
    print("before:", used(process, QUIET))
    phones, stop = [Phone(f"{address}/room/{code}") for _ in range(voters)], Event()
    with ThreadPoolExecutor(voters) as threads:
        start = time.perf_counter()
        lives = [threads.submit(phone.live, start, stop) for phone in phones]
        print("during the vote:", used(process, WITHIN + EVERY))
        counted = page.locator(".st-key-room_beside .count").inner_text()
        revealed = time.perf_counter()
        page.keyboard.press("PageDown")
        page.locator(".votes").last.wait_for()
        print(f"lecturer's answer after {time.perf_counter() - revealed:.2f} s; before it: {counted}")
        bars = page.locator(".votes").all_inner_texts()
        time.sleep(2 * EVERY)
        went_on = time.perf_counter()
        page.keyboard.press("PageDown")
        print("following:", used(process, 3 * EVERY))
        stop.set()
        for life in lives:
            life.result()
    print("after:", used(process, QUIET))
    votes = Counter(phone.answer for phone in phones)
    print(
        "voted:",
        [votes[answer] for answer in range(len(FIRST.answers))],
        "counted:",
        [bar.split("(")[-1].rstrip(")\n") for bar in bars],
    )
    for what, since in ((ANSWER, revealed), (SECOND.address, went_on)):
        late = sorted(phone.seen[what] - since for phone in phones if what in phone.seen)
        print(f"{what} on {len(late)} phones: median {late[len(late) // 2]:.2f} s, last {late[-1]:.2f} s")
    took = sorted(each for phone in phones for each in phone.took)
    print(f"{len(took):,} requests: median {took[len(took) // 2] * 1e3:.1f} ms, slowest {took[-1] * 1e3:.0f} ms")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voters", type=int, default=200)
    voters = parser.parse_args().voters
    with server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        lecture(browser.new_page(), address, voters)
        browser.close()


if __name__ == "__main__":
    main()
