"""Indexes say what a scan would say."""

from __future__ import annotations

import random
from collections.abc import Callable

from kubewright.cache import Store
from kubewright.objects import ObjectKey, RawObject, parse_label_selector


def owner(uid: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Owner", "name": uid, "uid": uid, "controller": True}


def test_indexes_agree_with_a_scan_through_random_changes(make: Callable[..., RawObject]) -> None:
    random_ = random.Random(7)
    store = Store()
    selectors = [parse_label_selector(text) for text in ("app=a", "app in (a,b)", "tier=x,app=b", "!app", "")]
    for step in range(2000):
        name, namespace = f"o{random_.randrange(12)}", random_.choice(["one", "two"])
        if random_.random() < 0.3:
            store.remove(ObjectKey(namespace, name))
        else:
            labels = {key: random_.choice("abx") for key in ("app", "tier") if random_.random() < 0.7}
            owners = [owner(random_.choice("uvw")) for _ in range(random_.randrange(3))]
            store.put(make(name, step, namespace=namespace, labels=labels, ownerReferences=owners))
        everything = list(store)
        assert len(store) == len(everything)
        for where in ("", "one", "two"):
            for selector in selectors:
                wanted = [
                    o.key
                    for o in everything
                    if where in {"", o.key.namespace} and selector.matches(o.metadata.labels)
                ]
                assert sorted(o.key for o in store.select(where, selector)) == sorted(wanted)
        for uid in "uvw":
            wanted = [o.key for o in everything if any(ref.uid == uid for ref in o.metadata.owner_references)]
            assert sorted(o.key for o in store.owned_by(uid)) == sorted(wanted)
