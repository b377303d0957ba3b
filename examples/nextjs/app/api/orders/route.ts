// Order goods: the cart is set aside whole or not at all, and the browser pays with the secret.

import { clickOf, comptoir, problem, refused, signedIn } from "../../../lib/comptoir.ts";

interface Line {
  product: string;
  size: string;
  quantity: number;
}

/** Only what a buyer may choose: never the customer, and never a price. */
function cart(said: unknown): Line[] | null {
  const items = (said as { items?: unknown } | null)?.items;
  if (!Array.isArray(items)) return null;
  const lines = items.map(({ product, size, quantity }: Line) => ({ product, size, quantity }));
  const isWhole = lines.every(
    ({ product, size, quantity }) =>
      typeof product === "string" && typeof size === "string" && Number.isSafeInteger(quantity),
  );
  return isWhole ? lines : null;
}

export async function POST(request: Request): Promise<Response> {
  const [customer, click] = [await signedIn(request), clickOf(request)];
  if (customer === null) return problem(401, "unauthorized");
  if (click === null) return problem(400, "idempotency-key-missing");
  const items = cart(await request.json().catch(() => null));
  if (items === null) return problem(422, "validation-failed");
  try {
    const made = await comptoir.checkout.createPaymentIntent(
      { customer, items },
      { idempotencyKey: `order:${click}` },
    );
    const { order, client_secret, amount, currency, expires_at } = made;
    return Response.json({ order, client_secret, amount, currency, expires_at }, { status: 201 });
  } catch (error) {
    return refused(error);
  }
}
