"""A replay runs the marker of epochs over the figure without the server, and leaves everything as it was."""

EPOCHS = "Number(gd.querySelector('.annotation[data-index=\"' + gd.layout.annotations.findIndex(a => a.name === 'epoch') + '\"]').textContent.match(/epoch ([\\d,]+)/)[1].replace(',', ''))"
SHEET = "gd.querySelectorAll('svg[aria-hidden] rect').length"
HIDDEN = "[...gd.querySelectorAll('.trace, .shapelayer path')].filter(e => e.style.visibility === 'hidden').length"
# Messages to the server from now on.
LISTEN = """() => { window.sent = 0; const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (...given) { window.sent++; return send.apply(this, given); }; }"""


def replay_button(screen, name):
    return screen.page.get_by_role("button", name=name, exact=True)


def test_a_replay_moves_marker_row_and_words_without_the_server_and_leaves_all_as_it_was(new_screen):
    screen = new_screen(1920, 1080).open(complete=True, skip="one layer")
    assert replay_button(screen, "Stop").count() == 0  # less motion was asked for: not by itself
    screen.page.evaluate(LISTEN)
    before = screen.chart("[gd.innerHTML.length, " + EPOCHS + "]")
    replay_button(screen, "Replay").click()
    screen.page.wait_for_function(
        f"(() => {{ const gd = explorer.chart(); return {EPOCHS} > 0 && {EPOCHS} < 5000; }})()"
    )
    assert screen.chart(SHEET) >= 2 * 12  # a bar a layer of each net
    assert screen.chart(HIDDEN) > 4
    seen = screen.chart(EPOCHS)
    screen.page.wait_for_function(f"seen => {{ const gd = explorer.chart(); return {EPOCHS} > seen; }}", arg=seen)
    replay_button(screen, "Stop").click()
    replay_button(screen, "Replay").wait_for()
    assert screen.page.evaluate("sent") <= 1
    assert screen.chart(SHEET) == screen.chart(HIDDEN) == 0
    assert screen.chart(EPOCHS) == before[1] == 6000
    replay_button(screen, "Replay").click()
    screen.press("skip", "two layers")  # a new picture ends it
    screen.page.wait_for_function("explorer.settings().includes('two layers')")
    screen.finish()
    assert screen.chart(SHEET) == 0


def test_the_first_visit_sees_it_once_by_itself(new_screen):
    screen = new_screen()
    screen.page.emulate_media(reduced_motion="no-preference")
    screen.open()
    replay_button(screen, "Stop").wait_for()
    screen.page.reload()
    screen.wait_for_chart()
    screen.finish()
    screen.page.wait_for_timeout(1500)
    assert replay_button(screen, "Stop").count() == 0
