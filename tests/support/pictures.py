"""Pictures of pages, for whoever wants to look at them: scripts/pictures.py asks for them."""

import base64
import os
import sys
from pathlib import Path

from playwright.sync_api import Page

SHOTS = os.environ.get("COMPTOIR_SHOTS")
"""The folder where they go; unset, none is taken."""

_HIDE = r"""programs => {
    for (const each of document.querySelectorAll('pre, code')) {
        const said = each.textContent
        const shown = said.replaceAll(programs, '').replace(/\/tmp\/[^\s'"]*/g, '/srv/comptoir')
        if (shown !== said) each.textContent = shown
    }
}"""


def keep(page: Page, name: str, theme: str) -> None:
    """A picture of a page as it is now, in the format that is smallest, if pictures are wanted.

    Where the test ran is not shown.
    """
    if SHOTS is None:
        return
    page.evaluate(_HIDE, str(Path(sys.prefix) / "bin") + "/")
    png = base64.b64encode(page.screenshot(full_page=True)).decode()
    with page.context.browser.new_page() as drawing:  # type: ignore[union-attr]
        content = drawing.evaluate(
            """async png => {
                const image = await createImageBitmap(await (await fetch(
                    'data:image/png;base64,' + png)).blob());
                const canvas = new OffscreenCanvas(image.width, image.height);
                canvas.getContext('2d').drawImage(image, 0, 0);
                const blob = await canvas.convertToBlob({type: 'image/webp', quality: 0.7});
                const bytes = new Uint8Array(await blob.arrayBuffer());
                return btoa(Array.from(bytes, b => String.fromCharCode(b)).join(''));
            }""",
            png,
        )
    size = "desk" if page.evaluate("innerWidth") > 1_000 else "phone"
    (Path(SHOTS) / f"{name}-{theme}-{size}.webp").write_bytes(base64.b64decode(content))
