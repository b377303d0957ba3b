"""What each variable of the environment means, in English and French."""

import tomllib
from functools import cache
from importlib import resources

from comptoir.web.languages import Texts


@cache
def meanings() -> dict[str, Texts]:
    """All meanings, by the names of the variables; read from beside this file when asked first."""
    text = resources.files("comptoir.web").joinpath("settings.toml").read_text(encoding="utf-8")
    return {
        name: (said["meaning"], said["meaning_fr"]) for name, said in tomllib.loads(text).items()
    }
