"""A row in every table that payments keep of a book."""

from tests.support.site import TEST, Site

_ROWS = (
    """inbox (book_id, source, event_id, type, object_id, livemode, occurred_at, via)
       VALUES ({book}, 'stripe', 'evt_1', 'charge.refunded', 'pi_1', false, now(), 'webhook')""",
    "provider_cursors VALUES ({book}, 'stripe', now())",
    """provider_customers (book_id, livemode, customer_id, provider_id)
       SELECT {book}, false, min(id), 'cus_{book}' FROM comptoir.customers
       WHERE book_id = {book}""",
    """provider_prices (book_id, livemode, price, product, item, amount, currency)
       VALUES ({book}, false, 'price_1', 'prod_1', 'pack:7:1', 100, 'eur')""",
    """packs (book_id, pack, version, name, asset_id, credits, amount, currency)
       SELECT {book}, '7', 1, '{{}}', min(id), 7, 100, 'eur'
       FROM comptoir.assets WHERE book_id = {book}""",
    """plan_prices (book_id, plan, period, version, amount, currency)
       SELECT {book}, min(plan), 'month', 99, 100, 'eur' FROM comptoir.plans
       WHERE book_id = {book}""",
    """plan_allowances (book_id, plan, asset_id, version, amount)
       SELECT {book}, min(p.plan), min(a.id), 99, 5 FROM comptoir.plans p, comptoir.assets a
       WHERE p.book_id = {book} AND a.book_id = {book}""",
    """payments (book_id, id, purpose, amount, currency, livemode)
       VALUES ({book}, {id}, 'pack', 100, 'eur', false)""",
    """purchases (book_id, id, customer_id, pack, pack_version, asset_id, credits)
       SELECT {book}, {id}, 1, pack, version, asset_id, credits FROM comptoir.packs
       WHERE book_id = {book} AND pack = '7'""",
    "payment_grants VALUES ({book}, {id}, 1, 1, 7)",
    """refunds (book_id, id, payment_id, provider_id, amount)
       VALUES ({book}, {id}, {id}, 're_{book}', 50)""",
    """disputes (book_id, provider_id, payment_id, amount, status)
       VALUES ({book}, 'du_{book}', {id}, 50, 'lost')""",
    """takings (book_id, payment_id, no, cause, account_id, grant_version, amount)
       VALUES ({book}, {id}, 1, 'refund', 1, 1, 3)""",
    """subscriptions (book_id, provider_id, customer_id, livemode, price, status, told_at,
       created_at) VALUES ({book}, 'sub_{book}', 1, false, 'price_1', 'active', now(), now())""",
    """invoices VALUES
       ({book}, 'in_{book}', 'sub_{book}', 1, 'cycle', 9, 'eur', now(), now(), now())""",
    """allowances (book_id, invoice, asset_id, account_id, version, amount, expires_at)
       VALUES ({book}, 'in_{book}', 1, 1, 1, 5, now())""",
    "cases (book_id, id, kind, subject) VALUES ({book}, {id}, 'foreign-amount', 'pi_1')",
    "outbox (book_id, id, type) VALUES ({book}, {id}, 'purchase.paid')",
    """hooks (book_id, id, url, types)
       VALUES ({book}, {id}, 'https://shop.example/hook', '{{*}}')""",
    "hook_deliveries (book_id, hook_id, event_id) VALUES ({book}, {id}, {id})",
    """top_ups (book_id, customer_id, pack, enabled, monthly_cap)
       VALUES ({book}, 1, '7', false, 100)""",
    "token_tallies VALUES ({book}, 1, '2026-01-01', 3, 1, 1)",
    "token_resets (book_id, account_id, version) VALUES ({book}, 1, 1)",
    """statements (book_id, account_id, month, id, customer_id, starts_at, ends_at, spent,
       generations, unit_price, currency, amount, billing)
       VALUES ({book}, 1, '2026-01-01', {id}, 1, now(), now(), 3, 1, 2, 'eur', 6, 'report')""",
    """products (book_id, product, name, amount, currency)
       VALUES ({book}, 'TEE', 'Tee', 100, 'eur')""",
    """sizes (book_id, product, size, place, account_id)
       SELECT {book}, 'TEE', 'M', 0, min(id) FROM comptoir.accounts
       WHERE book_id = {book} AND bounded""",
    """orders (book_id, id, origin, amount, hold, created_at, expires_at)
       VALUES ({book}, {id}, 'caller', 100, '\\x01', now(), now())""",
    """order_lines (book_id, order_id, no, product, size, account_id, quantity, unit_amount,
       on_refund) VALUES ({book}, {id}, 1, 'TEE', 'M', 1, 1, 100, 'keep')""",
    "order_series VALUES ({book}, 2026, 1)",
    """operator_logins (book_id, id, hash, name, role, expires_at)
       VALUES ({book}, {id}, '\\x0{book}', 'operator', 'admin', now())""",
    """operator_sessions (book_id, id, hash, name, role, shown_book, expires_at)
       VALUES ({book}, {id}, '\\x0{book}', 'operator', 'admin', {book}, now())""",
    """earnings SELECT {book}, min(id), now(), 'ai', '', '', 1, 1, 0, 1, 1 FROM comptoir.assets
       WHERE book_id = {book}""",
    """earnings_until SELECT {book}, min(id), now() FROM comptoir.assets
       WHERE book_id = {book}""",
    """audit (book_id, id, who, action, subject)
       VALUES ({book}, {id}, 'operator', 'grant', 'mv_1_1')""",
    """portal_visits (book_id, id, customer_id, hash, expires_at)
       SELECT {book}, {id}, min(id), '\\x0{book}', now() FROM comptoir.customers
       WHERE book_id = {book}""",
)


def money(site: Site, who: str) -> None:
    """Fill them by hand: what counts is that something is there."""
    book = TEST if who.startswith("test") else 1
    id_ = f"'00000000-0000-7000-8000-00000000000{book}'"
    for row in _ROWS:
        statement = row.format(book=book, id=id_)
        site.sql(f"INSERT INTO comptoir.{statement} ON CONFLICT DO NOTHING RETURNING book_id")
