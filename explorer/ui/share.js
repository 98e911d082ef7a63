// Composes the visible Plotly figure, its title, settings and link into one picture, in the viewer's browser.
const W = 1920, H = 1080;
const wait = ms => new Promise(r => setTimeout(r, ms));
function link(version) {
  const u = new URL(window.location.href);
  u.searchParams.set("v", version);
  return u.toString();
}
function visibleChart() {
  return [...document.querySelectorAll(".js-plotly-plot")].find(e => {
    const b = e.getBoundingClientRect();
    return b.width > 0 && b.height > 0 && getComputedStyle(e).visibility !== "hidden";
  });
}
function slide(gd, d, css) {
  const ink = css("--st-text-color"), paper = css("--st-background-color"), grid = css("--st-border-color");
  const layout = JSON.parse(JSON.stringify(gd.layout)), data = gd.data;   // data is only read: typed arrays stay as they are
  const top = 150, bottom = 60, size = 20;
  const full = gd._fullLayout;
  Object.assign(layout, { width: W, height: H, autosize: false, paper_bgcolor: paper, plot_bgcolor: paper,
    font: { ...layout.font, color: ink, size, family: "Arial, Helvetica, sans-serif" } });   // a picture cannot carry the page's web font
  layout.margin = { ...layout.margin, t: top + (layout.margin?.t ?? 30), b: bottom + (layout.margin?.b ?? 45), l: 90, r: 40 };
  const k = size / 15;                                                   // text grows with the picture
  for (const key of Object.keys(full).filter(n => /^[xy]axis\d*$/.test(n))) {
    const a = layout[key] ??= {};
    a.color = ink; a.gridcolor = grid; a.tickfont = { ...a.tickfont, color: ink, size: size * .9, family: layout.font.family };
    a.range = [...full[key].range]; a.autorange = false;                 // what the screen shows, zoom included
    if (a.title) { if (typeof a.title === "string") a.title = { text: a.title }; a.title.font = { ...a.title.font, color: ink, size }; }
  }
  for (const key of Object.keys(full).filter(n => /^coloraxis\d*$/.test(n))) {
    const bar = (layout[key] ??= {}).colorbar ??= {};
    bar.tickfont = { ...bar.tickfont, color: ink, size: size * .9 };
  }
  layout.legend = { ...layout.legend, font: { ...layout.legend?.font, color: ink, size: size * .9 } };
  layout.annotations = (layout.annotations ?? []).map(a => ({ ...a, font: { ...a.font, color: a.font?.color ?? ink, size: (a.font?.size ?? 15) * k } }));
  const line = (text, y, s, color, from) => layout.annotations.push({ text, showarrow: false, xref: "paper", yref: "paper",
    x: 0, xanchor: "left", y: from === "top" ? 1 : 0, yanchor: from === "top" ? "bottom" : "top", yshift: y, xshift: -60, font: { size: s, color }, align: "left" });
  const room = layout.margin.t;
  line("<b>" + d.title + "</b>", room - 62, 34, ink, "top");
  line(d.settings, room - 108, 21, ink, "top");
  line(link(d.version), -(layout.margin.b - 34), 15, ink, "bottom");
  return { data, layout, config: { staticPlot: true } };
}
export default function ({ data: d, parentElement }) {
  const status = parentElement.querySelector("[role=status]");
  const say = (text, ms = 4000) => { status.textContent = text; clearTimeout(say.t); say.t = setTimeout(() => status.textContent = "", ms); };
  const host = parentElement.host ?? parentElement;
  const css = name => getComputedStyle(host).getPropertyValue(name).trim() || getComputedStyle(parentElement.querySelector(".row")).getPropertyValue(name).trim();
  for (const button of parentElement.querySelectorAll("button")) button.onclick = async () => {
    const what = button.dataset.do;
    try {
      if (what === "link") { 
        try { await navigator.clipboard.writeText(link(d.version)); }
        catch { const t = document.createElement("textarea"); t.value = link(d.version); document.body.append(t); t.select(); document.execCommand("copy"); t.remove(); }
        return say("Copied"); }
      const Plotly = window.Plotly, gd = visibleChart();
      if (!Plotly?.toImage) return say("This Streamlit does not share Plotly: use the camera in the chart's toolbar", 9000);
      if (!gd) return say("No chart to export yet");
      const url = await Plotly.toImage(slide(gd, d, css), { format: what, width: W, height: H, scale: 1 });
      const a = document.createElement("a");
      a.href = url; a.download = d.filename + "." + what; a.click();
      say("Saved " + a.download);
    } catch (error) { say("Export failed: " + error.message, 9000); console.error(error); }
  };
}
