import { comptoir } from "../lib/comptoir.ts";
import { BuyButton } from "./buy-button.tsx";

// The packs may change at any time.
export const dynamic = "force-dynamic";

export default async function Page() {
  const { items } = await comptoir.credits.listPacks();
  return (
    <main>
      <h1>Credits</h1>
      <ul>
        {items.map((pack) => (
          <li key={pack.id}>
            {pack.name}: {pack.credits} credits <BuyButton pack={pack.id} />
          </li>
        ))}
      </ul>
    </main>
  );
}
