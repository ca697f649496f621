"""The options that say which data, features and tags are used."""

from __future__ import annotations

import argparse

from benchmark.cli.parsing import as_path, as_text, as_whole
from benchmark.study.defaults import CHOICES, DATASET, data_root


def add_data_options(group: argparse._ArgumentGroup) -> None:
    """Add them to a group of the parser."""
    group.add_argument(
        "--dataset",
        type=as_text,
        metavar="NAME|FOLDER",
        help="a named data set, a variant such as 'demo[n=500]', or a folder with manifest.csv, "
        "lists of images or MATLAB files; the word 'unseen' in the brackets keeps training items "
        "out of the database "
        f"(default: {DATASET}; with --table or --figure the paper's data set)",
    )
    group.add_argument(
        "--data-root",
        type=as_path,
        default=data_root(),
        metavar="DIR",
        help="folder of the files of named data sets (default: HASHBENCH_DATA_ROOT of the "
        "environment, or data)",
    )
    group.add_argument(
        "--features",
        type=as_text,
        metavar="NAME",
        help="an extractor, a variant of one, or a feature file of the data set (default: the data "
        "set's own); see --list features",
    )
    group.add_argument(
        "--weights",
        type=as_path,
        metavar="FILE",
        help="file with the weights (state dict) of the extractor's network",
    )
    group.add_argument(
        "--l2-normalize", action="store_true", help="scale feature vectors to unit length"
    )
    group.add_argument(
        "--word-vectors",
        type=as_path,
        metavar="FILE",
        help="word vectors of the tags in word2vec, GloVe or fastText format, also gzip (default: "
        "skip-gram vectors trained on the training tags)",
    )
    group.add_argument(
        "--min-tag-count",
        type=as_whole(1, 2**31 - 1, "a number of images"),
        default=1,
        metavar="N",
        help="drop tags that occur in fewer than N training images (default: %(default)s)",
    )
    group.add_argument(
        "--download",
        action="store_true",
        help="fetch the files of the data set first (cifar10)",
    )
    group.add_argument(
        "--tags",
        type=as_path,
        metavar="FILE",
        help="tags of photos, joined by photo id: All_Tags.txt of NUS-WIDE, or the folder "
        "meta/tags of MIRFLICKR (default: the data set's own)",
    )
    group.add_argument(
        "--on-missing-image",
        choices=CHOICES["on_missing_image"],
        default="skip",
        help="leave out images that a list names and that are not on disk, or stop with an error "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--on-bad-image",
        choices=CHOICES["on_bad_image"],
        default="skip",
        help="skip unreadable images, or stop with an error (default: %(default)s)",
    )
