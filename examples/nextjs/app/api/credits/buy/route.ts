// Buy a pack: answers with Stripe's page. The credits come by themselves once it is paid.

import { clickOf, comptoir, problem, refused, signedIn } from "../../../../lib/comptoir.ts";

export async function POST(request: Request): Promise<Response> {
  const [customer, click] = [await signedIn(request), clickOf(request)];
  if (customer === null) return problem(401, "unauthorized");
  if (click === null) return problem(400, "idempotency-key-missing");
  const said = (await request.json().catch(() => null)) as { pack?: unknown } | null;
  if (typeof said?.pack !== "string") return problem(422, "validation-failed");
  try {
    const { purchase, checkout_url } = await comptoir.credits.buy(
      { customer, pack: said.pack },
      { idempotencyKey: `buy:${click}` },
    );
    return Response.json({ purchase, checkout_url }, { status: 201 });
  } catch (error) {
    return refused(error);
  }
}
