"""What everything stands on: the data folder, the key, the database, the jobs and the registry."""

import os
from dataclasses import dataclass
from pathlib import Path

from bpm.app.registry import build_registry
from bpm.app.traces import open_tracer
from bpm.bus import Registry
from bpm.clock import Clock
from bpm.errors import Misconfigured
from bpm.fair_slots import FairSlots
from bpm.jobs import JobQueue, Lanes
from bpm.jobs.factory import open_jobs
from bpm.jobs.worker_watch import WorkerWatch
from bpm.security.private_files import PrivacyError, make_private_folder
from bpm.security.secrets import KEY_FILE, SecretBox, load_accepted_key, load_secret_key
from bpm.settings import Settings
from bpm.store import Database, open_database
from bpm.tracing import Tracer


@dataclass(frozen=True, slots=True)
class Foundation:
    """The parts that know no message, rule or process; nothing is opened yet.

    `new_key_file` holds a key that was made just now, because there was none.
    """

    settings: Settings
    clock: Clock
    key: bytes
    accepted_key: bytes | None
    box: SecretBox
    database: Database
    jobs: JobQueue
    worker_watch: WorkerWatch
    lanes: Lanes
    shares: FairSlots
    registry: Registry
    tracer: Tracer | None
    new_key_file: Path | None


def build_foundation(settings: Settings, clock: Clock, registry: Registry | None = None) -> Foundation:
    """Make the parts, with every message of the installation unless others are given.

    Raises `Misconfigured`, and `OSError` for a data folder that can't be used.
    """
    prepare_data_dir(settings)
    key_file = settings.data_dir / KEY_FILE
    is_new = settings.secret_key is None and not key_file.exists()
    key, accepted_key = installation_key(settings), load_accepted_key(settings)
    database = open_database(settings)
    jobs = open_jobs(database, settings, clock)
    return Foundation(
        settings=settings,
        clock=clock,
        key=key,
        accepted_key=accepted_key,
        box=SecretBox(key, accepted_key),
        database=database,
        jobs=jobs,
        worker_watch=WorkerWatch(database),
        lanes=Lanes(jobs, clock),
        shares=FairSlots(settings.worker_concurrency),
        registry=build_registry(settings) if registry is None else registry,
        tracer=open_tracer(settings.traces),
        new_key_file=key_file if is_new else None,
    )


def prepare_data_dir(settings: Settings) -> None:
    """Create the data folder, or close an existing one, so that only its owner may enter; raises `OSError`."""
    try:
        make_private_folder(settings.data_dir)
    except PrivacyError:
        raise
    except OSError as error:
        raise Misconfigured(f"BPM_DATA_DIR: {settings.data_dir} can't be the data folder: {error.strerror}") from error
    if not os.access(settings.data_dir, os.W_OK):
        message = f"the data folder {settings.data_dir} can't be written; set BPM_DATA_DIR to one that can"
        raise PermissionError(message)


def installation_key(settings: Settings) -> bytes:
    """Return the key that seals secrets; raises `Misconfigured` rather than make a new one beside old data."""
    if settings.secret_key is None and settings.sqlite_path.exists() and not (settings.data_dir / KEY_FILE).exists():
        raise Misconfigured(
            f"{settings.data_dir / KEY_FILE} is missing, and the secrets in the database can't be read without it; "
            "restore it from a backup, or set BPM_SECRET_KEY and enter every secret again"
        )
    return load_secret_key(settings)
