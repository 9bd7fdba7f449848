"""`fxscore train-network`: train a found network, or any other, as an image classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fxscore.cli import arguments, options, output
from fxscore.cli.expand import expand
from fxscore.errors import TrainingError
from fxscore.texts import first_line
from fxscore.types import ModelRef, Shape

if TYPE_CHECKING:
    import torch

    from fxscore.network_training import ClassifierPlan

INTERRUPTED = 130
EPILOG = (
    "Examples:\n\n"
    "  fxscore train-network zoo/resnet.py --dataset cifar10 --data images/ --epochs 200 --out runs/resnet\n\n"
    "  fxscore train-network runs/zen/network.py --dataset cifar100 --data images/ --epochs 1440 "
    "--augmentation timm --averaging 0.9999 --out runs/found\n\n"
    "  fxscore train-network timm:resnet18 --input-shape 3,64,64 --dataset imagefolder --data photographs/ "
    "--out runs/resnet18\n\n"
    "  fxscore train-network zoo/squeezenet.py --dataset digits --epochs 5 --warmup 1 --out runs/digits\n\n"
    "The folder then holds result.json and weights.pt, a state dict. An interrupted run leaves its state there, and "
    "the same command goes on from the last whole epoch. Nothing is downloaded."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("train-network", epilog=EPILOG)(train_network)


def train_network(
    model: options.Model,
    dataset: Annotated[
        Literal["cifar10", "cifar100", "imagefolder", "digits", "fashion_mnist"],
        typer.Option(
            help="An image folder has train/CLASS/ and val/CLASS/; digits ship with scikit-learn, Fashion-MNIST with "
            "Debian's dataset-fashion-mnist."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the images lie.",
            show_default="digits need none, nor an installed Fashion-MNIST",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where state and results go.")] = Path(
        "runs/network"
    ),
    input_shape: options.InputShape = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images.")] = 200,
    batch: Annotated[int, typer.Option(min=1, help="Images of one step.")] = 128,
    learning_rate: Annotated[float, typer.Option(min=0, help="The highest, after the warm-up.")] = 0.1,
    warmup: Annotated[int, typer.Option(min=0, help="Epochs in which the learning rate rises.")] = 5,
    optimiser: Annotated[str, typer.Option(help="Of timm: sgd (Nesterov), adamw, lamb …")] = "sgd",
    momentum: Annotated[float, typer.Option(min=0, max=1, help="Of the optimiser.")] = 0.9,
    weight_decay: Annotated[float, typer.Option(min=0, help="Not of biases and normalisation.")] = 5e-4,
    schedule: Annotated[str, typer.Option(help="Of timm: cosine, step, poly, constant …")] = "cosine",
    label_smoothing: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of the target spread over all classes.")
    ] = 0.0,
    augmentation: Annotated[
        Literal["standard", "timm", "none"],
        typer.Option(help="Random crop and flip; with RandAugment and erasing (timm); or none."),
    ] = "standard",
    averaging: Annotated[
        float, typer.Option(min=0, max=0.999999, help="Decay of the average of weights; 0 has none.")
    ] = 0.0,
    clip: Annotated[float, typer.Option(min=0, help="Largest norm of the gradient; 0 clips nothing.")] = 0.0,
    training_images: Annotated[
        int, typer.Option(min=0, help="Train on so many images only, drawn by a fixed shuffle; 0 takes all.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random in the run.")] = 0,
    device: Annotated[
        str | None, typer.Option(help="Where to compute.", show_default="cuda where there is one, else cpu")
    ] = None,
    mixed_precision: Annotated[
        bool,
        typer.Option("--mixed-precision/--full-precision", help="Half precision, on a GPU."),
    ] = True,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read images.")] = 0,
    measure_every: Annotated[int, typer.Option(min=1, help="Epochs between measurements.")] = 1,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Train a network as an image classifier, resumably, and measure it after each epoch."""
    output.prepare(verbose, log_file, out / "state", inputs=arguments.files(model))

    from fxscore.network_training import ClassifierPlan

    plan = ClassifierPlan(
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        warmup=warmup,
        optimiser=optimiser,
        momentum=momentum,
        weight_decay=weight_decay,
        schedule=schedule,
        label_smoothing=label_smoothing,
        augmentation=augmentation,
        averaging=averaging,
        clip=clip,
        mixed_precision=mixed_precision,
        training_images=training_images,
        seed=seed,
    )
    if not run(model, dataset, data, plan, out, input_shape, device, workers, measure_every):
        raise typer.Exit(INTERRUPTED)


def run(
    model: str,
    dataset: str,
    data: Path | None,
    plan: ClassifierPlan,
    out: Path,
    input_shape: Shape | None,
    device: str | None,
    workers: int,
    measure_every: int,
) -> bool:
    """Train a network and write its folder; False where the run was interrupted."""
    from fxscore.cli.train_network_progress import report, show_training
    from fxscore.network_training import ClassifierTrainer, build_network, open_data_set
    from fxscore.network_training.outcome import STATE, read_outcome, write_outcome

    chosen = _device(device)
    images = open_data_set(dataset, data, workers, pinned=chosen.type == "cuda")
    network = build_network(_one(model), images.classes, input_shape=input_shape, seed=plan.seed)
    training, test = images.split(network.input_shape, plan)
    trainer = ClassifierTrainer(
        network,
        plan,
        training,
        test,
        state_path=out / STATE,
        data_name=dataset,
        device=chosen,
        measure_every=measure_every,
    )
    console = output.console(stderr=True)
    result = read_outcome(out, trainer.about)
    if result is None:
        try:
            show_training(console, trainer)
        except KeyboardInterrupt:
            done = len(trainer.history)
            console.print(f"interrupted after epoch {done}; the same command goes on", highlight=False)
            return False
        result = write_outcome(trainer, out)
    report(console, result, out)
    return True


def _one(model: str) -> ModelRef:
    refs = expand([model], False)
    if len(refs) > 1:
        raise TrainingError(f"{model} stands for {len(refs)} networks; name one, such as {refs[0]}")
    return refs[0]


def _device(name: str | None) -> torch.device:
    import torch

    chosen = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.zeros((), device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = first_line(error)
        raise TrainingError(
            f"cannot compute on {chosen!r} ({reason}); leave --device out, or name cpu"
        ) from None
    return torch.device(chosen)
