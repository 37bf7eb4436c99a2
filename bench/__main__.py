"""``make bench``: run the benchmarks and print their tables.

``python -m bench`` runs all of them; ``python -m bench queue 200_000`` one of them, with another number of cases;
``--write`` puts what was measured into docs/performance.md.
"""

import sys

from bench import report

if __name__ == "__main__":  # some of them start processes, which import this again
    words = [word for word in sys.argv[1:] if word in report.BENCHES]
    sizes = [int(value.replace("_", "")) for value in sys.argv[1:] if value[0].isdigit()]
    report.run(words or list(report.BENCHES), sizes, write="--write" in sys.argv)
