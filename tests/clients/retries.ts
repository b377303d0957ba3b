// What is tried again and what is not, on answers that are made up: prints what was sent.

import { Comptoir, ComptoirError, ComptoirUnreachable, type Options } from "comptoir-client";

type Made = Response | Error | "never";

function problem(status: number, code: string, wait?: string): Response {
  const said = { type: "", title: "", status, code, detail: "", instance: "" };
  return Response.json(said, { status, headers: wait === undefined ? {} : { "retry-after": wait } });
}

const lost = () => new TypeError("fetch failed");
const fine = () => Response.json({ items: [], movement: {}, balance: {} });
const spend = { customer: "ada", amount: 1 };

/** Make a call on these answers: what was sent, and what came of it. */
async function run(
  answers: Made[],
  make: (books: Comptoir) => Promise<unknown>,
): Promise<Record<string, unknown>> {
  const keys: (string | null)[] = [];
  const bodies = new Set<unknown>();
  const fetch = async (_: unknown, sent?: RequestInit): Promise<Response> => {
    keys.push(new Headers(sent?.headers).get("idempotency-key"));
    bodies.add(sent?.body);
    const answer = answers.shift() ?? fine();
    sent?.signal?.throwIfAborted();
    if (answer === "never") {
      return new Promise((_resolve, reject) => {
        sent?.signal?.addEventListener("abort", () => reject(sent.signal?.reason));
      });
    }
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const settings = { baseUrl: "http://books.test", fetch, backoffMs: 1, retries: 3 };
  const outcome = await make(new Comptoir({ ...settings, timeoutMs: 1_000 })).then(
    () => "done",
    (error: unknown) => {
      if (error instanceof ComptoirError) return error.code;
      if (error instanceof ComptoirUnreachable) return `unreachable ${error.idempotencyKey}`;
      return error instanceof Error ? error.name : String(error);
    },
  );
  return { tries: keys.length, keys: new Set(keys).size, bodies: bodies.size, outcome };
}

const keyed = (more: Options = {}) => (books: Comptoir) =>
  books.credits.spend(spend, { idempotencyKey: "k", ...more });
const optional = (books: Comptoir) => books.credits.buy({ customer: "ada", pack: "100" });
const unkeyed = (books: Comptoir) => books.keys.addToken({ customer: "ada" });
const batch = (books: Comptoir) => books.ledger.batch({ requests: [] });
const stopped = (books: Comptoir) => {
  const ending = new AbortController();
  const call = keyed({ signal: ending.signal })(books);
  ending.abort(new RangeError("gone"));
  return call;
};
const stoppedInWait = (books: Comptoir) => {
  const ending = new AbortController();
  const onAnswer = () => void setTimeout(() => ending.abort(new RangeError("gone")), 1);
  return keyed({ signal: ending.signal, onAnswer })(books);
};
const unknown = () => problem(503, "outcome-unknown", "0");

console.log(
  JSON.stringify({
    unknown: await run([unknown(), unknown()], keyed()),
    running: await run([problem(409, "request-in-flight", "0")], keyed()),
    lost: await run([lost(), lost()], keyed()),
    proxy: await run([new Response("<html>", { status: 502 })], keyed()),
    optional: await run([lost()], optional),
    batch: await run([lost()], batch),
    unkeyed: await run([lost()], unkeyed),
    refused: await run([problem(402, "insufficient-credits")], keyed()),
    lasting: await run([problem(503, "payments-not-configured", "0")], keyed()),
    long: await run([problem(503, "overloaded", "31")], keyed()),
    bounded: await run([lost(), lost(), lost(), lost(), lost()], keyed()),
    few: await run([lost(), lost()], keyed({ retries: 0 })),
    timeout: await run(["never"], keyed({ timeoutMs: 1 })),
    stopped: await run(["never"], stopped),
    stoppedInWait: await run([problem(503, "overloaded", "20")], stoppedInWait),
    teller: await run([fine()], keyed({
      onAnswer: () => {
        throw new RangeError("own fault");
      },
    })),
  }),
);
