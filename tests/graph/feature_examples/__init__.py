"""Hand-made examples of every feature, to be read as documentation."""

from tests.graph.feature_examples.accounts import ACCOUNT_EXAMPLES
from tests.graph.feature_examples.history import HISTORY_EXAMPLES
from tests.graph.feature_examples.infrastructure import INFRASTRUCTURE_EXAMPLES
from tests.graph.feature_examples.shape import SHAPE_EXAMPLES
from tests.graph.feature_examples.timing import TIMING_EXAMPLES

EXAMPLES = [
    *SHAPE_EXAMPLES,
    *INFRASTRUCTURE_EXAMPLES,
    *TIMING_EXAMPLES,
    *HISTORY_EXAMPLES,
    *ACCOUNT_EXAMPLES,
]
