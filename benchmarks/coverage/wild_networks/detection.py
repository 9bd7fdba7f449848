"""Detectors, pose networks and keypoints: ultralytics' configurations, pytorchcv and kornia."""

from __future__ import annotations

from functools import partial

from pytorchcv import model_provider
from torch import nn
from ultralytics.nn import tasks

from benchmarks.coverage.wild_networks.recipe import Recipe, image, table


def _ultralytics(kind: str, config: str, scale: str = "n") -> nn.Module:
    return getattr(tasks, kind)(config.format(scale), verbose=False)


def _pytorchcv(name: str, size: int = 64) -> nn.Module:
    return model_provider.get_model(name, in_size=(size, size))


_LARGER = {"scale": "s"}
_YOLO = {
    "yolov5": ("DetectionModel", "yolov5{}.yaml"),
    "yolov6": ("DetectionModel", "yolov6{}.yaml"),
    "yolov8": ("DetectionModel", "yolov8{}.yaml"),
    "yolov8_p2": ("DetectionModel", "yolov8{}-p2.yaml"),
    "yolov8_p6": ("DetectionModel", "yolov8{}-p6.yaml"),
    "yolov8_ghost": ("DetectionModel", "yolov8{}-ghost.yaml"),
    "yolov8_seg": ("SegmentationModel", "yolov8{}-seg.yaml"),
    "yolov8_pose": ("PoseModel", "yolov8{}-pose.yaml"),
    "yolov8_obb": ("OBBModel", "yolov8{}-obb.yaml"),
    "yolov8_cls": ("ClassificationModel", "yolov8{}-cls.yaml"),
    "yolov10": ("DetectionModel", "yolov10{}.yaml"),
    "yolo11": ("DetectionModel", "yolo11{}.yaml"),
    "yolo11_seg": ("SegmentationModel", "yolo11{}-seg.yaml"),
    "yolo11_pose": ("PoseModel", "yolo11{}-pose.yaml"),
    "yolo11_obb": ("OBBModel", "yolo11{}-obb.yaml"),
    "yolo11_cls": ("ClassificationModel", "yolo11{}-cls.yaml"),
    "yolo12": ("DetectionModel", "yolo12{}.yaml"),
    "yolo26": ("DetectionModel", "yolo26{}.yaml"),
    "yolo26_cls": ("ClassificationModel", "yolo26{}-cls.yaml"),
}
_POSE = {
    "centernet": ("centernet_resnet18_voc", "centernet_resnet50b_voc"),
    "lwopenpose": ("lwopenpose2d_mobilenet_cmupan_coco", "lwopenpose3d_mobilenet_cmupan_coco"),
    "lffd": ("lffd20x5s320v2_widerface", "lffd25x8s560v1_widerface"),
}

NETWORKS = (
    table(
        "ultralytics",
        image(128),
        {name: (partial(_ultralytics, kind, config), {}, _LARGER) for name, (kind, config) in _YOLO.items()}
        | {
            "yolov9": (partial(_ultralytics, "DetectionModel", "yolov9{}.yaml"), {"scale": "t"}, _LARGER),
            "rtdetr": (
                partial(_ultralytics, "RTDETRDetectionModel"),
                {"config": "rtdetr-l.yaml"},
                {"config": "rtdetr-resnet50.yaml"},
            ),
        },
    )
    | table(
        "pytorchcv",
        image(128),
        {
            name: (_pytorchcv, {"name": plain, "size": 128}, {"name": other})
            for name, (plain, other) in _POSE.items()
        },
    )
    | {
        name: Recipe(
            "pytorchcv",
            _pytorchcv,
            image(128),
            {"name": f"{name}_resnet18_coco", "size": 128},
            {"name": f"{name}_resnet50b_coco"},
            by_value="reads the neighbours of each maximum of its heat maps",
        )
        for name in ("simplepose", "simplepose_mobile")
    }
)
