"""What a project, a group, a version and a kind may be called."""

from __future__ import annotations

import keyword
import re
import sys
from dataclasses import dataclass

from kubewright.errors import UsageError

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_VERSION = re.compile(r"v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]*")
# What a project's package would hide, or be hidden by.
_TAKEN = frozenset({"aiohttp", "click", "jinja2", "kubewright", "msgspec", "pytest", "rich", "tests", "yaml"})


def package_name(project: str) -> str:
    """The Python package of a project: ``my-operator`` is ``my_operator``.

    Raises:
        UsageError: the name is not a DNS label, or would not do as a package's.
    """
    if len(project) > 63 or not _LABEL.fullmatch(project):
        raise UsageError(
            f"a project cannot be called {project!r}: its name must be a DNS label",
            hint="use lower case letters, digits and '-', at most 63, beginning and ending with a letter or digit",
        )
    package = project.replace("-", "_")
    if not package.isidentifier():
        raise UsageError(
            f"a project cannot be called {project!r}: its Python package would be {package!r}",
            hint="begin with a letter",
        )
    if keyword.iskeyword(package):
        raise UsageError(
            f"a project cannot be called {project!r}: that is a keyword of Python",
            hint=f"for instance: kubewright new {project}-operator",
        )
    if package in _TAKEN or package in sys.stdlib_module_names:
        raise UsageError(
            f"a project cannot be called {project!r}: a Python module {package!r} exists already",
            hint=f"for instance: kubewright new {project}-operator",
        )
    return package


@dataclass(frozen=True, slots=True)
class Api:
    """A kind in a version of a group, and the names that follow from it.

    The equivalent of the Operator SDK's ``scaffold.Resource``.
    """

    group: str
    version: str
    kind: str
    cluster_scoped: bool = False

    @classmethod
    def parse(cls, api_version: str, kind: str, *, cluster_scoped: bool = False) -> Api:
        """Read ``--api-version`` and ``--kind``.

        Raises:
            UsageError: one of them is not what Kubernetes accepts.
        """
        group, slash, version = api_version.partition("/")
        if not slash or "/" in version:
            raise UsageError(
                f"--api-version {api_version!r} is not GROUP/VERSION",
                hint="for instance: --api-version=app.example.com/v1",
            )
        labels = group.split(".")
        if len(labels) < 2 or len(group) > 253 or any(len(x) > 63 or not _LABEL.fullmatch(x) for x in labels):
            raise UsageError(
                f"the group {group!r} of --api-version is not a DNS name with a dot",
                hint="use a domain of yours, for instance: --api-version=app.example.com/v1",
            )
        if not _VERSION.fullmatch(version):
            raise UsageError(
                f"the version {version!r} of --api-version is not one of Kubernetes' form",
                hint="use v1, v1beta1, v2alpha3 and the like",
            )
        if len(kind) > 63 or not _KIND.fullmatch(kind):
            raise UsageError(
                f"--kind {kind!r} is not in CamelCase",
                hint="use letters and digits, beginning with a capital, for instance: --kind=AppService",
            )
        if keyword.iskeyword(kind) or keyword.iskeyword(kind.lower()) or kind in _RESERVED_KINDS:
            raise UsageError(f"--kind {kind!r} is a word of Python or of Kubewright", hint="choose another kind")
        module = labels[0].replace("-", "_")
        if not module.isidentifier() or keyword.iskeyword(module):
            raise UsageError(
                f"the group {group!r} of --api-version begins with {labels[0]!r}, no name for a Python package",
                hint="begin the group with a letter, and with no keyword of Python",
            )
        return cls(group, version, kind, cluster_scoped)

    @property
    def api_version(self) -> str:
        """``app.example.com/v1``."""
        return f"{self.group}/{self.version}"

    @property
    def group_version(self) -> str:
        """The package of the group's version: ``app_v1``."""
        return f"{self.group.partition('.')[0].replace('-', '_')}_{self.version}"

    @property
    def module(self) -> str:
        """The module of the kind: ``appservice``."""
        return self.kind.lower()

    @property
    def stem(self) -> str:
        """What the kind's files in ``deploy/crds`` begin with: ``app_v1_appservice``."""
        return f"{self.group.partition('.')[0]}_{self.version}_{self.module}"

    @property
    def words(self) -> str:
        """The kind in words, for a sentence: ``app service``."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", self.kind).lower()


_RESERVED_KINDS = frozenset(
    {"Controller", "Desired", "None", "Object", "Operator", "Resource", "Seen", "Spec", "Status", "True", "False"}
)
