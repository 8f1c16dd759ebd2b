"""The operator: which controllers it runs. `kubewright add controller` adds a line below."""

from kubewright import Operator

from opdemo.controllers.appservice import AppServiceController


def operator() -> Operator:
    """Make the operator, anew at each call."""
    return Operator(
        "opdemo",
        controllers=[
            AppServiceController(),
        ],
    )
