"""Claim: the pages are light and right for everybody: Lighthouse, median of three, on a phone."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from psycopg import AsyncConnection

from bench import npm, serving
from bench.client import HOST
from bench.library import prepare
from bench.scale import Scale
from bench.tables import Table
from comptoir.domains.identity import operators, visitors
from comptoir.domains.identity.operators import Rank
from comptoir.domains.identity.visitors import Pass
from comptoir.kit.ids import uuid7

TOOL: Final = Path(__file__).parent / "lighthouse_npm"
TURNS: Final = 3
SECONDS: Final = 120
KIB: Final = 1_024
LEAST: Final = {"performance": 98, "accessibility": 100, "best-practices": 100}
HEAVIEST: Final = 60 * KIB
COOKIE: Final = "comptoir-operator"
VISITOR: Final = "comptoir-portal"
CUSTOMER: Final = "customer-1"
_FLAGS: Final = "--headless=new --no-sandbox --disable-gpu"
_NUMBERS: Final = count(1)


@dataclass(frozen=True, slots=True)
class Page:
    """A page and who opens it.

    Attributes:
        headers: that every request to our server has.
    """

    name: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """What one run has found.

    Attributes:
        scores: by category, of 100.
        faults: audits of these categories that are not perfect.
    """

    scores: Mapping[str, float]
    transferred: int
    foreign: int
    paint_ms: float
    shift: float
    faults: tuple[str, ...]


async def measure(url: str, scale: Scale) -> list[Table]:
    """Every page in turn, a few times.

    Raises:
        SystemExit: there is no Chromium, or no Lighthouse can be had.
    """
    browser = shutil.which("chromium")
    if browser is None:
        raise SystemExit("lighthouse: there is no Chromium here")
    try:
        program = npm.installed(TOOL) / "node_modules/.bin/lighthouse"
    except npm.Missing as error:
        raise SystemExit(f"lighthouse: {error}") from None
    await prepare(url, scale)
    table = Table(
        f"Lighthouse, a slow phone, median of {TURNS}",
        ("page", *LEAST, "KiB", "largest paint ms", "shift", "foreign requests", "all met"),
    )
    with TemporaryDirectory(prefix="comptoir-bench-home-") as home:
        async with serving.selling(url, Path(home)) as server:
            cookie = {"Cookie": f"{COOKIE}={await _signed_in(url)}"}
            visitor = {"Cookie": f"{VISITOR}={await _entered(url)}"}
            for page in (
                Page("overview", "/dashboard", cookie),
                Page("account", f"/dashboard/accounts/{CUSTOMER}", cookie),
                Page("portal", "/portal", visitor),
            ):
                address = f"http://{HOST}:{server.port}{page.path}"
                runs = [
                    await asyncio.to_thread(_run, program, address, page.headers, browser)
                    for _ in range(TURNS)
                ]
                table.add(page.name, *_cells(runs))
    return [table]


async def _signed_in(url: str) -> str:
    """The cookie of an operator's session."""
    secret, token = ((f"{next(_NUMBERS):042d}" + letter) for letter in "st")
    ids = [uuid7(1, bytes([next(_NUMBERS)] * 10)) for _ in range(2)]
    async with await AsyncConnection.connect(url) as tx:
        await operators.add_login(tx, ids[0], secret, "bench", Rank.ADMIN)
        await operators.sign_in(tx, secret, ids[1], token)
    return token


async def _entered(url: str) -> str:
    """The cookie of a customer's session."""
    token = f"{next(_NUMBERS):042d}v"
    async with await AsyncConnection.connect(url) as tx:
        found = await tx.execute(
            "SELECT id FROM comptoir.customers WHERE book_id = 1 AND customer = %s", (CUSTOMER,)
        )
        row = await found.fetchone()
        assert row is not None, "the seed has this customer"
        id_ = uuid7(1, bytes([next(_NUMBERS)] * 10))
        visit = Pass(serving.BOOK, id_, row[0], token, visitors.SESSION_SECONDS)
        await visitors.add_session(tx, visit)
    return token


def _run(program: Path, address: str, headers: Mapping[str, str], browser: str) -> Found:
    done = subprocess.run(
        [
            program, address, "--quiet", "--output=json", "--output-path=stdout",
            f"--only-categories={','.join(LEAST)}", f"--chrome-flags={_FLAGS}",
            f"--extra-headers={json.dumps(dict(headers))}",
        ],
        env=os.environ | {"CHROME_PATH": browser}, capture_output=True, check=False, text=True,
        timeout=SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"lighthouse: {address}: {done.stderr[-2000:]}")
    return _read(json.loads(done.stdout), address)


def _read(report: Mapping[str, Any], address: str) -> Found:
    audits = report["audits"]
    origin = "/".join(address.split("/")[:3])
    asked = [each["url"] for each in audits["network-requests"]["details"]["items"]]
    faults = [
        ref["id"]
        for name in LEAST
        for ref in report["categories"][name]["auditRefs"]
        if ref["weight"] and (audits[ref["id"]]["score"] or 0) < 1
        if audits[ref["id"]]["scoreDisplayMode"] != "notApplicable"
    ]
    return Found(
        {name: report["categories"][name]["score"] * 100 for name in LEAST},
        int(audits["total-byte-weight"]["numericValue"]),
        sum(not each.startswith((origin, "data:")) for each in asked),
        audits["largest-contentful-paint"]["numericValue"],
        audits["cumulative-layout-shift"]["numericValue"],
        tuple(dict.fromkeys(faults)),
    )


def _cells(runs: list[Found]) -> tuple[str, ...]:
    scores = {name: median(run.scores[name] for run in runs) for name in LEAST}
    weight = median(run.transferred for run in runs)
    foreign = max(run.foreign for run in runs)
    is_met = weight <= HEAVIEST and not foreign
    is_met = is_met and all(scores[name] >= least for name, least in LEAST.items())
    faults = sorted({each for run in runs for each in run.faults})
    return (
        *(f"{scores[name]:.0f}" for name in LEAST),
        f"{weight / KIB:.1f}",
        f"{median(run.paint_ms for run in runs):.0f}",
        f"{median(run.shift for run in runs):.3f}",
        str(foreign),
        "met" if is_met else f"missed: {', '.join(faults)}",
    )
