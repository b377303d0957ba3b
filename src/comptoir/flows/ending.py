"""Having the provider end what could still be paid, and asking what has become of it."""

from comptoir.domains.payments.stripe import Object, ProviderRefused
from comptoir.flows.till import Till
from comptoir.kit.errors import Unavailable


async def expired(till: Till, session: str, key: str) -> Object:
    """A page after it was to be ended: what has become of it.

    Raises:
        Unavailable: the provider does not answer.
    """
    try:
        return await till.provider.expire_session(session, key)
    except (ProviderRefused, Unavailable):
        return await till.provider.session(session)


async def cancelled(till: Till, intent: str, key: str) -> Object:
    """An intent after it was to be cancelled: what has become of it.

    Raises:
        Unavailable: the provider does not answer.
    """
    try:
        return await till.provider.cancel_intent(intent, key)
    except (ProviderRefused, Unavailable):
        return await till.provider.intent(intent)
