"""Features are told in words that a reviewer can check."""

import pytest

from signatures.model import BY_NAME
from signatures.words import in_words


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        ("accounts", 43, "43 members"),
        ("devices", 3, "3 devices that members used"),
        ("shared_device_ratio", 0.97, "97% of the members used a device which another member used"),
        (
            "top_devices_ratio",
            1,
            "100% of the members are on the three devices with the most members",
        ),
        ("dormant_ratio", 0.999, "99% of the members were once silent for a month or longer"),
        ("bridge_ratio", 0.001, "under 1% of the members are also linked to an account outside"),
        ("hub_ratio", 0, "0% of the members' events touch entities which are hubs"),
        ("median_age_days", 12.34, "age of a typical member: 12.3 days"),
        ("re_emerged", 1, "the network shares rare entities with one that was enforced: yes"),
        ("accounts_per_device", 15.3333, "members per device: 15.3"),
    ],
)
def test_a_feature_in_words(feature: str, value: float, words: str) -> None:
    assert in_words(BY_NAME[feature], value) == words


def test_every_feature_has_words_for_its_bounds() -> None:
    for feature in BY_NAME.values():
        for value in (feature.low, min(feature.high, 1_000)):
            words = in_words(feature, value)
            assert words and not words.startswith(("Share", "Number")), feature.name
