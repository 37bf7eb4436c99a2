"""``make bench``: run the benchmarks and print their tables. An argument gives another number of cases."""

import sys

from bench import sweep

sweep.main(*(int(value.replace("_", "")) for value in sys.argv[1:3]))
