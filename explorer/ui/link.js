// Keeps the address: its schema version, and one entry of the browser's history for one act of a person.

const { pushState, replaceState } = window.History.prototype;

// Streamlit makes an entry for every parameter that a script changes, so that Back would walk through half-set states,
// and none for a control that a person moves. Here the first change after an act makes one, what follows from it none.
function coalesce() {
  if (window.explorerHistory) return;
  window.explorerHistory = { acted: false };
  const act = () => (window.explorerHistory.acted = true);
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, act, true);
  window.addEventListener("popstate", () => (window.explorerHistory.acted = false), true);
  const note = (state, title, url) => {
    const address = url === undefined || url === null ? null : new URL(url, window.location.href);
    const isNew = address !== null && !alike(address, window.location);
    if (address !== null) keepVersion(address);
    (window.explorerHistory.acted && isNew ? pushState : replaceState).call(window.history, state, title, address ?? url);
    if (isNew) window.explorerHistory.acted = false;
  };
  window.history.pushState = note;
  window.history.replaceState = note;
}

/** Whether two addresses differ in nothing that a person chose. */
function alike(one, other) {
  const settings = address => {
    const parameters = new URLSearchParams(address.search);
    parameters.delete("v");
    parameters.sort();
    return `${address.pathname}?${parameters}`;
  };
  return settings(one) === settings(other);
}

/** A page that is drawn has the version in its address: Streamlit, which does not know of it, leaves it out. */
function keepVersion(address) {
  const version = new URLSearchParams(window.location.search).get("v");
  if (version !== null && address.pathname === window.location.pathname) address.searchParams.set("v", version);
}

function go(title) {
  const link = [...document.querySelectorAll("header a, [data-testid=stSidebarNav] a")].find(a => a.textContent.trim() === title);
  if (link) link.click();
  else window.location.assign(`./${title.toLowerCase()}${window.location.search}`);
}

export default function ({ data }) {
  coalesce();
  const address = new URL(window.location.href);
  // A page that was just asked for is not drawn yet: its settings do not stand in the address.
  const drawn = address.pathname.split("/").pop() === data.path;
  if (drawn && address.searchParams.get("v") !== data.version) {
    address.searchParams.set("v", data.version);
    replaceState.call(window.history, window.history.state, "", address);
  }
  if (data.go) go(data.go);
}
