// Draws the charts of a page with the local Vega; a chart that fails is replaced by a message.
for (const place of document.querySelectorAll(".chart")) {
  const spec = JSON.parse(place.querySelector("script").textContent);
  delete spec.$schema;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  window
    .vegaEmbed(place, { background: "transparent", ...spec }, { actions: false, renderer: "svg", mode: "vega-lite", theme: dark ? "dark" : undefined })
    .catch((problem) => {
      place.setAttribute("role", "alert");
      place.textContent = `This chart could not be drawn: ${problem.message}`;
    });
}
