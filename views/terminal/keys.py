"""Commands certificate keys …: list the keys of the authorities with their expiry, install new ones."""

import getpass
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from flask_babel import gettext as _

from models import access, clock
from models.codes import authority_of, names_of
from models.notifications import key_ends
from models.signing.installed_keys import InstalledKey, installed
from models.signing.keys import Keys
from models.workflow import Refused
from views.resources import keys as own_keys
from views.terminal.group import Terminal

SUFFIXES = (".p12", ".key", ".pub", ".token", ".crt")
keys = Terminal("keys", help="签章密钥：列出到期时间，安装新的密钥。")


@keys.command("list", help="列出密钥文件夹中的证书和公钥：文件、单位、到期时间、指纹。有不能读取的，以状态 1 退出。")
def show() -> None:
    found = installed(own_keys())
    for key in found:
        who = authority_of(key.province) if key.province else ""
        click.echo("\t".join((key.file, who, _end_of(key), key.fingerprint, key.subject)))
    if flawed := [key.file for key in found if key.flaw]:
        raise Refused(_("%(files)s 不能读取，请核对密钥和口令。", files="、".join(flawed)))


def _end_of(key: InstalledKey) -> str:
    return f"{key.ends_at:%Y-%m-%d}（{key.days_left}）" if key.ends_at else "—"


@keys.command(help="安装密钥文件（320000.p12、320000.key、320000.pub、320000.token、*.crt），先试签，不合格的不安装。")
@click.argument(
    "files", metavar="FILE…", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def install(files: tuple[Path, ...]) -> None:
    """Install all files or none; a replaced public key is renamed, so that codes signed with it stay valid."""
    provinces = {file.name[:6] for file in files if file.suffix != ".crt"}
    if wrong := [file.name for file in files if file.suffix not in SUFFIXES] or provinces - set(names_of("province")):
        raise Refused(_("%(files)s 不是密钥文件的名称，请按运行手册命名。", files="、".join(sorted(wrong))))
    now = own_keys()
    now.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=now.folder.parent, prefix="keys-") as temporary:
        tried = replace(now, folder=Path(temporary) / "keys")
        shutil.copytree(now.folder, tried.folder)
        _put(files, tried)
        for province in sorted(provinces):
            tried.signer(province)  # signs on trial: raises Refused before anything is changed
    with access.everything() as session:
        key_ends.note_new(session, now)  # keys installed by other means
        _put(files, now)
        for key in key_ends.note_new(session, now, getpass.getuser()):
            click.echo("\t".join((key.file, _end_of(key), key.fingerprint)))
        session.commit()


def _put(files: tuple[Path, ...], keys: Keys) -> None:
    """Copy the files into the folder, each atomically; only their owner can read them."""
    for file in files:
        there, part = keys.folder / file.name, keys.folder / f".{file.name}"
        part.touch(mode=0o600)
        part.write_bytes(file.read_bytes())
        if there.suffix == ".pub" and there.is_file() and there.read_bytes() != part.read_bytes():
            there.rename(keys.folder / f"{there.stem}-{clock.now():%Y%m%d%H%M%S}.pub")
        part.replace(there)
