"""Why does a widget not appear? `check_environment` checks the versions that must fit together."""

from __future__ import annotations

import pandas as pd

from fr_explore.cli.doctor import widget_requirements

__all__ = ["check_environment"]


def check_environment() -> pd.DataFrame:
    """One row per part that a widget needs: `part`, `found`, `ok`, and in `todo` what to do if it is not ok.

    If everything is ok and a widget still does not appear, the page has an older front end: reload it. In a notebook
    that is not trusted, only the widget's picture appears: run the cell. The check reads the files of JupyterLab and
    Notebook 7 in this environment. It cannot see what VS Code or Colab load themselves: VS Code asks once whether it
    may download anywidget's front end (setting `jupyter.widgetScriptSources`). `fr-explore doctor` includes this check.

    >>> check_environment()["ok"].all()
    True
    """
    rows = [(finding.part, finding.found, finding.ok, finding.todo) for finding in widget_requirements()]
    return pd.DataFrame(rows, columns=["part", "found", "ok", "todo"])
