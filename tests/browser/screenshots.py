"""Take pictures of the app: python -m tests.browser.screenshots OUTDIR [NAME ...]

Without names all of them; README's are skip-1920x1080-light and dying-relu-1920x1080-light, in docs.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from explorer.experiment import CONTROLS, Experiment
from explorer.scenarios import MOONS, SCENARIOS
from explorer.ui.link import UNPINNED, encode
from tests.browser.driver import BROWSER_FLAGS, Screen, chromium, server

SIZES = {"1920x1080": (1920, 1080), "1366x768": (1366, 768), "390x844": (390, 844)}
BOUNDARY = MOONS.but(normalization="batch", epochs=1000)


def link(experiment: Experiment, baseline: Experiment | None) -> dict[str, str]:
    """The query that opens a pair."""
    settings = {name: str(value) for name, value in experiment.settings(changed_only=True).items()}
    text = UNPINNED if baseline is None else encode(baseline)
    return settings | ({"baseline": text} if text else {})


def views() -> dict[str, dict[str, str]]:
    names = {
        "opening": "Sigmoid, 11 layers: never learns",
        "skip": "The same with skips: learns",
        "diverged": "ReLU with N(0, 1): diverges at once",
        "dying-relu": "Dying ReLU",
    }
    pairs = {short: (SCENARIOS[name].experiment, SCENARIOS[name].baseline) for short, name in names.items()}
    pairs["moons"] = (BOUNDARY, None)
    assert all(value in CONTROLS for pair in pairs.values() for value in pair[0].settings())
    found = {short: link(*pair) for short, pair in pairs.items()}
    found["dying-relu"]["metric"] = "dead"
    return found


def main(directory: str, *names: str) -> None:
    """Every view at every size, light and dark, or only those named."""
    out = Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    with server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        for look in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=look)
                for name, settings in views().items():
                    if names and f"{name}-{size}-{look}" not in names:
                        continue
                    screen = Screen(context.new_page(), address).open(**settings)
                    screen.finish()
                    screen.page.wait_for_timeout(600)
                    screen.page.screenshot(path=out / f"{name}-{size}-{look}.png")
                    print(*screen.problems, f"{name}-{size}-{look}.png", sep="\n")
                    screen.page.close()
                context.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
