"""Notes of workspaces, as a FastAPI service commonly is: JWTs with scopes, pydantic models, a document of its own.

It is correct. Each word in the environment variable DEFECT plants one defect.
"""

import itertools
import os
import secrets
import time
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm, SecurityScopes
from pydantic import BaseModel, Field

DEFECTS = set(os.environ.get("DEFECT", "").split())
KEY = os.environ["NOTES_KEY"]
REVOKED = {"revoked"}
SCOPES = {
    "profile": "Who I am.",
    "notes:read": "Read notes.",
    "notes:write": "Write and remove notes.",
    "usage": "How much is stored.",
}
PEOPLE = {"mia": "w-mia", "noah": "w-noah"}
PASSWORD = os.environ["NOTES_PASSWORD"]
# Seconds for which a token is good.
LIFE = 3600

app = FastAPI(title="Notes", version="1")
bearer = OAuth2PasswordBearer(tokenUrl="login", scopes=SCOPES)
numbers = itertools.count(100)


class Refusal(BaseModel):
    detail: str


class Session(BaseModel):
    access_token: str
    token_type: str
    expires_in: int


class Profile(BaseModel):
    login: str
    workspace_id: str


class Draft(BaseModel):
    text: str = Field(min_length=1, max_length=80)


class Note(Draft):
    id: str
    workspace_id: str


class Usage(BaseModel):
    notes: int


notes = {id: Note(id=id, workspace_id=workspace, text="hello")
         for id, workspace in {"n-1": "w-mia", "n-2": "w-noah", "n-3": "w-mia", "n-4": "w-mia", "n-5": "w-mia"}.items()}
refusals = {401: {"model": Refusal}, 403: {"model": Refusal}}
missing = {404: {"model": Refusal}}


def refused(status, detail, needed):
    scope = f' scope="{needed.scope_str}"' if needed.scopes else ""
    return HTTPException(status, detail, {"WWW-Authenticate": f"Bearer{scope}"})


def caller(needed: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> Profile:
    try:
        claims = jwt.decode(token, KEY, ["HS256"], options={
            "verify_signature": "signature" not in DEFECTS, "verify_exp": "expired" not in DEFECTS})
    except jwt.InvalidTokenError:
        raise refused(401, "The token is not valid.", needed) from None
    if (claims.get("jti") in REVOKED and "revoked" not in DEFECTS) or claims.get("sub") not in PEOPLE:
        raise refused(401, "The token is not valid.", needed)
    if not set(needed.scopes) <= set(claims.get("scopes", [])) and "scope" not in DEFECTS:
        raise refused(401 if "scope-401" in DEFECTS else 403, "The token lacks a scope.", needed)
    return Profile(login=claims["sub"], workspace_id=PEOPLE[claims["sub"]])


def of_scope(scope):
    return Annotated[Profile, Security(caller, scopes=[scope])]


def own(note_id, profile, is_checked=True):
    note = notes.get(note_id)
    if note is None or (is_checked and note.workspace_id != profile.workspace_id):
        raise HTTPException(404, "There is no such note.")
    return note


def in_own(workspace_id, profile, is_checked=True):
    if workspace_id not in PEOPLE.values() or (is_checked and workspace_id != profile.workspace_id):
        raise HTTPException(404, "There is no such workspace.")


@app.post("/login", responses={400: {"model": Refusal}})
def log_in(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Session:
    if form.username != "mia" or not secrets.compare_digest(form.password.encode(), PASSWORD.encode()):
        raise HTTPException(400, "There is no such user, or the password is another.")
    claims = {"sub": form.username, "scopes": form.scopes, "exp": int(time.time()) + LIFE}
    return Session(access_token=jwt.encode(claims, KEY, "HS256"), token_type="bearer", expires_in=LIFE)


@app.get("/profile", responses=refusals)
def profile(profile: of_scope("profile")) -> Profile:
    return profile


@app.get("/notes", responses=refusals)
def all_notes(profile: of_scope("notes:read")) -> list[Note]:
    return [note for note in notes.values() if note.workspace_id == profile.workspace_id]


@app.get("/workspaces/{workspace_id}/notes", responses=refusals | missing)
def notes_of(workspace_id: str, profile: of_scope("notes:read")) -> list[Note]:
    in_own(workspace_id, profile, "foreign-workspace" not in DEFECTS)
    return [note for note in notes.values() if note.workspace_id == workspace_id]


@app.post("/workspaces/{workspace_id}/notes", status_code=201, responses=refusals | missing)
def add(workspace_id: str, draft: Draft,
        profile: of_scope("notes:read" if "wrong-scope" in DEFECTS else "notes:write")) -> Note:
    in_own(workspace_id, profile, "foreign-written" not in DEFECTS)
    note = Note(id=f"n-{next(numbers)}", workspace_id=workspace_id, text=draft.text)
    notes[note.id] = note
    return note


@app.get("/notes/{note_id}", responses=refusals | missing)
def read(note_id: str, profile: of_scope("notes:read")) -> Note:
    return own(note_id, profile, "foreign-read" not in DEFECTS)


@app.put("/notes/{note_id}", responses=refusals | missing)
def change(note_id: str, draft: Draft, profile: of_scope("notes:write")) -> Note:
    note = own(note_id, profile)
    note.text = draft.text
    return note


@app.delete("/notes/{note_id}", status_code=204, responses=refusals | missing)
def remove(note_id: str, profile: of_scope("notes:write")):
    del notes[own(note_id, profile, "foreign-removed" not in DEFECTS).id]


def may_see_usage(_: of_scope("usage")):
    pass


@app.get("/usage", responses=refusals, dependencies=[] if "open" in DEFECTS else [Depends(may_see_usage)])
def usage() -> Usage:
    return Usage(notes=len(notes))


@app.get("/health")
def health() -> dict[str, bool]:
    return {"up": True}
