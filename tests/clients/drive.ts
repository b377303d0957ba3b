// The client on a real server; prints what it has seen as JSON, which the test judges.

import { Comptoir, ComptoirError, ComptoirUnreachable, every, type Answer } from "comptoir-client";
import { POST as token } from "../../examples/nextjs/app/api/billing-token/route.ts";
import { POST as buy } from "../../examples/nextjs/app/api/credits/buy/route.ts";
import { POST as order } from "../../examples/nextjs/app/api/orders/route.ts";

const { env } = process;
const url = env["COMPTOIR_URL"] ?? "";
const product = env["PRODUCT"] ?? "";
const books = new Comptoir({ baseUrl: `${url}/`, key: env["OPERATOR"] ?? "" });
const customer = "ada/../lovelace ?é";

async function refusal(call: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ComptoirError) {
    const { code, status, detail, errors, fields } = error;
    const { needed, available } = fields;
    return { code, status, detail, needed, available, field: errors[0]?.field };
  }
  if (error instanceof ComptoirUnreachable) {
    return { unreachable: error.status, key: error.idempotencyKey };
  }
  return { thrown: error instanceof Error ? error.name : String(error) };
}

async function credits() {
  const spend = { customer, amount: "2.5", reason: "test" };
  const key = { idempotencyKey: "spend-once" };
  const told: Answer[] = [];
  const onAnswer = (answer: Answer) => void told.push(answer);
  const granted = await books.credits.grant(
    { customer, amount: 10, reason: "test" },
    { idempotencyKey: "grant-once" },
  );
  const first = await books.credits.spend(spend, { ...key, onAnswer });
  const again = await books.credits.spend(spend, { ...key, onAnswer });
  for (const amount of [1, 2, 3]) {
    await books.credits.spend({ customer, amount }, { idempotencyKey: `spend-${amount}` });
  }
  const amounts: string[] = [];
  const page = (cursor?: string) => books.credits.movements({ customer, limit: 2, cursor });
  for await (const { amount } of every(page)) amounts.push(amount);
  const { hold } = await books.credits.hold(
    { customer, amount: 1, ttl_seconds: 60 },
    { idempotencyKey: "hold-once" },
  );
  const captured = await books.credits.capture(hold.id, {}, { idempotencyKey: "capture-once" });
  return {
    granted: granted.balance.available,
    same: first.movement.id === again.movement.id,
    replayed: told.map(({ replayed }) => replayed),
    statuses: told.map(({ status }) => status),
    hasRequestId: told.every(({ requestId }) => requestId !== null),
    amounts,
    captured: captured.movement.amount,
    left: (await books.credits.balance({ customer })).available,
  };
}

async function refusals() {
  const much = { customer, amount: 500 };
  const language = "fr" as const;
  return {
    poor: await refusal(books.credits.spend(much, { idempotencyKey: "much", language })),
    reused: await refusal(
      books.credits.spend({ customer, amount: 501 }, { idempotencyKey: "much" }),
    ),
    invalid: await refusal(
      books.credits.spend({ customer, amount: "0" }, { idempotencyKey: "zero" }),
    ),
    stranger: await refusal(
      new Comptoir({ baseUrl: url, key: () => Promise.resolve("ck_live_svc_no") }).assets.list(),
    ),
    dots: await refusal(Promise.resolve().then(() => books.customers.get(".."))),
  };
}

async function goods() {
  const items = [{ product, size: "M", quantity: 1 }];
  const listed = await books.stock.product(product);
  const bought = await books.checkout.createPaymentIntent({ items });
  const read = await books.checkout.readOrder(bought.order);
  const sold = refusal(books.checkout.createPaymentIntent({ items }));
  return {
    name: listed.name,
    available: listed.sizes[0]?.available_stock,
    amount: bought.amount,
    hasSecret: bought.client_secret.startsWith("pi_"),
    status: read.status,
    sold: await sold,
    cancelled: (await books.checkout.cancelOrder(bought.order)).status,
  };
}

async function nextjs() {
  const ask = (said: unknown, key?: string) =>
    new Request("http://shop.test/", {
      method: "POST",
      body: JSON.stringify(said),
      headers: key === undefined ? {} : { "idempotency-key": key },
    });
  const made = (await (await token(ask({}))).json()) as { token: string };
  const own = new Comptoir({ baseUrl: url, key: made.token });
  const pressed = () => buy(ask({ pack: "100" }, "a-click-1"));
  const begun = [await pressed(), await pressed()];
  const [first, second] = (await Promise.all(begun.map((each) => each.json()))) as unknown[];
  const items = (quantity: number) => [{ product, size: "M", quantity, price: 1 }];
  const ordered = await order(ask({ items: items(1), customer: "rich" }, "a-click-2"));
  const rest = await order(ask({ items: items(2) }, "a-click-3"));
  return {
    owner: (await own.credits.balance({ customer: env["DEMO_CUSTOMER"] ?? "" })).customer,
    foreign: (await refusal(own.credits.balance({ customer }))).code,
    bought: begun.map(({ status }) => status),
    once: JSON.stringify(first) === JSON.stringify(second),
    ordered: ordered.status,
    rest: [rest.status, ((await rest.json()) as { code: string }).code],
    unnamed: (await buy(ask({ pack: "100" }))).status,
    unknown: (await buy(ask({ pack: "none" }, "a-click-4"))).status,
  };
}

console.log(
  JSON.stringify({
    credits: await credits(),
    refusals: await refusals(),
    goods: await goods(),
    nextjs: await nextjs(),
  }),
);
