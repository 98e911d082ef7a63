"""Page: what is on screen as one HTML file that needs no network, with figures that can still be moved and zoomed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from explorer.diagnosis.walk import Walk
from explorer.diagnosis.walk_graph import graph
from explorer.figures import plain, theme
from explorer.figures.plain import Figure

STYLE = """
body { font: 16px/1.5 Arial, Helvetica, sans-serif; color: #0f1b1e; background: #fff; max-width: 1400px; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.25; } figure { margin: 2rem 0; } figcaption { font-weight: 600; }
table { border-collapse: collapse; display: block; overflow-x: auto; } th, td { border-bottom: 1px solid #d9e0e0; padding: .3rem .8rem .3rem 0; text-align: left; }
pre { background: #f3f6f6; padding: 1rem; overflow-x: auto; } a { color: #0b6e69; overflow-wrap: anywhere; }
"""


# On a phone, or in half a window, panels stand below each other, as on screen.
NARROW = """
const FAMILY = getComputedStyle(document.body).fontFamily;
function fit() {
  for (const box of document.querySelectorAll(".js-plotly-plot")) {
    const narrow = box.clientWidth < 700;
    if (box.narrow === narrow) continue;
    box.wide ??= JSON.parse(JSON.stringify(box.layout));
    box.narrow = narrow;
    const placed = { ...structuredClone(box.wide), ...(narrow ? structuredClone(box.wide.meta?.narrow ?? {}) : {}) };
    const layout = refolded({ ...placed, font: { ...placed.font, family: FAMILY } }, box.clientWidth, FAMILY, box.data);
    box.style.height = box.parentElement.style.height = layout.height + "px";
    // Drawn anew: of a colour bar that lies down, `react` would leave the title where it stood.
    Plotly.newPlot(box, box.data, layout, box._context);
  }
}
addEventListener("load", fit);
addEventListener("resize", fit);
"""


# A walk, whose steps go on without a network too.
WALK = """
const graph = GRAPH, look = { ...LOOK, paper: "#fff", line: "#8a8f98" }, last = graph.steps.length - 1;
const svg = document.querySelector("#walk"), says = document.querySelector("#says");
let at;
function show(step) {
  at = Math.min(Math.max(step, 0), last);
  const { inside, width, height } = walkDrawing(graph, { step: at, chosen: null, look, family: getComputedStyle(document.body).fontFamily });
  svg.innerHTML = inside;
  const scale = Math.min(1, Math.max(2 / 3, svg.parentElement.clientWidth / width)); // all of it in sight, if that is legible
  const size = { viewBox: `0 0 ${width} ${height}`, width: width * scale, height: height * scale };
  for (const [name, value] of Object.entries(size)) svg.setAttribute(name, value);
  says.textContent = `Step ${at + 1} of ${last + 1}. ${graph.steps[at].says}`;
}
document.querySelector("#back").onclick = () => show(at - 1);
document.querySelector("#next").onclick = () => show(at + 1);
addEventListener("resize", () => show(at));
show(STEP - 1);
"""


def walk_part(graph: Mapping[str, Any], look: Mapping[str, Any], alt: str, step: int | None = None) -> str:
    """Write a walk, see `diagnosis.walk_graph`, as a part of a page: its graph, and buttons for its steps.

    It opens at the step of this number, from 1; at the last if it is None.
    """
    script = WALK.replace("STEP", str(step or len(graph["steps"])), 1)
    script = script.replace("LOOK", in_script(json.dumps(look)), 1).replace("GRAPH", in_script(json.dumps(graph)), 1)
    return (
        f'<figure aria-label="{escape(alt)}"><p id="says" aria-live="polite"></p>'
        '<p><button id="back">Back</button> <button id="next">Next step</button></p>'
        '<div style="overflow-x: auto"><svg id="walk" role="group" aria-label="The computational graph"></svg></div></figure>'
        f"<script>{plain.WALK}{script}</script>"
    )


class Page:
    """A page that a notebook displays in a frame of its own."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html)}" width="100%" height="640" style="border: 0"></iframe>'


def show_walk(walk: Walk, step: int | None = None) -> None:
    """Show a walk in a notebook, box by box from this step, or from the last; elsewhere print the result."""
    drawn = graph(walk)
    part = walk_part(drawn.plain(), theme.WALK, drawn.result, step)
    sheet = Sheet(title="", sentences=(), settings=(), link="", lines="", part=part)
    plain.shown(Page(page_html(sheet, {}, {})), drawn.result)


def in_script(text: str) -> str:
    """Write JSON so that no browser takes anything in it for markup."""
    return text.replace("<", "\\u003c")


def live(link: str, for_others: bool) -> str:
    """Lead to what is shown, in words before the address, which say whether other computers can open it."""
    return f"Live{'' if for_others else ', on this computer only'}: {link}" if link else ""


def live_html(link: str, for_others: bool) -> str:
    """Write `live` as a paragraph with a link."""
    address = escape(link)
    leading = f'<a href="{address}">{address}</a>'
    return f"<p>{escape(live(link, for_others)).replace(address, leading)}</p>" if link else ""


def document(title: str, style: str, parts: Iterable[str]) -> str:
    """Write a page of parts, of which some may be empty, that needs nothing but itself."""
    body = "\n".join(filter(None, parts))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a page says, apart from its figures."""

    title: str
    sentences: Sequence[str]
    settings: Sequence[str]
    link: str  # Empty where it is not known
    for_others: bool = True  # Whether other computers can open the link
    lines: str  # Of Python, that repeat it
    table: Sequence[Mapping[str, object]] = ()  # Rows of equal keys; empty where the page has none
    part: str = ""  # A figure of its own kind, as HTML


def page_html(sheet: Sheet, figures: Mapping[str, tuple[Figure, str]], config: Mapping[str, Any]) -> str:
    """Write the page: figures with their alternative texts, by name; `config` is Plotly's, which is in the file once."""
    parts = [f"<h1>{escape(sheet.title)}</h1>"] if sheet.title else []
    parts += [f"<p>{escape(sentence)}</p>" for sentence in sheet.sentences]
    parts += [f"<p><small>{escape(line)}</small></p>" for line in sheet.settings]
    parts.append(live_html(sheet.link, sheet.for_others))
    for number, (name, (figure, alt)) in enumerate(figures.items()):
        drawn = plain.checked(figure).to_html(
            full_html=False, include_plotlyjs=number == 0, config={**config, "responsive": True}
        )
        parts.append(f'<figure aria-label="{escape(alt)}"><figcaption>{escape(name)}</figcaption>{drawn}</figure>')
    parts.append(sheet.part)
    if sheet.table:
        parts.append(_table(sheet.table))
    if sheet.lines:
        parts.append(f"<h2>The same in a notebook</h2><pre>{escape(sheet.lines)}</pre>")
    parts.append(f"<script>{plain.FOLD}{NARROW}</script>")
    return document(sheet.title, STYLE, parts)


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in rows[0])
    lines = ["<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row.values()) + "</tr>" for row in rows]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
