"""How a chart reaches the screen of a notebook without a network.

- Altair's own default writes a page that loads Vega-Lite from a CDN: blank in a class without internet, and a call
  home from a project that promises none.
- JupyterLab 4 carries a viewer for Vega-Lite 5; Altair 6 writes Vega-Lite 6 and labels it so. The charts of this
  package use nothing that differs between the two, so each is offered under both labels and a front end takes the
  one it knows.
- A renderer that you chose yourself before importing `fr_explore.charts` stays.
"""

from __future__ import annotations

import altair as alt

__all__ = ["enable_offline_display"]

_NAME = "fr_explore"


def _bundle(spec: dict, **metadata: object) -> dict[str, object]:
    five = {**spec, "$schema": "https://vega.github.io/schema/vega-lite/v5.json"}
    return {
        "application/vnd.vegalite.v5+json": five,
        "application/vnd.vegalite.v6+json": spec,
        # no page: Altair's loads scripts from a CDN, and writes names from the data into a script as they are
        "text/plain": "A chart. This front end has no viewer for Vega-Lite: chart.save('chart.svg') writes a picture "
        '(pip install "fr-explore[report]").',
    }


def enable_offline_display() -> None:
    """Show altair's charts through the notebook's own viewer, unless another renderer was chosen."""
    alt.renderers.register(_NAME, _bundle)
    if alt.renderers.active == "default":
        alt.renderers.enable(_NAME)
