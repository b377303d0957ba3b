// Made by scripts/typescript_client.py of the OpenAPI document: change that, not this.

import { caller, part } from "./core.js";
import type { Call, Keyed, MayBeKeyed, Options, Settings } from "./core.js";
import type * as t from "./types.js";

export class Credits {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Spend credits.
   * POST /api/credits/spend
   * For: operator, service keys.
   */
  spend(body: t.SpendBody, options: Keyed): Promise<t.Moved> {
    return this.#call({
      method: "POST",
      path: "/api/credits/spend",
      body,
    }, options);
  }

  /**
   * Give credits.
   * POST /api/credits/grant
   * For: operator, service keys.
   */
  grant(body: t.GrantBody, options: Keyed): Promise<t.Moved> {
    return this.#call({
      method: "POST",
      path: "/api/credits/grant",
      body,
    }, options);
  }

  /**
   * Hold credits.
   * POST /api/credits/holds
   * For: operator, service keys.
   */
  hold(body: t.HoldBody, options: Keyed): Promise<t.HoldMade> {
    return this.#call({
      method: "POST",
      path: "/api/credits/holds",
      body,
    }, options);
  }

  /**
   * List holds, newest first.
   * GET /api/credits/holds
   * For: customer, operator, service keys.
   */
  holds(query: t.CreditsHoldsQuery, options: Options = {}): Promise<t.Listed<t.Hold>> {
    return this.#call({
      method: "GET",
      path: "/api/credits/holds",
      query,
    }, options);
  }

  /**
   * Capture a hold.
   * POST /api/credits/holds/{hold}/capture
   * For: operator, service keys.
   */
  capture(hold: string, body: t.CaptureBody, options: Keyed): Promise<t.Captured> {
    return this.#call({
      method: "POST",
      path: `/api/credits/holds/${part(hold)}/capture`,
      body,
    }, options);
  }

  /**
   * Release a hold.
   * POST /api/credits/holds/{hold}/release
   * For: operator, service keys.
   */
  release(hold: string, body: t.ReleaseBody, options: Keyed): Promise<t.HoldMade> {
    return this.#call({
      method: "POST",
      path: `/api/credits/holds/${part(hold)}/release`,
      body,
    }, options);
  }

  /**
   * Renew a hold.
   * POST /api/credits/holds/{hold}/renew
   * For: operator, service keys.
   */
  renew(hold: string, body: t.RenewBody, options: Keyed): Promise<t.HoldMade> {
    return this.#call({
      method: "POST",
      path: `/api/credits/holds/${part(hold)}/renew`,
      body,
    }, options);
  }

  /**
   * Reverse a movement.
   * POST /api/credits/reverse
   * For: operator keys.
   */
  reverse(body: t.ReverseBody, options: Keyed): Promise<t.Moved> {
    return this.#call({
      method: "POST",
      path: "/api/credits/reverse",
      body,
    }, options);
  }

  /**
   * List the packs for sale.
   * GET /api/credits/packs
   * For: customer, operator, service keys.
   */
  listPacks(options: Options = {}): Promise<t.Packs> {
    return this.#call({
      method: "GET",
      path: "/api/credits/packs",
    }, options);
  }

  /**
   * Buy a pack.
   * POST /api/credits/buy
   * For: customer, operator, service keys.
   */
  buy(body: t.BuyBody, options: MayBeKeyed = {}): Promise<t.Begun> {
    return this.#call({
      method: "POST",
      path: "/api/credits/buy",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * Read a purchase.
   * GET /api/credits/purchases/{id}
   * For: customer, operator, service keys.
   */
  readPurchase(
    id: string,
    query: t.CreditsReadPurchaseQuery = {},
    options: Options = {},
  ): Promise<t.Purchase> {
    return this.#call({
      method: "GET",
      path: `/api/credits/purchases/${part(id)}`,
      query,
    }, options);
  }

  /**
   * Read how a customer buys again.
   * GET /api/credits/top-up
   * For: customer, operator, service keys.
   */
  readTopUp(query: t.CreditsReadTopUpQuery, options: Options = {}): Promise<t.TopUp> {
    return this.#call({
      method: "GET",
      path: "/api/credits/top-up",
      query,
    }, options);
  }

  /**
   * Say how a customer buys again.
   * PUT /api/credits/top-up
   * For: operator, service keys.
   */
  putTopUp(body: t.TopUpBody, options: Options = {}): Promise<t.TopUp> {
    return this.#call({
      method: "PUT",
      path: "/api/credits/top-up",
      body,
    }, options);
  }

  /**
   * See what is earned.
   * GET /api/credits/margin
   * For: operator keys.
   */
  readMargin(query: t.CreditsReadMarginQuery = {}, options: Options = {}): Promise<t.Margin> {
    return this.#call({
      method: "GET",
      path: "/api/credits/margin",
      query,
    }, options);
  }

  /**
   * Read a balance.
   * GET /api/credits/balance
   * For: customer, operator, service keys.
   */
  balance(query: t.CreditsBalanceQuery, options: Options = {}): Promise<t.Balance> {
    return this.#call({
      method: "GET",
      path: "/api/credits/balance",
      query,
    }, options);
  }

  /**
   * List movements, newest first.
   * GET /api/credits/transactions
   * For: customer, operator, service keys.
   */
  movements(query: t.CreditsMovementsQuery, options: Options = {}): Promise<t.Listed<t.Movement>> {
    return this.#call({
      method: "GET",
      path: "/api/credits/transactions",
      query,
    }, options);
  }

  /**
   * List open lots in burning order.
   * GET /api/credits/lots
   * For: customer, operator, service keys.
   */
  lots(query: t.CreditsLotsQuery, options: Options = {}): Promise<t.Listed<t.Lot>> {
    return this.#call({
      method: "GET",
      path: "/api/credits/lots",
      query,
    }, options);
  }

  /**
   * Read a hold.
   * GET /api/credits/holds/{hold}
   * For: customer, operator, service keys.
   */
  readHold(hold: string, options: Options = {}): Promise<t.Hold> {
    return this.#call({
      method: "GET",
      path: `/api/credits/holds/${part(hold)}`,
    }, options);
  }

  /**
   * List prices.
   * GET /api/credits/prices
   * For: operator, service keys.
   */
  prices(query: t.CreditsPricesQuery = {}, options: Options = {}): Promise<t.Listed<t.Price>> {
    return this.#call({
      method: "GET",
      path: "/api/credits/prices",
      query,
    }, options);
  }

  /**
   * Set a price.
   * PUT /api/credits/prices
   * For: operator keys.
   */
  setPrice(body: t.PriceBody, options: Options = {}): Promise<t.Price> {
    return this.#call({
      method: "PUT",
      path: "/api/credits/prices",
      body,
    }, options);
  }
}

export class Ledger {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Transfer between customers.
   * POST /api/ledger/transfer
   * For: operator, service keys.
   */
  transfer(body: t.TransferBody, options: Keyed): Promise<t.Transferred> {
    return this.#call({
      method: "POST",
      path: "/api/ledger/transfer",
      body,
    }, options);
  }

  /**
   * Many requests at once.
   * POST /api/ledger/batch
   * For: operator, service keys.
   */
  batch(body: t.BatchBody, options: Options = {}): Promise<t.Results> {
    return this.#call({
      method: "POST",
      path: "/api/ledger/batch",
      body,
      repeats: true,
    }, options);
  }

  /**
   * Check that the books balance.
   * GET /api/ledger/verify
   * For: operator keys.
   */
  verify(query: t.LedgerVerifyQuery = {}, options: Options = {}): Promise<t.Verified> {
    return this.#call({
      method: "GET",
      path: "/api/ledger/verify",
      query,
    }, options);
  }

  /**
   * Explain a balance.
   * GET /api/ledger/explain
   * For: operator, service keys.
   */
  explainBalance(
    query: t.LedgerExplainBalanceQuery,
    options: Options = {},
  ): Promise<t.Explanation> {
    return this.#call({
      method: "GET",
      path: "/api/ledger/explain",
      query,
    }, options);
  }
}

export class Checkout {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Set a cart aside and begin its payment.
   * POST /api/checkout/create-payment-intent
   * For: customer, operator, service keys, and for guests, who send no key at all.
   */
  createPaymentIntent(body: t.CartBody, options: MayBeKeyed = {}): Promise<t.Intent> {
    return this.#call({
      method: "POST",
      path: "/api/checkout/create-payment-intent",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * The same, to be paid on Stripe's page.
   * POST /api/checkout/create-session
   * For: customer, operator, service keys, and for guests, who send no key at all.
   */
  createSession(body: t.CartPageBody, options: MayBeKeyed = {}): Promise<t.Session> {
    return this.#call({
      method: "POST",
      path: "/api/checkout/create-session",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * List orders.
   * GET /api/orders
   * For: customer, operator, service keys.
   */
  orders(query: t.CheckoutOrdersQuery = {}, options: Options = {}): Promise<t.Listed<t.Order>> {
    return this.#call({
      method: "GET",
      path: "/api/orders",
      query,
    }, options);
  }

  /**
   * Read an order.
   * GET /api/orders/{id}
   * For: customer, operator, service keys, and for guests, who send no key at all.
   */
  readOrder(
    id: string,
    query: t.CheckoutReadOrderQuery = {},
    options: Options = {},
  ): Promise<t.Order> {
    return this.#call({
      method: "GET",
      path: `/api/orders/${part(id)}`,
      query,
    }, options);
  }

  /**
   * Cancel an order that is not paid.
   * POST /api/orders/{id}/cancel
   * For: customer, operator, service keys, and for guests, who send no key at all.
   */
  cancelOrder(id: string, body: t.CancelOrderBody = {}, options: Options = {}): Promise<t.Order> {
    return this.#call({
      method: "POST",
      path: `/api/orders/${part(id)}/cancel`,
      body,
    }, options);
  }

  /**
   * Say that an order was sent.
   * POST /api/orders/{id}/fulfil
   * For: operator keys.
   */
  fulfilOrder(id: string, options: Options = {}): Promise<t.Order> {
    return this.#call({
      method: "POST",
      path: `/api/orders/${part(id)}/fulfil`,
    }, options);
  }

  /**
   * Take goods of an order back.
   * POST /api/orders/{id}/return
   * For: operator keys.
   */
  returnOrder(id: string, body: t.ReturnBody, options: Keyed): Promise<t.Returned> {
    return this.#call({
      method: "POST",
      path: `/api/orders/${part(id)}/return`,
      body,
    }, options);
  }
}

export class Stock {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * List products.
   * GET /api/stock/products
   * For: customer, operator, service keys, and for guests, who send no key at all.
   */
  products(query: t.StockProductsQuery = {}, options: Options = {}): Promise<t.Listed<t.Product>> {
    return this.#call({
      method: "GET",
      path: "/api/stock/products",
      query,
    }, options);
  }

  /**
   * Read a product.
   * GET /api/stock/products/{product}
   * For: customer, operator, service keys, and for guests, who send no key at all.
   */
  product(product: string, options: Options = {}): Promise<t.Product> {
    return this.#call({
      method: "GET",
      path: `/api/stock/products/${part(product)}`,
    }, options);
  }

  /**
   * Sell a product in sizes.
   * PUT /api/stock/products/{product}
   * For: operator keys.
   */
  putProduct(product: string, body: t.ProductBody, options: Options = {}): Promise<t.Product> {
    return this.#call({
      method: "PUT",
      path: `/api/stock/products/${part(product)}`,
      body,
    }, options);
  }

  /**
   * Move stock.
   * POST /api/stock/movements
   * For: operator keys.
   */
  move(body: t.StockMovementBody, options: Keyed): Promise<t.StockMoved> {
    return this.#call({
      method: "POST",
      path: "/api/stock/movements",
      body,
    }, options);
  }

  /**
   * List movements of stock.
   * GET /api/stock/movements
   * For: operator keys.
   */
  movements(
    query: t.StockMovementsQuery = {},
    options: Options = {},
  ): Promise<t.Listed<t.StockMovement>> {
    return this.#call({
      method: "GET",
      path: "/api/stock/movements",
      query,
    }, options);
  }

  /**
   * Set stock aside.
   * POST /api/stock/reservations
   * For: operator, service keys.
   */
  reserve(body: t.ReserveStockBody, options: MayBeKeyed = {}): Promise<t.ReservedStock> {
    return this.#call({
      method: "POST",
      path: "/api/stock/reservations",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * Read a reservation.
   * GET /api/stock/reservations/{id}
   * For: operator, service keys.
   */
  read(id: string, options: Options = {}): Promise<t.Reservation> {
    return this.#call({
      method: "GET",
      path: `/api/stock/reservations/${part(id)}`,
    }, options);
  }

  /**
   * Give back what was set aside.
   * POST /api/stock/reservations/{id}/release
   * For: operator, service keys.
   */
  release(id: string, options: Options = {}): Promise<t.Reservation> {
    return this.#call({
      method: "POST",
      path: `/api/stock/reservations/${part(id)}/release`,
    }, options);
  }

  /**
   * Sell what was set aside.
   * POST /api/stock/reservations/{id}/commit
   * For: operator, service keys.
   */
  commit(id: string, body: t.CommitStockBody, options: Options = {}): Promise<t.Reservation> {
    return this.#call({
      method: "POST",
      path: `/api/stock/reservations/${part(id)}/commit`,
      body,
    }, options);
  }

  /**
   * See what is set aside.
   * GET /api/admin/clean-expired-reservations
   * For: operator keys.
   */
  activeReservations(options: Options = {}): Promise<t.Active> {
    return this.#call({
      method: "GET",
      path: "/api/admin/clean-expired-reservations",
    }, options);
  }

  /**
   * Release expired reservations.
   * POST /api/admin/clean-expired-reservations
   * For: operator keys.
   */
  cleanExpiredReservations(options: Options = {}): Promise<t.Cleaned> {
    return this.#call({
      method: "POST",
      path: "/api/admin/clean-expired-reservations",
    }, options);
  }
}

export class Tokens {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Read a customer's tokens.
   * GET /api/tokens/{customer}/stats
   * For: customer, operator, service keys.
   */
  stats(customer: string, options: Options = {}): Promise<t.TokenStats> {
    return this.#call({
      method: "GET",
      path: `/api/tokens/${part(customer)}/stats`,
    }, options);
  }

  /**
   * Record a generation.
   * POST /api/tokens/{customer}/generations
   * For: operator, service keys.
   */
  generate(customer: string, body: t.GenerationBody, options: Keyed): Promise<t.TokenStats> {
    return this.#call({
      method: "POST",
      path: `/api/tokens/${part(customer)}/generations`,
      body,
    }, options);
  }

  /**
   * Add tokens.
   * POST /api/tokens/{customer}/add
   * For: operator, service keys.
   */
  add(customer: string, body: t.AddBody, options: Keyed): Promise<t.TokenStats> {
    return this.#call({
      method: "POST",
      path: `/api/tokens/${part(customer)}/add`,
      body,
    }, options);
  }

  /**
   * Start anew.
   * POST /api/tokens/{customer}/reset
   * For: operator keys.
   */
  reset(customer: string, options: Keyed): Promise<t.TokenStats> {
    return this.#call({
      method: "POST",
      path: `/api/tokens/${part(customer)}/reset`,
    }, options);
  }

  /**
   * List a customer's statements.
   * GET /api/tokens/{customer}/statements
   * For: customer, operator, service keys.
   */
  statements(
    customer: string,
    query: t.TokensStatementsQuery = {},
    options: Options = {},
  ): Promise<t.Listed<t.Statement>> {
    return this.#call({
      method: "GET",
      path: `/api/tokens/${part(customer)}/statements`,
      query,
    }, options);
  }
}

export class Billing {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Subscribe to a plan.
   * POST /api/billing/checkout
   * For: customer, operator, service keys.
   */
  subscribe(body: t.SubscribeBody, options: MayBeKeyed = {}): Promise<t.Checkout> {
    return this.#call({
      method: "POST",
      path: "/api/billing/checkout",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * Open the customer's portal.
   * POST /api/billing/portal
   * For: customer, operator, service keys.
   */
  portal(body: t.PortalBody, options: Options = {}): Promise<t.Portal> {
    return this.#call({
      method: "POST",
      path: "/api/billing/portal",
      body,
    }, options);
  }

  /**
   * List the plans.
   * GET /api/billing/plans
   * For: customer, operator, service keys.
   */
  plans(options: Options = {}): Promise<t.Plans> {
    return this.#call({
      method: "GET",
      path: "/api/billing/plans",
    }, options);
  }

  /**
   * Read a subscription.
   * GET /api/billing/subscription
   * For: customer, operator, service keys.
   */
  subscription(query: t.BillingSubscriptionQuery, options: Options = {}): Promise<t.Subscription> {
    return this.#call({
      method: "GET",
      path: "/api/billing/subscription",
      query,
    }, options);
  }
}

export class Payments {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Collect a payment.
   * POST /api/payments/create
   * For: operator, service keys.
   */
  create(body: t.CollectBody, options: Keyed): Promise<t.PaymentMade> {
    return this.#call({
      method: "POST",
      path: "/api/payments/create",
      body,
    }, options);
  }

  /**
   * Read a payment.
   * GET /api/payments/{id}
   * For: operator, service keys.
   */
  read(id: string, options: Options = {}): Promise<t.Payment> {
    return this.#call({
      method: "GET",
      path: `/api/payments/${part(id)}`,
    }, options);
  }

  /**
   * Send money back.
   * POST /api/payments/{id}/refund
   * For: operator keys.
   */
  refund(id: string, body: t.RefundBody, options: Keyed): Promise<t.Refund> {
    return this.#call({
      method: "POST",
      path: `/api/payments/${part(id)}/refund`,
      body,
    }, options);
  }

  /**
   * List received events.
   * GET /api/admin/webhooks
   * For: operator keys.
   */
  events(query: t.PaymentsEventsQuery = {}, options: Options = {}): Promise<t.Listed<t.Inbox>> {
    return this.#call({
      method: "GET",
      path: "/api/admin/webhooks",
      query,
    }, options);
  }

  /**
   * Read a received event.
   * GET /api/admin/webhooks/{id}
   * For: operator keys.
   */
  event(id: string, options: Options = {}): Promise<t.InboxEvent> {
    return this.#call({
      method: "GET",
      path: `/api/admin/webhooks/${part(id)}`,
    }, options);
  }

  /**
   * Replay an event.
   * POST /api/admin/webhooks/{id}/replay
   * For: operator keys.
   */
  replay(id: string, query: t.PaymentsReplayQuery = {}, options: Options = {}): Promise<t.Replay> {
    return this.#call({
      method: "POST",
      path: `/api/admin/webhooks/${part(id)}/replay`,
      query,
    }, options);
  }

  /**
   * Reconcile with Stripe.
   * POST /api/admin/reconcile
   * For: operator keys.
   */
  reconcile(body: t.ReconcileBody = {}, options: Options = {}): Promise<t.Reconciled> {
    return this.#call({
      method: "POST",
      path: "/api/admin/reconcile",
      body,
    }, options);
  }

  /**
   * List what needs a human.
   * GET /api/admin/cases
   * For: operator keys.
   */
  cases(query: t.PaymentsCasesQuery = {}, options: Options = {}): Promise<t.Listed<t.Case>> {
    return this.#call({
      method: "GET",
      path: "/api/admin/cases",
      query,
    }, options);
  }

  /**
   * Close a case.
   * POST /api/admin/cases/{id}/close
   * For: operator keys.
   */
  close(id: string, body: t.CloseBody, options: Options = {}): Promise<t.Case> {
    return this.#call({
      method: "POST",
      path: `/api/admin/cases/${part(id)}/close`,
      body,
    }, options);
  }
}

export class Hooks {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Tell others of what happens.
   * POST /api/hooks
   * For: operator keys.
   */
  add(body: t.HookBody, options: Options = {}): Promise<t.NewHook> {
    return this.#call({
      method: "POST",
      path: "/api/hooks",
      body,
    }, options);
  }

  /**
   * List outgoing webhooks.
   * GET /api/hooks
   * For: operator keys.
   */
  list(options: Options = {}): Promise<t.Hooks> {
    return this.#call({
      method: "GET",
      path: "/api/hooks",
    }, options);
  }

  /**
   * Remove an outgoing webhook.
   * DELETE /api/hooks/{id}
   * For: operator keys.
   */
  remove(id: string, options: Options = {}): Promise<t.Removed> {
    return this.#call({
      method: "DELETE",
      path: `/api/hooks/${part(id)}`,
    }, options);
  }

  /**
   * Roll the secret of a webhook.
   * POST /api/hooks/{id}/roll
   * For: operator keys.
   */
  roll(id: string, options: Options = {}): Promise<t.Rolled> {
    return this.#call({
      method: "POST",
      path: `/api/hooks/${part(id)}/roll`,
    }, options);
  }

  /**
   * List what a webhook was told.
   * GET /api/hooks/{id}/deliveries
   * For: operator keys.
   */
  deliveries(
    id: string,
    query: t.HooksDeliveriesQuery = {},
    options: Options = {},
  ): Promise<t.Listed<t.Delivery>> {
    return this.#call({
      method: "GET",
      path: `/api/hooks/${part(id)}/deliveries`,
      query,
    }, options);
  }

  /**
   * Tell something once more.
   * POST /api/hooks/{id}/replay
   * For: operator keys.
   */
  retell(id: string, body: t.RetellBody, options: Options = {}): Promise<t.Told> {
    return this.#call({
      method: "POST",
      path: `/api/hooks/${part(id)}/replay`,
      body,
    }, options);
  }

  /**
   * List what has happened.
   * GET /api/events
   * For: operator keys.
   */
  happenings(
    query: t.HooksHappeningsQuery = {},
    options: Options = {},
  ): Promise<t.Listed<t.Happening>> {
    return this.#call({
      method: "GET",
      path: "/api/events",
      query,
    }, options);
  }
}

export class Assets {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * List assets.
   * GET /api/assets
   * For: operator, service keys.
   */
  list(query: t.AssetsAssetsQuery = {}, options: Options = {}): Promise<t.Listed<t.Asset>> {
    return this.#call({
      method: "GET",
      path: "/api/assets",
      query,
    }, options);
  }

  /**
   * Add an asset.
   * POST /api/assets
   * For: operator keys.
   */
  add(body: t.AssetBody, options: Options = {}): Promise<t.Asset> {
    return this.#call({
      method: "POST",
      path: "/api/assets",
      body,
    }, options);
  }
}

export class Customers {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Export a customer.
   * GET /api/customers/{customer}/export
   * For: operator, service keys.
   */
  export(customer: string, options: Options = {}): Promise<t.Export> {
    return this.#call({
      method: "GET",
      path: `/api/customers/${part(customer)}/export`,
    }, options);
  }

  /**
   * Erase a customer.
   * POST /api/customers/{customer}/erase
   * For: operator keys.
   */
  erase(customer: string, options: MayBeKeyed = {}): Promise<t.Erased> {
    return this.#call({
      method: "POST",
      path: `/api/customers/${part(customer)}/erase`,
      makesKey: true,
    }, options);
  }

  /**
   * List customers.
   * GET /api/customers
   * For: operator, service keys.
   */
  list(
    query: t.CustomersCustomersQuery = {},
    options: Options = {},
  ): Promise<t.Listed<t.Customer>> {
    return this.#call({
      method: "GET",
      path: "/api/customers",
      query,
    }, options);
  }

  /**
   * Read a customer.
   * GET /api/customers/{customer}
   * For: operator, service keys.
   */
  get(customer: string, options: Options = {}): Promise<t.Customer> {
    return this.#call({
      method: "GET",
      path: `/api/customers/${part(customer)}`,
    }, options);
  }

  /**
   * Add or change a customer.
   * PUT /api/customers/{customer}
   * For: operator, service keys.
   */
  put(customer: string, body: t.CustomerBody = {}, options: Options = {}): Promise<t.Customer> {
    return this.#call({
      method: "PUT",
      path: `/api/customers/${part(customer)}`,
      body,
    }, options);
  }

  /**
   * Make a link to a customer's own pages.
   * POST /api/portal-links
   * For: operator, service keys.
   */
  addLink(body: t.PortalLinkBody, options: Options = {}): Promise<t.PortalLink> {
    return this.#call({
      method: "POST",
      path: "/api/portal-links",
      body,
    }, options);
  }
}

export class Keys {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Add a key.
   * POST /api/keys
   * For: operator keys.
   */
  add(body: t.KeyBody, options: MayBeKeyed = {}): Promise<t.NewKey> {
    return this.#call({
      method: "POST",
      path: "/api/keys",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * List keys.
   * GET /api/keys
   * For: operator keys.
   */
  list(query: t.KeysKeysQuery = {}, options: Options = {}): Promise<t.Listed<t.Key>> {
    return this.#call({
      method: "GET",
      path: "/api/keys",
      query,
    }, options);
  }

  /**
   * Replace a key by a new one.
   * POST /api/keys/{id}/rotate
   * For: operator keys.
   */
  rotate(id: string, body: t.RotateBody = {}, options: MayBeKeyed = {}): Promise<t.Rotated> {
    return this.#call({
      method: "POST",
      path: `/api/keys/${part(id)}/rotate`,
      body,
      makesKey: true,
    }, options);
  }

  /**
   * Revoke a key.
   * DELETE /api/keys/{id}
   * For: operator keys.
   */
  revoke(id: string, query: t.KeysRevokeKeyQuery = {}, options: Options = {}): Promise<t.Key> {
    return this.#call({
      method: "DELETE",
      path: `/api/keys/${part(id)}`,
      query,
    }, options);
  }

  /**
   * Give a customer a token.
   * POST /api/customer-tokens
   * For: operator, service keys.
   */
  addToken(body: t.TokenBody, options: Options = {}): Promise<t.Token> {
    return this.#call({
      method: "POST",
      path: "/api/customer-tokens",
      body,
    }, options);
  }
}

export class Books {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Empty a test book.
   * POST /api/books/{book}/reset
   * For: operator keys.
   */
  reset(book: string, options: MayBeKeyed = {}): Promise<t.Reset> {
    return this.#call({
      method: "POST",
      path: `/api/books/${part(book)}/reset`,
      makesKey: true,
    }, options);
  }
}

export class Guards {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Take a lock.
   * POST /api/locks
   * For: operator, service keys.
   */
  takeLock(body: t.LockBody, options: MayBeKeyed = {}): Promise<t.Lock> {
    return this.#call({
      method: "POST",
      path: "/api/locks",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * Hold a lock for longer.
   * POST /api/locks/{lock}/renew
   * For: operator, service keys.
   */
  renewLock(
    lock: string,
    body: t.LockRenewBody = {},
    options: Options = {},
  ): Promise<t.RenewedLock> {
    return this.#call({
      method: "POST",
      path: `/api/locks/${part(lock)}/renew`,
      body,
    }, options);
  }

  /**
   * Release a lock.
   * POST /api/locks/{lock}/release
   * For: operator, service keys.
   */
  releaseLock(lock: string, options: Options = {}): Promise<t.ReleasedLock> {
    return this.#call({
      method: "POST",
      path: `/api/locks/${part(lock)}/release`,
    }, options);
  }

  /**
   * Count.
   * POST /api/counters/{name}
   * For: operator, service keys.
   */
  count(name: string, body: t.CountBody = {}, options: MayBeKeyed = {}): Promise<t.Counted> {
    return this.#call({
      method: "POST",
      path: `/api/counters/${part(name)}`,
      body,
      makesKey: true,
    }, options);
  }

  /**
   * Read a counter.
   * GET /api/counters/{name}
   * For: operator, service keys.
   */
  counter(name: string, options: Options = {}): Promise<t.Counter> {
    return this.#call({
      method: "GET",
      path: `/api/counters/${part(name)}`,
    }, options);
  }

  /**
   * Read what a customer used today.
   * GET /api/usage
   * For: operator, service keys.
   */
  usage(query: t.GuardsUsageQuery, options: Options = {}): Promise<t.Usage> {
    return this.#call({
      method: "GET",
      path: "/api/usage",
      query,
    }, options);
  }

  /**
   * Count for a customer's day.
   * POST /api/usage
   * For: operator, service keys.
   */
  use(body: t.UsageBody, options: MayBeKeyed = {}): Promise<t.Used> {
    return this.#call({
      method: "POST",
      path: "/api/usage",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * Reserve a quota.
   * POST /api/quotas/{metric}/reserve
   * For: operator, service keys.
   */
  reserve(metric: string, body: t.QuotaReserveBody, options: MayBeKeyed = {}): Promise<t.Reserved> {
    return this.#call({
      method: "POST",
      path: `/api/quotas/${part(metric)}/reserve`,
      body,
      makesKey: true,
    }, options);
  }

  /**
   * Use what was reserved.
   * POST /api/quotas/{metric}/commit
   * For: operator, service keys.
   */
  commit(metric: string, body: t.QuotaCommitBody, options: Options = {}): Promise<t.Settled> {
    return this.#call({
      method: "POST",
      path: `/api/quotas/${part(metric)}/commit`,
      body,
    }, options);
  }

  /**
   * Give a reservation back.
   * POST /api/quotas/{metric}/release
   * For: operator, service keys.
   */
  release(metric: string, body: t.QuotaReleaseBody, options: Options = {}): Promise<t.Settled> {
    return this.#call({
      method: "POST",
      path: `/api/quotas/${part(metric)}/release`,
      body,
    }, options);
  }

  /**
   * Begin a call that is made once.
   * POST /api/once
   * For: operator, service keys.
   */
  claim(body: t.ClaimBody, options: Options = {}): Promise<t.Claim> {
    return this.#call({
      method: "POST",
      path: "/api/once",
      body,
    }, options);
  }

  /**
   * Keep the result of a call.
   * POST /api/once/{claim}/finish
   * For: operator, service keys.
   */
  finish(claim: string, body: t.FinishBody, options: Options = {}): Promise<t.Finished> {
    return this.#call({
      method: "POST",
      path: `/api/once/${part(claim)}/finish`,
      body,
    }, options);
  }

  /**
   * Give a call back.
   * POST /api/once/{claim}/release
   * For: operator, service keys.
   */
  releaseClaim(claim: string, options: Options = {}): Promise<t.Released> {
    return this.#call({
      method: "POST",
      path: `/api/once/${part(claim)}/release`,
    }, options);
  }

  /**
   * Ask a rate limit.
   * POST /api/limits/hit
   * For: operator, service keys.
   */
  hit(body: t.HitBody, options: Options = {}): Promise<t.Hit> {
    return this.#call({
      method: "POST",
      path: "/api/limits/hit",
      body,
    }, options);
  }

  /**
   * Look a value up.
   * GET /api/cache
   * For: operator, service keys.
   */
  look(query: t.GuardsLookQuery, options: Options = {}): Promise<t.Cached> {
    return this.#call({
      method: "GET",
      path: "/api/cache",
      query,
    }, options);
  }

  /**
   * Keep a value.
   * PUT /api/cache
   * For: operator, service keys.
   */
  keep(body: t.CacheKeepBody, options: Options = {}): Promise<t.Kept> {
    return this.#call({
      method: "PUT",
      path: "/api/cache",
      body,
    }, options);
  }

  /**
   * Forget a group of values.
   * POST /api/cache/invalidate
   * For: operator, service keys.
   */
  invalidate(body: t.CacheInvalidateBody, options: Options = {}): Promise<t.Invalidated> {
    return this.#call({
      method: "POST",
      path: "/api/cache/invalidate",
      body,
    }, options);
  }

  /**
   * Forget values by a pattern.
   * POST /api/cache/sweep
   * For: operator keys.
   */
  sweep(body: t.CacheSweepBody, options: Options = {}): Promise<t.Swept> {
    return this.#call({
      method: "POST",
      path: "/api/cache/sweep",
      body,
    }, options);
  }
}

export class Jobs {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Lease the next jobs, to do them yourself.
   * POST /api/jobs/lease
   * For: operator, service keys.
   */
  lease(body: t.LeaseJobsBody, options: Options = {}): Promise<t.LeasedJobs> {
    return this.#call({
      method: "POST",
      path: "/api/jobs/lease",
      body,
    }, options);
  }

  /**
   * Keep a leased job for longer.
   * POST /api/jobs/{id}/renew
   * For: operator, service keys.
   */
  renew(id: string, body: t.RenewJobBody, options: Options = {}): Promise<t.RenewedJob> {
    return this.#call({
      method: "POST",
      path: `/api/jobs/${part(id)}/renew`,
      body,
    }, options);
  }

  /**
   * Keep the result of a leased job.
   * POST /api/jobs/{id}/complete
   * For: operator, service keys.
   */
  complete(id: string, body: t.CompleteJobBody, options: Options = {}): Promise<t.Job> {
    return this.#call({
      method: "POST",
      path: `/api/jobs/${part(id)}/complete`,
      body,
    }, options);
  }

  /**
   * Say that a leased job has failed.
   * POST /api/jobs/{id}/fail
   * For: operator, service keys.
   */
  fail(id: string, body: t.FailJobBody, options: Options = {}): Promise<t.Job> {
    return this.#call({
      method: "POST",
      path: `/api/jobs/${part(id)}/fail`,
      body,
    }, options);
  }

  /**
   * Enqueue a job.
   * POST /api/jobs
   * For: operator, service keys.
   */
  enqueue(body: t.JobBody, options: MayBeKeyed = {}): Promise<t.NewJob> {
    return this.#call({
      method: "POST",
      path: "/api/jobs",
      body,
      makesKey: true,
    }, options);
  }

  /**
   * List jobs, newest first.
   * GET /api/jobs
   * For: operator, service keys.
   */
  list(query: t.JobsJobsQuery = {}, options: Options = {}): Promise<t.Listed<t.Job>> {
    return this.#call({
      method: "GET",
      path: "/api/jobs",
      query,
    }, options);
  }

  /**
   * Read a job.
   * GET /api/jobs/{id}
   * For: operator, service keys.
   */
  get(id: string, options: Options = {}): Promise<t.Job> {
    return this.#call({
      method: "GET",
      path: `/api/jobs/${part(id)}`,
    }, options);
  }

  /**
   * Retry a job.
   * POST /api/jobs/{id}/retry
   * For: operator keys.
   */
  retry(id: string, options: Options = {}): Promise<t.Job> {
    return this.#call({
      method: "POST",
      path: `/api/jobs/${part(id)}/retry`,
    }, options);
  }

  /**
   * Cancel a job.
   * POST /api/jobs/{id}/cancel
   * For: operator keys.
   */
  cancel(id: string, options: Options = {}): Promise<t.Job> {
    return this.#call({
      method: "POST",
      path: `/api/jobs/${part(id)}/cancel`,
    }, options);
  }

  /**
   * Work off the queue pdf.
   * GET /api/cron/process-pdf
   * For: operator keys.
   */
  processPdf(options: Options = {}): Promise<t.Processed> {
    return this.#call({
      method: "GET",
      path: "/api/cron/process-pdf",
    }, options);
  }
}

export class Operations {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * See how everything is doing.
   * GET /api/admin/stats
   * For: operator keys.
   */
  stats(query: t.OperationsStatsQuery = {}, options: Options = {}): Promise<t.Stats> {
    return this.#call({
      method: "GET",
      path: "/api/admin/stats",
      query,
    }, options);
  }

  /**
   * Is the process alive?.
   * GET /health/live
   */
  live(options: Options = {}): Promise<t.Status> {
    return this.#call({
      method: "GET",
      path: "/health/live",
    }, options);
  }

  /**
   * Can it serve?.
   * GET /health/ready
   */
  isReady(options: Options = {}): Promise<t.Status> {
    return this.#call({
      method: "GET",
      path: "/health/ready",
    }, options);
  }
}

/** All routes, by what they are about. */
export class Comptoir {
  readonly credits: Credits;
  readonly ledger: Ledger;
  readonly checkout: Checkout;
  readonly stock: Stock;
  readonly tokens: Tokens;
  readonly billing: Billing;
  readonly payments: Payments;
  readonly hooks: Hooks;
  readonly assets: Assets;
  readonly customers: Customers;
  readonly keys: Keys;
  readonly books: Books;
  readonly guards: Guards;
  readonly jobs: Jobs;
  readonly operations: Operations;

  constructor(said: Settings) {
    const call = caller(said);
    this.credits = new Credits(call);
    this.ledger = new Ledger(call);
    this.checkout = new Checkout(call);
    this.stock = new Stock(call);
    this.tokens = new Tokens(call);
    this.billing = new Billing(call);
    this.payments = new Payments(call);
    this.hooks = new Hooks(call);
    this.assets = new Assets(call);
    this.customers = new Customers(call);
    this.keys = new Keys(call);
    this.books = new Books(call);
    this.guards = new Guards(call);
    this.jobs = new Jobs(call);
    this.operations = new Operations(call);
  }
}
