// Draws a Plotly figure in place. Unlike a chart that is mounted anew for every change of its data, it never
// goes blank while a training streams in, keeps the zoom, follows the page's theme as it is switched, and replays a training
// without the server: see explorer/figures/marks.py.
const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
const REPLAY = 7000, SETTLED = 150; // milliseconds
const MOST = 120; // pixels
const LEAST_SHARE = 0.35; // of the window

async function sharedPlotly() {
  // Streamlit loads Plotly with the first ordinary chart of the page and shares it on the window.
  for (let tries = 0; tries < 200; tries++) {
    if (window.Plotly) return window.Plotly;
    await wait(50);
  }
  return null;
}

function layoutFor(box, figure, css, { keep, above, lowest, larger, foot, settings }) {
  const narrow = (box.narrow && figure.layout.meta?.narrow) || {}, factor = box.narrow ? 1 : textFactor(larger);
  const large = (factor > 1 && figure.layout.meta?.room) || {}, words = large.height ? factor / larger : factor;
  const font = { ...figure.layout.template.layout.font, color: css("--st-text-color"), family: css("--st-font") };
  const paper = css("--st-background-color"); // the camera's picture has it too
  const layout = { ...figure.layout, ...narrow, ...large, font, paper_bgcolor: paper, plot_bgcolor: paper, autosize: true, uirevision: keep };
  // On a low screen a lower figure: all of it should be seen at once.
  if (!narrow.height && !figure.layout.meta?.fixed) layout.height = Math.min(layout.height, Math.max(lowest, window.innerHeight - above));
  if (factor > 1) {
    if (words !== 1) enlarge([layout, figure.data], words);
    layout.height *= words;
    layout.margin = Object.fromEntries(Object.entries(layout.margin ?? {}).map(([side, size]) => [side, size * (side === "r" ? 1 : words)]));
    if (!settings) dropSettings(layout);
  }
  const folded = () => refolded(layout, box.clientWidth, font.family, figure.data), whole = (box.whole = factor > 1 && !narrow.height ? room(box, foot) : 0);
  if (whole) layout.height = whole - (folded().height - layout.height);
  return folded();
}

/** The height that a lecture room's screen leaves a figure, above `foot` pixels of its 1080 high; 0 if it begins too far down. */
function room(box, foot) {
  const above = box.getBoundingClientRect().top + (box.closest("[data-testid=stMain]")?.scrollTop ?? 0);
  const height = Math.round(window.innerHeight - above - (foot * window.innerWidth) / ROOM_SCREEN);
  return height > window.innerHeight * LEAST_SHARE ? height : 0;
}

/** Settings stand in the sidebar beside; below them there is nothing. */
function dropSettings(layout) {
  const gone = layout.annotations?.find(note => note.name === "settings");
  if (!gone) return;
  layout.annotations = layout.annotations.filter(note => note !== gone);
  const lines = gone.yanchor === "top" ? 0 : rowsOf(gone.text) * gone.font.size * 1.3; // a text that stands on its foot hangs no further
  layout.margin = { ...layout.margin, b: Math.min(layout.margin?.b ?? Infinity, -gone.yshift - lines) };
}

/** Enlarges every text, and what is as far from a panel as the size of a text asks. */
function enlarge(node, factor) {
  for (const [name, value] of Object.entries(node ?? {})) {
    if (/font$/.test(name) && value?.size) value.size *= factor;
    else if (["yshift", "ticklabelshift"].includes(name)) node[name] *= factor;
    else if (name === "text" && typeof value === "string") node[name] = value.replace(/font-size:(\d+)px/g, (_, size) => `font-size:${size * factor}px`);
    else if (value && typeof value === "object" && name !== "meta" && name !== "template") enlarge(value, factor);
  }
}

/** What moves in a replay, by net: the columns of its map, and the epochs at which they were recorded. */
function netsOf(box) {
  const nets = {};
  box._fullData.forEach(({ meta, z, customdata }) => {
    if (!["map", "zero", "lost"].includes(meta?.role)) return;
    const net = (nets[meta.net] ??= {});
    net[meta.role] = record => [...z].map(row => row[record]);
    if (meta.role === "map") net.epochs = [...customdata[0]].map(cell => cell[0] ?? cell);
  });
  return nets;
}

/** The colour of a value on a scale of hexadecimal colours. */
function colourOf(value, { cmin, cmax, colorscale }) {
  const share = Math.min(Math.max((value - cmin) / (cmax - cmin), 0), 1);
  const next = Math.max(colorscale.findIndex(([stop]) => stop >= share), 1);
  const [[low, from], [high, to]] = [colorscale[next - 1], colorscale[next]];
  const mix = place => [from, to].map(colour => parseInt(colour.slice(place, place + 2), 16)).reduce((one, other) => one + (other - one) * (share - low) / (high - low));
  return `rgb(${[1, 3, 5].map(mix).map(Math.round)})`;
}

/** The pixels of a trace's axes, and its panel. */
function placing(box, { xaxis, yaxis }) {
  const [x, y] = [xaxis, yaxis].map(axis => box._fullLayout[`${axis[0]}axis${axis.slice(1)}`]);
  const inside = ([low, length], pixel) => Math.min(Math.max(pixel, low), low + length);
  return { x: value => inside([x._offset, x._length], x._offset + x.l2p(value)), y: value => inside([y._offset, y._length], y._offset + y.l2p(value)) };
}

/** Draws each role at a record, as SVG. */
const DRAWN = {
  profile: ({ line }, column, place) => {
    const points = column.map((value, layer) => Number.isFinite(value) ? [place.x(value), place.y(layer + 1)] : null);
    const path = points.map((at, layer) => at && `${points[layer - 1] ? "L" : "M"}${at}`).filter(Boolean).join("");
    const dots = points.length > 40 ? [] : points.filter(Boolean).map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${line.color}"/>`);
    return `<path d="${path}" fill="none" stroke="${line.color}" stroke-width="${line.width}"/>${dots.join("")}`;
  },
  bars: ({ marker, width, meta }, column, place) => column.map((value, layer) => {
    if (!Number.isFinite(value)) return "";
    const half = (width[0] ?? width) / 2, [left, right] = [-half, half].map(side => place.x(layer + 1 + meta.shift + side));
    const top = place.y(Math.min(Math.max(value, meta.base), meta.top)), fill = marker.colorscale ? colourOf(value, marker) : marker.color;
    const edge = marker.line.width ? `stroke="${marker.line.color}" stroke-width="${marker.line.width}"` : "";
    return `<rect x="${left}" y="${top}" width="${right - left}" height="${place.y(meta.base) - top}" fill="${fill}" ${edge}/>`;
  }).join(""),
  marks: ({ marker, meta }, column, place) => column.map((cell, layer) => !Number.isFinite(cell) ? "" :
    `<rect x="${place.x(layer + 1 + meta.shift) - 6}" y="${place.y(meta.height) - 6}" width="12" height="12" fill="${marker.color}"/>`).join(""),
};

/** A frame of a replay as SVG: the marker of epochs, and every trace that follows it. */
function frameAt(box, nets, epoch) {
  const at = net => Math.max(net.epochs.findLastIndex(each => each <= epoch), 0);
  const traces = box._fullData.map(trace => {
    const { role, net } = trace.meta ?? {}, [of, marks] = (role ?? "").split(" ");
    if (!nets[net] || !(marks ? nets[net][of] : DRAWN[role])) return "";
    return DRAWN[marks ?? role](trace, nets[net][marks ? of : "map"](at(nets[net])), placing(box, trace));
  });
  const cursors = box.layout.shapes.map(({ xref, line, y0, y1 }) => {
    const axis = box._fullLayout[`${xref[0]}axis${xref.slice(1)}`], { _size: size } = box._fullLayout;
    const x = axis._offset + axis.d2p(axis.type === "log" ? Math.max(epoch, 0.5) : epoch), [low, high] = [y0, y1].map(y => size.t + size.h * (1 - y));
    return `<path d="M${x},${low}V${high}" stroke="${line.color}" stroke-width="3"/>`;
  });
  return [...traces, ...cursors].join("");
}

/** Runs the marker of epochs over the figure, on a sheet above it; at its end, or when it is stopped, the figure is as before. */
function replay(box) {
  const nets = netsOf(box), log = box._fullLayout.xaxis.type === "log", along = epoch => (log ? Math.log(Math.max(epoch, 0.5)) : epoch);
  const epochs = [...new Set(Object.values(nets).flatMap(net => net.epochs))].sort((a, b) => a - b);
  const sheet = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  sheet.setAttribute("style", "position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none;");
  sheet.setAttribute("aria-hidden", "true");
  const moving = ["still", "profile", "bars", "zero marks", "lost marks"];
  const covered = [...box.querySelectorAll(".trace, .shapelayer path")].filter(each => !each.matches(".trace") || moving.includes([each.__data__].flat()[0]?.trace?.meta?.role));
  const words = box.layout.annotations.flatMap(({ name }, number) => name === "epoch" ? [...box.querySelectorAll(`.annotation[data-index="${number}"] text.annotation-text`)] : []);
  const before = words.map(each => each.textContent);
  covered.forEach(each => (each.style.visibility = "hidden"));
  box.querySelector(".svg-container").append(sheet);
  const tell = plays => box.dispatchEvent(new CustomEvent("replay", { detail: plays }));
  const begun = performance.now(), first = along(epochs[0]), last = along(epochs.at(-1));
  let request;
  box.stopReplay = () => {
    cancelAnimationFrame(request);
    sheet.remove();
    covered.forEach(each => (each.style.visibility = ""));
    words.forEach((each, number) => (each.textContent = before[number]));
    box.stopReplay = null;
    tell(false);
  };
  const step = () => {
    const share = (performance.now() - begun) / REPLAY;
    if (share >= 1) return box.stopReplay();
    const epoch = epochs.findLast(each => along(each) <= first + share * (last - first) + 1e-9);
    sheet.innerHTML = frameAt(box, nets, epoch);
    words.forEach((each, number) => (each.textContent = before[number].replace(/epoch [\d,]+/, `epoch ${epoch.toLocaleString("en")}`)));
    request = requestAnimationFrame(step);
  };
  tell(true);
  step();
}

export default async function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".figure");
  // A figure, not an image: its toolbar can be reached.
  box.setAttribute("role", "figure");
  box.setAttribute("aria-label", data.alt);
  const Plotly = await sharedPlotly();
  if (!Plotly) {
    box.textContent = "The figure cannot be drawn: Plotly was not loaded by this version of Streamlit. " + data.alt;
    return;
  }
  const css = name => getComputedStyle(parentElement).getPropertyValue(name).trim();
  box.stopReplay?.();
  box.isNarrow = () => box.clientWidth < data.narrow;
  box.draw = async () => {
    // Drawn anew where panels change places: of a colour bar that lies down, `react` would leave the title where it stood.
    if (box.drawnIn?.[0] && box.narrow !== box.isNarrow()) Plotly.purge(box);
    box.narrow = box.isNarrow();
    Object.assign(box, { drawnIn: [box.clientWidth, window.innerHeight] });
    box.stopReplay?.();
    const figure = JSON.parse(data.figure); // Plotly changes what it is given
    box.wide = structuredClone(figure.layout); // what is taken away has a wide screen's, on a phone too
    const layout = layoutFor(box, figure, css, data);
    box.style.height = layout.height + "px";
    await Plotly.react(box, figure.data, layout, { responsive: true, displaylogo: false, ...data.config });
    box.removeAllListeners?.("plotly_click");
    if (data.clicks) box.on("plotly_click", clicked);
  };
  const clicked = event => {
    const across = ({ customdata, x }) => customdata?.[0] ?? customdata ?? x;
    const point = event.points.find(candidate => Number.isFinite(across(candidate)));
    if (point) setTriggerValue("clicked", { panel: point.data.xaxis ?? "x", x: across(point), y: point.y, up: point.data.yaxis ?? "y" });
  };
  await box.draw();
  box.startReplay = () => replay(box);
  // A phone that is turned, a window that is halved or put on a projector: other places for the panels. What changes by less, as
  // when a phone hides its address, stays as it is.
  box.outgrown = () => {
    const changes = [box.clientWidth, window.innerHeight].map((now, side) => Math.abs(now - box.drawnIn[side]));
    const moved = box.whole && Math.abs(room(box, data.foot) - box.whole) > 2; // by words above it that came late
    return box.isConnected && (moved || box.narrow !== box.isNarrow() || (!box.narrow && Math.max(...changes) > MOST));
  };
  box.watcher ??= new ResizeObserver(() => {
    clearTimeout(box.later);
    box.later = setTimeout(() => box.outgrown() && box.draw(), SETTLED);
  });
  const around = ["[data-testid=stApp]", "[data-testid=stMainBlockContainer]"].map(each => document.querySelector(each) ?? box);
  for (const each of [box, ...around]) box.watcher.observe(each);
}
