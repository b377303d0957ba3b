// What pages for operators do beyond links and forms. All of them work without it.

const text = document.getElementById("live-text");
const part = document.getElementById("live");
let shownAt = null;
let heard = Date.now();

function say(state, words) {
  if (text.dataset.state !== state) text.dataset.state = state;
  if (text.textContent !== words) text.textContent = words;
}

function tellAge() {
  if (!text || !part) return;
  const at = part.querySelector("[data-at]")?.dataset.at ?? null;
  if (at !== shownAt) {
    shownAt = at;
    heard = Date.now();
  }
  const age = Math.round((Date.now() - heard) / 1000);
  if (!navigator.onLine || age > 60) say("offline", text.dataset.offline);
  else if (age > 8) say("ago", text.dataset.ago.replace("#", age));
  else say("now", text.dataset.now);
}

function countDown() {
  for (const each of document.querySelectorAll("time.countdown")) {
    const left = Math.round((Date.parse(each.dateTime) - Date.now()) / 1000);
    const two = (number) => String(number).padStart(2, "0");
    const minutes = Math.floor(left / 60);
    const clock = left < 3600 ? minutes : `${Math.floor(left / 3600)}:${two(minutes % 60)}`;
    each.textContent = left > 0 ? `${clock}:${two(left % 60)}` : each.dataset.over;
  }
}

tellAge();
setInterval(() => {
  tellAge();
  countDown();
}, 1000);

// A table becomes a list of cards where there is little room: each value then says what it is.
function label() {
  for (const table of document.querySelectorAll("table.wide")) {
    const heads = [...table.querySelectorAll("thead th")].map((th) => th.textContent);
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, at) => {
        if (cell.colSpan === 1 && !cell.matches(".name, .text")) cell.dataset.label = heads[at];
      });
    }
  }
}
label();
document.addEventListener("htmx:after:swap", label);

// One press is one request; the key in the form would see to it anyway.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// What a box shows goes to the clipboard; without scripts it can be selected.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const said = button.textContent;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = said; }, 2000);
});

const places = {
  o: "/dashboard",
  a: "/dashboard/accounts",
  k: "/dashboard/credits",
  s: "/dashboard/stock",
  r: "/dashboard/orders",
  j: "/dashboard/jobs",
  w: "/dashboard/webhooks",
  c: "/dashboard/cases",
  m: "/dashboard/margin",
  e: "/dashboard/settings",
};
let going = 0;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const goes = event.timeStamp - going < 1500;
  going = 0;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("q")?.focus();
  } else if (event.key === "?") {
    document.getElementById("keys")?.togglePopover?.();
  } else if (goes && Object.hasOwn(places, event.key)) {
    location.assign(places[event.key]);
  } else if (event.key === "g") {
    going = event.timeStamp;
  }
});
