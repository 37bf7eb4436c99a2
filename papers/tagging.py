"""The logical structure of a PDF, which a screen reader follows: a tree of elements, each leaf marked on its page.

fpdf2 keeps a flat list of figures only. Its builder is replaced by one that keeps a tree; what fpdf2 asks of it when it
writes the file is small, and tests/core/test_pdf.py reads it back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from fpdf import FPDF
from fpdf.structure_tree import StructElem, StructTreeRoot

from papers.letters import storable


class _Element(StructElem):
    """An element with attributes: a head cell says of what it is the head."""

    __slots__ = ("a",)

    def __init__(self, kind: str, parent: Any, page: int, alt: str) -> None:
        super().__init__(f"/{kind}", parent, [], page_number=page, alt=storable(alt) or None)
        self.a = "<< /O /Table /Scope /Column >>" if kind == "TH" else None


class Tags:
    """The structure of one document, built while it is drawn."""

    def __init__(self, pdf: FPDF) -> None:
        self._pdf = pdf
        self.struct_tree_root = StructTreeRoot()
        self._document = StructElem("/Document", self.struct_tree_root, [])
        self.struct_tree_root.k.append(self._document)
        self._elements: list[StructElem] = []
        self._open: list[StructElem] = [self._document]
        self._parents: dict[int, int] = {}
        self._marked: dict[int, int] = {}
        # fpdf2 goes through this list to tell each element its page
        self.doc_struct_elem = SimpleNamespace(k=self._elements)
        pdf.struct_builder = self  # type: ignore[assignment]  # ours nests and says languages; fpdf2's does not

    @contextmanager
    def group(self, kind: str) -> Iterator[None]:
        """Hold what is marked meanwhile in one element, such as a table or a row."""
        self._open.append(self._element(kind, ""))
        yield
        self._open.pop()

    @contextmanager
    def leaf(self, kind: str, alt: str = "") -> Iterator[None]:
        """Mark what is drawn meanwhile, on one page, as one element; ``alt`` says in words what a drawing shows."""
        page = self._pdf.page
        element = self._element(kind, alt)
        number = self._marked.get(page, 0)
        self._marked[page] = number + 1
        element.k.append(number)
        place = self._parents.setdefault(page, len(self._parents))
        self._pdf.pages[page].struct_parents = place
        self.struct_tree_root.parent_tree.nums[place].append(element)
        self._pdf._out(f"/{kind} <</MCID {number}>> BDC")
        yield
        self._pdf._out("EMC")

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Mark what is drawn meanwhile as no part of the text: lines, running heads."""
        self._pdf._out("/Artifact BMC")
        yield
        self._pdf._out("EMC")

    def empty(self) -> bool:
        """Return whether nothing was marked."""
        return not self._elements

    def __iter__(self) -> Iterator[Any]:
        yield self.struct_tree_root
        yield self._document
        yield self.struct_tree_root.parent_tree
        yield from self._elements

    def _element(self, kind: str, alt: str) -> StructElem:
        element = _Element(kind, self._open[-1], self._pdf.page, alt)
        self._open[-1].k.append(element)
        self._elements.append(element)
        return element
