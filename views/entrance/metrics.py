"""/metrics for Prometheus, if FILING_METRICS_TOKEN is set: requests, queues, ages; no data of applications or people.

Under gunicorn the processes count into files of one folder, PROMETHEUS_MULTIPROC_DIR (views/entrance/server.py), which
prometheus_client looks for when it is first imported: here, in a worker, never at the top of a module.
"""

import hmac
import os
from collections.abc import Iterator
from datetime import timedelta
from time import perf_counter
from typing import Any

from flask import Flask, Response, abort, current_app, g, request
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from models import access, clock, log
from models.certificate import paper_queue
from models.customs import health as exchange
from models.database import briefly
from models.log import REFUSED, LogEntry, Operation
from models.notifications import letters
from views.certificate import paper_worker
from views.entrance.addresses import is_among, networks_of
from views.entrance.rate_limits import limiter
from views.resources import pace

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = 5  # that one query may take
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
AGES = {"checkpoint": Operation.CHECKPOINT_SIGNED, "backup": Operation.BACKED_UP, "drill": Operation.DRILLED}


def init_app(app: Flask) -> None:
    """Register the counters and /metrics if a token is set; otherwise /metrics does not exist."""
    app.config["METRICS_ADDRESSES"] = networks_of("METRICS_ADDRESSES", app.config["METRICS_ADDRESSES"])
    if not app.config["METRICS_TOKEN"]:
        return
    from prometheus_client import REGISTRY, CollectorRegistry, Histogram

    registry = CollectorRegistry() if FOLDER in os.environ else REGISTRY
    if "filing_request_seconds" in getattr(registry, "_names_to_collectors", {}):
        registry = CollectorRegistry()  # another application in this process has registered its counters there
    words = "Seconds until a request was answered."
    seconds = Histogram("filing_request_seconds", words, ["endpoint", "status"], buckets=BUCKETS, registry=registry)
    app.extensions["metrics"] = registry

    def begin() -> None:
        g.request_began = perf_counter()

    def count(response: Response) -> Response:
        took = perf_counter() - g.get("request_began", perf_counter())
        seconds.labels(request.endpoint or "none", str(response.status_code)).observe(took)
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.after_request(count)
    app.add_url_rule("/metrics", view_func=metrics)


@limiter.limit("60 per minute")
def metrics() -> Response:
    """Metrics in the text format of Prometheus; 404 without the right token, or from an address that is not allowed."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    given, networks = request.headers.get("Authorization", "").encode(), current_app.config["METRICS_ADDRESSES"]
    if networks and not is_among(request.remote_addr or "", networks):
        abort(404)
    if not hmac.compare_digest(given, f"Bearer {current_app.config['METRICS_TOKEN']}".encode()):
        abort(404)
    registry = current_app.extensions["metrics"]
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    now = CollectorRegistry()
    now.register(DatabaseCollector())
    return Response(generate_latest(registry) + generate_latest(now), content_type=CONTENT_TYPE_LATEST)


class DatabaseCollector:
    """Metrics that are queried at each scrape; only `filing_database_up` while the database does not answer."""

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        try:
            with access.everything() as session, briefly(session, SECONDS):
                found = [*_figures(session)]
        except SQLAlchemyError:
            current_app.logger.exception("the database does not answer")
            found = []
        yield GaugeMetricFamily("filing_database_up", "Whether the database answers.", value=float(bool(found)))
        for name, words, label, values in found:
            family = GaugeMetricFamily(name, words, labels=[label])
            for value, figure in values.items():
                family.add_metric([value], figure)
            yield family


def _figures(session: Any) -> Iterator[tuple[str, str, str, dict[str, float]]]:
    """(name, help, label, value of the label → figure)."""
    messages, (papers, late, aside) = exchange.health(session, pace()), paper_queue.counts(session, paper_worker.pace())
    waiting, deferred, set_aside = letters.counts(session)
    lengths = {f"messages_{state.value}": float(count) for state, count in messages.counts.items()}
    lengths |= {"papers_waiting": papers - aside, "papers_late": late, "papers_set_aside": aside}
    lengths |= {"letters_waiting": waiting, "letters_deferred": deferred, "letters_set_aside": set_aside}
    lengths["messages_unanswered"] = messages.unanswered
    yield "filing_queue_length", "Number of items that wait, by queue.", "queue", lengths
    waited = messages.waited or timedelta()
    yield "filing_queue_age_seconds", "Age of the oldest item.", "queue", {"messages": waited.total_seconds()}
    last = {name: log.newest(session, kind) for name, kind in AGES.items()}
    ages = {name: (clock.now() - entry.at).total_seconds() for name, entry in last.items() if entry}
    yield "filing_last_done_age_seconds", "Seconds since it was last done; absent if never.", "what", ages
    hour = select(LogEntry.kind, func.count()).where(
        LogEntry.log == "signins", LogEntry.kind.in_(REFUSED), LogEntry.at >= clock.now() - timedelta(hours=1)
    )
    refused = dict.fromkeys((kind.value for kind in REFUSED), 0.0)
    refused |= {kind: float(count) for kind, count in session.execute(hour.group_by(LogEntry.kind))}
    yield "filing_signins_refused_last_hour", "Sign-ins that were refused, by reason.", "reason", refused
