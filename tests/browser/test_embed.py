"""Inside a page of another origin: the lines of the Share menu show the main figure alone, live."""

import functools
import http.server
import threading

import pytest

from tests.browser.driver import few


@pytest.fixture
def website(tmp_path):
    """A web server of somebody else; what is written into its folder is a page of theirs."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize(
    "path",
    few(
        ["/", "/walk", "/depth", "/time", "/remedies", "/sweep", "/cliff", "/tutorial", "/tour"],
        often=["/walk"],
    ),
)
def test_a_page_inside_another_is_its_figure(browser, address, website, path):
    folder, theirs = website
    scene = "&revealed=answer&scene=one quarter" if path == "/tour" else ""
    (folder / "i.html").write_text(
        f'<iframe src="{address}{path}?embed=true&epochs=200&deepest=3&cells=3{scene}" width="100%" height="640"></iframe>'
    )
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.goto(f"{theirs}/i.html")
    frame = page.frame_locator("iframe")
    frame.locator(".st-key-embedded svg").first.wait_for(timeout=90_000)
    link = frame.get_by_role("link", name="Open in Gradient Explorer")
    assert link.get_attribute("href").startswith(address + path) and "embed" not in link.get_attribute("href")
    assert (
        not frame.get_by_role("navigation").is_visible() and not frame.locator("[data-testid=stSidebar]").is_visible()
    )
    assert frame.locator("button:visible, input:visible, [role=radio]:visible").count() == (
        frame.locator(".st-key-embedded :is(button, input, [role=radio]):visible").count()
    )
    assert frame.locator("body").evaluate("body => body.scrollWidth <= innerWidth")
    page.context.close()


def test_the_share_menu_gives_the_lines(browser, website, screen):
    folder, theirs = website
    screen.open("/", complete=True, epochs=20, skip="one layer")
    screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.page.get_by_role("button", name="Share", exact=True).click()
    screen.page.get_by_role("button", name="Copy lines for a web page").click()
    screen.page.get_by_text("Copied. It works on this computer only").first.wait_for()
    lines = screen.page.evaluate("navigator.clipboard.readText()")
    (folder / "i.html").write_text(lines)
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.goto(f"{theirs}/i.html")
    frame = page.frame_locator("iframe")
    frame.locator(".st-key-embedded .annotation-text").get_by_text("skip over one layer").first.wait_for(timeout=90_000)
    page.context.close()
