"""What is for sale: packs, plans and prices of actions from a versioned file, and at the provider.

Seeding again changes nothing; what has changed in the file becomes a new version. What was sold
before stays known for good, for its events may come late.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any, Final

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from comptoir.domains.credits import commands as credits_
from comptoir.domains.credits import packs, queries
from comptoir.domains.credits.packs import Pack
from comptoir.domains.payments.stripe import ProviderRefused, Stripe
from comptoir.domains.subscriptions import commands
from comptoir.domains.subscriptions import queries as selling
from comptoir.domains.subscriptions.model import PERIODS, Allowance, PlanPrice, ProviderPrice
from comptoir.flows.till import Till
from comptoir.kit.amounts import parse_amount, parse_cost
from comptoir.kit.errors import ComptoirError, NotFound
from comptoir.store.pool import begin

OUR_OWN: Final = "catalogue.toml"
BYTES: Final = 1024 * 1024
_ITEM: Final = "comptoir_item"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Pack(_Part):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,49}$")
    name: dict[str, str]
    credits: str
    amount: int = Field(gt=0, lt=10**12)
    currency: str = Field(default="eur", pattern="^[a-z]{3}$")
    asset: str = "credits"
    tax_percent: str | None = Field(default=None, pattern=r"^[0-9]{1,2}(\.[0-9]{1,3})?$")
    tax_included: bool = True
    active: bool = True


class _Allowance(_Part):
    asset: str = "credits"
    amount: str
    rollover: str | None = None


class _Plan(_Part):
    plan: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$")
    currency: str = Field(default="eur", pattern="^[a-z]{3}$")
    month: int | None = Field(default=None, gt=0, lt=10**12)
    year: int | None = Field(default=None, gt=0, lt=10**12)
    tax_percent: str | None = Field(default=None, pattern=r"^[0-9]{1,2}(\.[0-9]{1,3})?$")
    tax_included: bool = True
    allowances: list[_Allowance] = Field(default_factory=list[_Allowance])


class _Action(_Part):
    action: str
    amount: str
    real_cost: str | None = None
    asset: str = "credits"


class Catalogue(_Part):
    """A file of what is for sale.

    Attributes:
        version: of the file; a higher one takes the place of a lower one.
    """

    version: int = Field(ge=1)
    packs: list[_Pack] = Field(default_factory=list[_Pack], max_length=1000)
    plans: list[_Plan] = Field(default_factory=list[_Plan], max_length=100)
    actions: list[_Action] = Field(default_factory=list[_Action], max_length=1000)


def read(path: Path | None = None) -> Catalogue:
    """A catalogue from a file; our own by default.

    Raises:
        ComptoirError: it cannot be read, or says what cannot be.
    """
    try:
        if path is None:
            text = resources.files("comptoir.flows").joinpath(OUR_OWN).read_text("utf-8")
        elif path.stat().st_size > BYTES:
            raise ComptoirError("catalogue-unreadable", file=str(path), reason="too large")
        else:
            text = path.read_text("utf-8")
        return Catalogue.model_validate(tomllib.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"])
        raise ComptoirError(
            "catalogue-unreadable", file=str(path or OUR_OWN), reason=f"{where}: {first['msg']}"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ComptoirError(
            "catalogue-unreadable", file=str(path or OUR_OWN), reason=str(error)
        ) from error


@dataclass(slots=True)
class Seeded:
    """What a seeding has changed, by what it is called."""

    changed: list[str] = field(default_factory=list[str])


async def seed(till: Till, book: int, catalogue: Catalogue) -> Seeded:
    """Sell what a catalogue says from now on; whoever seeds the same again changes nothing.

    Raises:
        ComptoirError: an amount cannot be, or a newer catalogue was seeded before.
        NotFound: it names an asset that the book does not have.
        Unavailable: the database cannot be reached.
    """
    seeded = Seeded()
    async with begin(till.pool) as tx:
        if not await commands.note_catalogue(tx, book, catalogue.version):
            raise ComptoirError("catalogue-older", version=catalogue.version)
        for pack in catalogue.packs:
            if await packs.put(tx, book, await _pack(till, book, pack)):
                seeded.changed.append(f"pack:{pack.id}")
        for plan in catalogue.plans:
            await _seed_plan(tx, till, book, plan, seeded)
        for action in catalogue.actions:
            await _seed_action(tx, till, book, action, seeded)
    return seeded


async def _pack(till: Till, book: int, said: _Pack) -> Pack:
    asset = await till.directory.asset(book, said.asset)
    units = parse_amount(said.credits, asset.scale, field=f"packs.{said.id}.credits")
    return Pack(
        said.id, 0, said.name, asset.id, units, said.amount, said.currency,
        None if said.tax_percent is None else Decimal(said.tax_percent), said.tax_included,
        said.active,
    )  # fmt: skip


async def _seed_plan(
    tx: AsyncConnection, till: Till, book: int, said: _Plan, seeded: Seeded
) -> None:
    await commands.add_plan(tx, book, said.plan)
    known = {(each.plan, each.period): each for each in await selling.prices(tx, book)}
    percent = None if said.tax_percent is None else Decimal(said.tax_percent)
    for period, amount in zip(PERIODS, (said.month, said.year), strict=True):
        if amount is None:
            continue
        wanted = PlanPrice(
            said.plan, period, 0, amount, said.currency, percent, said.tax_included, active=True
        )
        before = known.get((said.plan, period))
        if before is None or before.terms != wanted.terms:
            await commands.add_price(tx, book, wanted)
            seeded.changed.append(wanted.item)
    given = {(each.plan, each.asset): each for each in await selling.allowances(tx, book)}
    for allowance in said.allowances:
        asset = await till.directory.asset(book, allowance.asset)
        units = parse_amount(allowance.amount, asset.scale)
        over = 0 if allowance.rollover is None else parse_amount(allowance.rollover, asset.scale)
        had = given.get((said.plan, asset.id))
        if had is None or (had.amount, had.rollover) != (units, over):
            terms = Allowance(said.plan, asset.id, 0, units, over)
            await commands.add_allowance_terms(tx, book, terms)
            seeded.changed.append(f"allowance:{said.plan}:{allowance.asset}")


async def _seed_action(
    tx: AsyncConnection, till: Till, book: int, said: _Action, seeded: Seeded
) -> None:
    """A price is seeded once: what somebody has set since is his to say."""
    asset = await till.directory.asset(book, said.asset)
    try:
        await queries.price(tx, book, asset, said.action)
    except NotFound:
        await credits_.put_price(
            tx, book, asset, action=said.action, amount=parse_amount(said.amount, asset.scale),
            real_cost=None if said.real_cost is None else parse_cost(said.real_cost),
        )  # fmt: skip
        seeded.changed.append(f"price:{said.action}")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Something that is for sale; for how long it is paid, if it is a plan."""

    item: str
    name: str
    amount: int
    currency: str
    period: str | None
    includes_tax: bool


@dataclass(frozen=True, slots=True)
class Pushed:
    """Something that is for sale, and what the provider calls it.

    Attributes:
        is_new: it was made there just now.
    """

    item: str
    price: str
    amount: int
    currency: str
    is_new: bool


async def push(till: Till, book: int) -> list[Pushed]:
    """Make products and prices at the provider for what is for sale; what is there stays.

    Raises:
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    provider = till.provider
    async with begin(till.pool) as tx:
        wanted = await _for_sale(tx, book)
        known = await selling.provider_prices(tx, book, provider.livemode)
    price_of = _prices_of(till, known)
    pushed: list[Pushed] = []
    for each in wanted:
        price = price_of(each)
        is_new = price is None
        price = price or await _make(till, book, each)
        pushed.append(Pushed(each.item, price, each.amount, each.currency, is_new))
    return pushed


@dataclass(frozen=True, slots=True)
class Compared:
    """What is for sale, against what the provider says of it.

    Attributes:
        missing: items that have no price there.
        wrong: items whose price there is another one, or may not be used any more.
    """

    items: int
    missing: Sequence[str]
    wrong: Sequence[str]


async def compare(till: Till, book: int) -> Compared:
    """Look whether the provider knows what is for sale as we do; nothing is changed.

    Raises:
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    provider = till.provider
    async with begin(till.pool) as tx:
        wanted = await _for_sale(tx, book)
        known = await selling.provider_prices(tx, book, provider.livemode)
    price_of = _prices_of(till, known)
    missing: list[str] = []
    wrong: list[str] = []
    for each in wanted:
        price = price_of(each)
        if price is None:
            missing.append(each.item)
        elif not await _fits(provider, price, each):
            wrong.append(each.item)
    return Compared(len(wanted), missing, wrong)


async def _fits(provider: Stripe, price: str, wanted: _Wanted) -> bool:
    try:
        there = await provider.price(price)
    except ProviderRefused:
        return False
    terms = (there.get("unit_amount"), there.get("currency"), there.get("active"))
    recurring: Mapping[str, Any] = there.get("recurring") or {}
    period = recurring.get("interval")
    return terms == (wanted.amount, wanted.currency, True) and period == wanted.period


async def _for_sale(tx: AsyncConnection, book: int) -> list[_Wanted]:
    found = [
        _Wanted(
            f"pack:{each.id}", each.name.get("en") or each.id, each.amount, each.currency, None,
            each.tax_included,
        )
        for each in await packs.packs(tx, book)
    ]  # fmt: skip
    return found + [
        _Wanted(
            each.item, f"{each.plan} ({each.period})", each.amount, each.currency, each.period,
            each.tax_included,
        )
        for each in await selling.prices(tx, book)
    ]  # fmt: skip


def _prices_of(till: Till, known: Sequence[ProviderPrice]) -> Callable[[_Wanted], str | None]:
    """Finds the provider's price of what is for sale; what settings name comes first."""
    named = {item: price for price, item in till.terms.prices.items()}
    there = {(each.item, each.amount, each.currency): each.price for each in known}

    def price_of(of: _Wanted) -> str | None:
        return named.get(of.item) or there.get((of.item, of.amount, of.currency))

    return price_of


async def _make(till: Till, book: int, wanted: _Wanted) -> str:
    """A product with its price. Whoever lost the answer of an earlier attempt finds it again."""
    item, amount, currency = wanted.item, wanted.amount, wanted.currency
    provider = till.provider
    key = f"comptoir_{book}_{item}_{amount}_{currency}".replace(":", "_")
    found = await _found(provider, key)
    if found is None:
        id_ = till.new_id()
        product = await provider.create_product(
            {"name": wanted.name, "metadata": {_ITEM: item}}, f"{id_}:product"
        )
        params: dict[str, Any] = {
            "product": product["id"], "currency": currency, "unit_amount": amount,
            "lookup_key": key, "transfer_lookup_key": True, "metadata": {_ITEM: item},
            "tax_behavior": "inclusive" if wanted.includes_tax else "exclusive",
        }  # fmt: skip
        if wanted.period is not None:
            params["recurring"] = {"interval": wanted.period}
        found = await provider.create_price(params, f"{id_}:price")
    price, product_ = str(found["id"]), str(found["product"])
    async with begin(till.pool) as tx:
        known = ProviderPrice(price, item, amount, currency, product_, 0)
        await commands.add_provider_price(tx, book, provider.livemode, known)
    return price


async def _found(provider: Stripe, key: str) -> Mapping[str, Any] | None:
    async for each in provider.prices({"lookup_keys": [key], "active": True}):
        return each
    return None


async def is_seeded(till: Till, book: int) -> bool:
    """Whether a catalogue is in force."""
    async with begin(till.pool) as tx:
        return await selling.has_catalogue(tx, book)
