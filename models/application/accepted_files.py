"""Checks of uploaded files: known kind, complete, harmless, and scanned for viruses if a scanner is set."""

import logging
from pathlib import Path

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.files.flaws import Flaw, Flawed
from models.files.inspection import inspect_file
from models.files.virus import Scanner, ScannerAway
from models.workflow import Refused

LOGGER = logging.getLogger(__name__)
FLAWS = {
    Flaw.EMPTY: _l("文件“%(name)s”是空的，请选择有内容的文件。"),
    Flaw.KIND: _l("文件“%(name)s”不是 PDF、JPEG、PNG 或 TIFF，不能作为附件，请转换格式后上传。"),
    Flaw.CUT: _l("文件“%(name)s”不完整，后面的内容缺失，请重新复制或重新生成后上传。"),
    Flaw.BROKEN: _l("文件“%(name)s”已损坏，无法打开，请用原来的软件重新导出，或重新扫描后上传。"),
    Flaw.COMPLEX: _l("文件“%(name)s”的内容过于庞大复杂，无法检查，请拆分，或打印为新的 PDF 后上传。"),
    Flaw.ACTIVE: _l("文件“%(name)s”含有脚本或会自动执行的操作，请打印为新的 PDF 后上传。"),
    Flaw.AMBIGUOUS: _l("文件“%(name)s”的内部结构前后矛盾，不同软件显示的内容会不一样，请打印为新的 PDF 后上传。"),
    Flaw.EMBEDDED: _l("文件“%(name)s”中嵌有其他文件，请将其取出单独上传，并把原文件打印为新的 PDF 后上传。"),
    Flaw.LOCKED: _l("文件“%(name)s”已加密，审核人员无法阅读，请去除密码或权限保护后上传。"),
    Flaw.LARGE: _l("文件“%(name)s”的像素过大，请缩小后上传。"),
    Flaw.BUSY: _l("系统繁忙，请稍后重试。"),
    Flaw.TOO_MANY: _l("您上传的其他文件还在检查，请稍候，待其完成后重试。"),
}


class TryAgain(Refused):
    """The server had no time to inspect a file: the same file may be sent again."""


def kind_of(path: Path, name: str, owner: int | None = None) -> str:
    """The media type by content, not by name; raises Refused with a sentence for anything else, or a broken file."""
    try:
        return inspect_file(path, owner)
    except Flawed as flawed:
        refused = TryAgain if flawed.args[0] in (Flaw.BUSY, Flaw.TOO_MANY) else Refused
        raise refused(str(FLAWS[flawed.args[0]]) % {"name": name}) from None


def assert_clean(scanner: Scanner, path: Path, name: str) -> None:
    """Raises Refused for a file with a virus; TryAgain when the scanner does not answer: the file is not stored."""
    try:
        found = scanner.scan(path)
    except ScannerAway as away:
        LOGGER.warning("a file could not be scanned: %s", away)
        raise TryAgain(_("查毒程序暂时没有应答，文件“%(name)s”没有上传，请稍后重试。", name=name)) from away
    if found is not None:
        LOGGER.warning("a file with %s was refused", found)
        raise Refused(
            _("文件“%(name)s”查出病毒（%(virus)s），没有上传，请清除后重新生成文件。", name=name, virus=found[:60])
        )
