"""Figures of several processes: one that is just starting does not spoil the page of all."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, threading
from pathlib import Path
from comptoir.web.metrics import Metrics

metrics = Metrics()
metrics.observe("GET", "/", 200, 0.1)
begun = Path(sys.argv[1]) / "counter_1.db"
whole = begun.with_suffix(".whole")
whole.write_bytes(bytes(65_536))
begun.touch()
threading.Timer(0.001, lambda: whole.replace(begun)).start()
sys.stdout.buffer.write(metrics.page())
"""

TOGETHER = """
import sys
from comptoir.web.metrics import Metrics, Money

metrics = Metrics()
metrics.observe("GET", "/", 200, 0.1)
money = Money({(1, "dead"): (3, 9.0), (2, "failed"): (1, 4.5)}, {(1, "dispute"): 2})
metrics.page(Money({}, {(1, "orphan-event"): 1}))
sys.stdout.buffer.write(metrics.page(money))
"""


def test_a_file_that_was_just_begun_is_waited_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'comptoir_http_requests_total{method="GET",route="/",status="200"} 1.0' in done.stdout


def test_what_the_database_says_is_on_the_page_of_each_process(tmp_path: Path) -> None:
    """Once, as it was read last, and in no file: what is over is not shown any more."""
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER],
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert 'comptoir_http_requests_total{method="GET",route="/",status="200"} 1.0' in lines
    for line in (
        'comptoir_inbox_events{book="1",state="dead"} 3.0',
        'comptoir_inbox_events{book="1",state="failed"} 0.0',
        'comptoir_inbox_oldest_seconds{book="1"} 0.0',
        'comptoir_inbox_oldest_seconds{book="2"} 4.5',
        'comptoir_cases_open{book="1",kind="dispute"} 2.0',
    ):
        assert lines.count(line) == 1
    assert "orphan-event" not in done.stdout
