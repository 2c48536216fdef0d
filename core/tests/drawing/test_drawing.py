"""A flow as a picture: in a terminal, for Mermaid, for Graphviz."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.drawing import dot, mermaid, text
from orderlines.drawing.picture import picture
from orderlines.flow.load import load_data
from orderlines.plugins import Registry
from orderlines.plugins.manager import given

if TYPE_CHECKING:
    from orderlines.drawing.picture import Lane

REGISTRY = Registry(given({}))


def drawn(*nodes: dict[str, Any]) -> Lane:
    return picture(load_data({"flow": "x", "vars": {"n": 1}, "line": list(nodes)}, REGISTRY).flow, REGISTRY)


def end(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "end": None, **more}


EVERYTHING: list[dict[str, Any]] = [
    {"id": "both", "parallel": {"limit": 2, "lines": {"one": [end("a"), end("b")], "two": [end("c", enabled=False)]}}},
    {"id": "each", "foreach": "${[1,\n 2]}", "as": "it", "limit": 3, "line": [end("d")]},
    {
        "id": "dag",
        "graph": {"nodes": [end("p"), end("q", after=["p"]), {"id": "r", "group": [end("s")], "after": ["p"]}]},
    },
    {"id": "again", "switch": [{"when": "${n > 1}", "goto": "each"}, {"when": True, "goto": "end"}, {"else": "last"}]},
    {"id": "wait", "delay": 5, "next": "end"},
    {"id": "last", "signal": 'a "quoted" <name>', "on_error": {"goto": "wait"}},
]

TEXT = """\
flow x

● both  parallel (2 at once)
├─ one
│  ● a  end
│  │
│  ● b  end
├─ two
│  ● c  end (not enabled)
│
● each  foreach ${[1, 2]} as it (3 at once)
│  ● d  end
│
● dag  graph
├─ ● p  end
├─ ● q  end  after p
├─ ● r  group  after p
│  │  ● s  end
│
◇ again  switch
├─ n > 1 → each
├─ true → end
├─ else → last

● wait  delay 5
├─ → end

● last  signal a "quoted" <name>
├─ on error → wait
"""

MERMAID = """\
flowchart TD
    subgraph n0["both: parallel (2 at once)"]
        subgraph n6["one"]
            n7["a<br/>end"]
            n8["b<br/>end"]
            n7 --> n8
        end
        subgraph n9["two"]
            n10["c<br/>end (not enabled)"]
        end
    end
    subgraph n1["each: foreach ${[1, 2]} as it (3 at once)"]
        n11["d<br/>end"]
    end
    subgraph n2["dag: graph"]
        n12["p<br/>end"]
        n13["q<br/>end"]
        subgraph n14["r: group"]
            n15["s<br/>end"]
        end
        n12 --> n13
        n12 --> n14
    end
    n3{"again<br/>switch"}
    n4["wait<br/>delay 5"]
    n5["last<br/>signal a #quot;quoted#quot; #lt;name#gt;"]
    n0 --> n1
    n1 --> n2
    n2 --> n3
    n3 -->|"n #gt; 1"| n1
    n16(((end)))
    n3 -->|"true"| n16
    n3 -->|"else"| n5
    n4 --> n16
    n5 -->|"on error"| n4
"""


def test_in_a_terminal() -> None:
    assert "".join(f"{line}\n" for line in text.draw(drawn(*EVERYTHING))) == TEXT


def test_for_mermaid() -> None:
    assert "".join(f"{line}\n" for line in mermaid.draw(drawn(*EVERYTHING))) == MERMAID


def test_for_graphviz() -> None:
    lines = [line.strip() for line in dot.draw(drawn(*EVERYTHING))]
    found = [re.fullmatch(r'(n\d+) \[label="(.*?)(?:\\n.*)?"[,\]].*', line) for line in lines]
    labels = {match[1]: match[2] for match in found if match}
    edges = [re.match(r"(n\d+) -> (n\d+)", line) for line in lines]
    named = {(labels[edge[1]], labels[edge[2]]) for edge in edges if edge}
    assert named == {
        ("both", "one"), ("both", "two"), ("one", "a"), ("a", "b"), ("two", "c"), ("each", "d"), ("dag", "p"),
        ("p", "q"), ("p", "r"), ("r", "s"), ("both", "each"), ("each", "dag"), ("dag", "again"), ("again", "each"),
        ("again", "end"), ("again", "last"), ("wait", "end"), ("last", "wait"),
    }  # fmt: skip
    assert lines[0] == 'digraph "x" {'
    assert sum(line.endswith("{") for line in lines) == lines.count("}")
    assert 'label="last\\nsignal a \\"quoted\\" <name>"' in "".join(lines)


@pytest.mark.parametrize("draw", [text.draw, mermaid.draw, dot.draw])
def test_a_label_has_one_line_and_an_end(draw: Any) -> None:
    lines = list(draw(drawn({"id": "a", "signal": "x" * 500 + "\n" + "y" * 500})))
    assert max(map(len, lines)) < 120
    assert any("x..." in line for line in lines)


def test_a_node_that_is_called_end_is_what_the_word_leads_to() -> None:
    choice = {"id": "s", "switch": [{"when": "${n > 1}", "goto": "z"}, {"else": "end"}]}
    lane = drawn({"id": "end", "delay": 1}, choice, end("z"))
    assert '    n1 -->|"else"| n0' in list(mermaid.draw(lane))
    assert '    n2 -> n1 [label="else"];' in list(dot.draw(lane))
    assert "(((end)))" not in "".join(mermaid.draw(lane))
    assert "doublecircle" not in "".join(dot.draw(lane))


def test_a_node_is_shown_with_what_people_call_it() -> None:
    lane = drawn({"id": "1001", "name": '并行 "网关"', "group": [{"id": "a", "name": "<任务> &amp;", "end": None}]})
    assert list(text.draw(lane))[2:] == ['● 1001 (并行 "网关")  group', "│  ● a (<任务> &amp;)  end"]
    assert "".join(mermaid.draw(lane)).count('subgraph n0["1001 (并行 #quot;网关#quot;): group"]') == 1
    assert "#lt;任务#gt; #amp;amp;" in "".join(mermaid.draw(lane))
    assert "<任务> &amp;amp;" in "".join(dot.draw(lane))
    assert 'label="1001 (并行 \\"网关\\")\\ngroup"' in "".join(dot.draw(lane))


def test_where_a_switch_leads_that_is_skipped() -> None:
    choice = {"id": "s", "switch": [{"when": "${n > 1}", "goto": "z"}], "on_error": "skip", "next": "y"}
    lane = drawn(choice, {"id": "y", "delay": 1, "next": "end"}, end("z"))
    assert '    n0 -->|"skipped"| n1' in list(mermaid.draw(lane))
