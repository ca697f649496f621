"""``encode``: codes of a user's own images from a method that a run has stored."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from benchmark.cli.parsing import Parser, as_path
from benchmark.cli.status import DONE
from benchmark.errors import InputError
from benchmark.study.defaults import CHOICES
from benchmark.study.encoding import encode_paths
from benchmark.study.models import load_model

EPILOG = """\
example:
  run_benchmark.py --dataset my_photos --methods itq --bits 64 --save-models
  run_benchmark.py encode --cell results/cells/my_photos/itq/64b-s0-* photos/ --out codes.npz
"""


class _Parser(Parser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"encode: {message}")


def run(arguments: Sequence[str]) -> int:
    """Hash the images and vectors that the arguments name."""
    parser = _Parser(
        prog="run_benchmark.py encode",
        description="Hash images, or vectors in .npy files, with a fitted method of a cell.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--cell",
        type=as_path,
        required=True,
        metavar="FOLDER",
        help="folder of a cell that was run with --save-models",
    )
    parser.add_argument(
        "--out", type=as_path, required=True, metavar="FILE", help=".npz file of the codes"
    )
    parser.add_argument(
        "--weights", type=as_path, metavar="FILE", help="weights of the extractor, as in the run"
    )
    parser.add_argument("--device", choices=CHOICES["device"], default="cpu")
    parser.add_argument("--plugin", nargs="+", type=as_path, default=[], metavar="FILE")
    parser.add_argument("items", nargs="+", type=as_path, metavar="IMAGE|FOLDER|FILE.npy")
    args = parser.parse_args(arguments)
    if args.out.suffix != ".npz":
        raise InputError(f"--out {args.out}: the name must end in .npz")
    model = load_model(args.cell, plugin=args.plugin)
    codes = encode_paths(model, args.items, weights=args.weights, device=args.device)
    codes.save(args.out)
    print(f"{len(codes.names):,} codes of {codes.n_bits} bits: {args.out}")
    return DONE
