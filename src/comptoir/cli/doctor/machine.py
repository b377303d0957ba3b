"""This machine and its settings: the home, the disk, the secrets, the environment."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from comptoir.config import Environment, Settings
from comptoir.store.checkup import Finding

SECRET_LENGTH: Final = 32
"""Characters below which a secret of somebody's own making can be guessed."""

LOW_BYTES: Final = 1024**3
LEAST_BYTES: Final = 100 * 1024**2


def machine(settings: Settings) -> Iterator[Finding]:
    """Look at everything but the database."""
    is_embedded = settings.database_url is None
    yield _environment(settings, is_embedded=is_embedded)
    yield _home(settings.home_folder)
    if is_embedded:
        yield _disk(settings.home_folder)
    yield _secret(settings)
    yield _tokens(settings)


def remembered(settings: Settings, there: str | None) -> Finding:
    """Compare the settings with the environment that the database remembers."""
    here = settings.environment_on("127.0.0.1")
    figures = {"there": there, "here": here}
    if there is None:
        return Finding("environment", "environment-new", figures)
    code = "environment-same" if there == here else "environment-differs"
    return Finding("environment", code, figures)


def _environment(settings: Settings, *, is_embedded: bool) -> Finding:
    here = settings.environment_on("127.0.0.1")
    if is_embedded and here is Environment.PRODUCTION:
        return Finding("settings", "settings-embedded-in-production")
    if is_embedded and settings.has_live_stripe_key:
        return Finding("settings", "settings-embedded-live-key")
    return Finding("settings", "settings-embedded" if is_embedded else "settings", {"here": here})


def _home(home: Path) -> Finding:
    """Whether anybody else can read what is in the home."""
    if not home.exists():
        return Finding("home", "home-none", {"home": home})
    found = home.stat()
    if found.st_uid != os.geteuid():
        return Finding("home", "home-not-ours", {"home": home})
    secret = home / "secret"
    is_open = found.st_mode & 0o077 or (secret.exists() and secret.stat().st_mode & 0o077)
    return Finding("home", "home-open" if is_open else "home", {"home": home})


def _disk(home: Path) -> Finding:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    figures = {"free": f"{free / 1024**3:.1f}", "home": home}
    if free < LEAST_BYTES:
        return Finding("disk", "disk-full", figures)
    return Finding("disk", "disk-low" if free < LOW_BYTES else "disk", figures)


def _secret(settings: Settings) -> Finding:
    if settings.secret is None:
        is_production = settings.env is Environment.PRODUCTION
        return Finding("secret", "secret-unset" if is_production else "secret-kept")
    return Finding("secret", "secret-short" if _is_short(settings.secret) else "secret")


def _tokens(settings: Settings) -> Finding:
    tokens = {
        "ADMIN_API_TOKEN": settings.admin_api_token,
        "METRICS_TOKEN": settings.metrics_token,
    }
    short = [name for name, token in tokens.items() if token is not None and _is_short(token)]
    if short:
        return Finding("tokens", "tokens-short", {"names": ", ".join(short)})
    if settings.metrics_token is None and settings.env is Environment.PRODUCTION:
        return Finding("tokens", "tokens-metrics-open")
    return Finding("tokens", "tokens")


def _is_short(text: SecretStr) -> bool:
    return len(text.get_secret_value()) < SECRET_LENGTH
