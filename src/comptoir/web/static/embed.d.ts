/** A balance, as GET /api/credits/balance answers it. Amounts are decimal strings. */
export interface Balance {
  customer: string;
  asset: string;
  balance: string;
  held: string;
  available: string;
  debt: string;
  low: boolean;
  low_threshold: string;
  version: number;
  updated_at: string | null;
}

export type TokenProvider = () => Promise<string | { token: string; expires_at?: string }>;

export interface StoreOptions {
  /** Where Comptoir is; by default where the module came from. */
  src?: string;
  /** A page of your own site that answers a POST with `{ token, expires_at }`. */
  tokenUrl?: string;
  unit?: string;
  tokenProvider?: TokenProvider;
}

export interface Store {
  readonly balance: Balance | null;
  readonly isLow: boolean;
  subscribe(heard: (balance: Balance | null) => void): () => void;
  refresh(): Promise<void>;
}

/** The store of a page without a badge; it is kept up to date from now on. */
export function connect(options: StoreOptions): Store;
/** The last balance of the page's first store. */
export function balance(): Balance | null;
export function isLow(): boolean;
export function subscribe(heard: (balance: Balance | null) => void): () => void;
export function refresh(): Promise<void> | undefined;

export type BadgeState = 'loading' | 'ok' | 'low' | 'empty' | 'stale' | 'offline' | 'error' | 'signed-out';
export type DialogState =
  | 'closed' | 'loading' | 'ready' | 'submitting' | 'confirming' | 'success' | 'cancelled' | 'error' | 'offline'
  | 'nopack';

export interface CreditsBadge extends HTMLElement {
  readonly balance: Balance | null;
  readonly state: BadgeState | null;
  tokenProvider: TokenProvider | null;
  refresh(): Promise<void>;
}

export interface UpsellDialog extends HTMLElement {
  readonly balance: Balance | null;
  readonly state: DialogState | null;
  tokenProvider: TokenProvider | null;
  refresh(): Promise<void>;
  show(reason?: string): void;
  close(how?: string): void;
  /** Wait for a purchase; the one that was begun last where none is named. */
  confirm(purchase?: string | null): Promise<void>;
}

export interface CreditsEvents {
  'credits:change': CustomEvent<{
    unit: string; available: string; held: string; reference: string; version: number; as_of: string | null; delta: number;
  }>;
  'credits:state': CustomEvent<{ from: BadgeState | null; to: BadgeState }>;
  'credits:low': CustomEvent<{ unit: string; available: string }>;
  'credits:empty': CustomEvent<{ unit: string; available: string }>;
  'credits:error': CustomEvent<{ code: string; message: string; requestId?: string | null; retryInMs: number }>;
  'credits:buy': CustomEvent<{ unit: string }>;
  'upsell:open': CustomEvent<{ reason: string; auto: boolean }>;
  'upsell:select': CustomEvent<{ pack: string }>;
  'upsell:checkout': CustomEvent<{ pack: string; url: string; sessionId: string; idempotencyKey: string }>;
  'upsell:success': CustomEvent<{ available?: string; version?: number }>;
  'upsell:dismiss': CustomEvent<{ reason: string; how: string }>;
  'upsell:error': CustomEvent<{ code: string; message: string; requestId?: string | null }>;
}

declare global {
  interface HTMLElementTagNameMap {
    'credits-badge': CreditsBadge;
    'upsell-dialog': UpsellDialog;
  }
  interface HTMLElementEventMap extends CreditsEvents {}
}
