"""What identifies a cell."""

from __future__ import annotations

from benchmark.execution.grid import Grid
from benchmark.preparation.features import Prepared
from benchmark.protocol.protocol import find_protocol
from benchmark.registry import methods
from methods import Task


def cells(**parts):
    """One cell of a method with a network and one of a method without."""
    task = Task(400, 8, has_tags=True, has_labels=True)
    variants = [methods.parse("deep-dsh"), methods.parse("itq")]
    grid = Grid(variants, [8], [0], find_protocol("wdht"))
    return grid.cells(Prepared(None, {"dataset": "d"}, parts, task, None))


def test_a_network_on_another_device_is_another_cell():
    """Training on CUDA is in mixed precision, so that its numbers are others."""
    here, there = cells(), cells(network={"device": "cuda"})
    assert here[0].key != there[0].key and here[1].key == there[1].key
    assert there[0].specification["network"] == {"device": "cuda"}


def test_a_part_that_a_method_does_not_look_at_is_no_part_of_its_key():
    here, there = cells(), cells(tags={"min_count": 3})
    assert [cell.key for cell in here] == [cell.key for cell in there]
