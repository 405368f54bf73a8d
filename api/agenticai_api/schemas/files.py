"""Bodies about a project's files."""

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)


class FileView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    size: int = Field(description="Bytes.")
    sha256: str
    last_modified: str


class FilesAnswer(BaseModel):
    files: dict[str, FileView] = Field(description="By path, of the current revision.")
