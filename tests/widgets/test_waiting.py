"""What waits for a guess, in a real kernel's shell: nothing is shown before it, all of it at once after it."""

import threading

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from fr_explore_widgets import Prediction, course
from fr_explore_widgets.course.waiting import WAITS


class Outputs:
    """The outputs as a front end shows them: in order, each updated in its place."""

    def __init__(self):
        self.shown = {}

    def publish(self, data, metadata=None, *, transient=None, update=False, **_):
        name = (transient or {}).get("display_id", len(self.shown))
        assert not update or name in self.shown
        self.shown[name] = data

    def texts(self):
        return [data["text/plain"] for data in self.shown.values()]


@pytest.fixture
def outputs(monkeypatch):
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    outputs = Outputs()
    monkeypatch.setattr(shell.display_pub, "publish", outputs.publish)
    yield outputs
    InteractiveShell.clear_instance()


@pytest.fixture
def guess():
    return Prediction("How much?", low=0, high=1)


def test_objects_wait_for_the_guess_and_then_take_the_place_of_the_line(outputs, guess):
    table = pd.DataFrame({"distance": [0.123456]})
    assert course.after(guess, table) is None
    [line] = outputs.texts()
    assert WAITS in line
    assert "0.123456" not in str(outputs.shown)
    guess.commit(0.5)
    assert [text.split()[0] for text in outputs.texts()] == ["distance"]
    assert "0.123456" in next(iter(outputs.shown.values()))["text/html"]


def test_a_block_runs_at_once_and_its_outputs_wait(outputs, guess, capsys):
    with course.after(guess):
        truth = 0.5
        print("the truth", truth)
        display(pd.Series([7.25]))
        handle = display("first", display_id=True)
        handle.update("second")
    assert truth == 0.5
    assert len(outputs.shown) == 3
    assert "truth" not in capsys.readouterr().out
    assert "7.25" not in str(outputs.shown)
    guess.commit(0.25)
    first, second, third = outputs.texts()
    assert first == "the truth 0.5"
    assert "7.25" in second
    assert third == "'second'"


def test_after_an_answer_everything_is_shown_as_always(outputs, guess, capsys):
    guess.skip()
    with course.after(guess):
        print("now")
    assert capsys.readouterr().out == "now\n"
    course.after(guess, "this")
    assert outputs.texts() == ["'this'"]


def test_the_truth_is_revealed_when_the_guess_comes(outputs, guess):
    found = course.reveal(guess, 0.5)
    assert (found.status, guess.state["truth"]) == ("not yet", None)
    assert repr(found) == f"… {WAITS}"
    found._ipython_display_()
    course.after(guess, "below")
    guess.request = {"client": "a", "seq": 1, "action": "commit", "guess": 0.25}
    assert guess.state["truth"] == 0.5
    assert outputs.texts() == ["✓ You said 0.25, it is 0.5: 0.25 too low, 50 % of the truth.", "'below'"]
    guess.retry()
    assert outputs.texts()[1] == "'below'"


def test_a_skipped_guess_shows_the_truth_alone(outputs, guess):
    course.reveal(guess, 0.5)._ipython_display_()
    guess.skip()
    assert (guess.state["truth"], outputs.texts()) == (0.5, ["✓ The widget above shows the truth."])


@pytest.mark.parametrize("answer", [lambda guess: guess.commit(0.5), Prediction.skip])
def test_a_reveal_that_waits_before_other_cells_changes_the_guess_while_they_are_told(outputs, guess, answer):
    course.reveal(guess, 0.75)._ipython_display_()
    tables = [course.after(guess, pd.DataFrame({"distance": [float(i)]})) for i in range(3)]
    assert tables == [None] * 3
    answer(guess)
    assert guess.answered
    assert [text.split()[0] for text in outputs.texts()[-3:]] == ["distance"] * 3


def test_a_message_of_a_widget_passes_while_a_cell_keeps_its_outputs_back(outputs, guess):
    """JupyterLab has it handled in another thread: the kernel gives its parent to the publisher of the moment."""
    shell, parents = InteractiveShell.instance(), []
    object.__setattr__(shell.display_pub, "set_parent", parents.append)
    course.after(guess, 1.5)

    def skip():
        shell.display_pub.set_parent({"msg_type": "comm_msg"})
        guess.skip()

    with course.after(guess):
        print("kept back")
        click = threading.Thread(target=skip)
        click.start()
        click.join()
        print("until the end")
    assert parents == [{"msg_type": "comm_msg"}]
    assert outputs.texts() == ["1.5", "kept back\nuntil the end"]


def test_an_error_in_a_block_is_not_swallowed(outputs, guess):
    with pytest.raises(ZeroDivisionError), course.after(guess):
        1 / 0  # noqa: B018
    assert outputs.shown == {}


def test_outside_a_notebook_nothing_is_published(guess, capsys):
    with course.after(guess):
        print("kept")
    guess.commit(0.5)
    assert "kept" not in capsys.readouterr().out


@pytest.mark.notebook
def test_in_a_kernel_the_commit_replaces_the_lines_of_earlier_cells():
    """nbclient treats outputs as JupyterLab does: an update goes to the cell that showed the line."""
    import nbformat
    from nbclient import NotebookClient

    sources = (
        "from fr_explore_widgets import Prediction, course\nguess = Prediction('How far?', low=0, high=10)",
        "course.reveal(guess, 7.25)",
        "with course.after(guess):\n    print('it is', 7.25)",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])

    def texts():
        return [output["data"]["text/plain"] for cell in notebook.cells[1:3] for output in cell.outputs]

    client = NotebookClient(notebook, timeout=300)
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
        assert texts() == [f"… {WAITS}"] * 2
        commit = nbformat.v4.new_code_cell("guess.request = {'client': 'a', 'seq': 1, 'action': 'commit', 'guess': 5}")
        notebook.cells.append(commit)
        client.execute_cell(commit, 3)
        assert texts() == ["✓ You said 5, it is 7.25: 2.25 too low, 31 % of the truth.", "it is 7.25"]
        assert commit.outputs == []
