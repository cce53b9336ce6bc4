"""How a notebook displays a chart without a network.

- Altair's default output is a page that loads Vega-Lite from a CDN. It is blank without internet, and this project
  promises not to contact any server.
- JupyterLab 4 includes a viewer for Vega-Lite 5; Altair 6 writes Vega-Lite 6 with that label. The charts of this
  package use nothing that differs between the two, so we send each under both labels and a front end uses the one it
  supports.
- A renderer that you chose before importing `fr_explore.charts` stays active.
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
        # no HTML: Altair's loads scripts from a CDN and writes names from the data into a script without escaping
        "text/plain": "A chart. This front end has no viewer for Vega-Lite: chart.save('chart.svg') writes an image "
        '(pip install "fr-explore[report]").',
    }


def enable_offline_display() -> None:
    """Show altair's charts in the notebook's own viewer, unless another renderer was chosen."""
    alt.renderers.register(_NAME, _bundle)
    if alt.renderers.active == "default":
        alt.renderers.enable(_NAME)
