// The speaker's view: a window of its own, for the screen that the audience does not see, with the present scene and its right
// answer, the note, what comes next, the clock and the votes. The tour's page fills it and obeys its buttons; no server is asked
// but for the votes.
const MINUTE = 60000, EVERY = 1000; // milliseconds

const LOOK = `
:root { color-scheme: light dark; }
body { margin: 0; padding: 1rem 1.4rem; font: 1.15rem/1.4 Arial, Helvetica, sans-serif; background: PAPER; color: INK; }
header { display: flex; flex-wrap: wrap; gap: .4rem 1.6rem; align-items: baseline; border-bottom: 1px solid LINE; padding-bottom: .6rem; }
#clock { font-size: 2.4rem; font-weight: 700; font-variant-numeric: tabular-nums; }
.late { color: #d9480f; font-weight: 700; }
h1 { font-size: 1.5rem; margin: .9rem 0 .2rem; } h2 { font-size: 1.2rem; margin: 1rem 0 .2rem; } p { margin: .3rem 0; }
ol { margin: .3rem 0; padding-left: 1.6rem; } .right { font-weight: 700; } .right::after { content: " \\2713  right"; }
#note { white-space: pre-wrap; font-size: 1.3rem; border-left: 4px solid ACCENT; padding-left: .8rem; }
#next { border-top: 1px solid LINE; margin-top: 1rem; padding-top: .6rem; opacity: .85; }
nav { display: flex; gap: .6rem; margin: 1rem 0; } button { font: inherit; padding: .5rem 1.1rem; cursor: pointer; }
[hidden] { display: none; }`;
const BODY = `
<header><span id="clock" role="timer">0:00</span><span id="plan"></span><span id="votes"></span><button id="again" type="button">Reset the clock</button></header>
<h1 id="title"></h1><p id="caption"></p><p><b id="question"></b></p><ol id="answers"></ol><p id="take"></p>
<div id="note"></div>
<nav><button id="back" type="button">Back</button><button id="on" type="button"></button></nav>
<div id="next"><b>Next</b> <span id="after"></span><ul id="ahead"></ul></div>`;

// One for all of the tour's pages, as these come and go.
const speaker = (window.explorerSpeaker ??= { view: null, data: null, began: kept(), votes: "" });

// When the lecture began, in the browser's tab: a page that is loaded anew does not start it once more.
function kept() {
  try {
    return Number(sessionStorage.getItem("explorer_lecture_began"));
  } catch {
    return 0; // inside another page a browser may forbid it
  }
}

function begin() {
  speaker.began = Date.now();
  try {
    sessionStorage.setItem("explorer_lecture_began", speaker.began);
  } catch {
    // as above
  }
}

const clock = milliseconds => {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

const press = key => window.explorerTour?.press(key);
const onward = () => press("PageDown"), back = () => press("PageUp");
const KEYS = { PageDown: onward, ArrowRight: onward, " ": onward, PageUp: back, ArrowLeft: back };

function open(css) {
  if (speaker.view && !speaker.view.closed) return speaker.view.focus();
  const view = window.open("", "explorer_speaker", "popup,width=900,height=760");
  if (!view) return false; // the browser lets no window open
  const look = Object.entries({ PAPER: "--st-background-color", INK: "--st-text-color", LINE: "--st-border-color", ACCENT: "--st-primary-color" })
    .reduce((text, [name, variable]) => text.replaceAll(name, css(variable)), LOOK);
  view.document.documentElement.lang = "en";
  view.document.title = "Speaker's view";
  view.document.head.innerHTML = `<meta charset="utf-8"><title>Speaker's view</title><style>${look}</style>`;
  view.document.body.innerHTML = BODY;
  const at = id => view.document.getElementById(id);
  at("back").onclick = back;
  at("on").onclick = onward;
  at("again").onclick = () => { begin(); tick(); };
  view.onkeydown = event => {
    const move = KEYS[event.key], pressed = event.target.tagName === "BUTTON" && event.key === " ";
    if (!move || pressed || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move();
  };
  speaker.view = view;
  if (!speaker.began) begin();
  clearInterval(speaker.timer);
  speaker.timer = setInterval(tick, EVERY);
  draw();
  return true;
}

function draw() {
  const { view, data } = speaker;
  if (!view || view.closed || !data) return;
  const at = id => view.document.getElementById(id), write = (id, text) => (at(id).textContent = text ?? "");
  const { stops, place, revealed } = data, stop = stops[place], next = stops[place + 1];
  write("title", stop ? `${place + 1}. ${stop.title}` : "What to remember");
  for (const name of ["caption", "question", "take", "note"]) write(name, stop?.[name]);
  at("note").hidden = !stop?.note;
  at("answers").replaceChildren(...(stop?.answers ?? []).map((text, index) => {
    const line = view.document.createElement("li");
    line.textContent = text;
    line.className = index === stop.right ? "right" : "";
    return line;
  }));
  write("on", stop && !revealed ? "Show the answer" : "Next");
  write("after", next ? `${next.title} (${next.minutes} min): ${next.question}` : stop ? "What to remember" : "");
  at("ahead").replaceChildren(...stops.slice(place + 2).map(later => {
    const line = view.document.createElement("li");
    line.textContent = `${later.title} (${later.minutes} min)`;
    return line;
  }));
  at("next").hidden = !stop;
  tick();
}

function tick() {
  const { view, data } = speaker;
  if (!view || view.closed) return clearInterval(speaker.timer);
  const at = id => view.document.getElementById(id), { stops, place } = data, stop = stops[place];
  const spent = Date.now() - speaker.began, total = stops.reduce((sum, each) => sum + each.minutes, 0);
  const until = (stop ? stop.starts + stop.minutes : total) * MINUTE, late = spent - until;
  at("clock").textContent = clock(spent);
  at("plan").textContent = `of ${total} min · this scene until ${clock(until)}${late > 0 ? `, ${clock(late)} late` : ""}`;
  at("plan").className = late > 0 ? "late" : "";
  at("votes").textContent = data.room ? speaker.votes : "";
  if (data.room) count(data.room);
}

async function count(room) {
  try {
    const answer = await fetch(new URL(`room/${room}/now`, window.location.href), { cache: "no-store", credentials: "omit" });
    const now = await answer.json(), here = `${now.here} ${now.here === 1 ? "phone" : "phones"}`;
    speaker.votes = !answer.ok ? now.said : now.scene ? `${now.voted} voted · ${here}` : here;
  } catch {
    speaker.votes = "no connection";
  }
}

export default function ({ data, parentElement }) {
  const host = parentElement.host ?? parentElement;
  speaker.data = data;
  speaker.open = () => open(name => getComputedStyle(host).getPropertyValue(name).trim() || "inherit");
  draw();
}
