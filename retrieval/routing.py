"""What the rules, the trained router and the clinic's examples say of a message -> one route. Each can only raise it."""

from __future__ import annotations

from retrieval.classifier import Kinds
from retrieval.encoder import Vectors
from retrieval.examples import Examples
from retrieval.types import Route, Routing

__all__ = ["CLINICAL_FROM", "URGENT_FROM", "highest", "judged", "raised_by_examples"]

URGENT_FROM = 0.3
"""How likely urgent or self-harm must be together; chosen for recall on danger first, docs/design.md has the figures."""
CLINICAL_FROM = 0.5
"""How likely urgent, self-harm and consult must be together for a message to go to a clinician."""
_NEED: dict[Route, int] = {"answer": 0, "no_answer": 1, "consult": 2, "urgent": 3}


def highest(*routings: Routing | None) -> Routing | None:
    """The routing of the highest need, the first of equals, with the names of all that raised the message; None of none."""
    found = [routing for routing in routings if routing is not None]
    if not found:
        return None
    first = max(found, key=lambda routing: _NEED[routing.route])
    names = dict.fromkeys(name for routing in (first, *found) for name in routing.rules)
    return Routing(first.route, first.card, tuple(names))


def judged(kinds: Kinds) -> Routing | None:
    """The route to which the trained router raises a message, or None."""
    danger = kinds.urgent + kinds.self_harm
    if danger >= URGENT_FROM:
        return Routing("urgent", "self_harm" if kinds.self_harm > kinds.urgent else "urgent", ("trained router",))
    if danger + kinds.consult >= CLINICAL_FROM:
        return Routing("consult", "consult", ("trained router",))
    return None


def raised_by_examples(examples: Examples, vector: Vectors) -> Routing | None:
    """The route to which an example of the clinic that says the same raises a message, or None."""
    route = examples.raises(vector)
    return None if route is None else Routing(route, route, ("example message",))
