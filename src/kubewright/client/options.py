"""The options of lists, watches and writes, in Kubernetes' words."""

from __future__ import annotations

from typing import Literal, TypedDict

PatchType = Literal["json", "merge", "strategic", "apply"]
FieldValidation = Literal["Strict", "Warn", "Ignore"]
PropagationPolicy = Literal["Foreground", "Background", "Orphan"]
Query = tuple[tuple[str, str], ...]


class ListOptions(TypedDict, total=False):
    """Options of lists.

    Attributes:
        namespace: None, the default, is all namespaces.
        label_selector: as kubectl takes it: ``app=web,tier!=cache``.
        field_selector: likewise: ``metadata.name=web``.
        limit: items fetched at once, 500 by default; 0 is all.
        resource_version: unset reads the newest state; ``"0"`` whatever the server has at hand.
        resource_version_match: ``Exact`` or ``NotOlderThan``, with ``resource_version``.
        metadata_only: the server sends nothing of the objects but their metadata; for an ``ApiResource``.
    """

    namespace: str | None
    label_selector: str
    field_selector: str
    limit: int
    resource_version: str
    resource_version_match: str
    metadata_only: bool


class WatchOptions(TypedDict, total=False):
    """Options of watches.

    Attributes:
        namespace: None, the default, is all namespaces.
        resource_version: where to begin; unset begins with all objects there are, as ``ADDED``.
        label_selector: as kubectl takes it: ``app=web,tier!=cache``.
        field_selector: likewise: ``metadata.name=web``.
        bookmarks: ask for ``BOOKMARK`` events (default), which tell how far the watch is.
        send_initial_events: begin with all objects there are and mark their end by a bookmark annotated
            ``k8s.io/initial-events-end`` (WatchList, KEP-3157).
        timeout_seconds: the server ends the watch after so long; None leaves that to the server.
        idle_timeout: seconds of silence after which the connection is taken for dead, 330 by default.
        metadata_only: the server sends nothing of the objects but their metadata; for an ``ApiResource``.
    """

    namespace: str | None
    resource_version: str
    label_selector: str
    field_selector: str
    bookmarks: bool
    send_initial_events: bool
    timeout_seconds: int | None
    idle_timeout: float
    metadata_only: bool


class WriteOptions(TypedDict, total=False):
    """Options of writes.

    Attributes:
        subresource: write to it: ``status``, ``scale``…
        dry_run: validate and answer as if it were done, but do not store it.
        field_manager: who owns the written fields; the default is the user agent's first part.
        field_validation: ``Strict``, ``Warn`` or ``Ignore`` for fields the server does not know; the default is
            the client's.
    """

    subresource: str
    dry_run: bool
    field_manager: str | None
    field_validation: FieldValidation


def list_query(options: ListOptions) -> tuple[Query, Query]:
    """What goes with every page's request, and what only with the first's."""
    selectors = _query(
        labelSelector=options.get("label_selector", ""), fieldSelector=options.get("field_selector", "")
    )
    version = options.get("resource_version", "")
    match = options.get("resource_version_match", "")
    return selectors, _query(resourceVersion=version, resourceVersionMatch=match)


def watch_query(options: WatchOptions) -> Query:
    """The query of a watch."""
    initial = options.get("send_initial_events", False)
    timeout = options.get("timeout_seconds")
    return _query(
        watch="true",
        resourceVersion=options.get("resource_version", ""),
        resourceVersionMatch="NotOlderThan" if initial else "",
        sendInitialEvents="true" if initial else "",
        allowWatchBookmarks="true" if initial or options.get("bookmarks", True) else "",
        labelSelector=options.get("label_selector", ""),
        fieldSelector=options.get("field_selector", ""),
        timeoutSeconds="" if timeout is None else str(timeout),
    )


def write_query(options: WriteOptions, field_validation: FieldValidation, *, force: bool = False) -> Query:
    """The query of a write; ``field_validation`` is the default for it."""
    return _query(
        fieldManager=options.get("field_manager") or "",
        fieldValidation=options.get("field_validation", field_validation),
        force="true" if force else "",
        dryRun="All" if options.get("dry_run") else "",
    )


def _query(**values: str) -> Query:
    return tuple((name, value) for name, value in values.items() if value)
