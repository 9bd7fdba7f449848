"""Drawings say what the captured graph says: every value that flows between blocks is an edge, and nothing else is."""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor, nn

import fxscore
from fxscore.cli.app import run
from fxscore.costs.network import capture_for_costs
from fxscore.errors import MissingExtraError, UsageError
from fxscore.report.drawing import Diagram, Drawing
from fxscore.report.drawing.diagram import diagram_of
from fxscore.sources import build
from fxscore.types import ModelRef

ZOO = [
    "resnet",
    "densenet",
    "inception",
    "shufflenet",
    "nasbench201_cell",
    "coatnet",
    "mobilenet_v3",
    "vit",
    "squeezenet",
]
SVG = "{http://www.w3.org/2000/svg}"


class Branches(nn.Module):
    """A skip around two branches of different depth, one of which only pools."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.long = nn.Sequential(
            nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1)
        )
        self.pool = nn.AvgPool2d(3, 1, 1)
        self.head = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        both = torch.cat([self.long(x) + x, self.pool(x)], 1)
        result: Tensor = self.head(both.mean((2, 3)))
        return result


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.conv(x)))


class Tapped(nn.Module):
    """Equal blocks in a row, of which the output sees one in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Residual(4) for _ in range(4))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        middle = self.blocks[1](self.blocks[0](x))
        return middle, self.blocks[3](self.blocks[2](middle))


class Masked(nn.Module):
    """Every block takes the same second value."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(6, 6)
        self.layers = nn.ModuleList(nn.Linear(6, 6) for _ in range(5))

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate(x)
        for layer in self.layers:
            x = layer(x) * gate
        return x


class Shared(nn.Module):
    """One module at several places."""

    def __init__(self) -> None:
        super().__init__()
        self.act, self.conv = nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        first: Tensor = self.act(x + self.conv(x))
        result: Tensor = self.act(first + self.conv(first).mean()) * self.act(x)
        return result


def drawn(model: nn.Module, shape: tuple[int, ...], depth: int | None = None) -> Diagram:
    return fxscore.draw(model, input_shape=shape, depth=depth).diagram


def edges_by_title(diagram: Diagram) -> set[tuple[str, str]]:
    return {(diagram.blocks[e.source].title, diagram.blocks[e.target].title) for e in diagram.edges}


def test_branches_skips_and_pools_are_drawn() -> None:
    conv, long = "Conv 3×3", "Conv 1×1, BN, ReLU"
    diagram = drawn(Branches(), (3, 9, 9), depth=2)
    assert [block.title for block in diagram.blocks] == [
        "Input", conv, long, conv, "Add", "Average pool 3", "Concatenate", "Mean", "Linear", "Output",
    ]  # fmt: skip
    assert [(edge.source, edge.target) for edge in diagram.edges] == [
        (0, 1), (1, 2), (1, 4), (1, 5), (2, 3), (3, 4), (4, 6), (5, 6), (6, 7), (7, 8), (8, 9),
    ]  # fmt: skip
    assert {edge.shapes for edge in diagram.edges[1:4]} == {("6×9×9",)}
    assert diagram.edges[-1].shapes == ("5",)
    assert (diagram.blocks[1].detail, diagram.blocks[8].detail) == ("3 → 6", "12 → 5")


def test_a_closed_sequence_goes_by_its_layers_and_keeps_its_edges() -> None:
    diagram = drawn(Branches(), (3, 9, 9), depth=0)
    inside = "Conv 1×1, BN, ReLU, Conv 3×3"
    assert {("Conv 3×3", inside), ("Conv 3×3", "Add"), (inside, "Add")} <= edges_by_title(diagram)


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("depth", [None, 0, 9])
def test_the_edges_are_those_of_the_graph(name: str, depth: int | None) -> None:
    """Each value of the graph is an edge, lies in one block, or goes back in a frame, from one copy to the next."""
    built = build(ModelRef.parse(f"zoo/{name}.py"))
    graph_module = capture_for_costs(built.module, built.input_shape, scopes=True)
    diagram = diagram_of(name, graph_module, depth)
    home = {node: place for place, block in enumerate(diagram.blocks) for node in block.nodes}
    flows = {
        (home[source.name], home[node.name])
        for node in graph_module.graph.nodes
        for source in node.all_input_nodes
        if source.name in home and node.name in home
    }
    shown = {(edge.source, edge.target) for edge in diagram.edges}
    assert shown <= flows
    frames = [set(frame.blocks) for frame in diagram.frames]
    for source, target in flows - shown:
        assert source == target or (source > target and any({source, target} <= frame for frame in frames))
    assert all(source < target for source, target in shown)  # no circle
    calls = [node for node in graph_module.graph.nodes if node.op.startswith("call")]
    assert sum(node.name in home for node in calls) > 0.9 * len(calls)


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("depth", [None, 0])
def test_the_shares_add_up_to_the_network(name: str, depth: int | None) -> None:
    diagram = fxscore.draw(f"zoo/{name}.py", depth=depth).diagram
    explained = fxscore.explain(f"zoo/{name}.py", scorer="params")
    assert (diagram.params, diagram.macs) == (explained.params, explained.macs)
    assert sum(block.params for block in diagram.blocks) == diagram.params
    assert sum(block.macs for block in diagram.blocks) == pytest.approx(diagram.macs, rel=1e-3)


def test_equal_blocks_in_a_row_are_drawn_once() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), *(Residual(4) for _ in range(5)), Residual(4).conv)
    closed = drawn(network, (3, 8, 8), depth=0)
    (block,) = [each for each in closed.blocks if each.times > 1]
    assert (block.title, block.times, block.detail) == ("Residual", 5, "1 … 5")
    assert block.params == 5 * sum(p.numel() for p in Residual(4).parameters())
    opened = drawn(network, (3, 8, 8), depth=1)
    (frame,) = opened.frames
    assert frame.times == 5
    assert [opened.blocks[place].title for place in frame.blocks] == ["Conv 3×3, BN", "Add, ReLU"]


def test_layers_without_a_module_around_them_repeat_as_well() -> None:
    layers = [each for _ in range(3) for each in (nn.Conv2d(4, 4, 3), nn.ReLU(), nn.MaxPool2d(2, 1))]
    diagram = drawn(nn.Sequential(*layers), (4, 20, 20))
    assert [frame.times for frame in diagram.frames] in ([], [3])  # shapes shrink, so they are not equal
    assert not diagram.frames
    same = [
        each for _ in range(3) for each in (nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 1, 1))
    ]
    (frame,) = drawn(nn.Sequential(*same), (4, 20, 20)).frames
    assert (frame.times, len(frame.blocks)) == (3, 2)


def test_a_value_that_is_seen_outside_keeps_blocks_apart() -> None:
    diagram = drawn(Tapped(), (4, 8, 8), depth=0)
    residual = [block.times for block in diagram.blocks if block.title == "Residual"]
    assert sum(residual) == 4
    assert len(residual) > 1
    output = len(diagram.blocks) - 1
    assert len([edge for edge in diagram.edges if edge.target == output]) == 2


def test_a_value_that_all_blocks_take_is_one_edge() -> None:
    diagram = drawn(Masked(), (7, 6), depth=0)
    assert [frame.times for frame in diagram.frames] == [5]
    assert edges_by_title(diagram) == {
        ("Input", "Linear"), ("Linear", "Multiply"), ("Multiply", "Output"),
    }  # fmt: skip
    gate = next(place for place, block in enumerate(diagram.blocks) if block.title == "Linear")
    assert [edge.target for edge in diagram.edges if edge.source == gate] == [gate + 2]


def test_a_width_is_that_of_the_layer_however_its_result_is_cut() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.joint = nn.Linear(8, 24)

        def forward(self, x: Tensor) -> Tensor:
            queries, keys, values = self.joint(x).reshape(-1, 5, 3, 2, 4).permute(2, 0, 3, 1, 4)
            return nn.functional.scaled_dot_product_attention(queries, keys, values)

    joint = next(block for block in drawn(Cut(), (5, 8)).blocks if block.title == "Linear")
    assert (joint.detail, joint.channels) == ("8 → 24", 24)


def test_one_module_at_several_places_makes_no_circle() -> None:
    diagram = drawn(Shared(), (4, 8, 8))
    assert all(edge.source < edge.target for edge in diagram.edges)
    assert sum(block.params for block in diagram.blocks) == 4 * 4 * 9 + 4
    assert [block.title for block in diagram.blocks].count("Conv 3×3") == 2


def test_several_inputs_are_several_blocks() -> None:
    examples = (torch.zeros(1, 3, 6), torch.zeros(1, 3, 6))
    diagram = fxscore.draw(nn.Bilinear(6, 6, 2), example_inputs=examples).diagram
    assert [block.family for block in diagram.blocks].count("input") == 2


def test_a_gate_has_the_colour_of_its_weights_and_a_sum_with_a_weight_that_of_sums() -> None:
    from torchvision.ops import SqueezeExcitation

    class Placed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.place = nn.Parameter(torch.zeros(1, 4, 8, 8))
            self.gate, self.end = SqueezeExcitation(4, 2), nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.end(self.gate(x + self.place))
            return result

    found = {block.title: block.family for block in drawn(Placed(), (4, 8, 8), depth=0).blocks}
    assert found["SqueezeExcitation"] == "convolution"
    assert found["Add"] == "sum"


def test_a_module_that_only_wraps_a_sequence_goes_by_its_own_name() -> None:
    class Tower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(*(nn.Conv2d(width, width + 1, 3) for width in range(4, 9)))

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.layers(x)
            return result

    network = nn.Sequential(nn.Conv2d(3, 4, 1), Tower(), nn.Conv2d(9, 2, 1))
    tower = drawn(network, (3, 16, 16), depth=0).blocks[2]
    assert (tower.title, tower.detail) == ("Tower", "1")


def test_the_network_is_left_as_it_is() -> None:
    network = Branches().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fxscore.draw(network, input_shape=(3, 9, 9))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


class TestPicture:
    @pytest.fixture
    def drawing(self) -> Drawing:
        pytest.importorskip("grandalf", reason="pictures need fxscore[draw]")
        return fxscore.draw(Branches(), input_shape=(3, 9, 9), depth=2)

    def test_the_svg_has_every_block_edge_and_shape(self, drawing: Drawing) -> None:
        root = ElementTree.fromstring(drawing.svg)
        names = {group.get("id") for group in root.iter(f"{SVG}g")}
        diagram = drawing.diagram
        assert {f"edge-{edge.source}-{edge.target}" for edge in diagram.edges} <= names
        assert {f"block-{place}" for place in range(len(diagram.blocks))} <= names
        assert sum(str(name).startswith("edge-") for name in names) == len(diagram.edges)
        texts = ["".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")]
        assert texts.count("6×9×9") == sum("6×9×9" in edge.shapes for edge in diagram.edges)
        assert "Conv 1×1, BN, ReLU" in texts

    def test_the_same_network_is_the_same_file(self, drawing: Drawing) -> None:
        again = fxscore.draw(Branches(), input_shape=(3, 9, 9), depth=2)
        assert again.svg == drawing.svg == drawing._repr_svg_()

    @pytest.mark.parametrize("name", ["inception", "nasbench201_cell", "shufflenet"])
    def test_no_block_lies_on_another_and_no_edge_goes_through_one(self, name: str) -> None:
        pytest.importorskip("grandalf", reason="pictures need fxscore[draw]")
        from fxscore.report.drawing.layout import lay_out

        diagram = fxscore.draw(f"zoo/{name}.py").diagram
        layout = lay_out(diagram, 2.0, 0.6, 0.3)
        for (x, y), (other_x, other_y) in combinations(layout.blocks, 2):
            assert abs(x - other_x) >= 2.0 - 1e-9 or abs(y - other_y) >= 0.6 - 1e-9
        for edge, points in zip(diagram.edges, layout.edges, strict=True):
            assert points[0] == (layout.blocks[edge.source][0], layout.blocks[edge.source][1] - 0.3)
            for x, y in points[1:-1]:
                assert not any(abs(x - a) < 0.99 and abs(y - b) < 0.29 for a, b in layout.blocks)

    @pytest.mark.parametrize("name", ["inception", "vit", "mobilenet_v3"])
    def test_words_stay_in_their_blocks(self, name: str) -> None:
        pytest.importorskip("grandalf", reason="pictures need fxscore[draw]")
        from fxscore.report.drawing.picture import figure_of

        figure = figure_of(fxscore.draw(f"zoo/{name}.py", depth=1).diagram)
        (axes,) = figure.axes
        boxes = [each.get_window_extent() for each in axes.patches if str(each.get_gid()).startswith("block")]
        words = [each for each in axes.texts if each.get_horizontalalignment() == "center"][
            :-1
        ]  # the last is the heading
        said = [each.get_window_extent() for each in words if each.get_text()]
        assert len(said) > len(boxes)
        for it in said:
            assert any(
                box.x0 <= it.x0 and it.x1 <= box.x1 and box.y0 < it.y0 and it.y1 < box.y1 for box in boxes
            )

    def test_the_legend_says_what_colours_and_copies_mean(self, drawing: Drawing) -> None:
        words = "convolution", "sum, product, concatenation", "share of MACs"
        assert all(f">{each}</text>" in drawing.svg for each in words)
        assert "of all n of ×n" not in drawing.svg
        assert "share of MACs, of all n of ×n" in fxscore.draw("zoo/vit.py").svg

    @pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
    def test_the_command_writes_pictures(self, ending: str, tmp_path: Path, drawing: Drawing) -> None:
        out = tmp_path / "new" / f"net.{ending}"
        assert run(["draw", "zoo/squeezenet.py", "-o", str(out)]) == 0
        begin = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
        assert out.read_bytes().startswith(begin)


def test_dot_says_the_same_edges(tmp_path: Path) -> None:
    out = tmp_path / "net.dot"
    assert run(["draw", "zoo/inception.py", "--depth", "1", "-o", str(out)]) == 0
    diagram = fxscore.draw("zoo/inception.py", depth=1).diagram
    lines = [line.split("[")[0].strip() for line in out.read_text().splitlines() if "->" in line]
    assert lines == [f"b{edge.source} -> b{edge.target}" for edge in diagram.edges]


def test_without_grandalf_dot_remains(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "grandalf", None)
    drawing = fxscore.draw(Branches(), input_shape=(3, 9, 9))
    drawing.save(tmp_path / "net.dot")
    with pytest.raises(MissingExtraError, match=r"a drawing of a network needs grandalf .*fxscore\[draw\]"):
        drawing.save(tmp_path / "net.svg")


def test_another_ending_is_refused_before_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["draw", "zoo/vit.py", "-o", "net.txt"]) == 2
    assert "net.txt is no drawing; end its name with .png, .svg, .pdf, .dot" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no drawing"):
        fxscore.draw(Branches(), input_shape=(3, 9, 9)).save("net")
