"""What a database has from the start: what is for sale, and the test user of the test book."""

from comptoir.app import Urls, open_app
from comptoir.config import Environment, Settings
from comptoir.flows import stocking, tokens
from comptoir.kit.books import BOOKS


async def stocked(settings: Settings, urls: Urls, environment: Environment) -> None:
    """Let there be what is for sale from the start, in books where nobody has said anything else.

    Raises:
        Unavailable: the database cannot be reached.
    """
    async with open_app(settings, urls) as app:
        for book in BOOKS:
            if not await stocking.is_seeded(app.till, book):
                await stocking.seed(app.till, book, stocking.read())
        is_ours = environment is Environment.DEVELOPMENT
        await tokens.seed_test_user(app.till, "development" if is_ours else "other")
