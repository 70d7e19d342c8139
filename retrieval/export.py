"""Run as a process of its own: published weights -> one ONNX file. The only module that imports torch itself."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Export the model in the folder given first to the file given second."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(
        source, local_files_only=True, trust_remote_code=False, use_safetensors=True, attn_implementation="eager"
    ).eval()

    class LastHidden(torch.nn.Module):  # type: ignore[misc]  # torch is not followed: it costs mypy a minute
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            hidden: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            return hidden

    tokens = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings():
        # The older exporter is deprecated; the newer one needs onnxscript, and the result is proved by a test.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LastHidden(),
            (tokens, tokens),
            str(target),
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask"],
            output_names=["hidden"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "hidden": axes},
        )
