"""All methods by name, in the order of tables."""

from collections.abc import Mapping
from types import MappingProxyType

from evals.methods.apo import APO
from evals.methods.apo_image import APO_IMAGE
from evals.methods.blpo import BLPO_METHOD
from evals.methods.fixed_i2t import FIXED_I2T
from evals.methods.gepa import GEPA
from evals.methods.judge_as_i2t import JUDGE_AS_I2T
from evals.methods.list_judgings import BRADLEY_TERRY, POINTWISE_SORT
from evals.methods.method import Method
from evals.methods.no_image import NO_IMAGE
from evals.methods.none import NO_OPTIMIZATION
from evals.methods.opro import OPRO
from evals.methods.pair_judgings import ONE_ORDER, POINTWISE, RANDOM_ORDER
from evals.methods.random_i2t import RANDOM_I2T
from evals.methods.random_i2t_pooled import RANDOM_I2T_POOLED
from evals.methods.separate_runs import SEPARATE_RUNS
from evals.methods.textgrad import TEXTGRAD

_IN_TABLE_ORDER = (
    NO_OPTIMIZATION,
    OPRO,
    APO,
    APO_IMAGE,
    TEXTGRAD,
    GEPA,
    BLPO_METHOD,
    FIXED_I2T,
    JUDGE_AS_I2T,
    RANDOM_I2T,
    RANDOM_I2T_POOLED,
    NO_IMAGE,
    ONE_ORDER,
    RANDOM_ORDER,
    POINTWISE,
    POINTWISE_SORT,
    BRADLEY_TERRY,
    SEPARATE_RUNS,
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _IN_TABLE_ORDER})


def installed_methods() -> tuple[str, ...]:
    """Return the names of the methods for any task whose packages are installed."""
    return tuple(name for name, method in METHODS.items() if method.is_default)
