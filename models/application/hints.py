"""How the identifiers of a work and a plant are written, shown beside their fields (our own wording)."""

from flask_babel import lazy_gettext as _l

NUMBER = _l("按出版物上的写法填写，如 ISRC CN-C18-26-0009-0/V·J4；电子出版物填写 ISBN")
ISBN = _l("13 位数字，可以带连字符，如 978-7-88518-210-6")
ISRC = _l("12 位：国家码、登记者码、年份和录制码，如 CN-C18-26-00009")
SID = _l("光盘内圈上的来源识别码，以 IFPI 开头，如 IFPI L278")
HS_CODE = _l("海关商品编码，8 或 10 位数字")
