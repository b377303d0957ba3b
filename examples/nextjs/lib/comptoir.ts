// The server's own client. Its key never reaches a browser: only route handlers import this file.

import { Comptoir, ComptoirError, ComptoirUnreachable } from "comptoir-client";

export const comptoir = new Comptoir({
  baseUrl: process.env["COMPTOIR_URL"] ?? "http://127.0.0.1:8000",
  key: () => process.env["COMPTOIR_KEY"] ?? "",
});

/** Who is signed in: put your own session here. The example has one customer, or nobody. */
export async function signedIn(_request: Request): Promise<string | null> {
  return process.env["DEMO_CUSTOMER"] || null;
}

/** The click that this is. A browser makes it once, and sends it again with each repeat. */
export function clickOf(request: Request): string | null {
  const said = request.headers.get("idempotency-key");
  return said !== null && /^[!-~]{8,100}$/.test(said) ? said : null;
}

/** What went wrong, as a browser may see it: the refusal as it is, and nothing of our own key. */
export function refused(error: unknown): Response {
  if (error instanceof ComptoirError && error.status !== 401 && error.status !== 403) {
    const { code, title, detail } = error;
    return Response.json({ code, title, detail }, { status: error.status });
  }
  if (error instanceof ComptoirUnreachable) {
    // Repeat with the same click: whatever has become of it, it happens once.
    return Response.json({ code: "outcome-unknown" }, { status: 503 });
  }
  console.error(error);
  return Response.json({ code: "internal" }, { status: 500 });
}

export function problem(status: number, code: string): Response {
  return Response.json({ code }, { status });
}
