"""What schemathesis must know that no JSON schema can say. It loads this file by itself.

Every check of its own runs, but that valid data is accepted: that one is replaced by one that also
knows the problems which depend on the state of the books. They are told apart by their code, so
that any other refusal of valid data is still found.
"""

from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

STATE: Final = frozenset(
    {
        "cursor-invalid", "idempotency-key-reused", "exceeds-hold", "insufficient-stock",
        "bad-signature", "idempotency-key-missing", "provider-refused",
    }
)  # fmt: skip
"""Refusals of requests that another state of the books would accept, or a signature; a key that
only a body with a customer wants; or what Stripe would not have, such as more than it ever takes of
a currency."""

STATE_FIELDS: Final = frozenset(
    {
        "same-account", "amount-too-precise", "amount-too-large", "time-in-future",
        "payload-invalid", "url-invalid", "currencies-differ", "quantity-invalid",
        "quantity-too-large", "return-exceeds-order", "size-repeated",
    }
)  # fmt: skip
"""The same within validation-failed: they depend on two fields, an asset, a price, the environment,
or the time; and no schema can say of any text anywhere in an object that it has no NUL."""

FLOATS: Final = frozenset({"amount-invalid", "integer-expected"})
"""To JSON Schema 5.0 is an integer; here a number with a point is none, ever."""


@schemathesis.check
def valid_requests_are_accepted(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """The built-in check, with what only the state of the books can explain let through."""
    if response.status_code in (400, 422) and is_explained(response.json(), case.body):
        return None
    return positive_data_acceptance(ctx, response, case)


def is_explained(problem: dict[str, Any], body: object) -> bool:
    """Whether the problem is one that valid data can meet."""
    if problem["code"] != "validation-failed":
        return problem["code"] in STATE
    codes = {each["code"] for each in problem["errors"]}
    return codes <= (STATE_FIELDS | FLOATS if has_whole_float(body) else STATE_FIELDS)


def has_whole_float(value: object) -> bool:
    """Whether a body spells a whole number with a point, anywhere."""
    if isinstance(value, float):
        return value.is_integer()
    if isinstance(value, dict):
        return any(has_whole_float(each) for each in value.values())
    if isinstance(value, list):
        return any(has_whole_float(each) for each in value)
    return False
