"""YAML text to a checked plan tree, with every fault found, not only the first."""

from practices.plans.rules import PlanTree, check

from .document import parse
from .fields import Fields
from .nodes import CONTROL, FileProblem, Node, Place, PlanFileError, locate, no_text
from .parts import plan

MAX_BYTES = 2_000_000


def read_plan(content: bytes | str, *, file: str) -> PlanTree:
    """The plan that a YAML file says.

    ``file`` is the name used in messages. Raises PlanFileError, which lists each
    fault with its line and field.
    """
    root, problems = parse(_text(content, file), file=file)
    return checked(root, problems, file=file)


def checked(root: Node, problems: list[FileProblem], *, file: str) -> PlanTree:
    """The plan that the nodes of a file say, where its form gave no ``problems``.

    Raises PlanFileError, which lists each fault with its place.
    """
    tree = plan(Fields(root, (), root, problems))
    if not problems:
        for fault in check(tree):
            place, name = locate(root, fault.path)
            problems.append(FileProblem(place, name, fault.message))
    if problems:
        raise PlanFileError(problems, file=file)
    return tree


def _text(content: bytes | str, file: str) -> str:
    """The file as text, or one sentence saying why it is none."""

    def refuse(line: int, message: str) -> PlanFileError:
        return PlanFileError([FileProblem(Place(line=line), "", message)], file=file)

    size = len(content) if isinstance(content, bytes) else len(content.encode(errors="replace"))
    if size > MAX_BYTES:
        raise refuse(1, "A plan may be at most 2 MB; this is larger, so it is probably not a plan.")
    if isinstance(content, str):
        text = content
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            message = "This is not UTF-8 text: save the plan as a UTF-8 text file."
            raise refuse(line, message) from error
    odd = CONTROL.search(text)
    if odd:
        raise refuse(text[: odd.start()].count("\n") + 1, no_text(odd))
    return text
