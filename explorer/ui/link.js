// Keeps the address: its schema version, and one entry of the browser's history for one act of a person.

// Streamlit makes an entry for every single parameter that changes, so that Back would walk through half-set states.
function coalesce() {
  if (window.explorerHistory) return;
  window.explorerHistory = { acted: false };
  const act = () => (window.explorerHistory.acted = true);
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, act, true);
  window.addEventListener("popstate", () => (window.explorerHistory.acted = false), true);
  const push = window.history.pushState.bind(window.history);
  const replace = window.history.replaceState.bind(window.history);
  window.history.pushState = (...entry) => {
    (window.explorerHistory.acted ? push : replace)(...entry);
    window.explorerHistory.acted = false;
  };
}

function go(title) {
  const link = [...document.querySelectorAll("header a, [data-testid=stSidebarNav] a")].find(a => a.textContent.trim() === title);
  if (link) link.click();
  else window.location.assign(`./${title.toLowerCase()}${window.location.search}`);
}

export default function ({ data }) {
  coalesce();
  const address = new URL(window.location.href);
  if (address.searchParams.get("v") !== data.version) {
    address.searchParams.set("v", data.version);
    window.history.replaceState(window.history.state, "", address);
  }
  if (data.go) go(data.go);
}
