"""`comptoir sandbox` serves until it is asked to end, and is refused where money is real."""

import signal
import subprocess
import sys

import httpx2
import pytest

from tests.cli.conftest import Inside, Shell


def test_it_serves_and_ends_when_asked_to(bare: Shell):
    command = [sys.executable, "-m", "comptoir.cli", "sandbox", "--port", "0"]
    with subprocess.Popen(
        command, env=bare.environment(), cwd=bare.folder, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        line = running.stderr.readline()
        address = line.rpartition(" ")[2].strip()
        answer = httpx2.get(f"{address}/v1/account", headers={"authorization": "Bearer sk_test_x"})
        assert answer.json()["id"] == "acct_sandbox"
        running.send_signal(signal.SIGINT)
        subprocess.run(["pkill", "-INT", "-g", str(running.pid)], check=False)
        running.wait(30)
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(f"{address}/v1/account")


@pytest.mark.parametrize(
    "said", [{"COMPTOIR_ENV": "production"}, {"STRIPE_SECRET_KEY": "sk_live_x"}], ids=["env", "key"]
)
def test_it_is_refused_where_money_is_real(inside_bare: Inside, said: dict[str, str]):
    refused = inside_bare("sandbox", **said)
    assert refused.code == 4
    assert "moves no money" in refused.err
