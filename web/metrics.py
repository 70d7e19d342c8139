"""Figures for Prometheus: how many, how long, never what or who. Imported only where they are wanted."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from retrieval.assistant import Assistant
from retrieval.errors import PatientFaqError, SettingsError
from retrieval.types import Answer

__all__ = ["Metrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counts answers and refused requests. No label holds anything that a patient wrote, or an address."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(namespace="patient_faq", registry=self._registry)
        self._questions = Counter("patient_faq_questions", "Questions by route", ["route"], registry=self._registry)
        self._cards = Counter("patient_faq_cards", "Cards that were shown", ["card"], registry=self._registry)
        self._whole = Histogram(
            "patient_faq_question_seconds", "Time for a whole answer", buckets=_SECONDS, registry=self._registry
        )
        self._stages = Histogram(
            "patient_faq_stage_seconds", "Time for a stage of it", ["stage"], buckets=_SECONDS, registry=self._registry
        )
        self._refused = Counter("patient_faq_refused", "Requests that the gate refused", ["reason"], registry=self._registry)

    def serve(self, port: int) -> None:
        """Answer on a port of this machine alone, from a thread of its own; raises SettingsError where it is taken."""
        try:
            start_http_server(port, addr="127.0.0.1", registry=self._registry)
        except OSError as problem:
            raise SettingsError(
                f"PATIENT_FAQ_METRICS_PORT: 127.0.0.1:{port} cannot be used ({problem.strerror}). Choose another port."
            ) from problem

    def watch(self, assistant: Assistant) -> None:
        """Count the answers of an assistant, and say which release it has in force."""
        assistant.watch(self.answered)
        self._registry.register(_InForce(assistant))

    def answered(self, answer: Answer) -> None:
        """Count one answer."""
        self._questions.labels(answer.route).inc()
        for card in (answer.card, answer.notice):
            if card:
                self._cards.labels(card.kind).inc()
        self._whole.observe(answer.elapsed_ms / 1000)
        for stage, taken in answer.stages_ms:
            self._stages.labels(stage).observe(taken / 1000)

    def refused(self, reason: str) -> None:
        """Count one request that the gate refused."""
        self._refused.labels(reason).inc()


class _InForce(Collector):
    """What is read off the assistant whenever somebody asks for the figures."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def describe(self) -> list[Metric]:
        return []  # nothing need be looked up when this is registered

    def collect(self) -> Iterator[Metric]:
        problems = GaugeMetricFamily("patient_faq_problems", "What the health check complains of")
        problems.add_metric([], len(self._assistant.problems()))
        yield problems
        try:
            release = self._assistant.release()
        except PatientFaqError:
            return
        in_force = GaugeMetricFamily("patient_faq_release_in_force", "The release that answers", labels=["release"])
        in_force.add_metric([release.id], 1)
        yield in_force
        withheld = CounterMetricFamily("patient_faq_quotes_withheld", "Quotes that failed their proof", labels=["release"])
        withheld.add_metric([release.id], release.withheld)
        yield withheld
