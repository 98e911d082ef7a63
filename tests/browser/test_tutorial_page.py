"""The page on the tutorial: its programs run, and its link, figures and numbers can be taken away."""

import csv
import io

import pytest

from tests.browser.test_export import png_size

QUICK = {"tutorial_net": "residual", "tutorial_inner": 2, "tutorial_seed": 3}


def test_a_program_runs_as_printed_and_the_link_keeps_what_is_shown(new_screen):
    screen = new_screen(1920, 1080)
    screen.open("/tutorial", **QUICK, complete=True)
    assert screen.headline().startswith("Residual, NL = 2, seed 3: the loss is below 10⁻⁷ after")
    log = screen.page.locator(".st-key-tutorial_log code").first.inner_text().splitlines()
    assert log[0].startswith("epoch: 1000 / 100000 Loss = 0.")
    assert log[-1].endswith("Loss = 0.000000")
    assert screen.page.locator(".st-key-tutorial_log table").inner_text().count("0.999") == 2
    name, content = screen.saved("Log (CSV)")
    assert name.startswith("log_tutorial_residual")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert float(rows[-1]["loss"]) < 1e-7
    assert png_size(screen.saved("Slide")[1]) == (1920, 1080)
    screen.page.keyboard.press("Escape")
    screen.page.reload()
    screen.wait_for_chart()
    screen.finish()
    assert screen.value("tutorial_inner") == "2"
    screen.present()
    screen.page.wait_for_selector(
        ".st-key-tutorial_row .st-key-tutorial_net"
    )  # beside the figure, which has the sidebar's room
    screen.finish()
    size = "Math.min(...[...gd.querySelectorAll('.xtick text, .ytick text')].map(e => parseFloat(getComputedStyle(e).fontSize)))"
    assert screen.chart(size) >= 24
    assert not screen.faults()


@pytest.mark.long
def test_the_share_of_seeds_that_learn_is_drawn_for_every_nl_and_leads_to_explore(screen):
    asked = {"tutorial_shown": "how deep fails", "tutorial_seeds": 4, "tutorial_epochs": 1000}
    screen.page.goto(f"{screen.address}/tutorial?{'&'.join(f'{name}={value}' for name, value in asked.items())}")
    screen.page.wait_for_selector(".st-key-tutorial_curve .js-plotly-plot")
    screen.finish()
    assert "residual" in screen.page.locator(".st-key-tutorial_curve").inner_text()
    content = screen.saved("Shares (CSV)")[1]
    assert content.decode().count("\n") == 21
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name="Open both in Explore").click()
    screen.arrive("Explore", complete=False)
    assert screen.parameters()["skip"] == "one layer"
    assert screen.parameters()["runs"] == "4"
    assert not screen.faults()
