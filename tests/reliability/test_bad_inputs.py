"""Bad inputs: exit status 2, one clear line first, no traceback, nothing written and nothing lost.

The corpus in ``bad_inputs/`` runs whole with ``pytest -m 'slow or not slow'`` on this file; one
case in ten runs always.
"""

import pytest
from corpus import complaint, read_cases

CASES = read_cases()
SAMPLE = 10


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.slow] if i % SAMPLE else [])
        for i, case in enumerate(CASES)
    ],
)
def test_bad_input_is_refused(case, tmp_path):
    assert complaint(case, tmp_path) == ""


def test_the_corpus_is_large_and_its_names_are_unlike():
    assert len([case for case in CASES if case.status == 2]) >= 300
    assert len({case.name for case in CASES}) == len(CASES)
