// Text in figures: how large it is, and lines folded anew as wide as the browser's own font lets them be; Plotly folds nothing.
const ROOM_SCREEN = 1920;

/** The factor of figures' text: `larger`, or what presenter mode asks, on a lecture room's screen; on a smaller one as much less, but never below 1. */
function textFactor(larger) {
  const asked = Math.max(larger, Number(getComputedStyle(document.documentElement).getPropertyValue("--figure-text")));
  return Math.max(1, asked * Math.min(1, window.innerWidth / ROOM_SCREEN));
}

const BELOW = 4; // pixels below the last line, for letters that reach down
const FOLD_PEN = document.createElement("canvas").getContext("2d");

function widthOf(text, size, family) {
  FOLD_PEN.font = `${size}px ${family}`;
  return FOLD_PEN.measureText(text.replace(/<[^>]*>/g, "")).width;
}

/** Text as lines, broken between parts, of which none is wider than `fits` lets it be; null if a part alone is. */
function foldedAt(between, text, fits) {
  const lines = [], parts = text.split(between);
  for (const part of parts)
    if (lines.length && fits(lines.at(-1) + between + part)) lines[lines.length - 1] += between + part;
    else lines.push(part);
  return between === " " || parts.every(fits) ? lines : null;
}

/** A note's text, in lines of at most so many pixels: settings between two of them, words only where a line is too long. */
function foldedLines(note, room, size, family) {
  const old = note.text.split(/\s*<br>\s*/), whole = old.join(" "), fits = text => widthOf(text, size, family) <= room;
  if (note.name === "words" && old.every(fits)) return old;
  const settings = note.name === "settings" && foldedAt(" · ", whole, fits);
  return settings ? settings.map((line, number) => (number < settings.length - 1 ? `${line} ·` : line)) : foldedAt(" ", whole, fits);
}

/** The pixels that a legend's further rows take: one that does not fit in a row has columns as wide as its longest entry. */
function rowsBelow({ font }, traces, room, family) {
  const names = [...new Set(traces.filter(({ name, showlegend }) => name && showlegend !== false).map(({ name }) => name))];
  const lengths = names.map(name => widthOf(name, font.size, family) + 45);
  const columns = Math.max(Math.floor(room / Math.max(...lengths, 1)), 1);
  return lengths.reduce((sum, length) => sum + length, 0) <= room ? 0 : (Math.ceil(names.length / columns) - 1) * font.size * 1.5;
}

/** A title that starts on a panel, broken where it would leave the figure; one with colours in it stays as it is. */
function within(note, room, family) {
  if (note.xref !== "paper" || note.xanchor !== "left" || /<\w+ /.test(note.text)) return note;
  const size = (note.font?.size ?? 13) * (note.text.includes("<b>") ? 1.08 : 1), free = room - note.x * room + 12;
  return { ...note, text: foldedAt(" ", note.text, text => text.split("<br>").every(line => widthOf(line, size, family) <= free)).join("<br>") };
}

/** A layout, `width` pixels wide, whose settings and words fit below the panels and a legend of these traces: where they need more room, it is higher. */
function refolded(layout, width, family, traces = []) {
  const margin = { l: 80, r: 80, b: 80, ...layout.template?.layout?.margin, ...layout.margin }, room = width - margin.l - margin.r;
  let more = layout.legend?.yanchor === "top" ? rowsBelow(layout.legend, traces, room, family) : 0, ends = 0;
  const annotations = (layout.annotations ?? []).map(note => {
    if (!["settings", "words"].includes(note.name)) return within(note, room, family);
    const size = note.font?.size ?? 13, lines = foldedLines(note, room - (note.xshift ?? 0), size, family);
    const above = more, stands = note.yanchor === "bottom", line = size * 1.3;
    more += Math.ceil(Math.max(lines.length - note.text.split("<br>").length, 0) * line);
    // What hangs from its top goes down by what those above it need, what stands on its foot by its own lines too.
    const yshift = (note.yshift ?? 0) - (stands ? more : above);
    ends = Math.max(ends, -yshift + (stands ? 0 : lines.length * line) + BELOW);
    return { ...note, text: lines.join("<br>"), yshift };
  });
  const lacks = Math.ceil(Math.max(ends - margin.b, 0));
  return { ...layout, annotations, height: layout.height + lacks, margin: { ...margin, b: margin.b + lacks } };
}
