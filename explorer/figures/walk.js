// Draws the computational graph of a walk, see explorer/diagnosis/walk_graph.py, as SVG: data in, text out.
// Everything is said in attributes, none in a style sheet, so that a picture that is taken away looks as on screen.
const TEXT = 18, ROW = 24, PAD = 8, HEAD = 27, BAR = 9, GAP = 18, LEAD = 36, BETWEEN = 9, LANE = 28, ARCS = 44, EDGE = 6, INK = "currentColor";
const LANES = ["forward", "shared", "backward"];
const LANE_NAMES = { forward: "forward →", shared: "used by both", backward: "← backward" };

const written = text => text.replace(/[&<>"]/g, sign => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

/** A width of text in pixels, measured. */
function measurer(family) {
  const pen = document.createElement("canvas").getContext("2d");
  return (text, size = TEXT, weight = "normal") => {
    pen.font = `${weight} ${size}px ${family}`;
    return pen.measureText(text).width;
  };
}

/** Whether a column is the sum of the two before it, and bold. */
const isSum = (box, place) => box.columns.length === 3 && place === 2 && box.lane === "backward";

/** The size that a box's numbers ask for, and where its columns end. */
function sized(box, measure) {
  const heads = box.columns.some(([head]) => head);
  const widths = box.columns.map(([head, cells], place) => Math.max(measure(head, TEXT, "600"), ...cells.map(text => measure(text, TEXT, isSum(box, place) ? "600" : "normal"))));
  const inner = widths.reduce((sum, width) => sum + width, 0) + BETWEEN * Math.max(widths.length - 1, 0);
  const rows = Math.max(0, ...box.columns.map(([, cells]) => cells.length)) + heads;
  const head = HEAD + (box.lane === "backward" ? BAR : 0); // with room for the colour of the gradient's size
  return { ...box, heads, widths, inner, head, width: Math.max(inner, measure(box.title, TEXT, "600")) + 2 * PAD, height: head + rows * ROW + PAD };
}

/** The parts of a factor, two a line. */
const partLines = parts => parts.flatMap((_, place) => (place % 2 ? [] : [parts.slice(place, place + 2)]));
const spokenPart = ([name, value]) => `■ ${name} ${value}`;

/** Puts every box in its place; returns them by key, and the size of the whole. */
function placed(graph, measure) {
  const boxes = graph.boxes.map(box => sized(box, measure)), at = {};
  const of = (layer, column, lane) => boxes.find(box => box.layer === layer && box.column === column && (!lane || box.lane === lane));
  const widest = (layer, column) => Math.max(0, ...boxes.filter(box => box.layer === layer && box.column === column && !(box.lane === "backward" && box.column === "h")).map(box => box.width));
  const middle = {}, skips = graph.edges.some(([, , kind]) => kind === "skip"), high = lane => Math.max(...boxes.filter(box => box.lane === lane).map(box => box.height));
  let y = 32 + skips * ARCS;
  for (const lane of LANES) {
    middle[lane] = y + high(lane) / 2;
    y += high(lane) + LANE;
  }
  const put = (box, left, width) => box && (at[box.key] = { ...box, width, left, right: left + width, cx: left + width / 2, cy: middle[box.lane], top: middle[box.lane] - box.height / 2, bottom: middle[box.lane] + box.height / 2 });
  // `free` is how much of the shared lane before x is empty.
  let x = EDGE + Math.max(widest(0, "x"), measure(LANE_NAMES.shared) - LEAD / 2 + 6), free = x;
  put(of(0, "x"), EDGE, widest(0, "x"));
  // What stands below a layer needs room until the next.
  const below = Math.max(0, ...Object.values(graph.factors).flatMap(([, parts]) => partLines(parts).map(line => measure(line.map(spokenPart).join(" · ")))));
  let before = -below;
  for (const layer of [...new Set(boxes.map(box => box.layer))].filter(Boolean).sort((a, b) => a - b)) {
    const weights = of(layer, "W");
    x = Math.max(x + LEAD, x + weights.width + 24 - free, before + below + 20);
    before = x;
    put(weights, x - 12 - weights.width, weights.width);
    for (const column of ["z", "n"]) {
      const width = widest(layer, column);
      if (!width) continue;
      if (column === "n") x += GAP;
      for (const lane of LANES) put(of(layer, column, lane), x, width);
      x += width;
    }
    const begun = x, junction = of(layer, "h", "backward");
    for (const column of ["a", "h"]) {
      const width = widest(layer, column);
      if (!width) continue;
      x += GAP;
      if (column === "h" && junction) x += Math.max(0, junction.width - (x - begun - GAP) - width);
      for (const lane of LANES) if (!(column === "h" && lane === "backward")) put(of(layer, column, lane), x, width);
      x += width;
    }
    if (junction) put(junction, x - junction.width, junction.width);
    free = x - begun;
    const gap = of(layer, "gap", "forward");
    if (gap) {
      const width = widest(layer, "gap");
      x += GAP + 8;
      for (const lane of LANES) put(of(layer, "gap", lane), x, width);
      x += width;
      free = x - begun;
    }
  }
  return { at, middle, skips, width: x + EDGE, below: y - LANE + skips * ARCS };
}

/** The colour of a value on a scale of hexadecimal colours, which spans `decades` to both sides of 0. */
function tint(value, scale, decades) {
  const share = Math.min(Math.max((value + decades) / (2 * decades), 0), 1);
  const next = Math.max(scale.findIndex(([stop]) => stop >= share), 1), [[low, from], [high, to]] = [scale[next - 1], scale[next]];
  const mix = place => [from, to].map(colour => parseInt(colour.slice(place, place + 2), 16)).reduce((one, other) => one + ((other - one) * (share - low)) / (high - low));
  return `rgb(${[1, 3, 5].map(mix).map(Math.round)})`;
}

const label = (x, y, text, { size = TEXT, weight = "normal", anchor = "start", fill = INK } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}">${text}</text>`;

function boxDrawn(box, { known, now, chosen, look }) {
  const { left, top, width, height } = box, part = look.parts[box.part];
  const lost = known && box.columns.some(([, cells]) => cells.some(cell => /NaN|∞/.test(cell)));
  const edge = now ? look.now : lost ? look.lost : part ?? INK;
  const frame = `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="6" fill="${look.paper}" stroke="${edge}" stroke-width="${now ? 4 : part || lost ? 2.5 : 1.5}"${known ? "" : ' stroke-dasharray="5 5"'}/>`;
  const ring = chosen ? `<rect x="${left - 5}" y="${top - 5}" width="${width + 10}" height="${height + 10}" rx="10" fill="none" stroke="${INK}" stroke-width="1.5" stroke-dasharray="2 4"/>` : "";
  const zero = known && box.lane === "backward" && box.decades === null;
  const size = !known || box.lane !== "backward" ? "" :
    `<rect x="${left + 4}" y="${top + 4}" width="${width - 8}" height="8" rx="2" stroke="${look.line}" stroke-width="1" fill="${lost && zero ? look.lost : zero ? look.zero : tint(box.decades, look.scale, look.decades)}"/>`;
  const title = label(box.cx, top + box.head - 7, written(box.title), { weight: 600, anchor: "middle", fill: lost ? look.lost : INK });
  let right = box.cx - box.inner / 2;
  const numbers = !known ? [] : box.columns.flatMap(([head, cells], place) => {
    right += box.widths[place] + (place ? BETWEEN : 0);
    const rows = [...(box.heads ? [[head, 600]] : []), ...cells.map(cell => [cell, isSum(box, place) ? 600 : "normal"])];
    return rows.map(([text, weight], row) => label(right, top + box.head + ROW * (row + 1) - 5, written(text), { anchor: "end", weight }));
  });
  return ring + frame + size + title + numbers.join("");
}

/** The way of an arrow between two boxes. */
function way([from, to, kind], { at, middle, below, skips }) {
  const [one, other] = [at[from], at[to]];
  if (kind === "skip") {
    const back = one.lane === "backward", y = back ? below - 12 : 44, [leave, arrive] = back ? [one.bottom, other.bottom] : [one.top, other.top];
    const side = back ? -14 : 14;
    return `M${one.cx + side},${leave} V${y} H${other.cx - side} V${arrive}`;
  }
  if (from.startsWith("answer") && other.lane === "backward") return `M${one.cx},${one.bottom} V${other.cy} H${other.right}`;
  return kind === "backward" ? `M${one.left},${one.cy} H${other.right}` : `M${one.right},${one.cy} H${other.left}`;
}

function arrows(graph, layout, known, now, look) {
  return graph.edges.map(edge => {
    const [, to, kind] = edge, active = now.has(to), skip = kind === "skip";
    const colour = skip ? look.parts.skip : active ? look.now : known(to) ? INK : look.line, head = skip ? "skip" : active ? "now" : known(to) ? "ink" : "line";
    return `<path d="${way(edge, layout)}" fill="none" stroke="${colour}" stroke-width="${active ? 4 : skip ? 3 : 1.8}" marker-end="url(#walk-${head})"${known(to) ? "" : ' stroke-dasharray="5 5"'}/>`;
  });
}

/** Lines from what both passes use to where they use it. */
function uses(layout, look) {
  const { at, middle } = layout, lines = [];
  for (const box of Object.values(at)) {
    if (box.lane !== "shared") continue;
    const z = at[`z${box.layer}`], x = box.column === "W" ? z.left - LEAD / 2 : box.cx, stroke = look.parts[box.part];
    const above = box.column === "W" ? middle.forward : at[`${box.column}${box.layer}`].bottom;
    const below = box.column === "W" ? middle.backward : (at[`d${box.column}${box.layer}`] ?? box).top;
    const first = box.column === "W" && box.layer === 1;
    lines.push(`<path d="M${x},${above} V${box.top}${first ? "" : ` M${x},${box.bottom} V${below}`}" stroke="${stroke}" stroke-width="2.5" fill="none"/>`);
  }
  return lines;
}

/** What each step back multiplies the gradient's norm by, below it, with its parts. */
function factorsDrawn(graph, layout, step, look) {
  const { at, below } = layout;
  return Object.entries(graph.factors).flatMap(([layer, [total, parts]]) => {
    const since = graph.steps.findIndex(each => each.factor === Number(layer));
    if (since < 0 || since > step) return [];
    const x = at[`dz${layer}`].left, now = since === step;
    const lines = [label(x, below + 30, written(total), { size: 23, weight: 700, fill: INK })];
    partLines(parts).forEach((line, row) => {
      const words = line.map(([name, value]) => `<tspan fill="${look.parts[name]}">■ </tspan>${written(name)} ${written(value)}`);
      lines.push(label(x, below + 56 + 24 * row, words.join(" · ")));
    });
    return now ? [`<rect x="${x - 8}" y="${below + 9}" width="4" height="${26 + 24 * Math.ceil(parts.length / 2)}" fill="${look.now}"/>`, ...lines] : lines;
  });
}

function headings(graph, { at, middle }) {
  const layers = [...new Set(graph.boxes.map(box => box.layer))].filter(Boolean), last = Math.max(...layers);
  const lanes = Object.entries(LANE_NAMES).map(([lane, name]) => label(EDGE, { forward: at.x.top - 10, shared: at.W1.top - 10, backward: middle.backward + 6 }[lane], name));
  return [...layers.map(layer => label(at[`z${layer}`].left, 20, `layer ${layer}${layer === last ? ", output" : ""}`, { weight: 600 })), ...lanes];
}

const marker = (name, fill) =>
  `<marker id="walk-${name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="13" markerHeight="13" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L10,5 L0,10 Z" fill="${fill}"/></marker>`;

/** What a screen reader says of a box. */
function spoken(box, known) {
  const numbers = box.columns.map(([head, cells]) => `${head} ${cells.join(", ")}`.trim()).join("; ");
  return `${box.title}. ${box.words}.${known ? ` ${numbers}` : " Not computed yet."}`;
}

/** A sentence as lines that are no wider than this. */
function broken(text, width, measure) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (measure(longer, 23) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * The graph at a step, as the inside of an SVG, with its size. `look` has the colours: `paper`, `line` of what is not computed
 * yet, `now`, `parts` by name, the `scale` of gradients over `decades`, `zero` and `lost`. With `words` what the step says is in it.
 */
function walkDrawing(graph, { step, chosen, look, family, words }) {
  const measure = measurer(family), layout = placed(graph, measure), since = {};
  graph.steps.forEach((each, number) => each.boxes.forEach(key => (since[key] = number)));
  const known = key => since[key] <= step, now = new Set(graph.steps[step].boxes);
  const rows = Math.max(0, ...Object.values(graph.factors).map(([, parts]) => Math.ceil(parts.length / 2)));
  const end = layout.below + 52 + 24 * rows, height = end + 40 + (words ? 60 : 0);
  const boxes = Object.values(layout.at).map(box =>
    `<g data-key="${box.key}" tabindex="0" role="button" aria-label="${written(spoken(box, known(box.key)))}" style="cursor: pointer">${boxDrawn(box, { known: known(box.key), now: now.has(box.key), chosen: box.key === chosen, look })}</g>`);
  const width = Math.max(layout.width, EDGE * 2 + measure(graph.result, 23, "700")), ended = step === graph.steps.length - 1;
  const lines = ended ? [graph.result] : words ? broken(`Step ${step + 1} of ${graph.steps.length}. ${graph.steps[step].says}`, width - 2 * EDGE, measure) : [];
  const result = lines.map((line, row) => label(EDGE, end + 24 + 30 * row, written(line), { size: 23, weight: ended ? 700 : "normal" })).join("");
  const marks = `<defs>${marker("ink", INK)}${marker("now", look.now)}${marker("line", look.line)}${marker("skip", look.parts.skip)}</defs>`;
  const inside = [marks, ...headings(graph, layout), ...uses(layout, look), ...arrows(graph, layout, known, now, look), ...boxes, ...factorsDrawn(graph, layout, step, look), result];
  const focus = graph.steps[step].boxes.at(-1);
  return { inside: inside.join(""), width, height, focus: focus ? layout.at[focus].cx : 0 };
}
