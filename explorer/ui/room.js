// A room on the lecturer's screen: its QR code, and how many phones are here and have voted, asked for every second.
const EVERY = 1000; // milliseconds

const many = (count, one, more) => `${count} ${count === 1 ? one : more}`;

export default function ({ data, parentElement }) {
  const find = selector => parentElement.querySelector(selector);
  if (find(".code").dataset.of !== data.picture) {
    find(".code").innerHTML = data.picture;
    find(".code").dataset.of = data.picture;
    const drawing = find(".code svg");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", `QR code of room ${data.code}`);
  }
  find(".where").textContent = data.where;
  find(".letters").textContent = data.code;

  const address = new URL(`room/${data.code}/now`, window.location.href);
  const mine = (parentElement.latest = {}); // of the loops that runs have started, the last goes on
  const look = async () => {
    if (parentElement.latest !== mine) return;
    try {
      const answer = await fetch(address, { cache: "no-store", credentials: "omit" });
      const now = await answer.json();
      const here = many(now.here, "phone", "phones");
      find(".count").textContent = answer.ok ? (now.scene === null ? here : `${now.voted} voted · ${here}`) : now.said;
    } catch {
      find(".count").textContent = "no connection";
    }
    setTimeout(look, EVERY);
  };
  look();
  return () => (parentElement.latest = null);
}
