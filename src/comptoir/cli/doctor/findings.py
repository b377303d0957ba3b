"""Everything that the doctor may find, by the code of the finding."""

from typing import Final

from comptoir.cli.doctor.findings_around import AROUND
from comptoir.cli.doctor.findings_here import HERE
from comptoir.cli.doctor.findings_money import MONEY
from comptoir.cli.doctor.findings_there import THERE
from comptoir.cli.doctor.line import Line

FINDINGS: Final[dict[str, Line]] = {**HERE, **AROUND, **MONEY, **THERE}
