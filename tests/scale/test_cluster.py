"""A script that starts a cluster without a main guard gets an error at once, before any process starts."""

import runpy

import pytest

import fr_explore as fr

CALL = "with fr.local_cluster(2) as client:\n    pass\n"
INSIDE = "def work():\n    with fr.local_cluster(2) as client:\n        pass\n"
GUARD = 'if __name__ == "__main__":\n    work()\n'
UNGUARDED = {"at the top": CALL, "by a function": INSIDE + "work()\n", "in a block": INSIDE + "if True:\n    work()\n"}


class Started(Exception):
    """Processes would have started."""


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch):
    def start(**options):
        raise Started

    monkeypatch.setattr("distributed.LocalCluster", start)


@pytest.fixture
def run(tmp_path):
    def script(text, name="__main__"):
        (tmp_path / "script.py").write_text("import fr_explore as fr\n" + text)
        runpy.run_path(str(tmp_path / "script.py"), run_name=name)

    return script


@pytest.mark.parametrize("text", UNGUARDED.values(), ids=UNGUARDED)
def test_without_a_guard(run, text):
    with pytest.raises(
        RuntimeError, match=r'script\.py, line \d+ starts a cluster.*below `if __name__ == "__main__":`'
    ):
        run(text)


def test_with_a_guard(run):
    for guard in (GUARD, GUARD.replace("==", "in").replace('"__main__"', '("__main__",)')):
        with pytest.raises(Started):
            run(INSIDE + guard)


def test_in_a_worker_that_imports_the_script(run):
    run(INSIDE + GUARD, "__mp_main__")  # a guarded script starts nothing there
    with pytest.raises(RuntimeError, match="starts a cluster of processes"):
        run(CALL, "__mp_main__")


def test_from_the_keyboard():
    """A notebook's cell and `python -c` have no file to import; standard input pretends to have one."""
    code = compile("import fr_explore as fr\n" + CALL, "<cell>", "exec")
    with pytest.raises(Started):
        exec(code, {"__name__": "__main__"})
    with pytest.raises(RuntimeError, match=r"<cell>, line 2 starts a cluster.* keep it in a file"):
        exec(code, {"__name__": "__main__", "__file__": "<cell>"})


def test_workers_that_do_not_start(monkeypatch):
    def fail(**options):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr("distributed.LocalCluster", fail)
    with pytest.raises(RuntimeError, match=r"did not start \(Nanny failed to start\.\)\. In a script, every worker"):
        fr.local_cluster(2).__enter__()
