"""What a screen reader gets of a page: Chromium's accessibility tree as text, a line for each node that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import CDPSession, Page

# without a name they say nothing themselves; their contents are read all the same
SILENT = ("generic", "none", "LabelText", "Legend", "SvgRoot", "MenuListPopup", "RootWebArea")
WORDS = ("InlineTextBox", "LineBreak", "ListMarker")
# shown if they are set, and for what can be switched on also if not
STATES = ("checked", "pressed", "selected", "expanded", "disabled", "invalid", "level", "live")
SWITCHES = ("checked", "pressed", "expanded")
# their contents are not read
LEAVES = ("button", "image", "img", "meter", "slider", "radio", "option", "graphics-symbol")


def spoken_tree(page: Page, selector: str) -> str:
    """An element and its contents as lines: role, "name", = value as spoken, [states], (description)."""
    session = page.context.new_cdp_session(page)
    try:
        session.send("DOM.enable")
        session.send("Accessibility.enable")
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        found = session.send("Runtime.evaluate", {"expression": f"document.querySelector({selector!r})"})["result"]
        root = session.send("DOM.describeNode", {"objectId": found["objectId"]})["node"]["backendNodeId"]
        (top,) = [node for node in nodes if node.get("backendDOMNodeId") == root]
        return "\n".join(_lines(top, {node["nodeId"]: node for node in nodes}, session, 0)) + "\n"
    finally:
        session.detach()


def _lines(node: dict[str, Any], tree: dict[str, Any], session: CDPSession, depth: int) -> Iterator[str]:
    role, name = _text(node, "role"), _text(node, "name")
    if role in WORDS:
        return
    if role == "StaticText":
        if name and not node["ignored"]:
            yield "  " * depth + name
        return
    states = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
    silent = node["ignored"] or (role in SILENT and "live" not in states and (not name or role in SILENT[1:]))
    if not silent:
        value = _spoken(node, session) if role in ("slider", "meter") else _text(node, "value")
        said = ", ".join(
            filter(None, (_state(key, states.get(key)) for key in STATES if key != "level" or role == "heading"))
        )
        about = _text(node, "description")
        parts = [role, name and f'"{name}"', value and f"= {value}", said and f"[{said}]", about and f"({about})"]
        yield "  " * depth + " ".join(filter(None, parts))
    if silent or role not in LEAVES:
        below = [tree[child] for child in node.get("childIds", []) if child in tree]
        lines = [line for child in below for line in _lines(child, tree, session, depth + (not silent))]
        if [line.strip() for line in lines] != [name]:
            yield from lines


def _text(node: dict[str, Any], key: str) -> str:
    return " ".join(str(node.get(key, {}).get("value", "")).split())


def _state(key: str, value: Any) -> str:
    if value in (None, "off"):
        return ""
    if value in (True, "true"):
        return key
    if value in (False, "false"):
        return f"not {key}" if key in SWITCHES else ""
    return f"{key} {value}"


def _spoken(node: dict[str, Any], session: CDPSession) -> str:
    """A slider's value in words, which the tree has only as a number; in quotes, to show which of the two it is."""
    about = session.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})["node"]["attributes"]
    words = dict(zip(about[::2], about[1::2], strict=True)).get("aria-valuetext")
    return f'"{words}"' if words else _text(node, "value")
