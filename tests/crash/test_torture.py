"""The torture of the command line: nothing is lost, doubled or oversold."""

import json
import re
import signal
from pathlib import Path

import pytest

from tests.support.left import DEADLINE, Left, wait_until

pytestmark = [pytest.mark.pg, pytest.mark.crash, pytest.mark.slow]
MINUTE = 60
KILLS = 3
"""In ten seconds, at least."""

ACKNOWLEDGED = 15
"""What even a very busy machine does in ten seconds, in between."""

SHORTER = "from comptoir.cli.torture import command; command._MINUTE = {}"


@pytest.fixture
def left(tmp_path: Path) -> Left:
    folder = tmp_path / "t"
    folder.mkdir()
    return Left(folder)


@pytest.mark.timeout(MINUTE + 4 * DEADLINE)
@pytest.mark.parametrize("seconds", [10, pytest.param(MINUTE, marks=pytest.mark.soak)])
def test_a_minute_of_torture(left: Left, seed_of_run: int, seconds: int):
    arguments = ("torture", "--seed", str(seed_of_run % 2**32), "--minutes", "1", "--json")
    with left.begin(*arguments, first=SHORTER.format(seconds)) as torture:
        out, err = torture.communicate(timeout=MINUTE + 3 * DEADLINE)
    assert torture.returncode == 0, err
    assert out.count("\n") == 1
    receipt = json.loads(out)
    acknowledged, kills = receipt.pop("acknowledged"), receipt.pop("kills")
    assert receipt == {"lost": 0, "doubled": 0, "oversold": 0, "balanced": True}, err
    assert "internal" not in err, "nobody is told that the server does not know what is wrong"
    assert kills >= KILLS * seconds // 10, err
    if seconds == MINUTE:  # there is time for all kinds of trouble
        assert re.search("Redis killed [1-9]", err), err
        # One that is down is not flushed.
        assert re.search("Redis (flushed|frozen) [1-9]", err), err
    assert acknowledged >= ACKNOWLEDGED * seconds // 10, err
    wait_until(left.nothing, lambda: (left.processes(), left.folders()))


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, marks=pytest.mark.soak), signal.SIGKILL],
    ids=["INT", "KILL"],
)
def test_nothing_is_left_when_it_is_ended(left: Left, number: signal.Signals):
    with left.begin("torture", "--seed", "1", "--json") as torture:
        wait_until(left.serving, left.processes)
        torture.send_signal(number)
        out, err = torture.communicate(timeout=DEADLINE)
    assert out == ""
    if number is signal.SIGINT:
        assert torture.returncode == 130, err
        assert "no receipt" in err
    wait_until(left.nothing, lambda: (left.processes(), left.folders()))
