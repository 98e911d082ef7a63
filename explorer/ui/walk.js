// Steps through a walk in the browser: everything was sent once, see pages/walk_page.py; walkDrawing is in explorer/figures/walk.js.
// Texts are 18 in the drawing: at least so many pixels on a screen, on a laptop's fewer if the whole graph then is in sight,
// but not in a lecture room.
const PHONE = 640, smallest = larger => (larger === 1 && window.innerWidth < 1500 && window.innerWidth > PHONE ? 12 : 16) / 18;
const LARGEST = 1.3, BEAT = 1600; // milliseconds of a step that plays

const USES_KEYS = "input, textarea, select, [role=combobox], [role=listbox], [role=radio], [role=radiogroup] *, [role=dialog] *, [role=tab], [contenteditable], pre";

// The step stands in the link, written here: the server hears of it only when something is taken away, and Back does not lead
// through steps.
const WRITES = 400; // milliseconds from one look at the link to the next: browsers limit how often it may change
let left = 0; // where a walk was left, for who comes back to it
const { replaceState } = window.History.prototype;

function stepInLink(name) {
  const said = new URLSearchParams(window.location.search).get(name);
  return said === null ? null : Math.max(Number(said) - 1 || 0, 0);
}

function putInLink(name, step) {
  const address = new URL(window.location.href);
  if ((stepInLink(name) ?? 0) === step) return;
  if (step) address.searchParams.set(name, step + 1);
  else address.searchParams.delete(name);
  replaceState.call(window.history, window.history.state, "", address);
}

// A lecture room's words need the sidebar's room too: it is folded once, and unfolded afterwards if nobody has done so.
let folds = false;
function fold(on) {
  if (on === folds) return;
  folds = on;
  const button = document.querySelector(on ? "[data-testid=stSidebar][data-collapsed=false] [data-testid=stSidebarCollapseButton] button" : "[data-testid=stExpandSidebarButton]");
  button?.click();
  if (button) setTimeout(forgetFold, FORGET);
}

// Streamlit remembers a fold for later visits, but nobody has chosen this one.
const FORGET = 200, KEPT = "stSidebarCollapsed";
function forgetFold() {
  try {
    for (const key of Object.keys(localStorage).filter(key => key.startsWith(KEPT))) localStorage.removeItem(key);
  } catch {
    // Inside another page a browser may forbid it.
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const find = selector => parentElement.querySelector(selector), box = find(".walk"), graph = JSON.parse(data.graph);
  const css = name => getComputedStyle(parentElement).getPropertyValue(name).trim();
  const last = graph.steps.length - 1, boxes = Object.fromEntries(graph.boxes.map(each => [each.key, each]));
  // The same walk, drawn anew: it stays where it is; another net or sample stays at the step of the same number.
  const state = (box.state ??= { step: stepInLink(data.inLink) ?? left, chosen: null });
  state.step = Math.min(state.step, last);
  if (!boxes[state.chosen]) state.chosen = null;
  const family = () => css("--st-font") || "sans-serif";
  const look = paper => ({ ...data.look, paper, line: "#8a8f98" });
  const scroller = find(".graph"), present = () => textFactor(data.larger);

  /** What the window leaves the graph, of its height, below what stands above it; a phone scrolls. */
  const height = () => {
    const above = scroller.getBoundingClientRect().top + (parentElement.closest("[data-testid=stMain]")?.scrollTop ?? 0);
    return window.innerWidth > PHONE ? window.innerHeight - above - 8 : Infinity;
  };

  function explain() {
    const key = state.chosen ?? graph.steps[state.step].boxes.at(-1), chosen = boxes[key], code = data.code[chosen?.code];
    const known = chosen && graph.steps.findIndex(each => each.boxes.includes(key)) <= state.step;
    find(".about").textContent = chosen ? chosen.words + (known ? "." : ". Not computed yet.") : "Every step back, multiplied:";
    const lines = !chosen ? graph.multiplied : known ? chosen.arithmetic : [];
    find(".arithmetic").textContent = lines.length ? lines.join("\n") : known && data.wide && chosen?.code ? "This layer is wide: norms are shown, not every product." : "";
    find(".where").textContent = code ? `The engine: ${code.where}` : "";
    find(".engine").textContent = code?.text ?? "";
    for (const name of [".arithmetic", ".engine"]) find(name).hidden = !find(name).textContent;
  }

  function draw(follow) {
    const focused = document.activeElement?.closest?.(".walk .graph [data-key]")?.dataset.key;
    const drawing = walkDrawing(graph, { ...state, look: look("var(--st-background-color)"), family: family() });
    const fits = Math.min(scroller.clientWidth / drawing.width, height() / drawing.height);
    const scale = Math.max(smallest(data.larger) * present(), Math.min(fits, LARGEST * present()));
    const svg = find(".graph svg");
    svg.innerHTML = drawing.inside;
    svg.setAttribute("viewBox", `0 0 ${drawing.width} ${drawing.height}`);
    svg.setAttribute("width", drawing.width * scale);
    svg.setAttribute("height", drawing.height * scale);
    svg.setAttribute("font-family", family());
    box.style.setProperty("--larger", present());
    if (focused) svg.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
    if (follow) scroller.scrollTo({ left: state.step === last ? 0 : drawing.focus * scale - scroller.clientWidth / 2 });
    explain();
  }

  function go(step) {
    state.step = Math.min(Math.max(step, 0), last);
    state.chosen = null;
    find(".says").textContent = `Step ${state.step + 1} of ${last + 1}. ${graph.steps[state.step].says}`;
    find(".back").disabled = find(".first").disabled = state.step === 0;
    find(".next").disabled = find(".last").disabled = state.step === last;
    draw(true);
    left = state.step;
  }

  function stop() {
    clearInterval(box.playing);
    box.playing = null;
    find(".play").textContent = "Play";
  }
  function play() {
    if (box.playing) return stop();
    if (state.step === last) go(0);
    find(".play").textContent = "Stop";
    box.playing = setInterval(() => (state.step < last ? go(state.step + 1) : stop()), BEAT);
  }
  const byHand = step => () => (stop(), go(step()));
  const moves = { first: byHand(() => 0), back: byHand(() => state.step - 1), next: byHand(() => state.step + 1), last: byHand(() => last), play };
  for (const [name, move] of Object.entries(moves)) find(`.${name}`).onclick = move;
  find(".turn").onclick = byHand(() => graph.steps.findIndex(each => each.says.startsWith("Backward")));

  const choose = event => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (!key) return;
    state.chosen = key;
    draw(false);
    find(".said").textContent = `${find(".about").textContent} ${find(".arithmetic").textContent}`;
  };
  scroller.onclick = choose;
  scroller.onkeydown = event => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(event);
  };
  const KEYS = { ArrowRight: "next", PageDown: "next", ArrowLeft: "back", PageUp: "back", Home: "first", End: "last" };
  const onKey = event => {
    const move = KEYS[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.composedPath()[0].closest?.(USES_KEYS)) return;
    event.preventDefault();
    moves[move]();
  };
  window.addEventListener("keydown", onKey);
  fold(data.larger > 1);
  const onHistory = byHand(() => stepInLink(data.inLink) ?? 0);
  window.addEventListener("popstate", onHistory);
  const here = window.location.pathname; // for a moment a page that is left is still drawn
  const writing = setInterval(() => window.location.pathname === here && putInLink(data.inLink, state.step), WRITES);
  const onShare = event => {
    if (!event.target.closest?.(".st-key-take_away") || state.step + 1 === data.step) return;
    putInLink(data.inLink, state.step);
    setStateValue("step", state.step + 1);
  };
  window.addEventListener("click", onShare, true);

  // What Share takes: the graph at the present step.
  box.asPicture = (ink, paper, letters) => {
    const drawing = walkDrawing(graph, { step: state.step, chosen: null, look: look(paper), family: letters, words: true });
    return { ...drawing, inside: `<g color="${ink}" fill="${ink}">${drawing.inside.replaceAll(' tabindex="0" role="button"', "")}</g>` };
  };
  box.setAttribute("aria-label", data.alt);
  const watcher = new ResizeObserver(() => draw(false));
  watcher.observe(scroller);
  go(state.step);
  return () => {
    stop();
    clearInterval(writing);
    window.removeEventListener("popstate", onHistory);
    window.removeEventListener("click", onShare, true);
    watcher.disconnect();
    window.removeEventListener("keydown", onKey);
    setTimeout(() => document.querySelector(".walk") || fold(false), 500); // for another page
  };
}
