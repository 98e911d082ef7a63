"""Take pictures of the app: python -m tests.browser.screenshots OUTDIR [NAME ...]

Without names all of them; README's are skip-1920x1080-light, dying-relu-1920x1080-light and time-1920x1080-light, in docs.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

from explorer.choices.experiment import Experiment
from explorer.stories.scenarios import MOONS, SCENARIOS
from explorer.stories.tour import SCENES
from explorer.ui.link import encode
from pages.time_page import PREFIX as TIME_PAGE
from tests.browser.driver import BROWSER_FLAGS, Screen, chromium, server

SIZES = {"1920x1080": (1920, 1080), "1366x768": (1366, 768), "390x844": (390, 844)}
BOUNDARY = MOONS.but(normalization="batch", epochs=1000)


def link(experiment: Experiment, baseline: Experiment | None) -> dict[str, str]:
    """The query that opens a pair."""
    settings = {name: str(value) for name, value in experiment.settings(changed_only=True).items()}
    text = encode(baseline)
    return settings | ({"baseline": text} if text else {})


def views() -> dict[str, tuple[str, dict[str, object]]]:
    """What is taken, by name: the page's path and the query."""
    names = {
        "opening": "Sigmoid, 11 layers: never learns",
        "skip": "The same with skips: learns",
        "diverged": "ReLU with N(0, 1): diverges at once",
        "dying-relu": "Dying ReLU",
        "convolutions": "Convolutions, 20 layers deep, with skips",
    }
    pairs = {short: (SCENARIOS[name].experiment, SCENARIOS[name].baseline) for short, name in names.items()}
    pairs["moons"] = (BOUNDARY, None)
    found: dict[str, tuple[str, dict[str, object]]] = {short: ("/", {**link(*pair)}) for short, pair in pairs.items()}
    found["dying-relu"][1]["metric"] = "dead"
    found["lens"] = ("/", {**link(*pairs["skip"]), "lens_layer": 6})
    return found | further_views() | time_views() | tour_views()


def further_views() -> dict[str, tuple[str, dict[str, object]]]:
    """Those of the further pages: each as it opens, and some with everything on."""
    combined = {"combine": ["ReLU", "skip over one layer", "fitting initialization"], "remedies_axis": "log"}
    trained = {"x": "depth", "y": "learning rate", "outcome": "share solved", "epochs": 1000, "span_depth": [1, 20]}
    tried = {"x": "task", "y": "loss", "outcome": "epochs to solve", "epochs": 2000, "depth": 1}
    return {
        "walk": ("/walk", {}),
        "walk-skips": ("/walk", {"depth": 4, "skip": "one layer", "normalization": "batch"}),
        "remedies": ("/remedies", {}),
        "remedies-combined": ("/remedies", {**combined, "remedies_colour": "ratio to last layer"}),
        "remedies-relu": ("/remedies", {**link(SCENARIOS["He against Glorot, 30 ReLU layers"].experiment, None)}),
        "depth": ("/depth", {"deepest": 50, "epochs": 1000}),
        "depth-start": ("/depth", {"deepest": 30, "train": "off", "remedy": "none"}),
        "sweep": ("/sweep", {}),
        "sweep-trained": ("/sweep", trained),
        "sweep-depth-gain": ("/sweep", {"x": "depth", "y": "gain", "cells": 20, "width": 32, "activation": "tanh"}),
        "sweep-impossible": ("/sweep", tried),
    }


def time_views() -> dict[str, tuple[str, dict[str, object]]]:
    """Recurrent nets as they open, looked at closer, and exploding; the cliff, and the tutorial."""
    exploding = SCENARIOS["Exploding, clipped or not"]
    settings = exploding.experiment.settings(changed_only=True) | {"compare": exploding.compare}
    return {
        "time": ("/time", {}),
        "time-matrix": ("/time", {f"{TIME_PAGE}figure": "recurrent matrix"}),
        "time-exploding": ("/time", {f"{TIME_PAGE}{name}": value for name, value in settings.items()}),
        "cliff": ("/cliff", {}),
        "cliff-relief": ("/cliff", {"cliff_shown": "relief"}),
        "tutorial": ("/tutorial", {}),
        "tutorial-residual": ("/tutorial", {"tutorial_net": "residual"}),
    }


def tour_views() -> dict[str, tuple[str, dict[str, object]]]:
    """Every scene of the tour, asked and answered, and some for a lecture room."""
    found: dict[str, tuple[str, dict[str, object]]] = {}
    for number, scene in enumerate(SCENES, start=1):
        shown = {"scene": scene.address, "revealed": "answer"}
        found[f"tour-{number}-question"] = ("/tour", {"scene": scene.address})
        found[f"tour-{number}"] = ("/tour", shown)
        if number in (1, 7, 11):
            found[f"tour-{number}-presenter"] = ("/tour", shown | {"present": "presenter"})
    return found


def main(directory: str, *names: str) -> None:
    """Every view at every size, light and dark, or only those named; a name may be that of a view alone."""
    out = Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    with server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        for look in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=look)
                for name in views():
                    if not names or name in names or f"{name}-{size}-{look}" in names:
                        take(Screen(context.new_page(), address), name, out / f"{name}-{size}-{look}.png")
                context.close()
        browser.close()


def take(screen: Screen, name: str, file: Path) -> None:
    """One picture of what is first seen; of a further page also one of all of it."""
    path, settings = views()[name]
    if path == "/tour":  # a question has no figure, and an answer may have no heatmap
        screen.page.goto(f"{screen.address}{path}?{urlencode(settings)}")
        screen.page.wait_for_selector(".st-key-tour_next")
    elif path == "/walk":
        screen.page.goto(f"{screen.address}{path}?{urlencode(settings)}")
        screen.page.wait_for_selector(".walk svg text")
        screen.page.keyboard.press("End")
    else:
        screen.open(path, **settings)
    screen.finish(300_000)
    screen.page.wait_for_timeout(600)
    screen.page.screenshot(path=file)
    if path != "/":
        size = screen.page.viewport_size
        tall = screen.page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
        screen.page.set_viewport_size({"width": size["width"], "height": tall + 80})
        screen.page.wait_for_timeout(600)
        screen.page.screenshot(path=file.with_stem(f"{file.stem}-whole"))
    print(*screen.problems, file.name, sep="\n")
    screen.page.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
