"""Links of openapi.json: which value of an answer opens which other operation. Values only."""

from __future__ import annotations

from typing import Any

Links = dict[str, dict[str, Any]]


def body_link(operation_id: str, parameter: str, pointer: str, *, location: str = "path") -> dict[str, Any]:
    """The operation with a parameter taken from the answer's body."""
    return {"operationId": operation_id, "parameters": {f"{location}.{parameter}": f"$response.body#/{pointer}"}}


def same_link(operation_id: str, parameter: str) -> dict[str, Any]:
    """The operation with a path parameter of the request that was answered."""
    return {"operationId": operation_id, "parameters": {f"path.{parameter}": f"$request.path.{parameter}"}}


ASKED: Links = {
    "validity": body_link("get_answer_validity", "answer_id", "answer_id"),
    "feedback": body_link("give_feedback", "answer_id", "answer_id"),
    "wanted": body_link("want_answer", "answer_id", "answer_id"),
    "conversation": body_link("get_conversation", "conversation_id", "conversation_id"),
}
WANTED: Links = {"forget": body_link("forget_wanted", "wanted_id", "wanted_id")}
DOCUMENTS: Links = {
    "document": body_link("get_document", "document_id", "documents/0/document_id"),
    "following": body_link("list_documents", "cursor", "next", location="query"),
}
DOCUMENT: Links = {
    "file": body_link("get_file", "document_id", "document_id"),
    "text": body_link("get_document_text", "document_id", "document_id"),
    "page": {
        "operationId": "get_page",
        "parameters": {"path.document_id": "$response.body#/document_id", "path.page": 1},
    },
    "receipt": body_link("get_receipt", "document_id", "document_id"),
}
CONVERSATIONS: Links = {
    "conversation": body_link("get_conversation", "conversation_id", "conversations/0/conversation_id"),
    "following": body_link("list_conversations", "cursor", "next", location="query"),
}
CONVERSATION: Links = {
    "rename": same_link("rename_conversation", "conversation_id"),
    "export": same_link("export_conversation", "conversation_id"),
    "delete": same_link("delete_conversation", "conversation_id"),
    "validity": body_link("get_answer_validity", "answer_id", "exchanges/0/answer_id"),
    "feedback": body_link("give_feedback", "answer_id", "exchanges/0/answer_id"),
}
JOB: Links = {"job": body_link("get_job", "job_id", "job_id")}
UPLOADED: Links = {"job": body_link("get_job", "job_id", "job_id")}
