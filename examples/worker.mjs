// A worker in JavaScript: it leases jobs, does them, and says what became of them.
//
//     COMPTOIR_URL=http://127.0.0.1:8000 COMPTOIR_KEY=ck_live_svc_... node worker.mjs
//
// With --until-empty it ends when nothing waits.

const { COMPTOIR_URL, COMPTOIR_KEY } = process.env;
const PAUSE = 1_000;
const RENEW = 20_000; // a lease is for 60 s

async function call(path, body, key) {
  const headers = { Authorization: `Bearer ${COMPTOIR_KEY}`, "Content-Type": "application/json" };
  if (key) headers["Idempotency-Key"] = key;
  const answer = await fetch(COMPTOIR_URL + path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.detail), { code: said.code });
  return said;
}

// What a job does. It may be done twice, when its worker dies at the wrong moment: job.key is the
// same each time, so what it does to the books happens once.
async function render(job) {
  const { customer, quote } = job.payload;
  await call("/api/credits/spend", { customer, amount: 1, reason: "PDF" }, job.key);
  return { file: `${quote}.pdf` };
}

async function outcome(job) {
  try {
    return ["complete", { result: await render(job) }];
  } catch (error) {
    // Its kind alone: a message may name somebody.
    return ["fail", { error: error.name, final: error.code === "insufficient-credits" }];
  }
}

async function doOne(job) {
  const { id, lease } = job;
  const renewing = setInterval(() => call(`/api/jobs/${id}/renew`, { lease }).catch(() => {}), RENEW);
  const [verb, said] = await outcome(job);
  clearInterval(renewing);
  const shown = await call(`/api/jobs/${id}/${verb}`, { lease, ...said });
  console.log(`${id} ${shown.status}`);
}

for (;;) {
  const { items } = await call("/api/jobs/lease", { types: ["pdf.render"], limit: 5 }).catch(
    (error) => {
      console.error(`no jobs now: ${error.message}`);
      return { items: [] };
    },
  );
  // What could not be said is tried again, when its lease has run out.
  for (const { reason } of await Promise.allSettled(items.map(doOne))) {
    if (reason) console.error(reason.message);
  }
  if (items.length === 0 && process.argv.includes("--until-empty")) break;
  if (items.length === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE));
}
