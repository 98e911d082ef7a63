// Composes a figure, its title, settings and link into one picture, in the viewer's own browser.
const WIDTH = 1920, HEIGHT = 1080, TOP = 150, BOTTOM = 56, TEXT = 20, SCREEN_TEXT = 15;
// A picture cannot carry the page's web font.
const FAMILY = "Arial, Helvetica, sans-serif";

function link(version) {
  const address = new URL(window.location.href);
  address.searchParams.set("v", version);
  return address.toString();
}

/** A figure by the key of its place; of several, as while the page is drawn anew, the one that shows. */
function chartOf(key) {
  const charts = [...document.querySelectorAll(`.st-key-${key} .js-plotly-plot`)].filter(chart => chart._fullLayout);
  return charts.find(chart => chart.getBoundingClientRect().width > 0) ?? charts[0];
}

/** The largest size, up to `wanted`, at which `text` fits the picture's width; an average letter is half as wide as high. */
function fitting(text, wanted) {
  return Math.min(wanted, (WIDTH - 60) / (0.52 * text.length));
}

/** An axis as the screen shows it, zoom included, in the picture's colours and sizes. */
function drawn(axis, shown, ink, grid) {
  const title = typeof axis.title === "string" ? { text: axis.title } : axis.title;
  return { ...axis, color: ink, gridcolor: grid, range: [...shown.range], autorange: false,
           tickfont: { ...axis.tickfont, color: ink, size: TEXT * 0.9, family: FAMILY },
           title: title && { ...title, font: { ...title.font, color: ink, size: TEXT, family: FAMILY } } };
}

function slide(chart, text, css) {
  const ink = css("--st-text-color"), paper = css("--st-background-color"), grid = css("--st-border-color");
  const layout = JSON.parse(JSON.stringify(chart.layout));
  const margin = { t: TOP + 60, b: BOTTOM + 20, l: 90, r: 40 };
  const inside = { width: WIDTH - margin.l - margin.r, height: HEIGHT - margin.t - margin.b };
  for (const name of Object.keys(chart._fullLayout).filter(key => /^[xy]axis\d*$/.test(key)))
    layout[name] = drawn(layout[name] ?? {}, chart._fullLayout[name], ink, grid);
  layout.legend = { ...layout.legend, font: { color: ink, size: TEXT * 0.9, family: FAMILY } };
  const labels = (layout.annotations ?? []).filter(label => label.name !== "settings").map(label => ({
    ...label, font: { ...label.font, family: FAMILY, color: label.font?.color ?? ink, size: (label.font?.size ?? SCREEN_TEXT) * TEXT / SCREEN_TEXT } }));
  // Words outside the panels are placed in shares of the space between the margins.
  const outside = (content, size, fromTop) => ({
    text: content, showarrow: false, align: "left", xref: "paper", yref: "paper", xanchor: "left", yanchor: "top",
    x: -(margin.l - 30) / inside.width, y: 1 + (margin.t - fromTop) / inside.height, font: { size, color: ink, family: FAMILY } });
  labels.push(outside("<b>" + text.title + "</b>", fitting(text.title, 34), 24));
  text.settings.forEach((line, number) => labels.push(outside(line, fitting(line, 20), 78 + 30 * number)));
  const address = link(text.version);
  labels.push(outside(address, fitting(address, 15), HEIGHT - 26));
  return { data: chart.data, config: { staticPlot: true },
           layout: { ...layout, width: WIDTH, height: HEIGHT, autosize: false, margin, paper_bgcolor: paper, plot_bgcolor: paper,
                     font: { ...layout.font, color: ink, size: TEXT, family: FAMILY }, annotations: labels } };
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure connection the clipboard is closed; an old way is still open.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

async function save(figure, text, format, css) {
  const chart = chartOf(figure.key);
  if (!window.Plotly?.toImage || !chart) return "There is no figure to save yet; the camera above the figure may help.";
  const url = await window.Plotly.toImage(slide(chart, text, css), { format, width: WIDTH, height: HEIGHT, scale: 1 });
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = `${text.filename}.${format}`;
  anchor.click();
  return `Saved ${anchor.download}`;
}

export default function ({ data, parentElement }) {
  const status = parentElement.querySelector("[role=status]");
  const host = parentElement.host ?? parentElement;
  const css = name => getComputedStyle(host).getPropertyValue(name).trim();
  const say = text => {
    status.textContent = text;
    clearTimeout(status.timer);
    status.timer = setTimeout(() => (status.textContent = ""), 6000);
  };
  const choice = parentElement.querySelector("select");
  const kept = choice.value;
  choice.replaceChildren(...data.figures.map(figure => new Option(figure.name, figure.key)));
  choice.value = data.figures.some(figure => figure.key === kept) ? kept : data.figures[0].key;
  choice.hidden = data.figures.length < 2;
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = async () => {
      try {
        if (button.dataset.do === "link") {
          await copy(link(data.version));
          say("Copied");
        } else if (button.dataset.do === "slide") {
          say(await save(data.figures[0], { ...data, filename: "slide_" + data.filename }, "png", css));
        } else {
          const figure = data.figures.find(each => each.key === choice.value);
          say(await save(figure, { ...data, title: figure.name, filename: figure.filename }, button.dataset.do, css));
        }
      } catch (error) {
        say(`It did not work: ${error.message}`);
        console.error(error);
      }
    };
  }
}
