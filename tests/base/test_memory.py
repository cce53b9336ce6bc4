"""Memory that is given back."""

import gc
import os
import subprocess
import sys
import weakref

import pytest

import fr_explore as fr
from fr_explore.base import memory
from fr_explore.faces.avatars.head import load_head

# each thread draws what a person needs, and frees it
KEPT = """
import sys, threading
import numpy as np
from fr_explore.base import memory
def own():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty")) / 1000
if sys.argv[1] == "returned":
    memory.return_large()
before, ready = own(), threading.Barrier(7)
def work():
    for size in (1 << 20, 13 << 20, 7 << 20):
        np.ones(size, np.uint8)
    ready.wait()
    ready.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
ready.wait()
memory.release()
print(own() - before)
ready.wait()
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="memory is read as Linux shows it")
def test_threads_give_large_arrays_back():
    def kept(how):
        said = subprocess.run([sys.executable, "-c", KEPT, how], capture_output=True, text=True, check=True)
        return float(said.stdout)

    assert kept("by default") > 30
    assert kept("returned") < 20


def test_passing_results_are_kept_until_memory_is_released():
    calls = []

    @memory.passing(2)
    def doubled(number):
        """Twice a number."""
        calls.append(number)
        return 2 * number

    assert [doubled(1), doubled(1), doubled(2)] == [2, 2, 4]
    assert calls == [1, 2]
    memory.release()
    assert doubled(1) == 2
    assert calls == [1, 2, 1]
    assert doubled.__doc__ == "Twice a number."


def test_nothing_keeps_the_head_after_the_release():
    """It takes 25 MB, and what is computed from it as much; the collector of cycles may come much later."""
    memory.release()
    gc.disable()
    try:
        head = weakref.ref(load_head())
        fr.Avatars(1, seed=987_654).render(0, {}, 32)  # a new person
        memory.release()
        assert head() is None
    finally:
        gc.enable()
