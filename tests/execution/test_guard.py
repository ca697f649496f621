"""A method of one's own that does everything wrong ends as a failed cell or as one clear line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import InputError, describe
from benchmark.execution.guard import asked, failure, fitted, reason_to_skip, staying_alive
from benchmark.registry import Variant
from methods import Hasher

ROOT = Path(__file__).parents[2]
MINE = Variant("mine")


class Mute(Exception):
    """An exception that cannot be told."""

    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError(), "ValueError"),
        (Mute(), "Mute: (its message cannot be made: RuntimeError)"),
        (OSError("half \udc80"), "OSError: half \\udc80"),
    ],
)
def test_any_exception_can_be_told_in_one_line_that_can_be_written(error, text):
    assert describe(error) == text
    assert text.encode()


def test_a_skip_that_gives_no_text_is_one_line():
    assert reason_to_skip(MINE, lambda: None) is None
    assert reason_to_skip(MINE, lambda: "too few") == "too few"
    for value in (7, True, ["too few"], np.bool_(False)):
        with pytest.raises(InputError, match=r"method mine: skip gives .* instead of a reason"):
            reason_to_skip(MINE, lambda value=value: value)


@pytest.mark.parametrize("error", [Mute(), BaseException("out"), SystemExit(3)])
def test_what_a_method_raises_before_work_starts_is_one_line(error):
    def question():
        raise error

    with pytest.raises(InputError, match=f"method mine: {type(error).__name__}"):
        asked(MINE, question)


def test_ctrl_c_is_no_answer():
    def question():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked(MINE, question)


def test_a_fit_that_forgets_its_last_line_is_noticed():
    class Forgetful(Hasher):
        def fit(self, X, *, tags=None, labels=None):
            self.mean_ = X.mean(axis=0)

    with pytest.raises(TypeError, match=r"Forgetful\.fit returned NoneType instead of self"):
        fitted(Forgetful(4), np.zeros((4, 4)), {})


def test_a_failure_names_the_line_of_the_users_own_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import json\n\ndef f():\n    json.loads('{')\n")
    space = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    with pytest.raises(json.JSONDecodeError) as caught:
        space["f"]()
    reason, trace = failure(caught.value, (path,))
    assert reason.startswith("JSONDecodeError: ") and reason.endswith(f"(line 4 of {path})")
    assert "decoder.py" in trace
    assert "mine.py" not in failure(caught.value, ())[0]


def test_processes_that_a_method_starts_may_end_as_they_wish():
    code = (
        "import os\n"
        "from benchmark.execution.guard import staying_alive\n"
        "with staying_alive():\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os._exit(7)\n"
        "    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "    try:\n"
        "        os._exit(0)\n"
        "    except SystemExit as left:\n"
        "        print(status, left)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "7 os._exit(0)\n")


def test_an_exit_is_given_back():
    import os

    before = os._exit
    with staying_alive():
        assert os._exit is not before
    assert os._exit is before


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("os._exit(0)", "SystemExit: os._exit(0)"),
        ("raise BaseException('out')", "BaseException: out"),
        ("raise OSError('half \\udc80')", "OSError: half \\udc80"),
        ("return None", "TypeError: Mine.fit returned NoneType instead of self"),
        (
            "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()",
            "Mute: (its message cannot be made: ZeroDivisionError)",
        ),
    ],
)
def test_a_fit_that_goes_wrong_is_a_failed_cell_and_the_others_go_on(
    run, plugin, tmp_path, body, reason
):
    status, _, err = run("--plugin", plugin(body=body), "--methods", "mine", "lsh", "--bits", "8")
    assert status == 1 and "1 of 2 cells failed" in err and reason in err
    records = [
        json.loads(p.read_text()) for p in (tmp_path / "results/cells").glob("*/*/*/run.json")
    ]
    assert {(r["method"], r["status"]) for r in records} == {("mine", "failed"), ("lsh", "done")}
    assert list((tmp_path / "results/cells").glob("*/mine/*/error.txt"))


@pytest.mark.parametrize(
    "change",
    [
        "self.supervision = 'labels'",
        "type(self).supervision = 'labels'",
        "type(self).supervised_by = lambda self, **available: available",
    ],
)
def test_the_guard_asks_the_registry(run, plugin, tmp_path, change):
    body = "open(os.environ['SEEN'], 'w').write(str((tags is None, labels is None)))"
    path = plugin(body=body)
    text = path.read_text().replace(
        "        self.n_bits, ", f"        {change}\n        self.n_bits, "
    )
    path.write_text(text + "\n    uses = ('tags', 'labels')\n")
    seen = tmp_path / "seen"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEN", str(seen))
        status, _, err = run("--plugin", path, "--methods", "mine", "--bits", "8")
    # The base class says that its supervision is missing, before the method sees anything.
    assert status == 1 and "needs tags" in err, err
    assert not seen.exists()
