"""The lens of Explore and of Time: in the link, a layer or step chosen by a click, and everything of it in the Share menu."""

import csv
import io

from explorer.figures.lens import RIDGES

NET = {"task": "moons", "samples": 32, "depth": 6, "width": 8, "epochs": 40, "runs": 3, "activation": "tanh"}
CHART = "document.querySelector('.st-key-lens .js-plotly-plot')"


def lines(screen):
    """What stands above the lens."""
    return screen.page.evaluate(f"{CHART}.layout.annotations.find(note => note.name === 'lines').text")


def wait_for(screen, words, chart=CHART):
    screen.page.wait_for_function(
        f"words => {chart}?.layout?.annotations?.some(note => note.name === 'lines' && note.text.includes(words))",
        arg=words,
    )


def click_row(screen, row, chart=CHART):
    """Click on a row of the ridge."""
    place = screen.page.evaluate(
        f"""row => {{ const gd = {chart}, box = gd.getBoundingClientRect(), l = gd._fullLayout;
        const x = l.xaxis{RIDGES[1:]}, y = l.yaxis4;
        return [box.x + x._offset + x._length * .8, box.y + y._offset + y.l2p(row)]; }}""",
        row,
    )
    screen.page.mouse.move(*place)
    screen.page.mouse.click(*place)


def test_a_link_opens_it_a_click_chooses_the_layer_and_share_has_it(screen):
    screen.open(**NET, lens_layer=5, lens_seed=2, complete=True)
    wait_for(screen, "Layer 5 of 6, epoch 40, seed 1")
    screen.page.locator(".st-key-lens").scroll_into_view_if_needed()
    click_row(screen, 3)
    wait_for(screen, "Layer 3 of 6")
    screen.finish()
    assert screen.parameters()["lens_layer"] == "3"
    assert "slope in Why" in screen.page.locator(".st-key-lens [role=figure]").get_attribute("aria-label")
    screen.page.evaluate("explorer.chart().scrollIntoView()")
    place = screen.chart(
        """(box => [box.x + gd._fullLayout.xaxis._offset + gd._fullLayout.xaxis._length / 2,
        box.y + gd._fullLayout.yaxis2._offset + gd._fullLayout.yaxis2.l2p(2)])(gd.getBoundingClientRect())"""
    )
    screen.page.mouse.move(*place)
    screen.page.mouse.click(*place)
    wait_for(screen, "Layer 2 of 6")
    assert "epoch 40" not in lines(screen), "a click on the map chooses the epoch as well"
    screen.finish()
    rows = list(csv.DictReader(io.StringIO(screen.saved("Lens, histograms (CSV)")[1].decode())))
    assert sum(int(row["count"]) for row in rows) == 3 * 6 * 8 * 32
    assert "look(history, epoch=" in screen.page.locator(".st-key-take_away pre").text_content()
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("tab", name="Why", exact=True).click()
    screen.finish()
    assert not screen.page.locator(".st-key-lens").count(), "a closed tab costs nothing"
    assert not screen.faults()


def test_over_time_it_looks_at_a_gate_and_a_map_chooses_net_and_step(screen):
    small = {"length": 40, "hidden": 4, "samples": 8, "epochs": 12, "runs": 2}
    asked = {"figure": "lens", "lens_net": 2, "lens_function": "forget gate", "lens_step": 4}
    screen.open("/time", **{f"time_{name}": value for name, value in (small | asked).items()}, complete=True)
    chart = "document.querySelector('.st-key-time_second .js-plotly-plot')"
    wait_for(
        screen, "Forget gate, step 3 of 40, epoch 12, 2 seeds", chart
    )  # of the steps of which there is a selection
    assert screen.parameters()["time_lens_step"] == "3", "the address says what is shown"
    assert "sigmoid, forget gate" in screen.page.locator(".st-key-time_second [role=figure]").get_attribute(
        "aria-label"
    )
    screen.page.locator(".st-key-time_second").scroll_into_view_if_needed()
    click_row(screen, 34, chart)
    wait_for(screen, "step 40 of 40", chart)
    screen.finish()
    screen.page.evaluate("explorer.chart().scrollIntoView()")
    place = screen.chart(
        """(box => [box.x + gd._fullLayout.xaxis3._offset + gd._fullLayout.xaxis3._length / 2,
        box.y + gd._fullLayout.yaxis3._offset + gd._fullLayout.yaxis3.l2p(9)])(gd.getBoundingClientRect())"""
    )
    screen.page.mouse.move(*place)
    screen.page.mouse.click(*place)
    # A GRU has no forget gate.
    wait_for(screen, "New state, step 9 of 40, epoch 6", chart)
    screen.finish()
    assert screen.parameters()["time_lens_step"] == "9"
    assert "time_lens_net" not in screen.parameters(), "the last net is the default"
    rows = list(csv.DictReader(io.StringIO(screen.saved("Lens, histograms (CSV)")[1].decode())))
    assert {row["function"] for row in rows} == {"reset gate", "update gate", "new state"}
    assert sum(int(row["count"]) for row in rows) == 2 * 3 * 34 * 4 * 8
    assert "look(histories['GRU'], epoch=6, position=9" in screen.page.locator(".st-key-take_away pre").text_content()
    assert not screen.faults()
