// Keeps the address: its schema version, and one entry of the browser's history for one act of a person; knows which page
// a person is leaving, and sees that they get away from it.

const LINKS = "header a, [data-testid=stSidebarNav] a";

const { pushState, replaceState } = window.History.prototype;

// Streamlit makes an entry for every parameter that a script changes, so that Back would walk through half-set states,
// and none for a control that a person moves. Here the first change after an act makes one, what follows from it none.
function coalesce() {
  if (window.explorerHistory) return;
  window.explorerHistory = { acted: false };
  const act = () => (window.explorerHistory.acted = true);
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, act, true);
  window.addEventListener("popstate", () => (window.explorerHistory.acted = false), true);
  const leave = event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab opens, and this one stays
    const to = event.type === "popstate" ? null : event.target.closest?.(LINKS)?.textContent.trim();
    if (to !== undefined) window.explorerHistory.left = { page: window.explorerHistory.page, to, at: performance.now() };
  };
  for (const kind of ["click", "popstate"]) window.addEventListener(kind, leave, true);
  const note = (state, title, url) => {
    const isNew = url !== undefined && url !== null && !alike(new URL(url, window.location.href), window.location);
    (window.explorerHistory.acted && isNew ? pushState : replaceState).call(window.history, state, title, url);
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

// What a control has to report may reach the server after the click that leaves its page, and would call the person back:
// the page that was left is drawn again. Half a second later, if it still is the one that is there, they are sent on.
function sendOn() {
  const { left, page } = window.explorerHistory;
  if (!left?.to || left.page !== page || left.to === page || performance.now() - left.at > 10000) return;
  setTimeout(() => {
    if (window.explorerHistory.left === left && window.explorerHistory.page === page) go(left.to);
  }, 500);
}

function go(title) {
  const link = [...document.querySelectorAll(LINKS)].find(a => a.textContent.trim() === title);
  if (link) link.click();
  else window.location.assign(`./${title.toLowerCase()}${window.location.search}`);
}

export default function ({ data }) {
  coalesce();
  window.explorerHistory.page = data.page;
  const address = new URL(window.location.href);
  if (address.searchParams.get("v") !== data.version) {
    address.searchParams.set("v", data.version);
    replaceState.call(window.history, window.history.state, "", address);
  }
  if (data.go) go(data.go);
  else sendOn();
}
