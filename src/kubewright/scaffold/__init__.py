"""Project templates, and where a project is."""

from kubewright.scaffold.commands import Written, add_api, add_controller, new_project
from kubewright.scaffold.framework import Framework, framework
from kubewright.scaffold.names import Api, package_name
from kubewright.scaffold.project import Project, find_project

__all__ = [
    "Api",
    "Framework",
    "Project",
    "Written",
    "add_api",
    "add_controller",
    "find_project",
    "framework",
    "new_project",
    "package_name",
]
