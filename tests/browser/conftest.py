"""Browser tests: one server, one browser and one process for all of the app's tabs, a tab for each test."""

import os
from urllib.parse import urlencode

import pytest

from tests.browser.driver import BROWSER_FLAGS, Screen, chromium, server


@pytest.fixture(scope="session")
def browser():
    """Chromium. Without it these tests are skipped, but not where CI is set: there they must run."""
    path = chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        reason = "no Chromium with Playwright: install chromium and requirements-dev.txt, or set CHROMIUM to its path"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=BROWSER_FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def address(browser):
    """The running app's address."""
    with server() as running:
        yield running


# What a new server is asked first: small, and not what opens by itself.
FIRST_LINK = {"depth": 7, "epochs": 20, "runs": 2, "baseline": "none"}


@pytest.fixture(scope="session")
def opened(browser, address):
    """One context for all tabs, without animations, which cost more than what they lead to; and what its first tab saw.

    That tab stays, so that the process of the app's tabs lives on, and with it the scripts that it has compiled.
    """
    made = browser.new_context(accept_downloads=True, reduced_motion="reduce")
    first = tab(made, address)
    first.page.goto(f"{address}/explore?{urlencode(FIRST_LINK)}")
    first.wait_for_chart()
    first.rest()
    saw = first.values(FIRST_LINK), first.page.get_by_role("dialog").count(), first.faults()
    first.page.goto(f"{address}/_stcore/health")
    yield made, saw
    made.close()


@pytest.fixture(scope="session")
def context(opened):
    """The context of all tabs."""
    return opened[0]


@pytest.fixture
def first_sight(opened):
    """What the first request to a new server led to: values of controls, dialogs and faults."""
    return opened[1]


def tab(context, address, width=1366, height=768):
    """Make a tab."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": height})
    return Screen(page, address)


@pytest.fixture
def new_screen(context, address):
    """Make tabs; at the end none may have an error or have left this machine."""
    screens = []

    def make(width=1366, height=768, at=address):
        screens.append(tab(context, at, width, height))
        return screens[-1]

    yield make
    found = [fault for screen in screens for fault in screen.faults()]
    for screen in screens:
        screen.page.close()
    assert not found


@pytest.fixture
def screen(new_screen):
    """One tab."""
    return new_screen()


@pytest.fixture(scope="module")
def kept():
    """What `reading` has opened for a module's tests."""
    screens = {}
    yield screens
    for screen in screens.values():
        screen.page.close()


@pytest.fixture
def reading(kept, context, address):
    """Open a link, once for all tests of a module that leave it as it was: a tab that is left otherwise is not lent again."""
    lent = []

    def lend(path="/", *, size=(1366, 768), look="light", **settings):
        link = str((path, size, look, settings))
        if link not in kept:
            kept[link] = tab(context, address, *size)
            kept[link].page.emulate_media(color_scheme=look)
            kept[link].open(path, complete=True, **settings)
            kept[link].found_at = kept[link].place()
        lent.append(link)
        kept[link].page.bring_to_front()
        return kept[link]

    yield lend
    found = [fault for link in lent for fault in kept[link].faults()]
    for link in set(lent):
        if found or kept[link].place() != kept[link].found_at:
            kept.pop(link).page.close()
    assert not found
