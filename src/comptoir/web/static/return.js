// The page that waits for what was paid: it looks again after growing pauses, and then rests.
// Without scripts the page does the same by itself.

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

const look = async (address) => {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("state");
    return found && { found: document.adoptNode(found), title: page.title };
  } catch {
    return null;
  }
};

const wait = async () => {
  const state = document.getElementById("state");
  if (!state) return;
  let { next: address, pause } = state.dataset;
  let lost = 0;
  while (address && lost < 8) {
    await sleep(Number(pause));
    const seen = await look(address);
    if (!seen) {
      lost += 1; // nobody answers: the link stays, and so does what was said last
      pause = Math.min(30, 2 ** lost);
      continue;
    }
    state.replaceChildren(...seen.found.childNodes);
    state.dataset.state = seen.found.dataset.state;
    document.title = seen.title;
    lost = 0;
    ({ next: address, pause } = seen.found.dataset);
  }
};

wait();
