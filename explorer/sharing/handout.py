"""Hand-outs of a lecture: its scenes as one page that works offline, a sheet of questions to print, glossary and sources.

All take a sequence of scenes: those of the tour, or of any plan.
"""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from explorer.figures import plain
from explorer.figures.plain import Figure
from explorer.sharing.offline_page import NARROW, document, in_script, live_html
from explorer.stories.glossary import GLOSSARY, Term, pieces, terms_in
from explorer.stories.references import REFERENCES, Reference, cited
from explorer.stories.scene import Scene
from explorer.stories.tour import chapter_of

STYLE = """
:root { --accent: #0b6e69; --line: #c9d3d3; }
body { font: 17px/1.5 Arial, Helvetica, sans-serif; color: #0f1b1e; background: #fff; max-width: 1120px; margin: 0 auto;
  padding: 1rem; }
h1 { font-size: 1.9rem; line-height: 1.25; } h2 { font-size: 1.5rem; margin: .2rem 0 .6rem; } h3 { font-size: 1.15rem; margin: 1rem 0 .6rem; }
a { color: var(--accent); overflow-wrap: anywhere; } p a[href^="#term"] { color: inherit; text-decoration: underline dotted; }
.small { font-size: .9rem; color: #46585b; } .formula { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .9rem; }
section { border-top: 1px solid var(--line); padding: 1.4rem 0; }
button { font: inherit; color: inherit; background: #fff; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem;
  cursor: pointer; text-align: left; }
button:hover, button:focus-visible { border-color: var(--accent); } button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.answers { display: grid; gap: .5rem; } .answers button { width: 100%; }
.answers .right { border: 2px solid var(--accent); font-weight: 700; background: #e6f3f2; }
.answers small { font-weight: 400; color: #46585b; } .answers .right small { color: #0f1b1e; }
.show { margin-top: .6rem; border: 0; padding: .4rem 0; color: var(--accent); text-decoration: underline; }
.take-home { border-left: 4px solid var(--accent); padding: .2rem 0 .2rem .9rem; font-size: 1.1rem; margin: 1.1rem 0 .4rem; }
figure { margin: 1rem 0 0; } nav ol { columns: 2; column-gap: 2.5rem; padding-left: 1.6rem; } nav li { break-inside: avoid; }
dt { font-weight: 700; margin-top: .9rem; } dd { margin: 0; } .sources li { margin: .4rem 0; }
@media (max-width: 640px) { nav ol { columns: 1; } body { font-size: 16px; } }
@media print {
  @page { margin: 15mm; }
  body { font-size: 11pt; max-width: none; padding: 0; } nav, .tools, .show { display: none; }
  section[data-right] { break-inside: avoid; } h2, h3, .small { break-after: avoid; } .answers button { border: 0; padding: .1rem 0; }
  .answers button::before { content: "☐ "; } .answers .right { border: 0; background: none; } .answers .right::before { content: "☑ "; }
  figure { zoom: .6; break-inside: avoid; } .modebar { display: none; } dd, .sources li { break-inside: avoid; }
}
"""
# A click on an answer marks it as the prediction, and shows the right one and the figure, which is drawn only then.
REVEAL = """
const drawn = box => {
  if (box.drawn) return;
  box.drawn = true;
  const { data, layout } = JSON.parse(document.getElementById(box.dataset.figure).textContent);
  const height = layout.meta?.fixed ? layout.height : Math.min(layout.height, 680); // of a laptop's window
  const placed = { ...layout, height, autosize: true, font: { ...layout.font, family: getComputedStyle(document.body).fontFamily } };
  Plotly.newPlot(box, data, placed, CONFIG).then(fit);
};
function reveal(scene, chosen) {
  const answers = [...scene.querySelectorAll(".answers button")];
  answers.forEach((button, index) => {
    const said = [index === Number(scene.dataset.right) ? "right" : "", index === chosen ? "your prediction" : ""].filter(Boolean);
    button.classList.toggle("right", index === Number(scene.dataset.right));
    button.setAttribute("aria-pressed", index === chosen);
    button.querySelector("small").textContent = said.length ? ` (${said.join(", ")})` : "";
  });
  scene.querySelector(".show").hidden = true;
  scene.querySelector(".revealed").hidden = false;
  scene.querySelectorAll(".plot").forEach(drawn);
}
const scenes = [...document.querySelectorAll("section[data-right]")];
for (const scene of scenes) {
  scene.querySelectorAll(".answers button").forEach((button, index) => (button.onclick = () => reveal(scene, index)));
  scene.querySelector(".show").onclick = () => {
    reveal(scene, -1);
    scene.querySelector(".revealed").focus({ preventScroll: true });
  };
}
// One after the other, so that the page answers meanwhile.
document.querySelector("#all").onclick = () => scenes.filter(scene => scene.querySelector(".revealed").hidden)
  .forEach((scene, place) => setTimeout(reveal, 50 * place, scene, -1));
"""


def tour_html(
    title: str,
    scenes: Sequence[Scene],
    figures: Mapping[str, tuple[Figure, str]],
    config: Mapping[str, Any],
    link: str = "",
    for_others: bool = True,
) -> str:
    """Write scenes as one page that needs no network: questions, and on a click the answer and its figure.

    `figures` are those of the scenes, by their names, with their alternative texts; `config` is Plotly's;
    `for_others` says whether other computers can open `link`.
    """
    script = REVEAL.replace("CONFIG", in_script(json.dumps({**config, "responsive": True})), 1)
    terms = terms_in(*(text for scene in scenes for text in (scene.caption, scene.question, scene.take_home)))
    sources = cited(*(entry.source for entry in (*scenes, *terms)))
    contents = "".join(
        f'<li><a href="#scene-{number}">{escape(scene.name)}</a></li>' for number, scene in enumerate(scenes, start=1)
    )
    parts = [
        f"<h1>{escape(title)}</h1>",
        "<p>Choose an answer to each question: then the right one appears, with the nets that decide, trained by real "
        "backpropagation. The figures can be zoomed; their values show under the pointer. No network is needed.</p>",
        live_html(link, for_others),
        f'<nav aria-label="Scenes"><ol>{contents}</ol></nav>',
        '<p class="tools"><button id="all" type="button">Show all answers</button></p>',
        *(_scene(number, scene, len(scenes), *figures[scene.name]) for number, scene in enumerate(scenes, start=1)),
        f"<section><h2>Glossary</h2>{_terms(terms)}</section>",
        f"<section><h2>Sources</h2>{_sources(sources)}</section>",
        f"<script>{plain.library()}</script>",
        f"<script>{plain.FOLD}{NARROW}{script}</script>",
        "<noscript><style>.revealed[hidden] { display: block; }</style></noscript>",
    ]
    return document(title, STYLE, parts)


def _scene(number: int, scene: Scene, count: int, figure: Figure, alt: str) -> str:
    answers = "".join(
        f'<button type="button" aria-pressed="false">{_words(answer.text)}<small></small></button>'
        for answer in scene.answers
    )
    framed = f" Framed in the figure: {escape(scene.proof.words)}." if scene.proof else ""
    return (
        f'<section id="scene-{number}" data-right="{scene.right}">'
        f'<p class="small">{escape(chapter_of(scene).name)} · scene {number} of {count}</p>'
        f"<h2>{number}. {escape(scene.name)}</h2><p>{_linked(scene.caption)}</p><h3>{_words(scene.question)}</h3>"
        f'<div class="answers" role="group" aria-label="Answers">{answers}</div>'
        '<button class="show" type="button">Show the answer without a prediction</button>'
        f'<div class="revealed" tabindex="-1" aria-live="polite" hidden><p class="take-home">{_linked(scene.take_home)}</p>'
        f'<p class="small">Source: {_with_sources(scene.source)}.{framed}</p>'
        f'<figure aria-label="{escape(alt)}"><div><div class="plot" data-figure="figure-{number}"></div></div></figure></div>'
        f'<script type="application/json" id="figure-{number}">{in_script(plain.text(plain.lean(figure)))}</script></section>'
    )


# --- words and sources ----------------------------------------------------------------------------


def _words(text: str) -> str:
    """Write a text, a number and its power of ten on one line."""
    return escape(text).replace(" × ", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}")


def _linked(text: str) -> str:
    """Write a text in which each term leads to its definition, where it is used first."""
    return "".join(
        _words(words) if term is None else f'<a href="#{_anchor(term)}">{_words(words)}</a>'
        for words, term in pieces(text)
    )


def _anchor(entry: Term | Reference) -> str:
    """The name of a place on the page."""
    kind = "term" if isinstance(entry, Term) else "source"
    return f"{kind}-{re.sub(r'[^a-z0-9]+', '-', entry.name.casefold()).strip('-')}"


def _with_sources(source: str) -> str:
    """Write what is cited, each work as a link to its full reference."""
    text = escape(source)
    for reference in cited(source):
        name = escape(reference.name)
        text = text.replace(name, f'<a href="#{_anchor(reference)}">{name}</a>')
    return text


def _terms(terms: Sequence[Term]) -> str:
    told = (
        f'<dt id="{_anchor(term)}">{escape(term.name)}</dt><dd>{escape(term.caption)}'
        + (f'<br><span class="formula">{escape(term.formula)}</span>' if term.formula else "")
        + (f'<br><span class="small">{_with_sources(term.source)}</span>' if term.source else "")
        + "</dd>"
        for term in terms
    )
    return f"<dl>{''.join(told)}</dl>"


def _sources(references: Sequence[Reference]) -> str:
    told = (f'<li id="{_anchor(reference)}">{_reference(reference)}</li>' for reference in references)
    return f'<ul class="sources">{"".join(told)}</ul>'


def _reference(reference: Reference) -> str:
    link = f' <a href="{escape(reference.link)}">{escape(reference.link)}</a>' if reference.link else ""
    return f"{escape(reference.before_link)}{link}"


def glossary_html() -> str:
    """Write all terms and all sources as one page."""
    return document(
        "Glossary and sources",
        STYLE,
        [
            "<h1>Glossary and sources</h1>",
            f"<section><h2>Glossary</h2>{_terms(list(GLOSSARY.values()))}</section>",
            f"<section><h2>Sources</h2>{_sources(list(REFERENCES.values()))}</section>",
        ],
    )


# --- a sheet to print -----------------------------------------------------------------------------


SHEET = """
@page { margin: 14mm 17mm; }
body { font: 10pt/1.32 Arial, Helvetica, sans-serif; color: #000; background: #fff; max-width: 178mm; margin: 0 auto; padding: 1rem 0; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: end; gap: 3mm 10mm; border-bottom: 1.5pt solid #000; padding-bottom: 3mm; }
h1 { font-size: 17pt; margin: 0; } header p { margin: 0; } .blank { display: inline-block; border-bottom: .8pt solid #000; width: 55mm; } .date { width: 28mm; }
ol { list-style: none; margin: 0; padding: 0; } .question { break-inside: avoid; padding: 2.4mm 0 2mm; border-bottom: .5pt solid #999; }
h2 { font-size: 12pt; margin: 0 0 1mm; } p { margin: 0 0 1.5mm; } .asked { font-weight: 700; }
.answer { display: grid; grid-template-columns: 7mm 1fr; margin: 1.2mm 0; }
.box { width: 3.8mm; height: 3.8mm; border: 1pt solid #000; margin-top: .4mm; line-height: 3.8mm; text-align: center; font-weight: 700; }
.right { font-weight: 700; } .take-home { border-left: 2.5pt solid #000; padding-left: 3mm; margin-top: 2.5mm; } .small, li { font-size: 9.5pt; }
ul { padding-left: 4mm; } li { margin: 1mm 0; break-inside: avoid; } a { color: inherit; text-decoration: none; overflow-wrap: anywhere; }
@media screen { body { padding: 1rem; } }
@media print { body { max-width: none; padding: 0; } }
"""


def sheet_html(title: str, scenes: Sequence[Scene], *, answers: bool) -> str:
    """Write the questions as a sheet to print, on A4 or Letter; with `answers` the right ones are marked, and say why.

    Titles of scenes stand with the answers alone, which some of them give away.
    """
    parts = [
        f"<header><h1>{escape(title)}{': answers' if answers else ''}</h1>"
        + ("" if answers else '<p>Name <span class="blank"></span></p><p>Date <span class="blank date"></span></p>')
        + "</header>",
        f"<ol>{''.join(_question(number, scene, answers) for number, scene in enumerate(scenes, start=1))}</ol>",
        f"<h2>Sources</h2>{_sources(cited(*(scene.source for scene in scenes)))}" if answers else "",
    ]
    return document(f"{title}{': answers' if answers else ''}", SHEET, parts)


def _question(number: int, scene: Scene, answers: bool) -> str:
    boxes = "".join(
        f'<div class="answer right"><span class="box">✕</span><span>{_words(answer.text)}</span></div>'
        if answers and index == scene.right
        else f'<div class="answer"><span class="box"></span><span>{_words(answer.text)}</span></div>'
        for index, answer in enumerate(scene.answers)
    )
    title = f"{number}. {escape(scene.name)}" if answers else f"Question {number}"
    said = f'<p class="take-home">{_words(scene.take_home)} <span class="small">({escape(scene.source)})</span></p>'
    return (
        f'<li class="question"><h2>{title}</h2><p>{_words(scene.caption)}</p><p class="asked">{_words(scene.question)}</p>'
        f"{boxes}{said if answers else ''}</li>"
    )
