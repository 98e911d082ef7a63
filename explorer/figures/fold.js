// Text in figures: how large it is, and lines folded anew as wide as the browser's own font lets them be; Plotly folds nothing.
const ROOM_SCREEN = 1920;

/** The factor of figures' text: `larger` on a lecture room's screen of 1920 pixels, on others in proportion, but never below 1. */
const textFactor = larger => Math.max(1, larger > 1 ? (larger * window.innerWidth) / ROOM_SCREEN : 1);

const BESIDE = 8; // pixels between the words of two ticks or panels, and between those of layers and their title
const FOOT = 0.1; // An axis whose panel begins so far up has its title at the foot
const BELOW = 4; // pixels below the last line, for letters that reach down
const FOLD_PEN = document.createElement("canvas").getContext("2d");

function widthOf(text, size, family) {
  FOLD_PEN.font = `${size}px ${family}`;
  return FOLD_PEN.measureText(text.replace(/<[^>]*>/g, "")).width;
}

/** Text as lines, broken at spaces, of which none is wider than `fits` lets it be unless it is one word; spaces within tags are none. */
function foldedAt(text, fits) {
  const lines = [], words = text.replace(/<[^>]*>/g, tag => tag.replaceAll(" ", "\0")).split(" ").map(word => word.replaceAll("\0", " "));
  for (const word of words)
    if (lines.length && fits(`${lines.at(-1)} ${word}`)) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  return lines;
}

/** A note's text, in lines of at most so many pixels: settings between two of them, within one only if it is too long; words only where a line is too long. */
function foldedLines(note, room, size, family) {
  const old = note.text.split(/\s*<br>\s*/), whole = old.join(" "), fits = text => widthOf(text, size, family) <= room;
  if (note.name === "words" && old.every(fits)) return old;
  if (note.name !== "settings") return foldedAt(whole, fits);
  const parts = whole.replaceAll("\u00a0", " ").split(" · ").map((part, place, all) => part + (place < all.length - 1 ? "\u00a0·" : ""));
  const lines = foldedAt(parts.map(part => (fits(part) ? part.replaceAll(" ", "\u00a0") : part)).join(" "), fits);
  return lines.map(line => line.replaceAll("\u00a0", " "));
}

/** The pixels that a legend's further rows take: one that does not fit in a row has columns as wide as its longest entry. */
function rowsBelow({ font }, traces, room, family) {
  const names = [...new Set(traces.filter(({ name, showlegend }) => name && showlegend !== false).map(({ name }) => name))];
  const lengths = names.map(name => widthOf(name, font.size, family) + 45);
  const columns = Math.max(Math.floor(room / Math.max(...lengths, 1)), 1);
  return lengths.reduce((sum, length) => sum + length, 0) <= room ? 0 : (Math.ceil(names.length / columns) - 1) * font.size * 1.5;
}

const longest = (text, size, family) => Math.max(...text.split("<br>").map(line => widthOf(line, size * (line.includes("<b>") ? 1.08 : 1), family)));
const rowsOf = text => text.split("<br>").length;

const SMALLER = 0.75; // the least factor of a panel's title that its panel is too narrow for

/** A text beside or above panels, broken where it would leave the figure at the right; a panel's title smaller where it would meet the next one's. */
function within(note, layout, room, family) {
  const [, panel] = note.xref?.match(/^x(\d*) domain$/) ?? [], size = note.font?.size ?? 16;
  if (panel !== undefined && note.xanchor === "left" && note.x === 0) {
    const [start, end] = layout[`xaxis${panel}`]?.domain ?? [0, 1], wide = longest(note.text, size, family), free = (end - start) * room + BESIDE;
    return wide <= free ? note : { ...note, font: { ...note.font, size: size * Math.max(free / wide, SMALLER) } };
  }
  if (note.xref !== "paper" || note.xanchor !== "left") return note;
  const free = room - note.x * room + 12, fits = text => longest(text, note.font?.size ?? 13, family) <= free;
  return fits(note.text) ? note : { ...note, text: foldedAt(note.text, fits).join("<br>") };
}

/** The titles of horizontal axes, broken where they would leave the figure. */
function titlesWithin(layout, margin, width, room, family) {
  const across = Object.entries(layout).filter(([name, axis]) => /^xaxis\d*$/.test(name) && axis.title?.text);
  return Object.fromEntries(across.map(([name, axis]) => {
    const [start, end] = axis.domain ?? [0, 1], middle = margin.l + (room * (start + end)) / 2;
    const fits = text => longest(text, axis.title.font?.size ?? 14, family) <= 2 * Math.min(middle, width - middle);
    return [name, fits(axis.title.text) ? axis : { ...axis, automargin: true, title: { ...axis.title, text: foldedAt(axis.title.text, fits).join("<br>") } }];
  }));
}

/** The pixels that titles of axes at the foot of the panels take with the lines they have got. */
function linesBelow(layout, titles) {
  const added = Object.entries(titles).map(([name, { anchor, title }]) => {
    const [bottom] = layout[(anchor ?? "y").replace("y", "yaxis")]?.domain ?? [0];
    return bottom < FOOT ? (rowsOf(title.text) - rowsOf(layout[name].title.text)) * (title.font?.size ?? 14) * 1.3 : 0;
  });
  return Math.ceil(Math.max(0, ...added));
}

const axesOf = (layout, letter) => Object.entries(layout).filter(([name, { ticktext, visible, showticklabels } = {}]) =>
  name.startsWith(`${letter}axis`) && ticktext?.length && visible !== false && showticklabels !== false);

/** The left margin that the ticks of the leftmost panels and a title beside them need, in a font that is wider than Streamlit's too. */
function leftOf(layout, left, family) {
  const needs = axesOf(layout, "y").filter(([, { anchor, side }]) => side !== "right" && !((layout[(anchor ?? "x").replace("x", "xaxis")]?.domain ?? [0])[0] > 0));
  const widths = needs.map(([, { ticktext, tickfont, title }]) => {
    const [size, words] = [tickfont?.size ?? 16, title?.text ? (title.font?.size ?? 17) * 1.3 : 0];
    return Math.max(...ticktext.map(text => widthOf(text, size, family))) + words + BESIDE;
  });
  return Math.ceil(Math.max(left, ...widths));
}

/** The right margin that a tick at the end of the rightmost panels needs, which Plotly would leave out where it is cut. */
function rightOf(layout, right, family) {
  const widths = axesOf(layout, "x").map(([, { range, tickvals, ticktext, tickfont, tickangle, type, domain = [0, 1], ticklabelposition = "" }]) => {
    const last = type === "log" ? Math.log10(tickvals.at(-1)) : tickvals.at(-1);
    const ends = range && !tickangle && domain[1] > 0.99 && !ticklabelposition.includes("left") && (last - range[0]) / (range[1] - range[0]) > 0.98;
    return ends ? widthOf(ticktext.at(-1), tickfont?.size ?? 16, family) / 2 + 2 : 0;
  });
  return Math.ceil(Math.max(right, ...widths));
}

/** Horizontal axes whose ticks' words would lie on one another have every second of them, 1 or 0 among these. */
function sparse(layout, room, family) {
  return Object.fromEntries(axesOf(layout, "x").flatMap(([name, axis]) => {
    const { range, tickvals, ticktext, tickfont, tickangle, type, domain = [0, 1] } = axis;
    if (!range || tickangle || tickvals.length < 4) return [];
    const places = tickvals.map(value => ((type === "log" ? Math.log10(value) : value) - range[0]) / (range[1] - range[0]) * (domain[1] - domain[0]) * room);
    const halves = ticktext.map(text => widthOf(text, tickfont?.size ?? 16, family) / 2);
    if (!places.some((place, at) => at && Math.abs(place - places[at - 1]) < halves[at] + halves[at - 1] + BESIDE / 2)) return [];
    const middle = Math.max(ticktext.indexOf("1"), 0), kept = values => values.filter((_, at) => (at - middle) % 2 === 0);
    return [[name, { ...axis, tickvals: kept(tickvals), ticktext: kept(ticktext) }]];
  }));
}

/** A layout, `width` pixels wide, whose settings and words fit below the panels and a legend of these traces, and whose titles fit beside: where they need more room, it is higher. */
function refolded(layout, width, family, traces = []) {
  const margin = { l: 80, r: 80, t: 100, b: 80, ...layout.template?.layout?.margin, ...layout.margin };
  Object.assign(margin, { l: leftOf(layout, margin.l, family), r: rightOf(layout, margin.r, family) });
  const room = width - margin.l - margin.r;
  layout = { ...layout, ...sparse(layout, room, family) };
  const titles = titlesWithin(layout, margin, width, room, family), deeper = linesBelow(layout, titles), hangs = layout.legend?.yanchor === "top";
  const legend = hangs ? { legend: { ...layout.legend, y: layout.legend.y - deeper / (layout.height - margin.t - margin.b) } } : {};
  let more = deeper + (hangs ? rowsBelow(layout.legend, traces, room, family) : 0), ends = 0, rise = 0;
  const annotations = (layout.annotations ?? []).map(note => {
    const size = note.font?.size ?? 13;
    if (!["settings", "words"].includes(note.name)) {
      const whole = within(note, layout, room, family), above = Math.ceil((rowsOf(whole.text) - rowsOf(note.text)) * size * 1.3);
      if (note.y < 0.99 || !above) return whole;
      rise = Math.max(rise, above); // what stands above everything grows upwards
      return note.yanchor === "top" ? { ...whole, yshift: (note.yshift ?? 0) + above } : whole;
    }
    const lines = foldedLines(note, room - (note.xshift ?? 0), size, family);
    const above = more, stands = note.yanchor === "bottom", line = size * 1.3;
    more += Math.ceil(Math.max(lines.length - rowsOf(note.text), 0) * line);
    // What hangs from its top goes down by what those above it need, what stands on its foot by its own lines too.
    const yshift = (note.yshift ?? 0) - (stands ? more : above);
    ends = Math.max(ends, -yshift + (stands ? 0 : lines.length * line) + BELOW);
    return { ...note, text: lines.join("<br>"), yshift };
  });
  const lacks = Math.ceil(Math.max(ends - margin.b, 0));
  return { ...layout, ...titles, ...legend, annotations, height: layout.height + lacks + rise, margin: { ...margin, t: margin.t + rise, b: margin.b + lacks } };
}
