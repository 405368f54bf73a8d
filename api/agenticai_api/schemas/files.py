"""Bodies about a project's files."""

from pydantic import BaseModel, ConfigDict, Field

from agenticai_api.schemas.revisions import RevisionView
from agenticai_core.project_files import FileList
from agenticai_core.user_edits import Edited


class FileView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    size: int = Field(description="Bytes.")
    sha256: str
    last_modified: str


class FilesAnswer(BaseModel):
    revision: int = Field(description="Whose files these are: the `ETag`; 0: there is none yet.")
    total_size: int = Field(description="Bytes of all files.")
    files: dict[str, FileView] = Field(description="By path.")

    @classmethod
    def of(cls, found: FileList) -> "FilesAnswer":
        files = {path: FileView.model_validate(info) for path, info in found.files.items()}
        return cls(revision=found.revision, total_size=found.total_size, files=files)


class EditAnswer(BaseModel):
    revision: RevisionView = Field(description="The current revision, with the edit.")
    path: str = Field(description="In its one spelling.")
    file: FileView | None = Field(description="null: it is removed.")

    @classmethod
    def of(cls, edited: Edited) -> "EditAnswer":
        file = FileView.model_validate(edited.file) if edited.file else None
        return cls(revision=RevisionView.of(edited.revision), path=edited.path, file=file)
