"""Make embed.min.js, which browsers get, of embed.js, which people read; this alone needs Node.

Its first line names the SHA-256 of what it was made of, so that a test sees, without Node, that
somebody has changed the one and forgotten the other.
"""

import re
import subprocess
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parents[1] / "src" / "comptoir" / "web" / "static"
TERSER = "terser@5.51.2"
SHEET = re.compile(r"(?<=replaceSync\(`)[^`]*")
# Names that only our own objects have: no element, no answer of the API and no host sees them.
OURS = (
    "failures|trouble|seconds|voice|isOut|wake|sleep|tell|take|ask|watch|say|number|emit"
    "|become|attr|crossing|root|live|store|until|isNudge|tongue|bound|kind"
)


def main() -> None:
    """Write the file."""
    source = (STATIC / "embed.js").read_text()
    command = [
        "npx", "--yes", TERSER, "--module", "--ecma", "2020", "--mangle",
        "--mangle-props", f"regex=/^({OURS})$/",
        "--compress", "passes=3,ecma=2020,unsafe_arrows",
    ]  # fmt: skip
    small = SHEET.sub(_squeeze, source).replace("unseen", "u")
    made = subprocess.run(command, input=small, capture_output=True, text=True, check=True).stdout
    digest = sha256(source.encode()).hexdigest()[:16]
    (STATIC / "embed.min.js").write_text(f"/* Made of {digest} */\n{made}")


def _squeeze(sheet: re.Match[str]) -> str:
    """A style sheet without the spaces that it does not need.

    The texts are in languages that are written from left to right, so that the short names do.
    """
    text = re.sub(r"(?<![\w-])--([a-z])[a-z]*\b(?!-)", r"--\1", re.sub(r"\s+", " ", sheet[0]))
    text = re.sub(r" ?([{};,>]) ?", r"\1", text)
    text = text.replace("inline-size", "width").replace("block-size", "height")
    text = text.replace("margin-block-start", "margin-top")
    return re.sub(r": ", ":", text).replace(";}", "}").strip()


if __name__ == "__main__":
    main()
