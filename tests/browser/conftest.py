"""Browser tests: one server, one browser and one process for all of the app's tabs, a tab for each test."""

import os

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


@pytest.fixture(scope="session")
def context(browser, address):
    """One context for all tabs, without animations, which cost more than what they lead to.

    A first tab stays open, so that the process of the app's tabs lives on, and with it the scripts that it has compiled.
    """
    made = browser.new_context(accept_downloads=True, reduced_motion="reduce")
    made.new_page().goto(f"{address}/_stcore/health")
    yield made
    made.close()


@pytest.fixture
def new_screen(context, address):
    """Make tabs; at the end none may have an error or have left this machine."""
    screens = []

    def make(width=1366, height=768, at=address):
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        screens.append(Screen(page, at))
        return screens[-1]

    yield make
    found = []
    for screen in screens:
        found += screen.problems + [f"exception box: {text}" for text in screen.exceptions()] + screen.dialogs
        screen.page.close()
    assert not found


@pytest.fixture
def screen(new_screen):
    """One tab."""
    return new_screen()
