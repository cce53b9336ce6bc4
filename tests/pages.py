"""What every page of a widget must satisfy: accessible names, contrast, visible focus, no violation that axe finds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "widgets" / "node_modules" / "axe-core" / "axe.min.js"

CONTROLS = (
    "button:visible, input:visible, select:visible, [role=listbox], [role=slider], [role=meter], svg[role=img]:visible"
)

# of a list of elements, those without an accessible name
NAMELESS = """(all) => all
  .filter((el) => !(el.labels?.length || el.getAttribute("aria-label") || el.textContent.trim()))
  .map((el) => el.outerHTML)"""

# how the focused element shows that it has the focus; its HTML if it does not
FOCUSED = """() => {
  const el = document.activeElement;
  if (el === document.body) return "body";
  if (el.type === "range") return "slider";
  return getComputedStyle(el).outlineStyle !== "none" ? "outlined" : el.outerHTML;
}"""

# the text with the lowest contrast, by WCAG's formula
CONTRAST = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (el) => {
    for (let node = el; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  let worst = { ratio: 99 };
  for (const el of document.querySelectorAll(".fr-lab *")) {
    const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !el.checkVisibility() || el.closest(":disabled") || el.classList.contains("fr-hidden")) continue;
    const style = getComputedStyle(el);
    const [a, b] = [light(parse(el instanceof SVGElement ? style.fill : style.color)), light(behind(el))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst.ratio) worst = { ratio, text: el.textContent.slice(0, 40), color: style.color };
  }
  return worst;
}"""

FIND_VIOLATIONS = """async (selector) => {
  const root = selector ? document.querySelector(selector) : document;
  const { violations } = await axe.run(root, { resultTypes: ["violations"] });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).map(
    ({ id, impact, nodes }) => [id, impact, nodes.slice(0, 3).map(({ html }) => html.slice(0, 150))]);
}"""


def violations(page: Page, selector: str | None = None) -> list[list]:
    """What axe finds serious or critical in the whole page, or inside the first element that matches `selector`."""
    if not AXE.is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("axe is missing: run npm ci in widgets/")
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    return page.evaluate(FIND_VIOLATIONS, selector)
