"""The company's documents as a LangChain retriever: passages of POST /search, with the rights of the API key."""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from assistant.client import Client


class CompanyRetriever(BaseRetriever):
    """Gives at most `limit` passages, best first; `folders` narrows where they come from.

    Raises what the client raises: ApiProblem, ApiUnreachable.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    client: Client
    limit: int = 8
    folders: tuple[str, ...] = ()

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        found = self.client.search(query, limit=self.limit, folders=self.folders)
        return [
            Document(
                id=passage.chunk_id,
                page_content=passage.text,
                metadata={name: value for name, value in passage.model_dump().items() if name not in {"text", "used"}},
            )
            for passage in found.passages
        ]
