"""What the server is set to is told to those who run it, and no secret with it."""

import pytest

from bpm.errors import Forbidden
from bpm.settings import Settings
from commands.system.settings import present_settings
from tests.commands.sender import MessageSender, stranger

pytestmark = pytest.mark.anyio


def test_each_setting_says_where_it_came_from() -> None:
    """A variable of its own or of its group counts as the environment; secrets, also those in addresses, are hidden."""
    settings = Settings(port=9000, admin_password="Correct-horse-7", database_url="postgresql://bpm:open-sesame@db/bpm")  # pyright: ignore[reportArgumentType]
    rows = {row.name: row for row in present_settings(settings, ["BPM_PORT", "bpm_admin_password", "BPM_RETENTION"])}
    assert (rows["BPM_PORT"].value, rows["BPM_PORT"].origin) == ("9000", "environment")
    assert (rows["BPM_ADMIN_PASSWORD"].value, rows["BPM_ADMIN_PASSWORD"].origin) == ("***", "environment")
    assert (rows["BPM_HOST"].value, rows["BPM_HOST"].origin) == ("127.0.0.1", "default")
    assert rows["BPM_RETENTION__ROWS_DAYS"].origin == "environment"
    assert all(row.about for row in rows.values())
    assert not any(word in row.value for row in rows.values() for word in ("sesame", "horse"))


@pytest.mark.parametrize("password", ["it's-mine", 'say-"it"', "a<b>c", "at@home", "%2Fslash", "x" * 600])
def test_the_password_in_an_address_is_hidden_whatever_it_is_made_of(password: str) -> None:
    """Also characters that would end an address which stands in a sentence."""
    settings = Settings(database_url=f"postgresql://bpm:{password}@db:5432/bpm?application_name=bus")
    (shown,) = (row.value for row in present_settings(settings, []) if row.name == "BPM_DATABASE_URL")
    assert shown == "postgresql://***@db:5432/bpm?application_name=bus"


async def test_settings_are_the_installations(sender: MessageSender) -> None:
    """Its own accounts see them; an administrator of another organisation is refused."""
    found = await sender.send("GetSettingsQuery")
    assert next(each for each in found["items"] if each["name"] == "BPM_DATA_DIR")["value"]
    with pytest.raises(Forbidden):
        await sender.send("GetSettingsQuery", stranger())
