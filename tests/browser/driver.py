"""The real app in a real browser: start both, read what the screen shows, move its controls."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from explorer.choices.controls import TRAINING, Choice
from explorer.choices.experiment import CONTROLS
from explorer.figures.view import VIEW_CONTROLS
from explorer.ui.page import controls_by_key
from explorer.ui.sidebar import FOLD_KEY
from explorer.ui.widgets import MORE_KEY
from pages import PAGES, explore_page, time_page
from tests.work import few  # noqa: F401

ALL_CONTROLS = controls_by_key(PAGES)
# What the sidebar folds away, and what a view's row has behind a button.
FOLDED = {key for key, control in ALL_CONTROLS.items() if control.group == TRAINING}
BEHIND_A_BUTTON = {*explore_page.BEHIND_A_BUTTON, *(f"{time_page.PREFIX}{name}" for name in time_page.BEHIND_A_BUTTON)}

ROOT = Path(__file__).resolve().parents[2]
KEYS = [*CONTROLS, *VIEW_CONTROLS]

BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # All tabs in one process: each of its own would compile Streamlit and Plotly anew, for half of what a page costs.
    "--process-per-site",
]


# Milliseconds: a busy machine may take long, but must end right.
PATIENCE = 90_000


def chromium() -> str | None:
    """Return the browser's path: from CHROMIUM, else from PATH; None if there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def free_port() -> int:
    """Return a port that nobody listens on, beside those that other apps like to use."""
    # Each worker has ports of its own: two that looked at the same moment would both find the same one free.
    first = 8750 + 10 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for port in range(first, first + 10):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {first} to {first + 9}")


# The app loads its kernels behind its visitors' backs, after a process of the lowest priority. Where tests keep every core
# busy that takes minutes, in which NumPy would train, many times slower: here they are loaded first.
STREAMLIT = """
import sys
from explorer.training.compiled import KERNELS
from streamlit.web.cli import main
KERNELS.load()
sys.exit(main())
"""


@contextmanager
def server(log: list[str] | None = None) -> Iterator[str]:
    """Run the app as a person would, on a free port; gives its address, and at the end puts what it said into `log`."""
    port = free_port()
    command = [sys.executable, "-c", STREAMLIT, "run", "app.py", "--server.port", str(port)]
    command += ["--server.address", "localhost", "--server.headless", "true"]
    command += ["--logger.messageFormat", "%(levelname)s: %(message)s"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        _wait_for_health(f"http://localhost:{port}", process)
        yield f"http://localhost:{port}"
    finally:
        if process.poll() is not None and not process.stdout.closed:
            print(f"the app had ended with {process.returncode}:\n{process.communicate()[0].decode(errors='replace')}")
        process.terminate()
        try:
            said, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
        if log is not None:
            log += said.decode(errors="replace").splitlines()


def _wait_for_health(address: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(240):
        if process.poll() is not None:
            raise RuntimeError(f"the app ended at once:\n{process.communicate()[0].decode(errors='replace')}")
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError("the app did not start within a minute")


# Frames that Streamlit has replaced stay in the page, hidden: only what has a size and shows counts.
LIBRARY = """
window.explorer = {
  shown: e => { const b = e.getBoundingClientRect();
    return b.width > 0 && b.height > 0 && getComputedStyle(e).visibility !== "hidden"; },
  // The joint figure is the one with a heatmap in it.
  chart: () => [...document.querySelectorAll(".js-plotly-plot")].filter(explorer.shown)
    .findLast(e => e.data?.some(trace => trace.type === "heatmap") && e.querySelector(".annotation-text")),
  settings: () => { const c = explorer.chart();
    const lines = e => [...e.querySelectorAll("tspan.line")].map(line => line.textContent).join(" ") || e.textContent;
    return c ? [...c.querySelectorAll(".annotation-text")].map(lines).filter(t => t.includes(" · ")).join(" | ") : ""; },
  value: key => {
    const box = document.querySelector(".st-key-" + key); if (!box) return null;
    // What is folded away has text, but none that is drawn.
    const radio = box.querySelector("[role=radio][aria-checked=true]"); if (radio) return radio.textContent.trim();
    const pills = [...box.querySelectorAll("button[data-variant=pills]")];
    if (pills.length) return pills.filter(e => e.getAttribute("aria-pressed") === "true").map(e => e.innerText.trim()).join(" + ");
    const inputs = [...box.querySelectorAll("input")]; if (!inputs.length) return null;
    return inputs.map(e => e.type === "range" ? e.getAttribute("aria-valuetext") : e.value).join(" to "); },
  // From the next press or key to the first painted picture with other settings in it.
  arm: () => { const before = explorer.settings(); explorer.took = null;
    const start = () => { const t0 = performance.now(); removeEventListener("pointerdown", start, true); removeEventListener("keydown", start, true);
      const look = () => { const now = explorer.settings();
        if (now && now !== before) requestAnimationFrame(() => explorer.took = performance.now() - t0);
        else requestAnimationFrame(look); };
      look(); };
    addEventListener("pointerdown", start, true); addEventListener("keydown", start, true); },
};
"""


class Screen:
    """A tab with the app in it.

    `problems` collects console errors, uncaught exceptions and requests that leave this machine.
    """

    def __init__(self, page, address: str) -> None:
        self.page, self.address = page, address
        self.problems: list[str] = []
        self.dialogs: list[str] = []
        self.found_at: list[Any] = []
        page.set_default_timeout(PATIENCE)
        page.add_init_script(LIBRARY)
        page.on("console", self._note_error)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._check_address(request.url))
        page.on("websocket", lambda socket: self._check_address(socket.url))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def _note_error(self, message) -> None:
        # Below a page's path Streamlit looks for its own files there first, then at the root: two 404s, no fault.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.problems.append(f"console: {message.text} ({message.location.get('url')})")

    def _check_address(self, url: str) -> None:
        host = self.address.removeprefix("http://")
        if not url.startswith((f"http://{host}/", f"ws://{host}/", "data:", "blob:", f"blob:http://{host}")):
            self.problems.append(f"left this machine: {url}")

    def open(self, path: str = "/", *, complete: bool = False, **settings) -> "Screen":
        """Go to a link and wait for its picture, with `complete` until training is over."""
        self.page.goto(self.address + path + (f"?{urlencode(settings, doseq=True)}" if settings else ""))
        self.wait_for_chart()
        return self.finish() if complete else self

    def wait_for_chart(self, timeout: int = PATIENCE) -> None:
        self.page.wait_for_function("window.explorer && explorer.chart()", timeout=timeout)

    def _act(self) -> None:
        """Let the browser take notice of what was done last, and the server begin with it."""
        self.page.wait_for_timeout(120)
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def rest(self, timeout: int = PATIENCE) -> "Screen":
        """Wait until the app's script has ended."""
        self._act()
        self.page.wait_for_selector(
            "[data-testid=stApp][data-test-script-state=notRunning]", timeout=timeout, state="attached"
        )
        return self

    def finish(self, timeout: int = PATIENCE) -> "Screen":
        """Wait until training is over and the page is drawn: at rest, without progress or a widget that is still loaded, for a while.

        A busy browser draws few frames in this while, and what it was told may not be on screen yet: it has to draw some.
        """
        self._act()
        self.page.evaluate("[explorer.restedSince, explorer.frames] = [null, 0]")
        self.page.wait_for_function(
            """() => {
              const rests = document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]")
                && ![...document.querySelectorAll("[data-testid=stProgress], [data-testid=stSkeleton]")].some(explorer.shown);
              explorer.restedSince = rests ? explorer.restedSince ?? performance.now() : null;
              explorer.frames = rests ? explorer.frames + 1 : 0;
              return explorer.frames > 8 && performance.now() - explorer.restedSince > 250; }""",
            timeout=timeout,
        )
        return self

    # --- reading ------------------------------------------------------------------------------

    def value(self, key: str) -> str | None:
        """What the widget of a control shows."""
        return self.values([key])[key]

    def values(self, keys=KEYS) -> dict[str, str]:
        """What the widgets of controls show; those behind a button are looked up there."""
        read = "keys => Object.fromEntries(keys.map(key => [key, explorer.value(key)]))"
        shown = self.page.evaluate(read, list(keys))
        if any(key in BEHIND_A_BUTTON and value is None for key, value in shown.items()) and self._open_more():
            shown = self.page.evaluate(read, list(keys))
            self._close_more()
        return shown

    def page_name(self) -> str:
        """The page's name in the address."""
        return self.page.evaluate("location.pathname.split('/').pop()")

    def settings(self) -> str:
        """The settings that are written in the picture."""
        return self.page.evaluate("explorer.settings()")

    def chart(self, expression: str):
        """Evaluate an expression on the visible figure, called `gd`."""
        self.wait_for_chart()
        return self.page.evaluate(f"(() => {{ const gd = explorer.chart(); return {expression}; }})()")

    def headline(self) -> str:
        return self.page.locator("[data-testid=stMain] h2:visible").first.inner_text()

    def warnings(self) -> str:
        return "\n".join(self.page.locator("[data-testid=stAlert]:visible").all_inner_texts())

    def exceptions(self) -> list[str]:
        return self.page.locator("[data-testid=stException]").all_inner_texts()

    def faults(self) -> list[str]:
        """What no test may end with."""
        return self.problems + [f"exception box: {text}" for text in self.exceptions()] + self.dialogs

    def place(self) -> list[Any]:
        """The link, and what is opened on the page."""
        opened = "[data-testid=stPopoverBody], [role=dialog], details[open]"
        return self.page.evaluate("opened => [location.href, document.querySelectorAll(opened).length]", opened)

    def parameters(self) -> dict[str, str]:
        return self.page.evaluate("Object.fromEntries(new URL(location.href).searchParams)")

    # --- moving -------------------------------------------------------------------------------

    def go_to(self, title: str, *, complete: bool = True) -> "Screen":
        """Go to another page by the navigation at the top."""
        self.page.locator("header").get_by_role("link", name=title, exact=True).click()
        return self.arrive(title, complete=complete)

    def arrive(self, title: str, *, complete: bool = True) -> "Screen":
        """Wait until a page is there that something else leads to."""
        names = {"Explore": ["", "explore"]}.get(title, [title.lower()])
        self.page.wait_for_function("names => names.includes(location.pathname.split('/').pop())", arg=names)
        if title == "Explore":
            self.page.wait_for_function("explorer.value('metric') !== null")
        else:
            key = {
                "Remedies": "start",
                "Depth": "deepest",
                "Sweep": "outcome",
                "Cliff": "cliff_steps",
                "Time": "time_task",
                "Walk": "walk_sample",
                "Tutorial": "tutorial_shown",
                "Glossary": "term",
            }[title]
            self.page.wait_for_function("key => explorer.value(key) !== null", arg=key)
        self.rest() if not complete else self.finish()
        return self

    def box(self, key: str):
        """The widget of a control, brought into sight first if it is folded away or behind a button."""
        box = self.page.locator(f".st-key-{key}")
        if key in FOLDED:
            self.unfold()
        elif key in BEHIND_A_BUTTON and not box.count():
            self._open_more()
        return box

    def unfold(self) -> "Screen":
        """Unfold what the sidebar has folded away, as it then stays."""
        fold = self.page.locator(f".st-key-{FOLD_KEY} details")
        if fold.count() and fold.get_attribute("open") is None:
            fold.locator("summary").click()
            self.page.wait_for_selector(f".st-key-{FOLD_KEY} details[open]")
        return self

    def _open_more(self) -> bool:
        """Press the button behind which the rest of a view's controls are; tell whether there is one."""
        more = self.page.locator(f"[class*={MORE_KEY}] button").first
        if not more.count():
            return False
        more.click()
        self.page.wait_for_selector("[data-testid=stPopoverBody]")
        return True

    def _close_more(self) -> None:
        self.page.keyboard.press("Escape")
        self.page.wait_for_selector("[data-testid=stPopoverBody]", state="detached")

    def press(self, key: str, option: str) -> None:
        """Press one button of a segmented control."""
        self.box(key).get_by_role("radio", name=option, exact=True).click()
        if key in BEHIND_A_BUTTON and self.page.locator("[data-testid=stPopoverBody]").count():
            self._close_more()

    def present(self, button: str = "Present") -> None:
        """Press the button that makes a page fit for a lecture room, or with "Leave" the one that takes that back."""
        self.page.get_by_role("button", name=button).click()
        self.page.get_by_role("button", name={"Present": "Leave", "Leave": "Present"}[button]).wait_for()

    def open_list(self, key: str) -> None:
        """Open a menu's list."""
        menu = self.box(key).locator("[role=combobox]")
        self.rest()  # a menu that is drawn with other options closes
        menu.scroll_into_view_if_needed()  # an open one closes when the sidebar scrolls
        menu.click()

    def pick(self, key: str, option: str) -> None:
        """Choose in a menu."""
        self.open_list(key)
        self.page.get_by_role("option", name=option, exact=True).click()

    def tick(self, key: str, option: str) -> None:
        """Press one of several names that can be on or off."""
        self.box(key).get_by_role("button", name=option, exact=True).click()

    def slide(self, key: str, keys: list[str], end: int = 0) -> None:
        """Move a slider by the keyboard; of one with two ends the lower (0) or the upper (1)."""
        handle = self.box(key).locator("input[type=range]").nth(end)
        handle.focus()
        for name in keys:
            handle.press(name)

    def choose(self, key: str, value) -> None:
        """Choose an option whatever its widget is."""
        control = ALL_CONTROLS[key]
        assert isinstance(control, Choice)
        (self.press if self.box(key).get_by_role("radio").count() else self.pick)(key, str(value))

    # --- what is taken away -----------------------------------------------------------------------

    def shared(self, name: str):
        """A button of the menu that Share opens, which is opened for it."""
        box = self.page.locator(".st-key-take_away")
        if not box.locator("[popover]").is_visible():
            box.get_by_role("button", name="Share", exact=True).click()
        return box.get_by_role("button", name=name, exact=True)

    def saved(self, name: str) -> tuple[str, bytes]:
        """Press a button of that menu; return the file's name and its content."""
        with self.page.expect_download() as waiting:
            self.shared(name).click()
        return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()

    def timed(self, move) -> float:
        """Milliseconds from a move to the first painted picture that has the new settings in it."""
        self.page.wait_for_function("explorer.settings() !== ''")
        self.page.evaluate("explorer.arm()")
        move()
        self.page.wait_for_function("explorer.took !== null")
        return self.page.evaluate("explorer.took")
