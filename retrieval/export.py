"""Run as a process of its own: published weights and the question model -> ONNX files.

lower.onnx       tokens -> states after the layers that questions and other texts have in common
upper.onnx       these states -> the state of every token by the published weights
questions.onnx   the same by the question model's layers, if there is a question model

Each has its weights in a file beside it, which is mapped into memory when it is opened: all processes that serve it share it.
"""

from __future__ import annotations

import copy
import io
import sys
import warnings
from pathlib import Path
from typing import Any

from retrieval.question_model import QuestionModel

__all__ = ["main"]

_UPPER = 3
"""Layers apart from the others where no question model says how many."""


def main() -> None:
    """Export the model in the folder given first into the folder given second, with the question model given third, if any."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(
        source, local_files_only=True, trust_remote_code=False, use_safetensors=True, attn_implementation="eager"
    ).eval()
    tuned = QuestionModel.load(Path(sys.argv[3])) if len(sys.argv) > 3 else None
    layers = list(model.encoder.layer)
    cut = len(layers) - (tuned.layers if tuned else _UPPER)

    class Layers(torch.nn.Module):  # type: ignore[misc]  # torch is not followed: it costs mypy a minute
        def __init__(self, layers: list[Any]) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList(layers)

        def forward(self, state: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            ignored = (1.0 - attention_mask[:, None, None, :].to(state.dtype)) * torch.finfo(state.dtype).min
            for layer in self.layers:
                state = layer(state, ignored)
                state = state[0] if isinstance(state, tuple) else state
            return state

    class Lower(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.embeddings = model.embeddings
            self.layers = Layers(layers[:cut])

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return self.layers(self.embeddings(input_ids=input_ids), attention_mask)

    mask = torch.ones(2, 8, dtype=torch.long)
    states = torch.zeros(2, 8, model.config.hidden_size)
    _export(Lower(), (mask, mask), target / "lower.onnx", "input_ids")
    _export(Layers(layers[cut:]), (states, mask), target / "upper.onnx", "states")
    if tuned:
        own = Layers(copy.deepcopy(layers[cut:]))
        with torch.no_grad():
            for name, parameter in own.layers.named_parameters():
                parameter += torch.from_numpy(tuned.deltas[name])
        _export(own, (states, mask), target / "questions.onnx", "states")


def _export(part: Any, example: tuple[Any, Any], target: Path, what: str) -> None:
    import onnx
    import torch

    exported = io.BytesIO()
    names = [what, "attention_mask"]
    with warnings.catch_warnings():
        # The older exporter is deprecated; the newer one needs onnxscript, and the result is proved by a test.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part,
            example,
            exported,
            dynamo=False,
            opset_version=17,
            input_names=names,
            output_names=["hidden"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*names, "hidden")},
        )
    weights = target.with_suffix(".weights")
    onnx.save_model(onnx.load_from_string(exported.getvalue()), str(target), save_as_external_data=True, location=weights.name)
    weights.chmod(target.stat().st_mode)  # who builds may be somebody else than who answers
