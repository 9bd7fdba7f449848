"""The Zen-NAS search: what it chooses of all that it has scored."""

from __future__ import annotations

from types import SimpleNamespace

from benchmarks.search import zen_nas
from fxscore.searching import Evaluation
from fxscore.spaces.zen_resnet import ZenResNet


def test_a_search_finds_the_best_without_a_wide_step_and_tells_what_scored_higher() -> None:
    genotypes = {
        "SuperConvK3BNRELU(3,8,1,1)SuperResK1K3K1(8,400,1,8,1)SuperConvK1BNRELU(400,64,1,1)": (
            90.0,
            950_000.0,
        ),
        "SuperConvK3BNRELU(3,8,1,1)SuperResK1K3K1(8,40,1,8,1)SuperConvK1BNRELU(40,64,1,1)": (80.0, 950_000.0),
        "SuperConvK3BNRELU(3,8,1,1)SuperResK1K3K1(8,32,1,8,1)SuperConvK1BNRELU(32,64,1,1)": (95.0, 50_000.0),
    }
    looked_at = [
        Evaluation(text, {"score": score, "params": params, "layers": 3.0})
        for text, (score, params) in genotypes.items()
    ]
    result = SimpleNamespace(
        evaluations=looked_at,
        space=ZenResNet(),
        build=lambda each: ZenResNet().build(ZenResNet().parse(each.text)),
    )
    chosen = zen_nas.found(result)  # type: ignore[arg-type]
    assert chosen is looked_at[1]
    told = zen_nas.about("general", result, chosen)  # type: ignore[arg-type]
    assert "The widest step from a layer to the next is from 8 to 40 channels" in told
    assert "The best of all, with a step from 8 to 400 channels: score 90.0000" in told
