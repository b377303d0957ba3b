"""What callers of the library say of stock, under the very limits of HTTP."""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, TypeVar, cast

from comptoir.domains.stock.commands import SizeTerms
from comptoir.domains.stock.model import LINES, NAME_PATTERN, QUANTITY, SIZE_PATTERN, Item
from comptoir.flows.returning import Back
from comptoir.kit.currencies import CURRENCIES
from comptoir.kit.errors import Invalid
from comptoir.library.asking import check_text

E = TypeVar("E", bound=Enum)

SIZES: Final = 100
"""Of a product at most."""

_NUMBER_LENGTH: Final = 100
_PRODUCT: Final = re.compile(NAME_PATTERN, re.ASCII)
_SIZE: Final = re.compile(SIZE_PATTERN)


def check_product(value: object) -> str:
    """The name of a product.

    Raises:
        Invalid: it is none.
    """
    return _matching("product", value, _PRODUCT)


def check_size(value: object, name: str = "size") -> str:
    """The name of a size.

    Raises:
        Invalid: it is none.
    """
    return _matching(name, value, _SIZE)


def _matching(name: str, value: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise Invalid("field-invalid", field=name)
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise Invalid("field-invalid", field=name)
    return value


def check_whole(name: str, value: object, least: int, most: int) -> int:
    """A whole number.

    Raises:
        Invalid: it is none, or outside of its limits.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid("field-invalid", field=name)
    return value


def check_flag(name: str, value: object) -> bool:
    """True or false.

    Raises:
        Invalid: it is neither.
    """
    if not isinstance(value, bool):
        raise Invalid("field-invalid", field=name)
    return value


def check_word(name: str, value: object, kind: type[E]) -> E:
    """One of the words that a field may have.

    Raises:
        Invalid: it is none of them.
    """
    try:
        return kind(value)
    except ValueError:
        raise Invalid("field-invalid", field=name) from None


def check_currency(value: object) -> str:
    """A currency, in small letters.

    Raises:
        Invalid: there is none of that name.
    """
    if not isinstance(value, str) or value not in CURRENCIES:
        raise Invalid("field-invalid", field="currency")
    return value


def check_sizes(value: object) -> list[SizeTerms]:
    """Sizes, and at what number each is low.

    Raises:
        Invalid: there is none, or one of them cannot be.
    """
    if not isinstance(value, Mapping):
        raise Invalid("field-invalid", field="sizes")
    given = cast("Mapping[object, object]", value)
    if not 0 < len(given) <= SIZES:
        raise Invalid("field-invalid", field="sizes")
    return [
        SizeTerms(check_size(size, "sizes"), check_whole("sizes", low_at, 0, QUANTITY))
        for size, low_at in given.items()
    ]


def check_items(items: Iterable[Item]) -> list[Item]:
    """What somebody wants.

    Raises:
        Invalid: it is nothing, or too much, or no item.
    """
    found = list(items)
    if not 0 < len(found) <= LINES:
        raise Invalid("field-invalid", field="items")
    for each in cast("list[object]", found):
        if not isinstance(each, Item):
            raise Invalid("field-invalid", field="items")
        _check_goods("items", each)
    return found


def check_goods(goods: Sequence[Back]) -> list[Back]:
    """What came back.

    Raises:
        Invalid: it is nothing, or too much.
    """
    found = list(goods)
    if not 0 < len(found) <= LINES:
        raise Invalid("field-invalid", field="goods")
    for each in cast("list[object]", found):
        if not isinstance(each, Back):
            raise Invalid("field-invalid", field="goods")
        _check_goods("goods", each)
    return found


def _check_goods(name: str, of: Item | Back) -> None:
    _matching(f"{name}.product", of.product, _PRODUCT)
    _matching(f"{name}.size", of.size, _SIZE)
    check_whole(f"{name}.quantity", of.quantity, 1, QUANTITY)


def check_number(value: object) -> str:
    """The number of an order of a caller's own.

    Raises:
        Invalid: it is none.
    """
    number = check_text("reference", value)
    if len(number) > _NUMBER_LENGTH:
        raise Invalid("field-invalid", field="order_number")
    return number
