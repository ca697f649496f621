"""Run the benchmark: ``python run_benchmark.py --help`` says how."""

import sys

from benchmark.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
