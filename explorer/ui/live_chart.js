// Draws a Plotly figure in place. Unlike a chart that is mounted anew for every change of its data, it never
// goes blank while a training streams in, keeps the zoom, and follows the page's theme as it is switched.
const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));

async function sharedPlotly() {
  // Streamlit loads Plotly with the first ordinary chart of the page and shares it on the window.
  for (let tries = 0; tries < 200; tries++) {
    if (window.Plotly) return window.Plotly;
    await wait(50);
  }
  return null;
}

function layoutFor(box, figure, css, { keep, above, lowest }) {
  const narrow = (box.narrow && figure.layout.meta?.narrow) || {};
  const font = { ...figure.layout.template.layout.font, color: css("--st-text-color"), family: css("--st-font") };
  const paper = css("--st-background-color"); // the camera's picture has it too
  const layout = { ...figure.layout, ...narrow, font, paper_bgcolor: paper, plot_bgcolor: paper, autosize: true, uirevision: keep };
  // On a low screen a lower figure: all of it should be seen at once.
  if (!narrow.height && !figure.layout.meta?.fixed) layout.height = Math.min(layout.height, Math.max(lowest, window.innerHeight - above));
  return layout;
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
  const figure = JSON.parse(data.figure);
  box.isNarrow = () => box.clientWidth < data.narrow;
  box.draw = async () => {
    box.narrow = box.isNarrow();
    const layout = layoutFor(box, figure, css, data);
    box.style.height = layout.height + "px";
    await Plotly.react(box, figure.data, layout, { responsive: true, displaylogo: false, ...data.config });
  };
  await box.draw();
  box.removeAllListeners?.("plotly_click");
  if (data.clicks) box.on("plotly_click", event => {
    const point = event.points.find(candidate => Number.isFinite(candidate.customdata ?? candidate.x));
    if (point) setTriggerValue("clicked", { panel: point.data.xaxis ?? "x", x: point.customdata ?? point.x, y: point.y });
  });
  // A phone that is turned, a window that is halved: other places for the panels.
  box.watcher ??= new ResizeObserver(() => box.narrow !== box.isNarrow() && box.draw());
  box.watcher.observe(box);
}
