// What the badge calls: a token of fifteen minutes for whoever is signed in, and for nobody else.

import { comptoir, problem, refused, signedIn } from "../../../lib/comptoir.ts";

export async function POST(request: Request): Promise<Response> {
  const customer = await signedIn(request);
  if (customer === null) return problem(401, "unauthorized");
  try {
    const { token, expires_at } = await comptoir.keys.addToken({ customer, ttl_seconds: 900 });
    return Response.json({ token, expires_at }, { headers: { "cache-control": "no-store" } });
  } catch (error) {
    return refused(error);
  }
}
