"""The examples, as they stand: a plain page, and with real React and real Vue from npm."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from comptoir.web import assets
from tests.support import npm
from tests.support.embedded_pages import Scene, is_right, refresh, state, strict
from tests.support.embedding import POLICY

pytestmark = pytest.mark.browser

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "examples" / "embed"
HERE: Final = Path(__file__).parent / "frameworks"
BILLING: Final = "https://billing.example.com"
OTHERWISE: Final = "The examples in React and in Vue were NOT checked and NOT run"
MAINS: Final = {
    "react": (
        "import { createRoot } from 'react-dom/client';\nimport { Header } from './Header';\n"
        "createRoot(document.getElementById('app')!).render(<Header />);\n"
    ),
    "vue": (
        "import { createApp } from 'vue';\nimport Header from './Header';\n"
        "createApp(Header).mount('#app');\n"
    ),
}
APP: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An app</title></head>'
    '<body><main><h1>An app</h1></main><div id="app"></div>'
    '<script type="module" src="/app.js"></script></body></html>'
)


@pytest.fixture
def scene(chromium: Browser) -> Iterator[Scene]:
    """A shop's page beside a pretend Comptoir."""
    with strict(chromium) as found:
        yield found


@pytest.fixture
def making(tmp_path: Path) -> Path:
    """A folder in which npm's packages are found."""
    packages = npm.needed(HERE, OTHERWISE)
    (tmp_path / "node_modules").symlink_to(packages)
    return tmp_path


def open_as(scene: Scene, page: str, policy: str, script: str = "") -> Page:
    """A page of the shop that is exactly this, with /app.js beside it."""
    scene.shop.file("/app.js", script, "text/javascript")
    opened = scene.context.new_page()
    opened.goto(scene.shop.file("/app", page, "text/html; charset=utf-8", policy))
    return opened


def test_the_plain_page(scene: Scene) -> None:
    api = scene.shop.server.api()
    page = (EXAMPLES / "plain.html").read_text().replace("http://localhost:8000", api)
    assert api in page
    opened = open_as(scene, page, POLICY.format(api=api))
    state(opened, "ok")
    scene.fake.put("0", 2)
    refresh(opened)
    expect(opened.get_by_role("dialog", name="Buy credits")).to_be_visible()


def test_attributes_that_frameworks_set_as_properties(scene: Scene) -> None:
    """React and Vue set a property where there is one: browsers have more of them every year."""
    opened = scene.visit()
    state(opened, "ok")
    elements = json.loads(assets.assets()["custom-elements.json"].content)
    for each in elements["modules"][0]["declarations"]:
        names = [one["name"] for one in each["attributes"]]
        lost = opened.evaluate(
            """([tag, names]) => names.filter((name) => {
              const made = document.createElement(tag);
              if (name in made) made[name] = '60'; else made.setAttribute(name, '60');
              return made.getAttribute(name) !== '60';
            })""",
            [each["tagName"], names],
        )
        assert lost == []


def test_react(scene: Scene, making: Path) -> None:
    shutil.copytree(EXAMPLES / "react", making, dirs_exist_ok=True)
    (making / "src" / "embed.d.ts").write_bytes(assets.assets()["embed.d.ts"].content)
    (making / "src" / "main.tsx").write_text(MAINS["react"])
    compiler = npm.needed(ROOT / "clients" / "typescript", OTHERWISE) / "typescript/lib/tsc.js"
    _node(making, compiler, "-p", making)
    opened = _run(scene, _bundle(scene, making, "main.tsx"), "'none'")
    is_right(opened, "react")
    scene.fake.put("150", 2)
    refresh(opened)
    expect(opened.get_by_text("150 left: a picture costs 5.")).to_be_visible()
    expect(opened.locator("[part=nudge]")).to_be_visible()
    assert opened.locator("credits-badge [part=bar]").count() == 1


def test_vue(scene: Scene, making: Path) -> None:
    """Vue has a Trusted Types policy of its own, which a strict page has to name."""
    shutil.copytree(EXAMPLES / "vue", making, dirs_exist_ok=True)
    shutil.copy(HERE / "header.mjs", making)
    _node(making, making / "header.mjs", making / "src/Header.vue", making / "src/Header.ts")
    (making / "src" / "main.ts").write_text(MAINS["vue"])
    opened = _run(scene, _bundle(scene, making, "main.ts"), "vue")
    scene.fake.put("150", 2)
    refresh(opened)
    expect(opened.get_by_text("150 left.", exact=True)).to_be_visible()
    expect(opened.locator("[part=nudge]")).to_be_visible()
    with opened.expect_console_message(lambda said: said.text.startswith("bought")):
        opened.evaluate("document.querySelector('upsell-dialog').confirm('abc')")


def _node(folder: Path, *command: Path | str) -> None:
    assert npm.NODE is not None
    done = subprocess.run(
        [npm.NODE, *map(str, command)],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _bundle(scene: Scene, folder: Path, main: str) -> str:
    """One file; the module is left where it is, at this Comptoir's address."""
    defined = {"process.env.NODE_ENV": "production"}
    flags = {"__VUE_OPTIONS_API__": False, "__VUE_PROD_DEVTOOLS__": False}
    flags["__VUE_PROD_HYDRATION_MISMATCH_DETAILS__"] = False
    _node(
        folder, "node_modules/esbuild/bin/esbuild", f"src/{main}", "--bundle", "--format=esm",
        "--jsx=automatic", f"--external:{BILLING}/*", "--outfile=app.js", "--log-level=warning",
        *(f"--define:{name}={json.dumps(value)}" for name, value in (defined | flags).items()),
    )  # fmt: skip
    text = (folder / "app.js").read_text()
    assert BILLING in text
    return text.replace(BILLING, scene.shop.server.api())


def _run(scene: Scene, script: str, trusted: str) -> Page:
    """A page with that script, once the badge shows what there is."""
    api = scene.shop.server.api()
    policy = POLICY.replace("script-src", "script-src 'self'").format(api=api)
    policy = policy.replace("trusted-types 'none'", f"trusted-types {trusted}")
    opened = open_as(scene, APP, policy, script)
    state(opened, "ok")
    expect(opened.locator("credits-badge")).to_contain_text("640 credits")
    return opened
