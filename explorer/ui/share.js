// The menu of what can be taken away: pictures are composed in the viewer's own browser, files come from the server.
const WIDTH = 1920, HEIGHT = 1080, EDGE = 30, GAP = 10;
// A figure is drawn as on a screen of this many times fewer pixels, so that its text is legible in a lecture room.
const ENLARGED = 1.4, LOWEST = 590;
const A_LITTLE = 0.85;
const TITLE = { size: 36, smallest: 26, weight: "bold", lines: 2 };
const SETTINGS = { size: 20, smallest: 16, lines: 2 };
const ADDRESS = { size: 16, smallest: 12, lines: 2 };
// A picture cannot carry the page's web font.
const FAMILY = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif";
const ONLY_HERE = "On this computer only: ";
const STAYS = 8000, ASKS_AGAIN = 5000, GIVES_UP = 90000; // milliseconds

/** The address of what is shown, as others open it. */
function link({ version, root }) {
  const address = new URL(window.location.href);
  address.searchParams.set("v", version);
  return `${root.address}/${address.pathname.split("/").at(-1)}${address.search}`;
}

/** The link as a picture has it: an address of this machine leads nobody else here, and says so. */
const addressOf = text => (text.root.for_others ? "" : ONLY_HERE) + link(text);

/** The lines that show the main figure inside another page. */
function frame(text) {
  const source = escaped(`${link(text)}&embed=true`).replaceAll('"', "&quot;"), title = escaped(text.title).replaceAll('"', "&quot;");
  return `<iframe src="${source}" title="${title}"\n  width="100%" height="640" style="border: 0" loading="lazy"></iframe>\n`;
}

/** A figure by the key of its place; of several, as while the page is drawn anew, the one that shows. */
function chartOf(key) {
  const drawn = [...document.querySelectorAll(`.st-key-${key} .drawing`)].find(each => each.asPicture);
  if (drawn) return drawn; // draws itself, see walk.js
  const charts = [...document.querySelectorAll(`.st-key-${key} .js-plotly-plot`)].filter(chart => chart._fullLayout);
  return charts.find(chart => chart.getBoundingClientRect().width > 0) ?? charts[0];
}

// --- text: measured, and broken where the picture ends --------------------------------------------

const pen = document.createElement("canvas").getContext("2d");

function folded(text, size, weight) {
  pen.font = `${weight ?? "normal"} ${size}px ${FAMILY}`;
  const fits = words => pen.measureText(words).width <= WIDTH - 2 * EDGE;
  const lines = [""];
  // After a space, else after a mark of an address, at last anywhere.
  for (const piece of text.match(/\S+\s*|\s+/g)?.flatMap(word => (fits(word.trim()) ? [word] : word.match(/[^&;]+[&;]?|[&;]/g))) ?? []) {
    for (const part of fits(piece.trim()) ? [piece] : [...piece]) {
      if (fits((lines.at(-1) + part).trimEnd())) lines[lines.length - 1] += part;
      else lines.push(part);
    }
  }
  return lines.map(line => line.trimEnd());
}

/** A text as one line, if that makes it only a little smaller; else as lines at the largest size at which it needs no more of them than it may have, or at the smallest. */
function set(text, { size, smallest, weight, lines }) {
  let at = size;
  while (at > size * A_LITTLE && folded(text, at, weight).length > 1) at -= 1;
  if (folded(text, at, weight).length > 1) at = size;
  while (at > smallest && folded(text, at, weight).length > lines) at -= 1;
  return folded(text, at, weight).map(line => ({ line, size: at, weight: weight ?? "normal", height: at * 1.25 }));
}

const escaped = text => text.replace(/[&<>]/g, sign => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

function written(lines, top, ink) {
  let y = top;
  return lines.map(({ line, size, weight, height }) => {
    y += height;
    return `<text x="${EDGE}" y="${y - height + size}" font-size="${size}" font-weight="${weight}" fill="${ink}">${escaped(line)}</text>`;
  });
}

const heightOf = lines => lines.reduce((sum, each) => sum + each.height, 0);

// --- pictures ---------------------------------------------------------------------------------

/** A figure as a wide screen has it, its zoom included, but for the settings, which stand in the picture's head. */
function layoutOf(chart, ink, paper) {
  const wide = structuredClone(chart.wide ?? chart.layout), layout = { ...wide, ...wide.meta?.room };
  for (const [name, axis] of Object.entries(chart._fullLayout))
    if (/^[xy]axis\d*$/.test(name)) layout[name] = { ...layout[name], range: [...axis.range], autorange: false };
  if (chart.layout.scene) layout.scene = structuredClone(chart.layout.scene);
  const below = layout.annotations?.find(label => label.name === "settings");
  layout.annotations = layout.annotations?.filter(label => label !== below);
  return { ...layout, autosize: false, paper_bgcolor: paper, plot_bgcolor: paper, font: { ...layout.font, color: ink, family: FAMILY } };
}

/** A picture as SVG: title, settings, the figure as large as there is room, and the link. */
async function picture(chart, text, css) {
  const ink = css("--st-text-color"), paper = css("--st-background-color");
  const head = [...set(text.title, TITLE), ...text.settings.flatMap(line => set(line, SETTINGS))];
  const foot = set(addressOf(text), ADDRESS);
  const top = EDGE + heightOf(head) + GAP, bottom = HEIGHT - EDGE / 2 - heightOf(foot);
  const room = bottom - top - GAP;
  const drawn = chart.asPicture ? fitted(chart.asPicture(ink, paper, FAMILY), top, room) : await plotted(chart, top, room, ink, paper);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="${FAMILY}">`,
    `<rect width="100%" height="100%" fill="${paper}"/>`,
    ...written(head, EDGE, ink),
    drawn,
    ...written(foot, bottom, ink),
    "</svg>",
  ].join("\n");
}

/** A drawing of our own, as large as there is room. */
function fitted({ inside, width, height }, top, room) {
  const scale = Math.min(room / height, (WIDTH - 2 * EDGE) / width);
  return `<g transform="translate(${(WIDTH - width * scale) / 2} ${top}) scale(${scale})">${inside}</g>`;
}

/** A Plotly figure, as large as there is room. */
async function plotted(chart, top, room, ink, paper) {
  const wanted = layoutOf(chart, ink, paper);
  const height = wanted.meta?.fixed ? wanted.height : Math.max(LOWEST, room / ENLARGED);
  const across = high => ((WIDTH - 2 * EDGE) * high) / room;
  const layout = refolded({ ...wanted, height }, across(height), FAMILY, chart.data);
  layout.width = across(layout.height);
  const scale = room / layout.height;
  const config = { staticPlot: true, plotGlPixelRatio: 2 };
  const url = await window.Plotly.toImage({ data: chart.data, layout, config }, { format: "svg", width: layout.width, height: layout.height });
  return `<g transform="translate(${EDGE} ${top}) scale(${scale})">${decodeURIComponent(url.slice(url.indexOf(",") + 1))}</g>`;
}

async function painted(svg) {
  const image = new Image();
  image.src = "data:image/svg+xml," + encodeURIComponent(svg);
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  canvas.getContext("2d").drawImage(image, 0, 0, WIDTH, HEIGHT);
  return new Promise(done => canvas.toBlob(done, "image/png"));
}

async function save(figure, text, format, css) {
  const chart = chartOf(figure.key);
  if (!window.Plotly?.toImage || !chart) throw new Error("there is no figure to save yet.");
  const svg = await picture(chart, text, css);
  return keep(format === "svg" ? new Blob([svg], { type: "image/svg+xml" }) : await painted(svg), `${text.filename}.${format}`);
}

// --- what the browser does with it --------------------------------------------------------------

function keep(blob, name) {
  const anchor = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
  return `Saved ${name}`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure connection the clipboard is closed; an old way is still open.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  return "Copied";
}

// --- the menu ---------------------------------------------------------------------------------

/** Put the open menu below its button, or above it where there is more room. */
function place(menu, opener) {
  const at = opener.getBoundingClientRect(), below = innerHeight - at.bottom - 16, above = at.top - 16;
  const up = below < menu.scrollHeight && above > below;
  menu.style.maxHeight = `${up ? above : below}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = up ? "auto" : `${at.bottom + 6}px`;
  menu.style.bottom = up ? `${innerHeight - at.top + 6}px` : "auto";
}

// A page that is drawn anew may take an open menu out of the document, or bring another one in its place. The browser tells of
// no closing then, as it does where a person closes it: it opens again, with the focus where it was.
const COMES = 3000, LOOKS = 150; // milliseconds for another one to come, and from one look to the next
let open = null; // the page on which it is open, and the words of what has the focus
let gone = 0;

/** Keeps a menu open; returns what ends that. */
function keepOpen(menu, opener) {
  const here = window.location.pathname, words = element => element.textContent || element.ariaLabel;
  menu.onbeforetoggle = ({ newState }) => (open = newState === "open" ? { ...open, on: here } : null);
  menu.ontoggle = () => menu.matches(":popover-open") && place(menu, opener);
  const follow = ({ target }) => open && (open.focus = words(target));
  menu.addEventListener("focusin", follow);
  clearTimeout(gone);
  const look = setInterval(() => {
    if (open?.on !== here || !menu.isConnected || menu.matches(":popover-open")) return;
    const { focus } = open;
    menu.showPopover();
    [...menu.querySelectorAll("button, select, summary, pre")].find(each => words(each) === focus)?.focus();
  }, LOOKS);
  return () => {
    clearInterval(look);
    menu.removeEventListener("focusin", follow);
    gone = setTimeout(() => (open = null), COMES);
  };
}

function fileButton(name) {
  return Object.assign(document.createElement("button"), { textContent: name, type: "button" });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const find = selector => parentElement.querySelector(selector);
  const host = parentElement.host ?? parentElement, menu = find("[popover]"), opener = find(".open");
  const css = name => getComputedStyle(host).getPropertyValue(name).trim();

  // What became of a press stands in the line of the button that was pressed.
  const say = (button, words, stays = STAYS) => {
    const line = button.closest(".line").querySelector(".about");
    line.dataset.about ??= line.textContent;
    line.textContent = find("[role=status]").textContent = words;
    line.classList.add("said");
    clearTimeout(line.timer);
    line.timer = setTimeout(() => {
      line.textContent = line.dataset.about;
      line.classList.remove("said");
    }, stays);
  };
  const press = (button, act) => {
    button.onclick = async () => {
      try {
        say(button, await act());
      } catch (error) {
        say(button, `It did not work: ${error.message}`);
        console.error(error);
      }
    };
  };

  const choice = find("select"), kept = choice.value, first = data.figures[0];
  choice.replaceChildren(...data.figures.map(figure => new Option(figure.name, figure.key)));
  choice.value = data.figures.some(figure => figure.key === kept) ? kept : first.key;
  choice.hidden = data.figures.length < 2;
  const chosen = () => data.figures.find(figure => figure.key === choice.value);
  const copied = async text => {
    const said = await copy(text);
    return data.root.for_others ? said : `${said}. It works on this computer only: “Let a room in” in the README says how others get in.`;
  };
  press(find(".link"), () => copied(link(data)));
  press(find(".embed"), () => copied(frame(data)));
  press(find(".slide"), () => save(first, { ...data, filename: "slide_" + data.filename }, "png", css));
  for (const format of ["png", "svg"])
    press(find("." + format), () => save(chosen(), { ...data, title: chosen().name, filename: chosen().filename }, format, css));
  press(find(".lines"), () => copy(data.lines));
  find("pre").textContent = data.lines;

  // The server makes a file when it is asked for; the request is repeated until it comes, as a busy page may miss one.
  const waiting = (menu.waiting ??= new Map()), places = { page: find(".pages"), data: find(".files"), notebook: find(".notebooks") };
  const known = Object.entries(data.files).flat().join();
  if (menu.known !== known) {
    menu.known = known;
    for (const box of Object.values(places)) box.replaceChildren();
    for (const [name, group] of Object.entries(data.files)) places[group].append(fileButton(name));
  }
  for (const button of menu.querySelectorAll(".pages button, .files button, .notebooks button")) {
    button.onclick = () => {
      const number = `${Date.now()}`, asked = performance.now();
      say(button, "Being made …", GIVES_UP);
      const ask = () => setTriggerValue("asked", { name: button.textContent, number });
      const again = setInterval(() => {
        if (performance.now() - asked < GIVES_UP) return ask();
        clearInterval(again);
        say(button, "It did not come. Try once more.");
      }, ASKS_AGAIN);
      waiting.set(number, { button, again });
      ask();
    };
  }
  const wanted = data.file && waiting.get(data.file.number);
  if (wanted) {
    waiting.delete(data.file.number);
    clearInterval(wanted.again);
    say(wanted.button, keep(new Blob([data.file.text], { type: data.file.type }), data.file.name));
  }
  if (data.file) setTriggerValue("taken", data.file.number);
  return keepOpen(menu, opener);
}
