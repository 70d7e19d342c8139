"""Run as a process of its own: published weights and the question model -> one ONNX file.

The file has two outputs, each the state of every token: `hidden` by the published weights, and `question`, where the question
model's layers take the place of the last ones; the layers before are gone through once.
"""

from __future__ import annotations

import copy
import sys
import warnings
from pathlib import Path

from retrieval.question_model import QuestionModel

__all__ = ["main"]


def main() -> None:
    """Export the model in the folder given first to the file given second, with the question model given third, if any."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(
        source, local_files_only=True, trust_remote_code=False, use_safetensors=True, attn_implementation="eager"
    ).eval()
    tuned = QuestionModel.load(Path(sys.argv[3])) if len(sys.argv) > 3 else None
    own_layers = torch.nn.ModuleList(copy.deepcopy(list(model.encoder.layer)[-tuned.layers :]) if tuned else [])
    with torch.no_grad():
        for name, parameter in own_layers.named_parameters():
            parameter += torch.from_numpy(tuned.deltas[name]) if tuned else 0.0

    class Both(torch.nn.Module):  # type: ignore[misc]  # torch is not followed: it costs mypy a minute
        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.own_layers = own_layers

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
            states = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True).hidden_states
            if not len(self.own_layers):
                return (states[-1],)
            state = states[-1 - len(self.own_layers)]
            ignored = (1.0 - attention_mask[:, None, None, :].to(state.dtype)) * torch.finfo(state.dtype).min
            for layer in self.own_layers:
                state = layer(state, ignored)
                state = state[0] if isinstance(state, tuple) else state
            return states[-1], state

    tokens = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "tokens"}
    outputs = ["hidden", "question"] if tuned else ["hidden"]
    with warnings.catch_warnings():
        # The older exporter is deprecated; the newer one needs onnxscript, and the result is proved by a test.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Both(),
            (tokens, tokens),
            str(target),
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask"],
            output_names=outputs,
            dynamic_axes=dict.fromkeys(("input_ids", "attention_mask", *outputs), axes),
        )
