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


def test_a_file_that_was_just_begun_is_waited_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'comptoir_http_requests_total{method="GET",route="/",status="200"} 1.0' in done.stdout
