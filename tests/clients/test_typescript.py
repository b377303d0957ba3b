"""The TypeScript client: as the document says, checked by the compiler, run by Node on a server."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from comptoir.app import Urls, open_app
from comptoir.flows import stocking
from comptoir.web.catalogue import PROBLEMS
from scripts import typescript_client
from tests.support import npm
from tests.support.counter import environment, put
from tests.support.npm import NODE
from tests.support.postgres import Cluster
from tests.support.sandbox import provider
from tests.support.site import LIVE, Site, serving

ROOT: Final = Path(__file__).parents[2]
CLIENT: Final = ROOT / "clients" / "typescript"
GUIDE: Final = ROOT / "docs" / "reference" / "typescript.md"
DOCUMENT: Final = typescript_client.document()


@pytest.mark.parametrize("file", ["types.ts", "client.ts"])
def test_what_is_committed_is_what_is_generated(file: str) -> None:
    found = (CLIENT / "src" / file).read_text()
    wanted = typescript_client.written(DOCUMENT)[file]
    assert wanted == found, "run: python scripts/typescript_client.py"


def test_every_route_has_a_method() -> None:
    text = typescript_client.written(DOCUMENT)["client.ts"]
    made = set(re.findall(r"^   \* ((?:GET|POST|PUT|DELETE) /\S+)$", text, re.MULTILINE))
    routes = {
        f"{verb.upper()} {path}"
        for path, verbs in DOCUMENT["paths"].items()
        for verb, said in verbs.items()
        if said["operationId"] not in typescript_client.NOT_FOR_CLIENTS
    }
    assert made == routes
    assert {
        said["operationId"] for verbs in DOCUMENT["paths"].values() for said in verbs.values()
    } >= typescript_client.NOT_FOR_CLIENTS


def test_what_is_repeated_is_in_the_catalogue() -> None:
    statuses = {PROBLEMS[code].status for code in typescript_client.PASSING}
    assert statuses == {409, 429, 503}


def test_nothing_is_needed_at_run_time() -> None:
    package = json.loads((CLIENT / "package.json").read_text())
    lock = (CLIENT / "package-lock.json").read_text()
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & package.keys()
    assert '"resolved"' not in lock
    pinned = json.loads(lock)["packages"]["node_modules/typescript"]
    assert pinned["version"] == package["devDependencies"]["typescript"]
    assert pinned["integrity"].startswith("sha512-")


def compiler() -> Path:
    """The pinned compiler."""
    found = npm.needed(CLIENT, "The TypeScript client was NOT checked and NOT run")
    return found / "typescript" / "lib" / "tsc.js"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client as it is published, and the programs of this folder, compiled with it."""
    tsc = compiler()
    out = tmp_path_factory.mktemp("typescript")
    package = out / "node_modules" / "comptoir-client"
    package.mkdir(parents=True)
    shutil.copy(CLIENT / "package.json", package)
    (out / "package.json").write_text('{"type": "module"}')
    compile_with(tsc, CLIENT / "tsconfig.json", package / "dist")
    entry = str(package / "dist" / "index.d.ts")
    programs: dict[str, Any] = {
        "extends": str(ROOT / "tests" / "clients" / "tsconfig.json"),
        "compilerOptions": {"paths": {"comptoir-client": [entry]}},
    }
    (out / "tsconfig.json").write_text(json.dumps(programs))
    compile_with(tsc, out / "tsconfig.json", out)
    guide = out / "guide"
    guide.mkdir()
    shown = re.findall(r"^```ts\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    files = [str(guide / f"{number}.ts") for number, _ in enumerate(shown)]
    assert files
    for file, text in zip(files, shown, strict=True):
        Path(file).write_text(text)
    stubs = str(ROOT / "tests" / "clients" / "stubs.d.ts")
    read = programs | {"include": [], "files": [*files, stubs]}
    read["compilerOptions"] |= {"rootDir": "/", "noEmit": True}
    (guide / "tsconfig.json").write_text(json.dumps(read))
    compile_with(tsc, guide / "tsconfig.json", guide)
    return out


def compile_with(tsc: Path, project: Path, out: Path) -> None:
    assert NODE is not None
    command = [NODE, str(tsc), "-p", str(project), "--outDir", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout


def run(built: Path, program: str, **surroundings: str) -> dict[str, Any]:
    assert NODE is not None
    path = built / "tests" / "clients" / f"{program}.js"
    done = subprocess.run(
        [NODE, str(path)], env=surroundings, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    with (
        provider() as stripe,
        cluster.database() as database,
        serving(database, home, **environment(stripe)) as up,
    ):
        asyncio.run(stocked(up, Urls(database.app_url, database.owner_url)))
        yield up


async def stocked(at: Site, urls: Urls) -> None:
    """Have the usual packs for sale."""
    async with open_app(at.app.settings, urls) as app:
        await stocking.seed(app.till, LIVE, stocking.read())


@pytest.fixture(scope="module")
def seen(built: Path, shop: Site) -> dict[str, Any]:
    return run(
        built, "drive", COMPTOIR_URL=shop.url, OPERATOR=shop.keys["op"], PRODUCT=put(shop, 1),
        COMPTOIR_KEY=shop.keys["svc"], DEMO_CUSTOMER="grace",
    )  # fmt: skip


def test_credits_are_granted_spent_once_and_listed(seen: dict[str, Any]) -> None:
    assert seen["credits"] == {
        "granted": "10", "same": True, "replayed": [False, True], "statuses": [200, 200],
        "hasRequestId": True, "amounts": ["-3", "-2", "-1", "-2.5", "10"], "captured": "-1",
        "left": "0.5",
    }  # fmt: skip


def test_refusals_are_typed_and_in_the_readers_language(seen: dict[str, Any]) -> None:
    refusals = seen["refusals"]
    assert refusals["poor"] == {
        "code": "insufficient-credits", "status": 402, "needed": "500", "available": "0.5",
        "detail": "500 requis, 0.5 disponibles.",
    }  # fmt: skip
    assert refusals["reused"]["code"] == "idempotency-key-reused"
    assert (refusals["invalid"]["code"], refusals["invalid"]["field"]) == (
        "validation-failed",
        "amount",
    )
    assert refusals["stranger"]["code"] == "unauthorized"
    assert refusals["dots"] == {"thrown": "TypeError"}


def test_goods_are_ordered_and_not_oversold(seen: dict[str, Any]) -> None:
    sold = {"code": "insufficient-stock", "status": 400, "available": 0}
    goods = seen["goods"]
    assert sold.items() <= goods.pop("sold").items()
    assert goods == {
        "name": "T-shirt", "available": 1, "amount": 2500, "hasSecret": True,
        "status": "reserved", "cancelled": "cancelled",
    }  # fmt: skip


def test_the_example_of_nextjs_does_what_its_files_say(seen: dict[str, Any]) -> None:
    assert seen["nextjs"] == {
        "owner": "grace", "foreign": "unknown-customer", "bought": [201, 201], "once": True,
        "ordered": 201, "rest": [400, "insufficient-stock"], "unnamed": 400, "unknown": 404,
    }  # fmt: skip


def test_what_is_tried_again(built: Path) -> None:
    def came(tries: int, outcome: str = "done") -> dict[str, Any]:
        return {"tries": tries, "keys": 1, "bodies": 1, "outcome": outcome}

    assert run(built, "retries") == {
        "unknown": came(3), "running": came(2), "lost": came(3), "proxy": came(2),
        "optional": came(2), "batch": came(2), "unkeyed": came(1, "unreachable null"),
        "refused": came(1, "insufficient-credits"), "lasting": came(1, "payments-not-configured"),
        "long": came(1, "overloaded"), "bounded": came(4, "unreachable k"),
        "few": came(1, "unreachable k"), "timeout": came(2), "stopped": came(1, "RangeError"),
        "stoppedInWait": came(1, "RangeError"), "teller": came(1, "RangeError"),
    }  # fmt: skip
