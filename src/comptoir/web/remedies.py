"""Why each refusal comes, and what to do about it: what the pages of problems say beside them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from comptoir.web.languages import Texts


@dataclass(frozen=True, slots=True)
class Remedy:
    """What helps whoever meets a refusal.

    Attributes:
        cause: why it comes.
        fix: what to do.
    """

    cause: Texts
    fix: Texts


@cache
def remedies() -> dict[str, Remedy]:
    """All remedies, by the codes of the catalogue; read from beside this file when asked first."""
    text = resources.files("comptoir.web").joinpath("remedies.toml").read_text(encoding="utf-8")
    return {
        code: Remedy((said["cause"], said["cause_fr"]), (said["fix"], said["fix_fr"]))
        for code, said in tomllib.loads(text).items()
    }
