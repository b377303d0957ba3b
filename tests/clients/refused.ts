// Programs that the types must refuse: an expectation of an error that is none is an error itself.

import { Comptoir, type ComptoirError, type Movement } from "comptoir-client";

const books = new Comptoir({ baseUrl: "http://127.0.0.1:1" });

// @ts-expect-error A spend has a key: which repeat would be the same spend?
void books.credits.spend({ customer: "ada", amount: 1 });
// @ts-expect-error Without a customer.
void books.credits.spend({ amount: 1 }, { idempotencyKey: "k" });
// @ts-expect-error An unknown field is refused by the server too.
void books.credits.spend({ customer: "ada", amount: 1, colour: "red" }, { idempotencyKey: "k" });
// @ts-expect-error No such value.
void books.credits.hold({ customer: "ada", amount: 1, ttl_seconds: 60, on_excess: "maybe" }, { idempotencyKey: "k" });
// @ts-expect-error A balance is somebody's.
void books.credits.balance({});
// @ts-expect-error No key is taken here, so none is to be believed in.
void books.credits.balance({ customer: "ada" }, { idempotencyKey: "k" });
// @ts-expect-error What Stripe calls is no method.
void books.payments.stripe;

export function kindOf(movement: Movement): string {
  // A kind of a later version is a string, and so is a code.
  return movement.kind === "grant" || movement.kind === "kind-of-2031" ? "known" : movement.kind;
}

export function needed(error: ComptoirError): unknown {
  return error.code === "insufficient-credits" ? error.fields["needed"] : undefined;
}
