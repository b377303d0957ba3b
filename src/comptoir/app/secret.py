"""The secret that signs cursors and tokens: said, or made and kept in the home."""

import os
import secrets
from pathlib import Path

from comptoir.config import Settings
from comptoir.kit.secret import SecretIs


def load_secret(settings: Settings) -> bytes:
    """The secret that signs cursors and tokens; made and kept in the home when it is not set."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    path = settings.home_folder / "secret"
    settings.home_folder.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        _make_secret(path)
    return path.read_text().strip().encode()


def kept_secret(settings: Settings) -> tuple[SecretIs, str | None]:
    """Where the secret is, and its text if it is kept in the home, for a backup."""
    if settings.secret is not None:
        return SecretIs.ENVIRONMENT, None
    path = settings.home_folder / "secret"
    if not path.exists():
        return SecretIs.NONE, None
    return SecretIs.INCLUDED, path.read_text().strip()


def keep_secret(settings: Settings, text: str) -> Path | None:
    """Put a secret that comes with restored books into the home.

    Returns:
        Where the home's own secret is by now, if it had another one.
    """
    home = settings.home_folder
    home.mkdir(mode=0o700, exist_ok=True)
    path, before = home / "secret", None
    if path.exists():
        if path.read_text().strip() == text:
            return None
        before = home / f"secret.before-{secrets.token_hex(4)}"
        before.hardlink_to(path)
    _draft_secret(path, text).replace(path)
    return before


def _make_secret(path: Path) -> None:
    """Make the secret as a whole, or leave the one that another process has just made."""
    draft = _draft_secret(path, secrets.token_hex(32))
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _draft_secret(path: Path, text: str) -> Path:
    draft = path.with_name(f"secret.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return draft
