"""How good the answers are: judged questions, metrics, comparisons, reports, and the gate that stops a worse release."""
