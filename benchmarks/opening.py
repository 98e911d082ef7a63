"""`python -m benchmarks.opening [--numpy SECONDS]`: from opening to finished, of every scenario, page and scene of the tour.

In Chromium, nothing trained ahead, every one opened for the first time. With `--numpy` those that took so many seconds
or more with kernels are opened once more without. Needs what the browser tests need; machines differ, readers judge.
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

from playwright.sync_api import Browser, sync_playwright

from explorer.stories.scenarios import SCENARIOS, Scenario
from explorer.stories.tour import SCENES
from explorer.training import compiled
from explorer.training.kinds import kind_of
from explorer.ui import ahead
from explorer.ui.keys import keys_of
from explorer.ui.link import encode
from tests.browser.driver import BROWSER_FLAGS, Screen, chromium, server

PAGES = ("depth", "remedies", "sweep", "cliff", "time", "walk", "tutorial")
LONGEST = 300_000  # milliseconds


def link_of(scenario: Scenario) -> str:
    """Return the link that opens a scenario."""
    kind = kind_of(scenario.experiment)
    keys = keys_of(kind)
    settings = {
        f"{keys.prefix}{name}": value for name, value in scenario.experiment.settings(changed_only=True).items()
    }
    if scenario.baseline is not None:
        settings[keys.baseline] = encode(scenario.baseline)
    if scenario.compare:
        settings[f"{keys.prefix}compare"] = scenario.compare
    return f"/{keys.home.lower()}?{urlencode(settings)}"


def links() -> Mapping[str, str]:
    """Return what is opened, by its name."""
    return (
        {f"scenario {name}": link_of(scenario) for name, scenario in SCENARIOS.items()}
        | {f"page {name}": f"/{name}" for name in PAGES}
        | {f"scene {scene.name}": f"/tour?scene={scene.address}&revealed=answer" for scene in SCENES}
    )


def finished(browser: Browser, address: str, link: str) -> float:
    """Return the seconds from a visit to the last picture of its training."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    try:
        screen = Screen(context.new_page(), address)
        begun = time.perf_counter()
        screen.page.goto(address + link)
        screen.page.wait_for_selector("[data-testid=stMain] h2:visible", timeout=LONGEST)
        screen.finish(LONGEST)
        return time.perf_counter() - begun
    finally:
        context.close()


@contextmanager
def app(kernels: str) -> Iterator[str]:
    """Run the app, which trains nothing ahead, with kernels "on" or "off"; gives its address."""
    os.environ |= {ahead.VARIABLE: ahead.OFF, compiled.VARIABLE: kernels}
    with server() as address:
        yield address


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--numpy", type=float, metavar="SECONDS", help="open what took so long without kernels, too")
    slow = parser.parse_args().numpy
    took = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        with app("on") as address:
            finished(browser, address, "/explore?depth=3&epochs=20&runs=1")  # What a server's first visitor pays
            for name, link in links().items():
                took[name] = finished(browser, address, link)
                print(f"{took[name]:6.1f} s  {name}", flush=True)
        if slow is not None:
            with app("off") as address:
                for name, link in links().items():
                    if took[name] >= slow:
                        late = finished(browser, address, link)
                        print(f"{late:6.1f} s  without kernels, {late / took[name]:.1f} times: {name}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
