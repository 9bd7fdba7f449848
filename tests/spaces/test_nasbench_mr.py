from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces.nasbench_mr import CLASSIFY, SEGMENT, NASBenchMR

SMALL = "8-16-1-1-8-1-1-1-16-24-1-1-1-1-8-8-8-1-1-1-1-1-8-8-8-8-32"


def conv_bn(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + 2 * outputs


def blocks(*widths: int) -> int:
    return sum(2 * conv_bn(width, width, 3) for width in widths)


def built(space: NASBenchMR, text: str) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in space.build(space.parse(text)).parameters())


def test_parameters_by_hand() -> None:
    stem = conv_bn(3, 8, 3) + conv_bn(8, 16, 3)
    one = conv_bn(16, 8, 3) + blocks(8)
    two = conv_bn(8, 16, 3) + conv_bn(16, 24, 3) + blocks(16, 24)
    three = conv_bn(16, 8, 3) + conv_bn(24, 8, 1)  # branch 0 from itself and the coarser one
    three += (
        conv_bn(16, 8, 3) + conv_bn(24, 8, 3) + conv_bn(8, 8, 3) + blocks(8, 8, 8)
    )  # branch 1, the new branch 2
    same, coarser = conv_bn(8, 8, 3), conv_bn(8, 8, 1)
    four = (same + coarser) + (2 * same + coarser) + 2 * same + same + blocks(8, 8, 8, 8)
    head = conv_bn(32, 32, 1) + 32 * 50 + 50
    assert built(NASBenchMR(), SMALL) == stem + one + two + three + four + head


def test_more_modules_are_fusions_and_blocks_again() -> None:
    twice = SMALL.replace("8-16-1-1-8-", "8-16-2-1-8-")
    assert built(NASBenchMR(), twice) - built(NASBenchMR(), SMALL) == conv_bn(8, 8, 3) + blocks(8)


def test_segmentation_gives_logits_at_a_quarter_of_the_image() -> None:
    space = NASBenchMR(segment=True)
    with torch.device("meta"):
        assert space.build(space.parse(SMALL))(torch.empty(1, 3, 64, 128)).shape == (1, 19, 16, 32)


@pytest.mark.parametrize(("segment", "names"), [(False, CLASSIFY), (True, SEGMENT)])
def test_each_task_of_a_table_is_a_label(segment: bool, names: dict[str, str], tmp_path: Path) -> None:
    other = SMALL[:-2] + "48"
    lines = [
        f'{text},"{name}",{accuracy},0.5,0.1'
        for name in [*CLASSIFY, *SEGMENT]
        for text, accuracy in ((SMALL, 50), (other, 60))
    ]
    file = tmp_path / "mr.csv"
    file.write_text("\n".join(["architecture,dataset,accuracy,params_M,flops_G", *lines]))
    table = NASBenchMR(segment).read(file)
    assert set(table.columns) == set(names.values())
    assert [values.tolist() for values in table.columns.values()] == [[50, 60]] * len(names)
    assert (table.params is None) == segment


def test_a_network_that_lacks_a_task_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mr.csv"
    rows = [f"{SMALL},Cityscapes,50,1,1", f"{SMALL[:-2]}48,Cityscapes 4x down,50,1,1"]
    file.write_text("\n".join(["architecture,dataset,accuracy,params_M,flops_G", *rows]))
    with pytest.raises(
        SpaceError, match=r"mr\.csv, line 3, column architecture: .*no row of cityscapes\.test"
    ):
        NASBenchMR(segment=True).read(file)


def test_a_number_outside_the_space_is_named() -> None:
    with pytest.raises(SpaceError, match="stem_1 = 17"):
        NASBenchMR().parse(SMALL.replace("8-16-", "8-17-", 1))
