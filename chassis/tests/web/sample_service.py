"""A small service that uses everything the HTTP edge offers: a shelf of books."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.approvals import api as approvals_api
from chassis.approvals.registry import Approval
from chassis.approvals.use_cases import propose
from chassis.errors import Conflict, NotFound
from chassis.ids import uuid7
from chassis.people.guard import Viewer
from chassis.runtime import Context
from chassis.service import Service
from chassis.storage.schema import CONVENTION, TYPES
from chassis.web import Blueprint, Page, PageArgs, Schema, answer, etag, fields, glance, requires, work


class Base(DeclarativeBase):
    metadata = sa.MetaData(naming_convention=CONVENTION)
    type_annotation_map = TYPES


class BookRow(Base):
    __tablename__ = "book"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    price: Mapped[Decimal] = mapped_column(sa.Numeric(19, 4))
    copies: Mapped[int] = mapped_column(sa.BigInteger)
    added_at: Mapped[datetime]
    unit_path: Mapped[str]
    version: Mapped[int] = mapped_column(sa.BigInteger)


class AuthorSchema(Schema):
    name = fields.Text(max=100, required=True)


class BookSchema(Schema):
    id = fields.Uuid(required=True)
    code = fields.String(required=True)
    title = fields.String(required=True)
    price = fields.Money(required=True)
    copies = fields.Points(required=True)
    added_at = fields.Instant(required=True)


class NewBookSchema(Schema):
    code = fields.Text(max=40, required=True)
    title = fields.Text(max=200, required=True)
    price = fields.Money(places=2, min="0", required=True)
    copies = fields.Whole(min=0, load_default=1)
    added_at = fields.Instant(load_default=None, allow_none=True)
    binding = fields.Choice("cloth", "paper", load_default=None, allow_none=True)
    authors = fields.List(fields.Nested(AuthorSchema), load_default=list)


class ChangeBookSchema(Schema):
    title = fields.Text(max=200)
    copies = fields.Whole(min=0)


class ShelfQuery(PageArgs):
    title = fields.Text(max=200)
    in_stock = fields.Flag()
    order = fields.Choice("newest", "code", load_default="newest")
    binding = fields.Choice("cloth", "paper", load_default=None)  # of which the shelf keeps no note


class TransferSchema(Schema):
    copies = fields.Points(min=1, required=True)


class TokenSchema(Schema):
    token = fields.String(required=True)


def _remove_book(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    book = context.session.get(BookRow, uuid.UUID(content["book"]))
    if book is None:
        raise Conflict("the book is gone already")
    context.session.delete(book)
    return {"removed": content["book"]}


REMOVAL = Approval(
    "book.removal", "books:remove", _remove_book, describe=lambda content: f"Remove the book {content['title']}"
)

books = Blueprint("books", __name__, description="Books on the shelf")


@books.get("/books")
@requires("books:read")
@books.arguments(ShelfQuery, location="query")
@books.response(200, Page.schema(BookSchema))
def shelf(query: dict[str, Any]) -> Any:
    """The shelf"""
    statement = sa.select(BookRow)
    if "title" in query:
        statement = statement.where(BookRow.title == query["title"])
    if "in_stock" in query:
        statement = statement.where((BookRow.copies > 0) == query["in_stock"])
    newest = [BookRow.added_at.desc(), BookRow.id.desc()]
    order = newest if query["order"] == "newest" else [BookRow.code]
    return Page.of(glance().session, statement, order, query["limit"], query["cursor"])


@books.post("/books")
@requires("books:write")
@books.arguments(NewBookSchema)
@books.response(201, BookSchema)
def add_book(body: dict[str, Any]) -> Any:
    """Add a book"""
    at = work()
    if at.session.scalar(sa.select(BookRow.id).where(BookRow.code == body["code"])):
        raise Conflict("there is a book of this code", code=body["code"])
    book = BookRow(
        id=uuid7(at.clock.now()),
        code=body["code"],
        title=body["title"],
        price=body["price"],
        copies=body["copies"],
        added_at=body["added_at"] or at.clock.now(),
        unit_path=at.principal.unit_path,
        version=1,
    )
    at.session.add(book)
    at.session.flush()
    at.note(str(book.id), copies=book.copies)
    return book


@books.post("/loans/<token>/end")
@requires("books:write")
@books.response(204)
def end_loan(token: str) -> None:
    """Bring a book back, by the link that the reader was sent"""
    work().note(copies=1)


@books.get("/books/<uuid:id>")
@requires("books:read")
@books.response(200, BookSchema)
def one_book(id: uuid.UUID) -> Any:
    """One book"""
    book = _book(glance(), id)
    etag.tag(book.version)
    return answer(BookSchema().dump(book))


@books.patch("/books/<uuid:id>")
@requires("books:write", if_match=True)
@books.arguments(ChangeBookSchema)
@books.response(200, BookSchema)
def change_book(body: dict[str, Any], id: uuid.UUID) -> Any:
    """Change a book"""
    at = work()
    book = _book(at, id)
    etag.require_match(book.version)
    for name, value in body.items():
        setattr(book, name, value)
    book.version += 1
    at.session.flush()
    etag.tag(book.version)
    return book


@books.delete("/books/<uuid:id>")
@requires("books:write")
@books.response(202, description="Waits for a second person")
def remove_book(id: uuid.UUID) -> Any:
    """Propose to remove a book"""
    at = work()
    book = _book(at, id)
    content = {"book": str(book.id), "title": book.title}
    return approvals_api.answer(propose(at.session, at.clock, at.principal, REMOVAL, content))


@books.post("/books/<uuid:id>/transfer")
@requires("books:write", idempotency="required")
@books.arguments(TransferSchema)
@books.response(200, BookSchema)
def transfer(body: dict[str, Any], id: uuid.UUID) -> Any:
    """Move copies away"""
    at = work()
    book = at.session.get(BookRow, id, with_for_update=True)
    if book is None:
        raise NotFound("no such book")
    if book.copies < body["copies"]:
        raise Conflict("not so many copies", copies=book.copies)
    book.copies -= body["copies"]
    at.session.flush()
    return book


@books.post("/books/<uuid:id>/token")
@requires("books:write", secret=True)
@books.response(201, TokenSchema)
def hand_out_token(id: uuid.UUID) -> Any:
    """Hand out a secret"""
    at = work()
    book = _book(at, id)
    book.copies += 1
    return {"token": "s3cr3t-of-the-shelf"}


@books.get("/shelf-count")
@requires(public=True)
@books.response(200, description="How many books there are")
def count() -> Any:
    """How many books there are"""
    return answer({"books": glance().session.scalar(sa.select(sa.func.count()).select_from(BookRow))})


failures = Blueprint("failures", __name__, description="Ways to fail")


@failures.post("/failures/<int(max=9):kind>")
@requires("books:write")
@failures.response(204)
def fail(kind: int) -> Any:
    """Fail after an effect, in several ways"""
    at = work()
    at.session.execute(sa.update(BookRow).values(copies=BookRow.copies + 1))
    if kind == 0:
        raise RuntimeError("the shelf fell over")
    if kind == 1:
        at.session.execute(sa.text("DO $$ BEGIN RAISE serialization_failure; END $$"))
    if kind == 2:
        at.session.execute(sa.text("DO $$ BEGIN RAISE lock_not_available; END $$"))
    if kind == 3:
        at.session.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    return ("", 409) if kind == 4 else ("", 204)


def _book(at: Any, id: uuid.UUID) -> BookRow:
    book = at.session.get(BookRow, id)
    if book is None or not at.principal.sees_unit(book.unit_path):
        raise NotFound("no such book")
    return book


def about(viewer: Viewer) -> sa.Select[tuple[str]]:
    """Nobody finds the book that is about themselves."""
    return sa.select(sa.cast(BookRow.id, sa.Text)).where(BookRow.title == f"The deeds of {viewer.username}")


def build_service(failing: bool = False) -> Service:
    """The sample's declaration; ``failing`` adds the resource that breaks."""
    keepers = frozenset({"keeper"})
    return Service(
        name="shelf",
        title="Shelf",
        version="1.0.0",
        migrations=Path(__file__).parent / "sample_migrations",
        blueprints=(books, failures) if failing else (books,),
        permissions={
            "books:read": keepers | {"reader"},
            "books:write": keepers,
            "books:remove": frozenset({"head"}),
        },
        approvals={REMOVAL.kind: REMOVAL},
        hidden_subjects=about,
    )
