// What pages for operators do beyond links and forms. All of them work without it.

// The live part (#live): htmx asks for it every 30 s, and whenever a stream says that something has
// changed. A page that nobody sees asks for nothing. Of several tabs one listens, and tells the rest.
const text = document.getElementById("live-text");
const part = document.getElementById("live");
const PACE = 500;
const SILENT = 35_000;
const FRESH = 5; // seconds that news may wait, before what is shown is called old
let shown = Date.now(); // when the part was last up to date
let heard = 0; // when the stream was last heard
let failed = "";
let asked = 0;
let isAsking = false; // what comes meanwhile would be lost: it is asked for afterwards
let waking = 0;
let awake = null;

function say(state, words) {
  if (text.dataset.state !== state) text.dataset.state = state;
  if (text.textContent !== words) text.textContent = words;
}

// Whoever is about to press or write something in the part is not disturbed.
const isBusy = () => part.contains(document.activeElement);
const isHeard = () => Date.now() - heard < SILENT;

function tellAge() {
  if (!text || !part) return;
  const age = Math.round((Date.now() - shown) / 1000);
  if (!navigator.onLine || failed) say(failed || "offline", text.dataset[failed || "offline"]);
  else if (isHeard() && (!waking || age < FRESH)) say("now", text.dataset.now);
  else say("ago", text.dataset.ago.replace("#", age));
}

function refresh() {
  if (waking || document.hidden) return;
  const soon = () => {
    if (isBusy() || isAsking) return;
    clearInterval(waking);
    waking = 0;
    asked = Date.now();
    part.dispatchEvent(new Event("changed"));
  };
  waking = setInterval(soon, PACE);
  if (Date.now() - asked >= PACE) soon();
}

function hear({ isNews }) {
  heard = Date.now();
  if (isNews) refresh();
  tellAge();
}

async function listen(signal, tell) {
  const reply = await fetch(part.dataset.address, { signal });
  if (reply.status !== 200) return false;
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return true;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    tell({ isNews: events.some((each) => each.startsWith("event: changed")) });
  }
}

const pause = (ms, signal) =>
  new Promise((go) => {
    setTimeout(go, ms);
    signal.addEventListener("abort", go);
  });

async function lead(signal, tell) {
  for (let wait = 1000; !signal.aborted; wait = Math.min(wait * 2, 60_000)) {
    if (await listen(signal, tell).catch(() => false)) wait = 1000;
    await pause(wait * (0.5 + Math.random()), signal);
  }
}

function wake() {
  if (!part?.dataset.address || awake || document.hidden) return;
  awake = new AbortController();
  const { signal } = awake;
  const name = `comptoir ${part.dataset.address} ${document.body.dataset.book}`;
  const others = new BroadcastChannel(name);
  signal.addEventListener("abort", () => others.close());
  let leads = false;
  others.onmessage = ({ data }) => {
    if (data.isNews !== undefined) hear(data);
    else if (leads && isHeard()) others.postMessage({ isNews: false });
  };
  others.postMessage({});
  const tell = (news) => {
    if (signal.aborted) return;
    leads = true;
    others.postMessage(news);
    hear(news);
  };
  navigator.locks?.request(name, { signal }, () => lead(signal, tell)).catch(() => {});
}

function sleep() {
  awake?.abort();
  awake = null;
  heard = 0;
}

if (text && part) {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return sleep();
    wake();
    refresh();
  });
  addEventListener("pagehide", sleep);
  addEventListener("pageshow", (event) => event.persisted && (wake(), refresh()));
  addEventListener("online", refresh);
  part.addEventListener("htmx:before:request", (event) => {
    if (document.hidden || isBusy()) event.preventDefault();
    else isAsking = true;
  });
  part.addEventListener("htmx:after:request", (event) => {
    const { status } = event.detail.ctx.response;
    failed = status === 200 ? "" : status === 401 ? "out" : "offline";
    if (!failed && isBusy()) {
      event.preventDefault();
      refresh();
    } else if (!failed) shown = Date.now();
    tellAge();
  });
  part.addEventListener("htmx:finally:request", () => (isAsking = false));
  part.addEventListener("htmx:error", () => {
    failed = "offline";
    tellAge();
  });
  wake();
}

function countDown() {
  for (const each of document.querySelectorAll("time.countdown")) {
    const left = Math.ceil((Date.parse(each.dateTime) - Date.now()) / 1000);
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
