// A button that has a figure of live_chart.js replay its training.
const PLAY = "M2 1 L11 6 L2 11 Z", STOP = "M2 2 H10 V10 H2 Z";
const ONCE = "explorerReplayed";

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  const chart = () => document.querySelector(`.st-key-${data.figure} .figure`);
  const show = plays => {
    button.querySelector("path").setAttribute("d", plays ? STOP : PLAY);
    button.querySelector("span").textContent = plays ? "Stop" : "Replay";
    button.plays = plays;
  };
  const follow = event => event.target === chart() && show(event.detail);
  show(Boolean(chart()?.stopReplay));
  button.disabled = !data.ready;
  button.onclick = () => (button.plays ? chart()?.stopReplay?.() : chart()?.startReplay?.());
  document.addEventListener("replay", follow, true);
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (data.by_itself && data.ready && !still && !sessionStorage.getItem(ONCE)) {
    sessionStorage.setItem(ONCE, "yes");
    const begin = setInterval(() => {
      if (!chart()?._fullData || !chart().startReplay) return;
      clearInterval(begin);
      setTimeout(() => chart()?.startReplay(), 600);
    }, 200);
  }
  return () => document.removeEventListener("replay", follow, true);
}
