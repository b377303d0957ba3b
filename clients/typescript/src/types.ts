// Made by scripts/typescript_client.py of the OpenAPI document: change that, not this.

/** What a refusal is called, for ever. New ones may come. */
export type ProblemCode =
  | "account-busy"
  | "already-paid"
  | "already-refunded"
  | "already-reversed"
  | "already-subscribed"
  | "amount-differs"
  | "asset-exists"
  | "bad-request"
  | "bad-signature"
  | "balance-limit"
  | "books-arriving"
  | "books-moved"
  | "books-moving"
  | "case-not-found"
  | "claim-lost"
  | "cost-exceeds-limit"
  | "cursor-invalid"
  | "database-down"
  | "event-not-found"
  | "event-too-large"
  | "event-unreadable"
  | "exceeds-hold"
  | "exceeds-reservation"
  | "expired"
  | "export-too-long"
  | "forbidden"
  | "hold-not-found"
  | "hold-not-open"
  | "holds-open"
  | "hook-not-found"
  | "idempotency-key-missing"
  | "idempotency-key-reused"
  | "insufficient-credits"
  | "insufficient-stock"
  | "insufficient-tokens"
  | "internal"
  | "job-ended"
  | "job-lease-lost"
  | "job-not-found"
  | "job-not-retryable"
  | "job-too-large"
  | "job-waits"
  | "key-ended"
  | "lease-lost"
  | "malformed-json"
  | "migrations-behind"
  | "movement-not-found"
  | "movement-refused"
  | "no-top-up"
  | "not-a-test-book"
  | "not-found"
  | "not-reversible"
  | "nothing-subscribed"
  | "operation-in-progress"
  | "order-closed"
  | "order-not-found"
  | "order-not-paid"
  | "order-paid"
  | "order-processing"
  | "outcome-unknown"
  | "overloaded"
  | "partly-spent"
  | "payload-too-large"
  | "payment-not-found"
  | "payment-not-paid"
  | "payments-not-configured"
  | "plan-not-for-sale"
  | "price-changed"
  | "provider-busy"
  | "provider-down"
  | "provider-refused"
  | "purchase-not-found"
  | "quota-reached"
  | "rate-limited"
  | "redis-down"
  | "refund-exceeds-left"
  | "refund-exceeds-payment"
  | "request-in-flight"
  | "reservation-committed"
  | "reservation-ended"
  | "reservation-not-found"
  | "reservation-refused"
  | "shutting-down"
  | "still-subscribed"
  | "too-many-hooks"
  | "too-many-lots"
  | "unauthorized"
  | "unknown-action"
  | "unknown-asset"
  | "unknown-book"
  | "unknown-customer"
  | "unknown-key"
  | "unknown-metric"
  | "unknown-pack"
  | "unknown-plan"
  | "unknown-product"
  | "unknown-size"
  | "unsupported-media-type"
  | "url-invalid"
  | "validation-failed"
  | (string & {});

/** A problem document (RFC 9457), with fields of its own for some codes. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly instance: string;
  readonly [field: string]: unknown;
}

/** Refusals after which the same request may be sent again, with the same key. */
export const PASSING: ReadonlySet<string> = new Set([
  "account-busy", "books-arriving", "books-moving", "database-down", "outcome-unknown",
  "overloaded", "provider-busy", "provider-down", "rate-limited", "redis-down",
  "request-in-flight", "shutting-down"
]);

/** One page of a list; `next_cursor` is null on the last. */
export interface Listed<Item> {
  readonly items: Item[];
  readonly next_cursor: string | null;
}

/** What is set aside now; the sizes of which most is, a thousand at most. */
export interface Active {
  active: number;
  oldest: string | null;
  by_product: ActiveSize[];
}

/** What is set aside of a size. */
export interface ActiveSize {
  product: string;
  size: string;
  reservations: number;
  quantity: number;
}

/** How many tokens somebody is given, and why. */
export interface AddBody {
  amount: number;
  reason: string;
}

/** What a plan gives each month. */
export interface Allowance {
  asset: string;
  amount: string;
  rollover: string;
}

/** What is to be counted. */
export interface AssetBody {
  code: string;
  scale: number;
}

/** What is counted, and its decimals. */
export interface Asset {
  code: string;
  scale: number;
}

/** So much of a size came back; damaged goods are not for sale again. */
export interface BackBody {
  product: string;
  size: string;
  quantity: number;
  condition?: "sellable" | "damaged";
}

/** What an account has. A stock account has `account` in place of `customer`. */
export interface Balance {
  customer?: string | null;
  account?: string | null;
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

/** Requests in order; `atomic` makes them one chain. */
export interface BatchBody {
  requests: (GrantItem | SpendItem | HoldItem | CaptureItem | ReleaseItem | TransferItem)[];
  atomic?: boolean;
}

/** A purchase that can be paid. */
export interface Begun {
  purchase: string;
  checkout_url: string;
  status: string;
}

/** Which pack is bought. */
export interface BuyBody {
  /** A customer token may leave it out. */
  customer: string;
  pack: string;
  success_url?: string | null;
  cancel_url?: string | null;
}

/** What to forget: a group, or a key that has none. */
export interface CacheInvalidateBody {
  /** What it is forgotten with; itself if none. */
  group: string;
}

/** What to keep. */
export interface CacheKeepBody {
  key: string;
  value: unknown;
  ttl_seconds: number;
  group?: string | null;
  generation?: string | null;
}

/** What to forget by its name. */
export interface CacheSweepBody {
  /** A glob; every key there is is looked at. */
  pattern: string;
}

/** What was kept, if anything was. */
export interface Cached {
  found: boolean;
  value: unknown;
  /** To give with the value that you keep instead. */
  generation: string | null;
}

/** What a guest shows. */
export interface CancelOrderBody {
  /** Of the order's payment: a guest shows it to be let in. */
  client_secret?: string | null;
}

/** Take what was set aside, all of it by default. */
export interface CaptureBody {
  metadata?: Record<string, string> | null;
  amount?: number | string | null;
  final?: boolean;
  reason?: string | null;
  reference?: string | null;
  model?: string | null;
  cost?: string | null;
}

/** Take what was set aside. */
export interface CaptureItem {
  idempotency_key: string;
  metadata?: Record<string, string> | null;
  reason?: string | null;
  reference?: string | null;
  op: "capture";
  hold: string;
  amount?: number | string | null;
  final?: boolean;
  model?: string | null;
  cost?: string | null;
}

/** A movement of a hold; `late` when the hold had expired. */
export interface Captured {
  movement: Movement;
  balance: Balance;
  late: boolean;
}

/** What is bought, by whom. Its price is what the products say. */
export interface CartBody {
  items: ItemBody[];
  /** With one, an Idempotency-Key must come along. */
  customer?: string | null;
  email?: string | null;
  /** keep: another card may be tried until the time is over. */
  on_payment_failed?: "keep" | "cancel";
}

/** The same, paid on Stripe's page. */
export interface CartPageBody {
  items: ItemBody[];
  /** With one, an Idempotency-Key must come along. */
  customer?: string | null;
  email?: string | null;
  /** keep: another card may be tried until the time is over. */
  on_payment_failed?: "keep" | "cancel";
  success_url?: string | null;
  cancel_url?: string | null;
}

/** Something that needs a human. */
export interface Case {
  id: string;
  kind: string;
  words: string;
  subject: string;
  figures: Record<string, unknown>;
  opened_at: string;
  closed_at: string | null;
  closed_by: string | null;
  note: string | null;
}

/** Something has changed in the book: read again what is shown of it. */
export interface Changed {
  at: string;
}

/** Where a customer subscribes. */
export interface Checkout {
  checkout_url: string;
}

/** A call that is to be made once. */
export interface ClaimBody {
  key: string;
  /** What is asked: the same key for something else is refused. */
  said?: unknown;
  scope?: string | null;
  lease_seconds?: number;
}

/** A call that is yours to make, or its result from before. */
export interface Claim {
  /** Null when the call was made before. */
  claim: string | null;
  replayed: boolean;
  result?: unknown;
  /** For your provider: the same however often it is begun. */
  provider_key?: string | null;
}

/** What became of reservations whose time was over. */
export interface Cleaned {
  examined: number;
  released: number;
  /** Paid meanwhile. */
  captured: number;
  /** Being paid, or Stripe does not say. */
  kept: number;
}

/** What was done about it. */
export interface CloseBody {
  note: string;
}

/** What is to be collected, in minor units. */
export interface CollectBody {
  reference: string;
  amount: number;
  currency: string;
  customer?: string | null;
}

/** How the group commit of a book is doing, in the process that answers. */
export interface Commit {
  queued: number;
  locked_accounts: number;
  decided: number;
}

/** Under what number it was sold. */
export interface CommitStockBody {
  order_number: string;
}

/** What a job has given. */
export interface CompleteJobBody {
  lease: string;
  result?: Record<string, unknown> | null;
}

/** What to count; the same id is counted once. */
export interface CountBody {
  amount?: number;
  id?: string | null;
}

/** What a counter has now; not `counted` when the event was counted before. */
export interface Counted {
  name: string;
  value: number;
  counted: boolean;
}

/** What a counter has. */
export interface Counter {
  name: string;
  value: number;
}

/** The month that runs, in the customer's time zone. */
export interface CurrentPeriod {
  start: string;
  end: string;
  spent: number;
  generations: number;
  billed: Money;
}

/** What to change of a customer; what is left out stays as it is. */
export interface CustomerBody {
  time_zone?: string | null;
  locale?: string | null;
  email?: string | null;
  name?: string | null;
  metadata?: Record<string, string> | null;
  plan?: string | null;
}

/** A customer with his personal fields. */
export interface Customer {
  customer: string;
  plan: string;
  time_zone: string;
  locale: string;
  email: string | null;
  name: string | null;
  metadata: Record<string, string>;
  created_at: string;
}

/** What became of telling one thing to one place. */
export interface Delivery {
  event: string;
  type: string;
  /** waiting, sent, dead */
  state: string;
  attempts: number;
  status: number | null;
  error: string | null;
  due_at: string | null;
  done_at: string | null;
}

/** How much there is in a queue. */
export interface Depth {
  waiting: number;
  running: number;
  dead: number;
  oldest_seconds: number;
}

/** A row that does not agree with the journal. */
export interface Drift {
  check: string;
  table: string;
  row: string;
  detail: string;
}

/** What was earned with one action, customer or model. */
export interface Earned {
  key: string | null;
  times: number;
  credits: string;
  unpaid_credits: string;
  revenue: Money[];
  cost: string;
  margin: string | null;
  margin_percent: string | null;
}

/** What an erasure did: texts that are gone, lines and balances that stay without a name. */
export interface Erased {
  erased_at: string;
  movements: number;
  notes: number;
  left: Left[];
}

/** A movement in words, and all that it names. */
export interface Explained {
  id: string;
  seq: number;
  /** An open list: expect new kinds. */
  kind: string;
  amount: string;
  before: string;
  after: string;
  reason: string | null;
  reference: string | null;
  at: string;
  /** In the reader's language. */
  text: string;
  held: string;
  debt: string;
  /** The verb; null for an expiry. */
  request: string | null;
  action: string | null;
  model: string | null;
  /** The other side of a transfer. */
  other: string | null;
  hold: string | null;
  late: boolean;
  reverses: Reversed | null;
  lots: Part[];
  lots_left_out: number;
}

/** A balance as it was at a moment; opening_balance and the amounts make closing_balance. */
export interface Explanation {
  at: string;
  balance: Balance;
  lots: OpenLot[];
  holds: OpenHold[];
  holds_left_out: number;
  movements: Explained[];
  opening_balance: string;
  closing_balance: string;
  next_cursor: string | null;
}

/** Everything that is kept about a customer, as of one moment. */
export interface Export {
  exported_at: string;
  customer: Customer;
  accounts: PastAccount[];
  payments: PastPayment[];
  orders: PastOrder[];
  subscriptions: PastSubscription[];
  complete: true;
}

/** Why a job failed. */
export interface FailJobBody {
  lease: string;
  /** Its kind, kept when the job is dead. */
  error: string;
  /** Another try would end the same way. */
  final?: boolean;
}

/** How often a rate limit was decided elsewhere, because its store was down. */
export interface Fallback {
  store: string;
  decided_by: string;
  count: number;
}

/** Something that was not as it should be. */
export interface Finding {
  code: string;
  words: string;
  mended: boolean;
  figures: Record<string, unknown>;
}

/** What a call has given. */
export interface FinishBody {
  result?: unknown;
  /** For ever by default, as money wants it. */
  ttl_seconds?: number | null;
}

/** What is kept of a call. */
export interface Finished {
  result: unknown;
}

/** What was generated, and how many tokens it costs. */
export interface GenerationBody {
  cost: number;
  reason?: string | null;
}

/** Give credits as a new lot. */
export interface GrantBody {
  metadata?: Record<string, string> | null;
  customer: string;
  amount: number | string;
  asset?: string | null;
  reason: string;
  reference?: string | null;
  expires_at?: string | null;
  priority?: number | null;
}

/** Give. */
export interface GrantItem {
  idempotency_key: string;
  metadata?: Record<string, string> | null;
  reason?: string | null;
  reference?: string | null;
  customer?: string | null;
  account?: string | null;
  asset?: string | null;
  op: "grant";
  amount: number | string;
  expires_at?: string | null;
  priority?: number | null;
}

/** Something that has happened, as others are told of it. */
export interface Happening {
  id: string;
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

/** Who asks to do something once more, and how often he may. */
export interface HitBody {
  subject: string;
  limits: LimitBody[];
  cost?: number;
  store?: "redis" | "pg" | "local";
  when_down?: "local" | "pg" | "open" | "closed";
}

/** Whether it may be done; what is denied is charged to no limit. */
export interface Hit {
  allowed: boolean;
  retry_after_ms: number;
  decided_by: "redis" | "pg" | "local" | "open" | (string & {});
  limits: Limit[];
}

/** Set credits aside. */
export type HoldBody = {
  metadata?: Record<string, string> | null;
  amount: number | string;
  customer: string;
  asset?: string | null;
  ttl_seconds: number;
  on_excess?: "refuse" | "cap" | "debt";
  reason?: string | null;
  reference?: string | null;
} | {
  metadata?: Record<string, string> | null;
  action: string;
  quantity?: number;
  customer: string;
  asset?: string | null;
  ttl_seconds: number;
  on_excess?: "refuse" | "cap" | "debt";
  reason?: string | null;
  reference?: string | null;
};

/** Set aside. */
export type HoldItem = {
  metadata?: Record<string, string> | null;
  amount: number | string;
  idempotency_key: string;
  reason?: string | null;
  reference?: string | null;
  customer?: string | null;
  account?: string | null;
  asset?: string | null;
  op: "hold";
  ttl_seconds: number;
  on_excess?: "refuse" | "cap" | "debt";
} | {
  metadata?: Record<string, string> | null;
  action: string;
  quantity?: number;
  idempotency_key: string;
  reason?: string | null;
  reference?: string | null;
  customer?: string | null;
  account?: string | null;
  asset?: string | null;
  op: "hold";
  ttl_seconds: number;
  on_excess?: "refuse" | "cap" | "debt";
};

/** A hold, and the balance right after. */
export interface HoldMade {
  hold: Hold;
  balance: Balance;
}

/** An amount that is set aside. */
export interface Hold {
  id: string;
  asset: string;
  customer?: string | null;
  account?: string | null;
  amount: string;
  captured: string;
  /** open, captured, released, expired */
  state: string;
  expires_at: string | null;
  group: string | null;
}

/** Where others hear, and of what. */
export interface HookBody {
  url: string;
  types: (
    | "*"
    | "case.opened"
    | "credits.empty"
    | "credits.low"
    | "dispute.closed"
    | "dispute.opened"
    | "order.cancelled"
    | "order.expired"
    | "order.paid"
    | "order.refunded"
    | "payment.paid"
    | "payment.refunded"
    | "purchase.paid"
    | "purchase.refunded"
    | "statement.made"
    | "stock.low"
    | "subscription.changed"
    | "subscription.unpaid"
    | "top-up.failed")[];
}

/** A place where others hear of what happens. */
export interface Hook {
  id: string;
  url: string;
  types: string[];
  created_at: string;
}

/** All of them. */
export interface Hooks {
  items: Hook[];
}

/** The same, with its body. */
export interface InboxEvent {
  id: string;
  type: string;
  object: string;
  livemode: boolean;
  via: string;
  /** received, deferred, failed, done, ignored, orphan, dead */
  state: string;
  attempts: number;
  effect: string;
  effects: (Record<string, unknown>)[];
  error: string | null;
  occurred_at: string;
  received_at: string;
  due_at: string | null;
  done_at: string | null;
  payload: unknown;
}

/** An event of a provider, and what it has done. */
export interface Inbox {
  id: string;
  type: string;
  object: string;
  livemode: boolean;
  via: string;
  /** received, deferred, failed, done, ignored, orphan, dead */
  state: string;
  attempts: number;
  effect: string;
  effects: (Record<string, unknown>)[];
  error: string | null;
  occurred_at: string;
  received_at: string;
  due_at: string | null;
  done_at: string | null;
}

/** An order that a browser can pay. */
export interface Intent {
  order: string;
  /** Null until it is paid. */
  order_number: string | null;
  payment_intent: string;
  client_secret: string;
  amount: number;
  currency: string;
  expires_at: string;
}

/** What is forgotten now. */
export interface Invalidated {
  group: string;
}

/** So much of a size. */
export interface ItemBody {
  product: string;
  size: string;
  quantity: number;
}

/** So much of a size. */
export interface Item {
  product: string;
  size: string;
  quantity: number;
}

/** A job to be done. */
export interface JobBody {
  type: string;
  payload?: Record<string, unknown>;
  unique?: string | null;
  run_at?: string | null;
  priority?: number;
}

/** A job, and what became of it. */
export interface Job {
  id: string;
  type: string;
  queue: string;
  /** pending, running, succeeded, failed (and tried again), dead, cancelled */
  status: string;
  attempts: number;
  payload: Record<string, unknown>;
  run_at: string | null;
  result: Record<string, unknown> | null;
  error: string | null;
  ended_at: string | null;
}

/** What was to be kept; it is not where there is no Redis, or while it is down. */
export interface Kept {
  key: string;
  kept: boolean;
}

/** A new key. */
export interface KeyBody {
  role: "operator" | "service";
  name: string;
  book?: "live" | "test" | null;
  expires_at?: string | null;
}

/** A key without its secret. */
export interface Key {
  id: string;
  role: string;
  name: string;
  book: string;
  hint: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}

/** What you can do. */
export interface LeaseJobsBody {
  types: string[];
  /** Jobs at a time. */
  limit?: number;
  /** Until others may have the job, if you say nothing. */
  lease_seconds?: number;
}

/** A job that is yours to do. */
export interface LeasedJob {
  id: string;
  type: string;
  payload: Record<string, unknown>;
  /** Which try this is, from 1 on. */
  attempt: number;
  /** An idempotency key for what the job does: the same in every try. */
  key: string;
  lease: string;
  expires_at: string;
}

/** Jobs that are yours to do; none when none waits. */
export interface LeasedJobs {
  items: LeasedJob[];
}

/** What an anonymous account still holds. */
export interface Left {
  asset: string;
  balance: string;
}

/** So much in any so many seconds. */
export interface LimitBody {
  name: string;
  limit: number;
  window_seconds: number;
}

/** What a limit says. */
export interface Limit {
  name: string;
  limit: number;
  remaining: number;
  resets_after_ms: number;
}

/** What an action brings at the price of a pack. */
export interface ListedAction {
  action: string;
  pack: string;
  credits: string;
  price: string;
  real_cost: string | null;
  margin_percent: string | null;
  currency: string;
}

/** A key to hold. */
export interface LockBody {
  key: string;
  ttl_seconds?: number;
}

/** How much longer to hold it. */
export interface LockRenewBody {
  ttl_seconds?: number;
}

/** A lock that is held. */
export interface Lock {
  lock: string;
  key: string;
  /** Grows each time the lock changes hands. */
  token: number;
  expires_at: string;
}

/** A part of a balance with one origin. */
export interface Lot {
  id: string;
  source: string;
  granted: string;
  left: string;
  pinned: string;
  priority: number;
  expires_at: string | null;
  reference: string | null;
}

/** Revenue of the lots that were burnt, without tax; the provider's cost; the margin. */
export interface Margin {
  since: string;
  until: string;
  by: string;
  items: Earned[];
  fees: Money[];
  actions: ListedAction[];
}

/** What a movement cost. */
export interface Memo {
  action: string | null;
  quantity: number;
  model: string | null;
  cost: string | null;
}

/** What a customer has used today of one metric, and what his plan allows. */
export interface Metric {
  used: number;
  reserved: number;
  limit: number | null;
  resets_at: string;
}

/** A sum, in minor units. */
export interface Money {
  amount: number;
  currency: string;
}

/** What was spent in a month. */
export interface Month {
  month: string;
  spent: number;
  generations: number;
}

/** A movement, and the balance right after it. */
export interface Moved {
  movement: Movement;
  balance: Balance;
}

/** One line of the journal; amounts are signed. */
export interface Movement {
  id: string;
  seq: number;
  /** An open list: expect new kinds. */
  kind: string;
  amount: string;
  before: string;
  after: string;
  reason: string | null;
  reference: string | null;
  at: string;
}

/** The same, with the secret that signs. */
export interface NewHook {
  id: string;
  url: string;
  types: string[];
  created_at: string;
  secret: string;
}

/** A job that waits, or the one that waits already under its unique name. */
export interface NewJob {
  id: string;
  queue: string;
  status: string;
}

/** A key with its secret, which is shown this once. */
export interface NewKey {
  id: string;
  role: string;
  name: string;
  book: string;
  hint: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  key: string;
}

/** A hold that was open. */
export interface OpenHold {
  id: string;
  amount: string;
  captured: string;
  reason: string | null;
  reference: string | null;
  movement: string;
  at: string;
  expires_at: string | null;
}

/** A lot that was open, and where it came from. */
export interface OpenLot {
  id: string;
  source: string;
  granted: string;
  left: string;
  pinned: string;
  priority: number;
  expires_at: string | null;
  reference: string | null;
  reason: string | null;
  movement: string;
  at: string;
}

/** A line of an order, for the price of when it was made. */
export interface OrderLine {
  product: string;
  size: string;
  quantity: number;
  unit_amount: number;
  amount: number;
  /** How many came back. */
  returned: number;
}

/** An order. */
export interface Order {
  id: string;
  /** Null until it is paid. */
  order_number: string | null;
  /** reserved, paid, fulfilled, expired, cancelled, refunded, disputed */
  status: string;
  customer: string | null;
  /** Null for a guest. */
  email: string | null;
  items: OrderLine[];
  amount: number;
  currency: string | null;
  payment_intent: string | null;
  created_at: string;
  expires_at: string;
  paid_at: string | null;
  fulfilled_at: string | null;
}

/** So many credits for so much money. */
export interface Pack {
  id: string;
  name: string;
  asset: string;
  credits: string;
  price: Money;
  unit_price: string;
  tax: Tax | null;
}

/** What is for sale. */
export interface Packs {
  items: Pack[];
}

/** What was paid for a lot, in minor units. */
export interface Paid {
  amount: number;
  tax: number;
  currency: string;
}

/** A lot that a movement changed, and by how much. */
export interface Part {
  lot: string;
  source: string;
  reason: string | null;
  reference: string | null;
  movement: string;
  at: string;
  amount: string;
}

/** An account from its beginning; lists are oldest first. */
export interface PastAccount {
  balance: Balance;
  lots: PastLot[];
  holds: PastHold[];
  movements: PastMovement[];
}

/** A hold, ended or not. */
export interface PastHold {
  id: string;
  amount: string;
  captured: string;
  state: string;
  expires_at: string | null;
  group: string | null;
  on_excess: string;
  opened_at: string;
}

/** A lot, used up or not. */
export interface PastLot {
  id: string;
  source: string;
  granted: string;
  left: string;
  pinned: string;
  priority: number;
  expires_at: string | null;
  reference: string | null;
  paid: Paid | null;
}

/** A line of the journal with everything that was written down about it. */
export interface PastMovement {
  id: string;
  seq: number;
  /** An open list: expect new kinds. */
  kind: string;
  amount: string;
  before: string;
  after: string;
  reason: string | null;
  reference: string | null;
  at: string;
  metadata: Record<string, string> | null;
  held: string;
  debt: string;
  hold: string | null;
  reverses: string | null;
  memo: Memo | null;
}

/** A line of an order, for the price of when it was made. */
export interface PastOrderLine {
  product: string;
  size: string;
  quantity: number;
  unit_amount: number;
  returned: number;
}

/** An order of a customer's, whatever became of it. */
export interface PastOrder {
  id: string;
  order_number: string | null;
  status: string;
  email: string | null;
  items: PastOrderLine[];
  amount: number;
  currency: string | null;
  created_at: string;
  paid_at: string | null;
  fulfilled_at: string | null;
}

/** A payment of a customer, with the provider's names for it. */
export interface PastPayment {
  id: string;
  purpose: string;
  reference: string | null;
  price: Money;
  status: string;
  received: number | null;
  tax: number;
  refunded: number;
  disputed: boolean;
  purchase: PastPurchase | null;
  intent: string | null;
  invoice: string | null;
  created_at: string;
  paid_at: string | null;
}

/** What a payment has bought. */
export interface PastPurchase {
  pack: string;
  asset: string;
  credits: string;
  granted_at: string | null;
}

/** A plan that a customer has, or had. */
export interface PastSubscription {
  id: string;
  plan: string | null;
  status: string;
  period: Period;
  cancel_at: string | null;
  trial_ends_at: string | null;
  ended_at: string | null;
  created_at: string;
}

/** A payment that a browser can confirm. */
export interface PaymentMade {
  payment: string;
  client_secret: string;
  status: string;
}

/** A payment. */
export interface Payment {
  id: string;
  purpose: string;
  reference: string | null;
  customer: string | null;
  price: Money;
  status: string;
  received: number | null;
  tax: number;
  refunded: number;
  disputed: boolean;
  created_at: string;
  paid_at: string | null;
}

/** From when until when. */
export interface Period {
  start: string | null;
  end: string | null;
  interval: string | null;
}

/** What a plan costs. */
export interface PlanPrice {
  interval: string;
  price: Money;
  tax: Tax | null;
}

/** A plan. */
export interface Plan {
  plan: string;
  quotas: Record<string, number>;
  prices: PlanPrice[];
  allowances: Allowance[];
}

/** The plans of a book. */
export interface Plans {
  items: Plan[];
}

/** Whose subscription is to be changed, and where he comes back to. */
export interface PortalBody {
  /** A customer token may leave it out. */
  customer: string;
  return_url?: string | null;
}

/** Whose pages, and for how long the link opens them. */
export interface PortalLinkBody {
  customer: string;
  ttl_seconds?: number;
}

/** A link that opens a customer's own pages, once. */
export interface PortalLink {
  url: string;
  customer: string;
  expires_at: string;
}

/** Where a customer changes or ends his subscription. */
export interface Portal {
  url: string;
}

/** What an action costs from now on. */
export interface PriceBody {
  action: string;
  amount: number | string;
  real_cost?: string | null;
  asset?: string;
}

/** What one costs, in minor units. */
export interface PriceOfOneBody {
  amount: number;
  currency: string;
}

/** What an action costs. */
export interface Price {
  action: string;
  asset: string;
  amount: string;
  real_cost: string | null;
  version: number;
  created_at: string;
}

/** How many jobs were done. */
export interface Processed {
  processed: number;
}

/** On what terms a product is sold from now on. Sizes that are not named are sold no more. */
export interface ProductBody {
  name: string;
  price: PriceOfOneBody;
  sizes: SizeBody[];
  /** What becomes of goods whose money goes back before they were sent. */
  on_refund?: "restock" | "keep";
}

/** A product, with its sizes as of the last commit. */
export interface Product {
  product: string;
  name: string;
  price: Money;
  /** restock, keep */
  on_refund: string;
  sizes: Size[];
}

/** What has become of a purchase. */
export interface Purchase {
  id: string;
  /** pending, paid, granted, refunded, failed */
  status: string;
  customer: string | null;
  pack: string;
  asset: string;
  credits: string;
  price: Money;
  created_at: string;
  balance?: Balance | null;
}

/** What was used of a reservation; all of it when that is not said. */
export interface QuotaCommitBody {
  reservation: string;
  quantity?: number | null;
}

/** A reservation to give back. */
export interface QuotaReleaseBody {
  reservation: string;
}

/** How much of a quota to set aside. */
export interface QuotaReserveBody {
  customer: string;
  quantity?: number;
  ttl_seconds?: number;
}

/** The event is kept. */
export interface Received {
  received: boolean;
}

/** Whether to mend what the audit finds, and how far to look back. */
export interface ReconcileBody {
  fix?: boolean;
  since?: string | null;
}

/** What a reconciliation has looked at, and found. */
export interface Reconciled {
  events: number;
  objects: number;
  payments: number;
  findings: Finding[];
}

/** What there is of Redis: `unset` when none is configured. */
export interface Redis {
  mode: "unset" | "up" | "down" | (string & {});
  connected: boolean;
  ping_ms?: number | null;
  failures?: number;
  /** How often it went up or down. */
  changes?: number;
  /** Bytes. */
  used_memory?: number | null;
  /** Bytes; 0 for no limit. */
  maxmemory?: number | null;
  maxmemory_policy?: string | null;
  evicted_keys?: number | null;
  version?: string | null;
  /** Redis may throw away what has not ended: limits begin anew then. */
  may_evict?: boolean;
  queues: Record<string, number>;
}

/** What is to go back; all that is left by default. */
export interface RefundBody {
  amount?: number | null;
  reason: string;
}

/** Money that goes back. */
export interface Refund {
  id: string;
  payment: string;
  amount: number;
  currency: string;
  status: string;
}

/** Give back what was set aside. */
export interface ReleaseBody {
  metadata?: Record<string, string> | null;
  reason?: string | null;
  reference?: string | null;
}

/** Give back what was set aside. */
export interface ReleaseItem {
  idempotency_key: string;
  metadata?: Record<string, string> | null;
  reason?: string | null;
  reference?: string | null;
  op: "release";
  hold: string;
}

/** A lock that was given back; not `released` when it was not held any more. */
export interface ReleasedLock {
  lock: string;
  released: boolean;
}

/** A call that somebody else may begin. */
export interface Released {
  released: boolean;
}

/** It is told nothing any more. */
export interface Removed {
  removed: boolean;
}

/** Keep it aside for longer, from now. */
export interface RenewBody {
  metadata?: Record<string, string> | null;
  ttl_seconds: number;
  reason?: string | null;
  reference?: string | null;
}

/** A job that takes longer. */
export interface RenewJobBody {
  lease: string;
  /** Until others may have the job, if you say nothing. */
  lease_seconds?: number;
}

/** Until when a job is yours. */
export interface RenewedJob {
  lease: string;
  expires_at: string;
}

/** A lock that is held for longer. */
export interface RenewedLock {
  lock: string;
  expires_at: string;
}

/** What a replay has done, or would do. */
export interface Replay {
  id: string;
  state: string;
  effect: string;
}

/** What a caller has had set aside, and what has become of it. */
export interface Reservation {
  reservation: string;
  /** reserved, paid, fulfilled, expired, cancelled, refunded, disputed */
  status: string;
  reference: string | null;
  items: Item[];
  expires_at: string;
  /** Null until it is paid. */
  order_number: string | null;
}

/** What is set aside: all of it or nothing. */
export interface ReserveStockBody {
  items: ItemBody[];
  reference: string;
  minutes?: number | null;
}

/** A part of a quota that is set aside; `used` is what is used and reserved now. */
export interface Reserved {
  reservation: string;
  metric: string;
  quantity: number;
  limit: number;
  used: number;
  resets_at: string;
}

/** What was set aside, and until when. */
export interface ReservedStock {
  reservation: string;
  expires_at: string;
}

/** What a reset took away. */
export interface Reset {
  book: string;
  reset_at: string;
  customers: number;
  accounts: number;
  movements: number;
}

/** What became of one request of a batch. */
export interface Result {
  /** An open list. */
  outcome: string;
  movement?: Movement | null;
  hold?: Hold | null;
  balance?: Balance | null;
  late?: boolean | null;
  replayed?: boolean | null;
  problem?: Problem | null;
}

/** What became of a batch, in its order. */
export interface Results {
  results: Result[];
}

/** What is told once more. */
export interface RetellBody {
  event: string;
}

/** What came back, and whether the money for it goes back through Stripe. */
export interface ReturnBody {
  lines: BackBody[];
  reason: string;
  refund?: boolean;
}

/** Goods that came back, and what goes back for them. */
export interface Returned {
  order: string;
  amount: number;
  currency: string;
  /** Null when no money was to go back. */
  refund: string | null;
  status: string | null;
}

/** Undo a movement by a new one. */
export interface ReverseBody {
  metadata?: Record<string, string> | null;
  movement: string;
  reason: string;
  reference?: string | null;
  if_spent?: "refuse" | "debt";
}

/** The movement that a reversal undid. */
export interface Reversed {
  id: string;
  kind: string;
  amount: string;
  reason: string | null;
  reference: string | null;
  at: string;
}

/** A new secret; the one before signs beside it for a day. */
export interface Rolled {
  secret: string;
}

/** How long the old key still works, 0 for not at all, and when the new one ends. */
export interface RotateBody {
  overlap_seconds?: number;
  expires_at?: string | null;
  book?: "live" | "test" | null;
}

/** The key that takes the place of another, and that one with its end. */
export interface Rotated {
  id: string;
  role: string;
  name: string;
  book: string;
  hint: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  key: string;
  replaced: Key;
}

/** An order that is paid on Stripe's page. */
export interface Session {
  order: string;
  /** Null until it is paid. */
  order_number: string | null;
  checkout_url: string;
  amount: number;
  currency: string;
  expires_at: string;
}

/** A reservation that ended; `late` when its time was up before. */
export interface Settled {
  reservation: string;
  late: boolean;
}

/** A size that is sold, and at what number it is low. */
export interface SizeBody {
  size: string;
  low_stock_threshold?: number;
}

/** A size of a product. It is low when no more are available than its threshold says. */
export interface Size {
  size: string;
  stock: number;
  reserved_stock: number;
  available_stock: number;
  low_stock_threshold: number;
  is_low_stock: boolean;
}

/** Take credits for good. */
export type SpendBody = {
  metadata?: Record<string, string> | null;
  amount: number | string;
  customer: string;
  asset?: string | null;
  reason?: string | null;
  reference?: string | null;
  model?: string | null;
  cost?: string | null;
} | {
  metadata?: Record<string, string> | null;
  action: string;
  quantity?: number;
  customer: string;
  asset?: string | null;
  reason?: string | null;
  reference?: string | null;
  model?: string | null;
  cost?: string | null;
};

/** Take for good. */
export type SpendItem = {
  metadata?: Record<string, string> | null;
  amount: number | string;
  idempotency_key: string;
  reason?: string | null;
  reference?: string | null;
  customer?: string | null;
  account?: string | null;
  asset?: string | null;
  op: "spend";
  model?: string | null;
  cost?: string | null;
} | {
  metadata?: Record<string, string> | null;
  action: string;
  quantity?: number;
  idempotency_key: string;
  reason?: string | null;
  reference?: string | null;
  customer?: string | null;
  account?: string | null;
  asset?: string | null;
  op: "spend";
  model?: string | null;
  cost?: string | null;
};

/** What is set aside of stock now. */
export interface Standing {
  active: number;
  oldest_seconds: number;
}

/** What was spent in a month that has ended, and what it costs. */
export interface Statement {
  id: string;
  month: string;
  start: string;
  end: string;
  spent: number;
  generations: number;
  unit_price: string;
  billed: Money;
  billing: string;
  invoice: string | null;
  made_at: string;
}

/** How everything is doing. `fallbacks`, `counters_dropped` and `books` are of one process. */
export interface Stats {
  redis: Redis;
  totals: Record<string, number>;
  jobs: Record<string, Depth>;
  inbox: Record<string, Trouble>;
  cases: number;
  reservations: Standing;
  counters: Record<string, number>;
  counters_dropped: number;
  fallbacks: Fallback[];
  books: Record<string, Commit>;
}

/** How the process is. */
export interface Status {
  status: "live" | "ready" | (string & {});
  database?: string | null;
  redis?: "unset" | "up" | "down" | (string & {}) | null;
  migration?: string | null;
}

/** The movement that was made. */
export interface StockMoved {
  movement: StockMovement;
}

/** What is delivered, what comes back, or what was miscounted. */
export interface StockMovementBody {
  product: string;
  size: string;
  type: "restock" | "return" | "adjustment";
  /** Below zero for an adjustment alone. */
  quantity: number;
  reason: string;
  reference?: string | null;
}

/** A movement of stock: below zero for a sale. */
export interface StockMovement {
  id: string;
  product: string;
  size: string;
  /** sale, restock, return, adjustment */
  type: string;
  quantity: number;
  stock_before: number;
  stock_after: number;
  reason: string | null;
  reference: string | null;
  order_reference: string | null;
  date: string;
}

/** Which plan somebody subscribes to. */
export interface SubscribeBody {
  /** A customer token may leave it out. */
  customer: string;
  plan: "pro" | "enterprise";
  interval: "month" | "year";
  success_url?: string | null;
  cancel_url?: string | null;
}

/** What a customer has subscribed to. */
export interface Subscription {
  customer: string;
  plan: string;
  /** none for whoever has nothing */
  status: string;
  period: Period | null;
  cancel_at: string | null;
  trial_ends_at: string | null;
}

/** How many values were forgotten. */
export interface Swept {
  swept: number;
}

/** A price with and without its tax, in minor units; the provider may work out another one. */
export interface Tax {
  percent: string;
  included: boolean;
  without_tax: number;
  with_tax: number;
}

/** Whose token, and for how long. */
export interface TokenBody {
  customer: string;
  ttl_seconds?: number;
}

/** A customer token. */
export interface Token {
  token: string;
  customer: string;
  expires_at: string;
}

/** What a customer has done with tokens. */
export interface TokenStats {
  customer: string;
  token_balance: number;
  tokens_spent: number;
  generations: number;
  current_period: CurrentPeriod;
  history: Month[];
}

/** It is told once more. */
export interface Told {
  event: string;
  state: string;
}

/** Whether and up to how much a customer buys again by himself. */
export interface TopUpBody {
  /** A customer token may leave it out. */
  customer: string;
  enabled: boolean;
  pack: string;
  monthly_cap: number;
}

/** Buying again by itself. */
export interface TopUp {
  customer: string;
  enabled: boolean;
  pack: string;
  monthly_cap: number;
  spent_this_month: number;
  failed_at: string | null;
}

/** Move credits between two customers, or units between two stock accounts. */
export interface TransferBody {
  metadata?: Record<string, string> | null;
  from: string;
  to: string;
  amount: number | string;
  asset?: string | null;
  reason?: string | null;
  reference?: string | null;
}

/** Move between two customers, or two stock accounts. */
export interface TransferItem {
  idempotency_key: string;
  metadata?: Record<string, string> | null;
  reason?: string | null;
  reference?: string | null;
  op: "transfer";
  from: string;
  to: string;
  asset?: string | null;
  amount: number | string;
}

/** A transfer: its movement on the giving side, and both balances. */
export interface Transferred {
  movement: Movement;
  from: Balance;
  to: Balance;
}

/** Received events of one state that are not done. */
export interface Trouble {
  count: number;
  oldest_seconds: number;
}

/** What a customer has done today. */
export interface UsageBody {
  customer: string;
  metric: string;
  amount?: number;
}

/** What a customer has used today. */
export interface Usage {
  customer: string;
  metrics: Record<string, Metric>;
}

/** What a customer has used today; not `counted` when it was counted before. */
export interface Used {
  customer: string;
  metrics: Record<string, Metric>;
  counted: boolean;
}

/** Whether the books balance. */
export interface Verified {
  balanced: boolean;
  accounts: number;
  movements: number;
  drift: Drift[];
  truncated: boolean;
  checked_at: string;
}

export interface CreditsHoldsQuery {
  limit?: number;
  cursor?: string;
  /** A customer token may leave it out. */
  customer: string;
  asset?: string;
}

export interface CreditsReadPurchaseQuery {
  wait_seconds?: number;
}

export interface CreditsReadTopUpQuery {
  /** A customer token may leave it out. */
  customer: string;
}

export interface CreditsReadMarginQuery {
  from?: string;
  to?: string;
  by?: "action" | "customer" | "model";
  asset?: string;
}

export interface StockProductsQuery {
  limit?: number;
  cursor?: string;
}

export interface StockMovementsQuery {
  limit?: number;
  cursor?: string;
  product?: string;
  size?: string;
}

export interface CheckoutOrdersQuery {
  limit?: number;
  cursor?: string;
  customer?: string;
  status?: 
    | "reserved"
    | "paid"
    | "fulfilled"
    | "expired"
    | "cancelled"
    | "refunded"
    | "disputed";
}

export interface CheckoutReadOrderQuery {
  /** Of the order's payment: a guest shows it to be let in. */
  client_secret?: string;
  wait_seconds?: number;
}

export interface TokensStatementsQuery {
  limit?: number;
  cursor?: string;
}

export interface BillingSubscriptionQuery {
  /** A customer token may leave it out. */
  customer: string;
}

export interface HooksDeliveriesQuery {
  limit?: number;
  cursor?: string;
}

export interface HooksHappeningsQuery {
  limit?: number;
  cursor?: string;
}

export interface CreditsBalanceQuery {
  /** A customer token may leave it out. */
  customer: string;
  asset?: string;
  /** As it was then, with all that happened at that very moment. */
  at?: string;
}

export interface CreditsMovementsQuery {
  limit?: number;
  cursor?: string;
  /** A customer token may leave it out. */
  customer: string;
  asset?: string;
  from?: string;
  to?: string;
  kind?: 
    | "grant"
    | "purchase"
    | "spend"
    | "capture"
    | "transfer"
    | "refund"
    | "expiry"
    | "reversal"
    | "adjustment"
    | "allowance"
    | "hold"
    | "release"
    | "renewal"
    | "hold_expiry";
}

export interface CreditsLotsQuery {
  limit?: number;
  cursor?: string;
  /** A customer token may leave it out. */
  customer: string;
  asset?: string;
}

export interface CreditsPricesQuery {
  limit?: number;
  cursor?: string;
  asset?: string;
}

export interface LedgerVerifyQuery {
  full?: boolean;
}

export interface AssetsAssetsQuery {
  limit?: number;
  cursor?: string;
}

export interface LedgerExplainBalanceQuery {
  limit?: number;
  cursor?: string;
  /** A customer token may leave it out. */
  customer: string;
  asset?: string;
  /** As it was then, with all that happened at that very moment. */
  at?: string;
}

export interface CustomersCustomersQuery {
  limit?: number;
  cursor?: string;
}

export interface KeysKeysQuery {
  limit?: number;
  cursor?: string;
  book?: "live" | "test";
}

export interface KeysRevokeKeyQuery {
  book?: "live" | "test";
}

export interface GuardsUsageQuery {
  customer: string;
  metrics: string;
}

export interface GuardsLookQuery {
  key: string;
  /** What it is forgotten with; itself if none. */
  group?: string;
}

export interface JobsJobsQuery {
  limit?: number;
  cursor?: string;
  type?: string;
  queue?: "default" | "email" | "pdf";
  status?: "pending" | "running" | "succeeded" | "failed" | "dead" | "cancelled";
}

export interface PaymentsEventsQuery {
  limit?: number;
  cursor?: string;
  state?: 
    | "received"
    | "deferred"
    | "failed"
    | "done"
    | "ignored"
    | "orphan"
    | "dead";
  type?: string;
  /** Only those that are not done. */
  troubles?: boolean;
}

export interface PaymentsReplayQuery {
  dry_run?: boolean;
}

export interface PaymentsCasesQuery {
  limit?: number;
  cursor?: string;
}

export interface OperationsStatsQuery {
  counters?: string;
}
