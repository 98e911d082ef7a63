"""`python -m benchmarks.load [--visitors 40]`: what the server does for its visitors, beside a minimal app run in turn.

Needs what the browser tests need, and only this machine. One visit in Chromium is
recorded, what its browser sends at each move; other visitors then send the same
over connections of their own. Takes about four minutes; machines differ, readers judge.
"""

import argparse
import asyncio
import itertools
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
from playwright.sync_api import Browser, sync_playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.browser.driver import BROWSER_FLAGS, ROOT, Screen, chromium
from tests.browser.test_speed import walk

Move = Callable[[Screen], None]
MINIMAL = """
import numpy as np, plotly.graph_objects as go, streamlit as st
with st.container(key="n"):
    n = st.slider("n", 1, 9)
heat = go.Heatmap(z=np.random.default_rng(n).normal(size=(11, 200)).astype("float32"))
text = {"text": f"n · {n}", "x": 0, "y": 1, "xref": "paper", "yref": "paper", "showarrow": False}
st.plotly_chart(go.Figure(heat, {"annotations": [text]}))
"""
FLIPS, TOGGLES, VISITS, PAUSE, SECONDS, LONG_RUN = 40, 20, 5, 2.0, 30.0, 1000
LAST = 200  # bytes: the message that ends a run is shorter
MAIN = "/?epochs=500&baseline=none"
TRAINING = "/?epochs=100000&batch=1&baseline=none&seed=7"


def press(key: str, *options: str) -> list[Move]:
    """Return a press of each of some options of a segmented control."""
    return [lambda screen, option=option: screen.press(key, option) for option in options]  # type: ignore[misc]


def slide(key: str, *keys: str) -> list[Move]:
    """Return a key's press on a slider, for each of some keys."""
    return [lambda screen, name=name: screen.slide(key, [name]) for name in keys]  # type: ignore[misc]


def pick(key: str, *options: str) -> list[Move]:
    """Return a choice of each of some options in a menu."""
    return [lambda screen, option=option: screen.pick(key, option) for option in options]  # type: ignore[misc]


TO_AND_FRO = press("skip", "one layer", "none")
# By page, its link and moves to and fro between two settings.
PAGES = {
    "Explore": (MAIN, TO_AND_FRO),
    "Depth": ("/depth?epochs=100&deepest=8", press("gradient", "dL/dW", "dL/dz")),
    "Remedies": ("/remedies?epochs=200", press("remedies_colour", "ratio to last layer", "value")),
    "Sweep": ("/sweep?epochs=50&cells=5", pick("outcome", "factor per layer, start", "first / last layer, start")),
    "Time": ("/time?time_epochs=20&time_length=30", press("time_axis", "log", "linear")),
    "Tour": (
        "/tour?scene=2&revealed=answer&epochs=100",
        [lambda screen: screen.present(), lambda screen: screen.present("Leave")],
    ),
}


@dataclass(frozen=True)
class Served:
    """A running app."""

    address: str
    process: psutil.Process

    def cpu(self) -> float:
        """Return the CPU seconds it has used."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    @property
    def megabytes(self) -> float:
        """The memory it holds."""
        return float(self.process.memory_info().rss) / 1e6


@contextmanager
def serve(script: Path) -> Iterator[Served]:
    """Run a Streamlit app on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.headless=true", "--browser.gatherUsageStats=false", "--server.address=localhost"]
    command = [sys.executable, "-m", "streamlit", "run", script.name, f"--server.port={port}", *options]
    running = subprocess.Popen(command, cwd=script.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.25)
        yield Served(f"http://localhost:{port}", psutil.Process(running.pid))
    finally:
        running.terminate()
        running.wait(10)


# --- in a browser -------------------------------------------------------------------------------


@contextmanager
def tab(browser: Browser, served: Served) -> Iterator[Screen]:
    """Open a tab with nothing in its caches."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    yield Screen(context.new_page(), served.address)
    context.close()


def first_picture(browser: Browser, served: Served, **settings: object) -> float:
    """Return the milliseconds from a visit to its first picture."""
    with tab(browser, served) as screen:
        begun = time.perf_counter()
        screen.open("/", **settings)
        return 1e3 * (time.perf_counter() - begun)


def record(browser: Browser, served: Served, path: str, moves: Sequence[Move]) -> list[bytes]:
    """Return what a browser sends as it opens a page, and at each move, made a second time: then its picture is known."""
    with tab(browser, served) as screen:
        sent: list[bytes] = []
        screen.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
        screen.page.goto(served.address + path)
        screen.page.wait_for_function("document.querySelector('.js-plotly-plot .main-svg')")
        kept = sent[:1]
        screen.finish()
        for turn in range(2):
            for move in moves:
                before = len(sent)
                move(screen)
                screen.finish()
                kept += sent[before : before + 1] * turn
        return kept


# --- visitors without a browser -----------------------------------------------------------------


async def rerun(visitor: ClientConnection, frame: bytes) -> float:
    """Send a move; return the seconds until all of its page has come."""
    begun = time.perf_counter()
    await visitor.send(frame)
    while True:
        said = await visitor.recv()
        if len(said) < LAST and ForwardMsg.FromString(said).WhichOneof("type") == "script_finished":  # type: ignore[arg-type]
            return time.perf_counter() - begun


def joined(served: Served) -> Any:
    """Return a connection to be opened."""
    address = served.address.replace("http", "ws") + "/_stcore/stream"
    return connect(address, subprotocols=["streamlit"], max_size=None, compression=None)  # type: ignore[list-item]


async def flips(served: Served, frames: Sequence[bytes], count: int) -> float:
    """Move to and fro; return the median CPU milliseconds of the server for a move."""
    async with joined(served) as visitor:
        used = []
        for number in range(-4, count):
            before = served.cpu()
            await rerun(visitor, frames[0] if number == -4 else frames[1 + number % (len(frames) - 1)])
            used.append(served.cpu() - before)
        return 1e3 * sum(used[4:]) / count


async def crowd(served: Served, frames: Sequence[bytes], visitors: int, training: bytes | None = None) -> float:
    """Return the 95th percentile of the seconds that a move takes while so many make one every two seconds."""
    took: list[float] = []
    ends = time.perf_counter() + visitors * 0.1 + SECONDS

    async def visit(number: int) -> None:
        await asyncio.sleep(number * 0.1)
        async with joined(served) as visitor:
            await rerun(visitor, frames[0])
            turn = 0
            while time.perf_counter() < ends:
                await asyncio.sleep(PAUSE * (1 if turn else number / visitors))
                took.append(await rerun(visitor, frames[1 + turn % (len(frames) - 1)]))
                turn += 1

    async def train() -> None:
        async with joined(served) as visitor:
            await visitor.send(training)
            while True:
                await visitor.recv()

    trained = asyncio.ensure_future(train()) if training else None
    await asyncio.gather(*(visit(number) for number in range(visitors)))
    if trained:
        trained.cancel()
    return quantiles(took, n=20)[-1]


def alone(work: Coroutine[Any, Any, float]) -> float:
    """Do it in a thread of its own: in this one Playwright has its loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


# --- the report ---------------------------------------------------------------------------------


def report_cpu(browser: Browser, app: Served, minimal: Served) -> None:
    """Print what a cached move costs the server, on every page and in the minimal app."""
    pages = {"minimal app": (minimal, "/", slide("n", "ArrowRight", "ArrowLeft"))}
    pages |= {name: (app, *page) for name, page in PAGES.items()}
    for name, (served, path, moves) in pages.items():
        used = alone(flips(served, record(browser, served, path, moves), FLIPS))
        print(f"{name:>14}: a cached move costs the server {used:.0f} ms of CPU", flush=True)


def report_pictures(browser: Browser, app: Served, minimal: Served) -> None:
    """Print the time to the picture, of visits and of moves, in turn with the minimal app."""
    visits = [
        (first_picture(browser, app, epochs=500, baseline="none"), first_picture(browser, minimal))
        for _ in range(VISITS)
    ]
    compare("first visit", visits)
    with tab(browser, app) as screen, tab(browser, minimal) as plain:
        plain.open()
        to_and_fro = itertools.cycle(slide("n", "ArrowRight", "ArrowLeft"))
        screen.open("/", epochs=500, baseline="none", complete=True)
        for move in TO_AND_FRO:
            move(screen)
            screen.finish()

        def in_turn(moves: Sequence[Move]) -> list[tuple[float, float]]:
            return [
                (screen.finish().timed(lambda m=move: m(screen)), plain.finish().timed(lambda: next(to_and_fro)(plain)))  # type: ignore[misc]
                for move in moves
            ]

        compare("cached toggle", in_turn(TO_AND_FRO * (TOGGLES // 2)))
        screen.open("/", epochs=500, baseline="none", seed=4321, complete=True)
        compare("fresh toggle", in_turn([press(*move)[0] for move in itertools.islice(walk(), TOGGLES)]))


def compare(words: str, pairs: Sequence[tuple[float, float]]) -> None:
    """Print both medians and their ratio."""
    ours, plain = (median(each) for each in zip(*pairs, strict=True))
    print(
        f"{words:>14}: {ours:.0f} ms to its picture, minimal app {plain:.0f} ms, ratio {ours / plain:.2f}", flush=True
    )


def report_visitors(browser: Browser, app: Served, visitors: int) -> None:
    """Print how long moves take among many visitors, and what a thousand moves do to the memory."""
    frames = record(browser, app, MAIN, slide("depth", "ArrowRight", "ArrowLeft"))
    print(f"{visitors:>5} visitors: 95% of moves take under {alone(crowd(app, frames, visitors)):.2f} s", flush=True)
    (training,) = record(browser, app, TRAINING, [])
    late = alone(crowd(app, frames, visitors, training))
    print(f"{visitors:>5} visitors and a training of 100,000 epochs: {late:.2f} s", flush=True)
    alone(flips(app, frames, LONG_RUN // 10))
    before = app.megabytes
    alone(flips(app, frames, LONG_RUN))
    print(f"        memory: {before:.0f} MB, after {LONG_RUN:,} moves {app.megabytes:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--visitors", type=int, default=40)
    visitors = parser.parse_args().visitors
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        script = Path(folder, "minimal.py")
        script.write_text(MINIMAL, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        with serve(ROOT / "app.py") as app, serve(script) as minimal:
            report_cpu(browser, app, minimal)
            report_pictures(browser, app, minimal)
            report_visitors(browser, app, visitors)


if __name__ == "__main__":
    main()
