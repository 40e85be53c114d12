"""From proposals to actions and back: what people run, and what a desk does with it."""

from __future__ import annotations

from tests.jobs.batches.sites import Site, appeal_of


def test_the_life_of_a_batch(site: Site) -> None:
    ids = site.decide(["a1", "a2", "a3"])
    batch = site.export("--format", "stix", "--format", "dsa")
    assert batch is not None
    assert site.counted() == {"proposed": 3}
    site.run("verify", str(batch), "--approvers", str(site.approvers), code=6)

    site.approve(batch, "lead_1")
    assert site.counted() == {"approved": 3}

    released = site.release(batch)
    assert site.counted() == {"released": 3}
    assert not batch.exists()
    site.run("verify", str(released), "--approvers", str(site.approvers))

    desk = site.desk()
    desk.import_batch(released)
    assert set(desk.in_force()) == {"a1", "a2", "a3"}
    site.receipts(desk)
    assert site.counted() == {"applied": 3}

    site.appeal(appeal_of(ids[0]))
    assert site.states()["a1"] == "appealed"
    site.appeal(appeal_of(ids[0], "overturned"))
    assert site.states()["a1"] == "overturned"

    (back,) = (path for path in site.store.proposed.glob("*-r*") if path.is_dir())
    site.approve(back, "lead_2")
    taken_back = site.release(back)
    assert {path.name for path in taken_back.iterdir()} >= {
        "stix_bundle.json",
        "dsa_corrections-00001.json",
    }
    desk.import_batch(taken_back)
    assert set(desk.in_force()) == {"a2", "a3"}
    site.receipts(desk)
    assert site.states() == {"a1": "reversed", "a2": "applied", "a3": "applied"}
