"""Fail unless the ledger is covered to the last branch and the whole to nine tenths.

Reads the combined data file that the test run left. Lines and branches are judged apart, since
their usual mean lets many covered lines hide branches that no test took.
"""

import json
import subprocess
import sys

GATES = {"src/comptoir/ledger/": 100, "src/comptoir/": 90}


def main() -> int:
    """Print one line for each gate; exit 1 when one is missed, 2 when nothing was measured.

    What is named on the command line is judged, or all of it.
    """
    report = subprocess.run(
        [sys.executable, "-m", "coverage", "json", "--quiet", "-o", "-"],
        check=True,
        capture_output=True,
        text=True,
    )
    files: dict[str, dict[str, dict[str, int]]] = json.loads(report.stdout)["files"]
    named = sys.argv[1:] or list(GATES)
    verdicts = [judge(files, prefix, GATES[prefix]) for prefix in named]
    return max(verdicts)


def judge(files: dict[str, dict[str, dict[str, int]]], prefix: str, at_least: int) -> int:
    """Print the figures of the files below `prefix`, and 0 when both reach `at_least` percent."""
    figures = [file["summary"] for path, file in files.items() if path.startswith(prefix)]
    statements = sum(figure["num_statements"] for figure in figures)
    if not statements:
        print(f"coverage {prefix}: nothing measured")
        return 2
    lines = share(sum(figure["covered_lines"] for figure in figures), statements)
    branches = share(
        sum(figure["covered_branches"] for figure in figures),
        sum(figure["num_branches"] for figure in figures),
    )
    missed = min(lines, branches) < at_least
    verdict = "MISSED" if missed else "reached"
    print(
        f"coverage {prefix}: lines {lines:.2f} %, branches {branches:.2f} %,"
        f" at least {at_least} % {verdict}"
    )
    return int(missed)


def share(part: int, whole: int) -> float:
    """Percent; a file without branches has taken them all."""
    return 100 * part / whole if whole else 100.0


if __name__ == "__main__":
    sys.exit(main())
