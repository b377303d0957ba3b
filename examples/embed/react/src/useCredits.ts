import { useSyncExternalStore } from 'react';
import { connect } from 'https://billing.example.com/embed.js';

const store = connect({ tokenUrl: '/api/billing-token' });

/** What a customer has, and whether it is less than a fifth of what he had. */
export function useCredits() {
  const credits = useSyncExternalStore(store.subscribe, () => store.balance, () => null);
  return { credits, isLow: store.isLow, refresh: store.refresh };
}
