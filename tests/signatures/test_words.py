"""Features are told in words that a reviewer can check."""

import pytest

from signatures.loading import load
from signatures.model import BY_NAME
from signatures.words import in_words


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        ("accounts", 43, "43 accounts act together"),
        ("devices", 3, "3 devices that members used"),
        (
            "shared_device_ratio",
            0.97,
            "97% of the accounts used a device which another of them used",
        ),
        (
            "top_devices_ratio",
            1,
            "100% of the accounts used one of the three commonest devices",
        ),
        ("dormant_ratio", 0.999, "99% of the accounts had once been silent for a month or longer"),
        ("bridge_ratio", 0.001, "under 1% of the members are also linked to an account outside"),
        ("hub_ratio", 0, "0% of the members' events touch entities which are hubs"),
        ("median_age_days", 12.34, "a typical account was 12.3 days old"),
        ("re_emerged", 1, "the network shares rare entities with one that was enforced: yes"),
        ("accounts_per_device", 15.3333, "15.3 accounts used a device, on average"),
        (
            "content_diversity",
            0.19,
            "19% of the pieces that the accounts posted were distinct, the rest repeated them",
        ),
        ("ip_networks_per_account", 1, "a typical account used 1 address network"),
        ("ip_networks_per_account", 5, "a typical account used 5 address networks"),
        ("age_span_days", 1, "the accounts were created within 1 day"),
        (
            "link_delay_s",
            4,
            "two linked accounts typically acted on the same thing within 4 seconds",
        ),
        (
            "ip_hosting_ratio",
            0.9,
            "90% of the events from addresses of known kind came from data centres",
        ),
        (
            "family_content_ratio",
            1,
            "100% of the links rest on the same content, alone or with others",
        ),
    ],
)
def test_a_feature_in_words(feature: str, value: float, words: str) -> None:
    assert in_words(BY_NAME[feature], value) == words


def test_every_feature_has_words_for_its_bounds() -> None:
    for feature in BY_NAME.values():
        for value in (feature.low, min(feature.high, 1_000)):
            words = in_words(feature, value)
            assert words and not words.startswith(("Share", "Number")), feature.name


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (41 / 43, "41 of 43 accounts used a device which another of them used"),
        (1, "all of 43 accounts used a device which another of them used"),
        (0, "none of 43 accounts used a device which another of them used"),
    ],
)
def test_a_share_of_members_is_told_by_their_number(share: float, words: str) -> None:
    assert in_words(BY_NAME["shared_device_ratio"], share, accounts=43) == words


def test_a_phrase_tells_its_value_and_counts_members_only_of_all_members() -> None:
    phrased = [each for each in BY_NAME.values() if each.phrase]
    assert len(phrased) > 50
    for feature in phrased:
        told = feature.phrase.format(value="VALUE", members="MEMBERS", s="")
        assert ("VALUE" in told) != ("MEMBERS" in told), feature.name
        of_members = feature.computed.partition(";")[0].endswith(("/ members", ".accounts"))
        assert "MEMBERS" not in told or of_members, feature.name


def test_what_shipped_signatures_of_networks_select_by_reads_as_a_sentence() -> None:
    selected = {
        name
        for signature in load()
        for selection in signature.detection.selections.values()
        for name in selection.features
        if BY_NAME[name].subject == "network"
    }
    assert {name for name in selected if not BY_NAME[name].phrase} == {"re_emerged"}
