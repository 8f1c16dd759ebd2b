"""What Prometheus scrapes, under controller-runtime's names where the meaning is the same."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kubewright.runtime.record import Outcome, ReconcileRecord
from kubewright.runtime.serving import Answer

# controller-runtime's buckets.
_BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    *(1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60),
)
_RESULTS: Final[Mapping[Outcome, str]] = {"error": "error", "permanent": "error", "retry": "requeue"}
_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Gauges(NamedTuple):
    """One controller as it is now.

    Attributes:
        name: of the controller.
        workers: how many objects it reconciles at once, at most.
        active: how many it reconciles.
        waiting: how many could be reconciled, had it more workers.
    """

    name: str
    workers: int
    active: int
    waiting: int


class _Histogram:
    """Durations in seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BUCKETS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(_BUCKETS, seconds)] += 1
        self.sum += seconds


class Metrics:
    """Counts as an observer of reconciles; gauges are read when they are asked for."""

    def __init__(self) -> None:
        self._results: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[str] = Counter()
        self._terminal: Counter[str] = Counter()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._seconds: dict[str, _Histogram] = {}

    def observe(self, record: ReconcileRecord) -> None:
        """One reconcile has ended."""
        name = record.controller
        result = _RESULTS.get(record.outcome, "success")
        if result == "success" and record.again is not None:
            result = "requeue_after"
        self._results[name, result] += 1
        if result == "error":
            self._errors[name] += 1
        if record.outcome == "permanent":
            self._terminal[name] += 1
        self._seconds.setdefault(name, _Histogram()).add(record.seconds)
        for write in record.writes:
            self._requests[name, write.verb, str(write.status)] += 1

    def text(self, controllers: Iterable[Gauges], *, lease: str = "", leads: bool = False) -> str:
        """The exposition. ``lease`` is empty where no leader is elected."""
        working = list(controllers)
        page = _Page()
        total = "controller_runtime_reconcile_total"
        page.head(total, "counter", "Reconciles, by what came of them")
        for each in working:
            for result in ("success", "error", "requeue", "requeue_after"):
                page.line(total, self._results[each.name, result], controller=each.name, result=result)
        for metric, kind, what, values in (
            ("reconcile_errors_total", "counter", "Reconciles that failed", self._errors),
            ("terminal_reconcile_errors_total", "counter", "Reconciles that failed for good", self._terminal),
            ("max_concurrent_reconciles", "gauge", "Workers", {each.name: each.workers for each in working}),
            ("active_workers", "gauge", "Workers at work", {each.name: each.active for each in working}),
        ):
            name = f"controller_runtime_{metric}"
            page.head(name, kind, what)
            for each in working:
                page.line(name, values.get(each.name, 0), controller=each.name)
        self._durations(page)
        page.head("workqueue_depth", "gauge", "Objects that wait for a worker")
        for each in working:
            page.line("workqueue_depth", each.waiting, name=each.name, controller=each.name)
        page.head("kubewright_reconcile_writes_total", "counter", "Writes sent by reconciles; code 0 had no answer")
        for (controller, verb, code), count in sorted(self._requests.items()):
            page.line("kubewright_reconcile_writes_total", count, controller=controller, verb=verb, code=code)
        if lease:
            page.head("leader_election_master_status", "gauge", "1 where this replica leads")
            page.line("leader_election_master_status", int(leads), name=lease)
        return str(page)

    def _durations(self, page: _Page) -> None:
        name = "controller_runtime_reconcile_time_seconds"
        page.head(name, "histogram", "How long reconciles took")
        for controller, histogram in sorted(self._seconds.items()):
            count = 0
            for bucket, those in zip((*map(str, _BUCKETS), "+Inf"), histogram.counts, strict=True):
                count += those
                page.line(f"{name}_bucket", count, controller=controller, le=bucket)
            page.line(f"{name}_sum", histogram.sum, controller=controller)
            page.line(f"{name}_count", count, controller=controller)


class _Page:
    """Prometheus' text format."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def head(self, name: str, kind: str, what: str) -> None:
        self._lines += (f"# HELP {name} {what}.", f"# TYPE {name} {kind}")

    def line(self, metric: str, value: float, /, **labels: str) -> None:
        # Label values are names of controllers, verbs and numbers: none needs escaping.
        told = ",".join(f'{label}="{text}"' for label, text in labels.items())
        self._lines.append(f"{metric}{{{told}}} {value!r}")

    def __str__(self) -> str:
        return "\n".join([*self._lines, ""])


def page(text: str) -> Answer:
    """``text`` as Prometheus expects it."""
    return Answer(200, text, _CONTENT_TYPE)
