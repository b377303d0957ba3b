"""Objects as the API shows them: JSON, by name."""

from typing import Any, TypeGuard

Object = dict[str, Any]


def is_object(value: object) -> TypeGuard[Object]:
    """Whether it is an object: everything here has been JSON or a form, so its names are texts."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a list, of whatever JSON has."""
    return isinstance(value, list)


def part(of: Object, *names: str) -> Object:
    """What is at the end of a path through an object; an empty one where the path breaks off."""
    for name in names:
        inner = of.get(name)
        if not is_object(inner):
            return {}
        of = inner
    return of


def name_in(of: Object, *names: str) -> str:
    """The id at the end of a path; an empty text where there is none."""
    found = part(of, *names[:-1]).get(names[-1])
    return found if isinstance(found, str) else ""
