"""A stranger's words, through every door: the page shows them, makes nothing of them and asks nobody for anything."""

import json
from urllib.parse import quote

from explorer.figures.plain import verbatim_in_figure
from explorer.sharing.saved import FORMAT, VERSION

WORDS = (
    "![x](http://evil.example/x.png)",
    "<img src=http://evil.example/x.png>",
    "[a](http://evil.example) http://evil.example",
    "www.evil.example me@evil.example",
    "$x$ :red[r] :material/home: :smile: `c` a -> b",
)
LABELS = ("<a href='http://evil.example'>cat</a>", "<b>![dog](http://evil.example)</b> $x$")
TABLE = "a,b,label\n" + "".join(f'{row},{row * 7 % 5},"{LABELS[row % 2]}"\n' for row in range(12))
SMALL = "epochs=20&runs=2&depth=3&width=4"
# What a message holds beside its words: pictures, links, formulas, code, coloured words, icons other than its own.
MADE = "[data-testid=stAlert] :is(img, a, .katex, code, [style*=color], .stMarkdownColoredText, p [role=img])"


def assert_plain(screen, *words):
    """Wait until a message shows the words, and look what has become of them."""
    arrived = """words => words.every(each => [...document.querySelectorAll("[data-testid=stAlert]")]
      .some(e => e.innerText.replaceAll("\\u2060", "").includes(each)))"""
    screen.page.wait_for_function(arrived, arg=words, timeout=60_000)
    screen.rest(60_000)
    assert not screen.page.locator(MADE).count()
    assert not screen.page.locator("[href*='evil.example'], [src*='evil.example']").count()


def upload(screen, kind, name, text):
    place = screen.page.locator(f"input[type=file][accept*={kind}]")
    place.set_input_files({"name": name, "mimeType": "text/plain", "buffer": text.encode()})


def test_in_a_link(screen):
    names = "&".join(f"{quote(words)}=1" for words in WORDS)
    screen.page.goto(
        f"{screen.address}/?{SMALL}&{names}&baseline={quote('activation:' + WORDS[0])}&loss={quote(WORDS[1])}"
    )
    assert_plain(screen, "activation = ", *WORDS)


def test_in_a_saved_experiment_and_a_table(screen):
    screen.page.goto(f"{screen.address}/?{SMALL}&baseline=none&task=own+data")
    screen.page.wait_for_selector("input[type=file][accept*=csv]", state="attached")
    upload(screen, "csv", "www.evil.example me@evil.example.csv", TABLE.replace(LABELS[0], "", 1))
    assert_plain(screen, "www.evil.example me@evil.example.csv")
    upload(screen, "csv", "pets.csv", TABLE)
    screen.page.wait_for_selector(".js-plotly-plot:visible", timeout=60_000)
    screen.wait_for_chart()
    names = screen.chart("gd.data.map(trace => trace.name).filter(name => name?.startsWith('class '))")
    assert sorted(names) == sorted(f"class {verbatim_in_figure(label)}" for label in LABELS)
    screen.unfold()
    saved = {"format": FORMAT, "version": VERSION, "settings": {WORDS[0]: 1}}
    upload(screen, "json", "![x](www.evil.example).json", json.dumps(saved))
    assert_plain(screen, "![x](www.evil.example).json", WORDS[0])
