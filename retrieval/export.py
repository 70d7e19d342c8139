"""Run as a process of its own: published weights and the question model -> ONNX files.

lower.onnx       tokens -> states after the layers that questions and other texts have in common
upper.onnx       these states -> the state of every token by the published weights
questions.onnx   the same by the question model's layers, if there is a question model

sample.npy       what upper and questions give for SAMPLE, as torch computes it, float32 (1 or 2, tokens, dimension)

Each has its weights in a file beside it, in the order in which onnxruntime multiplies them. It is mapped into memory when it
is opened: all processes that serve it share it. The order is that of this version of onnxruntime on this kind of processor, so
that who opens the files asks for SAMPLE first.
"""

from __future__ import annotations

import copy
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.question_model import QuestionModel

__all__ = ["SAMPLE", "main"]

SAMPLE = (101, 2515, 2009, 3480, 2043, 2009, 17595, 1029, 102)
"""A few tokens of the default model."""
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

    tokens = torch.tensor([SAMPLE])
    mask = torch.ones_like(tokens)
    lower, upper = Lower().eval(), Layers(layers[cut:]).eval()
    with torch.no_grad():
        states = lower(tokens, mask)
    _export(lower, (tokens, mask), target / "lower.onnx", "input_ids")
    _export(upper, (states, mask), target / "upper.onnx", "states")
    above = [upper]
    if tuned:
        own = Layers(copy.deepcopy(layers[cut:])).eval()
        with torch.no_grad():
            for name, parameter in own.layers.named_parameters():
                parameter += torch.from_numpy(tuned.deltas[name])
        _export(own, (states, mask), target / "questions.onnx", "states")
        above.append(own)
    with torch.no_grad():
        np.save(target / "sample.npy", torch.cat([part(states, mask) for part in above]).numpy(), allow_pickle=False)


def _export(part: Any, example: tuple[Any, Any], target: Path, what: str) -> None:
    import onnxruntime
    import torch

    names = [what, "attention_mask"]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # More than these would be of this very processor.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    weights = target.with_suffix(".weights")
    for key, value in (
        ("optimized_model_external_initializers_file_name", weights.name),
        ("optimized_model_external_initializers_min_size_in_bytes", "1024"),
        ("save_external_prepacked_constant_initializers", "1"),
    ):
        options.add_session_config_entry(f"session.{key}", value)
    with tempfile.TemporaryDirectory() as work, warnings.catch_warnings():
        # The older exporter is deprecated; the newer one needs onnxscript, and the result is proved by a test.
        warnings.simplefilter("ignore")
        plain = Path(work) / target.name
        torch.onnx.export(
            part,
            example,
            str(plain),
            dynamo=False,
            opset_version=17,
            input_names=names,
            output_names=["hidden"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*names, "hidden")},
        )
        onnxruntime.InferenceSession(str(plain), options, providers=["CPUExecutionProvider"])
    weights.chmod(target.stat().st_mode)  # who builds may be somebody else than who answers
