"""What a newcomer pastes: each command works as it stands, in any folder of this machine."""

import shlex
import sys
from pathlib import Path
from typing import Final

from comptoir.cli.demo.seed import YOU

_HTTP: Final = """\
curl -s {address}/api/credits/spend \\
  -H 'Authorization: Bearer {key}' \\
  -H 'Idempotency-Key: my-first-call' \\
  -H 'Content-Type: application/json' \\
  -d '{{"customer": "{you}", "amount": "1.5", "reason": "My first call"}}'
"""

_PYTHON: Final = """\
{python} - <<'END'
from uuid import uuid4
from comptoir import sync

key = str(uuid4())
with sync.Comptoir.open(home={home!r}) as books:
    with books.credits.holding("{you}", 8, ttl_seconds=60, idempotency_key=key) as hold:
        hold.report("5.5")  # of what was set aside; the rest goes back
    print(books.credits.balance("{you}").available)
END
"""

_BADGE: Final = """\
<script type="module" src="{address}/embed.js" crossorigin></script>
<credits-badge id="mine"></credits-badge>
<script type="module">
document.getElementById("mine").tokenProvider = async () => "{token}";
</script>
"""

_TRIGGER: Final = """\
COMPTOIR_HOME={home} \\
  {comptoir} trigger payment_intent.succeeded \\
  --customer {you} --pack 100 --times 4 --shuffle
"""


def boxes_of(address: str, home: Path, key: str, token: str) -> dict[str, str]:
    """The commands and the snippet of a shop, by the names of their boxes."""
    python = shlex.quote(sys.executable)
    beside = Path(sys.executable).with_name("comptoir")
    comptoir = shlex.quote(str(beside)) if beside.exists() else f"{python} -m comptoir.cli"
    return {
        "http": _HTTP.format(address=address, key=key, you=YOU).strip(),
        "python": _PYTHON.format(python=python, home=str(home), you=YOU).strip(),
        "badge": _BADGE.format(address=address, token=token).strip(),
        "trigger": _TRIGGER.format(home=shlex.quote(str(home)), comptoir=comptoir, you=YOU).strip(),
    }
