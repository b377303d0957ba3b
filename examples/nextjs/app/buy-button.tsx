"use client";

import { useRef, useState } from "react";

/** However often it is pressed, and whatever the network does, one page of Stripe's is made. */
export function BuyButton({ pack }: { pack: string }) {
  const click = useRef("");
  const [said, setSaid] = useState("");

  async function buy() {
    click.current ||= crypto.randomUUID();
    const answer = await fetch("/api/credits/buy", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": click.current },
      body: JSON.stringify({ pack }),
    }).catch(() => null);
    if (answer?.ok) {
      window.location.assign((await answer.json()).checkout_url);
      return;
    }
    setSaid("That did not work. Press again: you will not pay twice.");
  }

  return (
    <>
      <button type="button" onClick={buy}>
        Buy
      </button>
      <span role="status">{said}</span>
    </>
  );
}
