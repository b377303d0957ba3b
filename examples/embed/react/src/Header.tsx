import { useCredits } from './useCredits';

export function Header() {
  const { credits, isLow } = useCredits();
  return (
    <header>
      <credits-badge token-url="/api/billing-token" upsell="#up" variant="bar">
        Credits
      </credits-badge>
      <upsell-dialog id="up" when="low empty" highlight="500" />
      {isLow && credits && <p>{credits.available} left: a picture costs 5.</p>}
    </header>
  );
}
