"""The OpenAPI 3.1 document, generated from the fields and parameters that the answers use."""

from typing import Any

from flask_babel import gettext as _

from models.people.accounts import Account
from views.api import applications, certificates, figures
from views.api.parameters import CHANGES, PARAMETERS, PERIOD, openapi_parameters
from views.api.values import TEXT, Field, Schema, as_json, columns, schema_of
from views.entrance.problems import MEDIA_TYPE

VERSION = "1"
ACCOUNT = columns(Account, "username", "name", "role", "province")
KEY = (
    Field("name", lambda: TEXT, lambda reader: reader.name),
    Field("ends_at", lambda: {"type": "string", "format": "date-time"}, lambda reader: reader.ends_at.isoformat()),
    Field("account", lambda: schema_of(ACCOUNT), lambda reader: as_json(ACCOUNT, reader.account)),
)
PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "incident": TEXT,
    },
    "required": ["type", "title", "status", "detail"],
}  # fmt: skip


def build() -> dict[str, Any]:
    """The document, its texts in the language of the request."""
    return {
        "openapi": "3.1.0",
        "info": {"title": _("赴境外加工光盘进口备案系统：接口"), "version": VERSION, "description": about()},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
        },
    }


def about() -> str:
    return _(
        "只读：每个密钥读取其账号在系统中能看到的申请和证明，规则与页面相同。密钥在“我的登录”的“接口密钥”中生成，"
        "放在请求头 Authorization 中。每个密钥每分钟最多 120 次。出错时返回 application/problem+json（RFC 9457）。"
    )


def paths() -> dict[str, Any]:
    """Address → its only operation."""
    changes, counted = openapi_parameters(CHANGES), openapi_parameters(PERIOD)
    lost = _("登记库已恢复到这个 changed_since 之前的状态，或它来自旧版本：请清空副本，从 0 重新读取")
    found = {
        "key": operation("key", _("密钥和账号"), "Key"),
        **lists(),
        "changes/applications": operation(
            "changedApplications", _("上次之后有变动的申请，每份一次，按最近变动排列"), "Changes", changes, _410=lost
        ),
        "changes/certificates": operation(
            "changedCertificates",
            _("上次之后有变动的证明，每份一次，按最近变动排列"),
            "ChangedCertificates",
            changes,
            _410=lost,
        ),
        "statistics": operation("statistics", _("统计，每个密钥每分钟最多 10 次"), "Statistics", counted),
    }
    return {f"/api/v1/{address}": {"get": only} for address, only in found.items()}


def lists() -> dict[str, Any]:
    """The lists, and one row of each."""
    asked = openapi_parameters(PARAMETERS)
    application = in_path(_("申请单号"), "^SQ[0-9]{12}$")
    certificate = in_path(_("证明编号"), "^Z[0-9]{12}[0-9A-Z]{1,2}$")
    return {
        "applications": operation("listApplications", _("申请列表，新的在前"), "Page", asked),
        "applications/{number}": operation(
            "showApplication", _("一份申请，含载体、附件目录和办理过程"), "Application", application
        ),
        "certificates": operation("listCertificates", _("证明列表，新的申请在前"), "Certificates", asked),
        "certificates/{number}": operation("showCertificate", _("一份证明"), "Certificate", certificate),
    }


def in_path(words: str, pattern: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "pattern": pattern}
    return [{"name": "number", "in": "path", "required": True, "description": words, "schema": schema}]


def operation(
    name: str, summary: str, schema: str, parameters: list[dict[str, Any]] | None = None, **further: str
) -> dict[str, Any]:
    """`further`: "_410" → words of a failure that only this operation has."""
    failing = failures() | {code.removeprefix("_"): words for code, words in further.items()}
    answers: dict[str, Any] = {"200": answer(_("成功"), "application/json", schema)}
    answers["304"] = {"description": _("与 If-None-Match 中的 ETag 相同，没有内容")}
    answers |= {code: answer(words, MEDIA_TYPE, "Problem") for code, words in sorted(failing.items())}
    described_by = {"parameters": parameters} if parameters else {}
    return {"operationId": name, "summary": summary, **described_by, "responses": answers}


def failures() -> dict[str, str]:
    return {
        "400": _("参数有误"),
        "401": _("没有密钥，或密钥不能使用"),
        "403": _("这类账号不能读取"),
        "404": _("没有，或不能读取"),
        "429": _("过于频繁，见 Retry-After"),
        "default": _("其他错误，例如暂时无法访问数据库（503）"),
    }


def answer(words: str, media_type: str, schema: str) -> dict[str, Any]:
    return {"description": words, "content": {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def schemas() -> dict[str, Schema]:
    whole = schema_of(applications.WHOLE)
    whole["properties"]["trail"] = applications.array(schema_of(applications.TRAIL))
    whole["required"].append("trail")
    item, following = {"type": ["string", "null"]}, {"next": TEXT, "more": {"type": "boolean"}}
    return {
        "Key": schema_of(KEY),
        "Summary": schema_of(applications.SUMMARY),
        "Application": whole,
        "Page": page_of("Summary", {"next": item}),
        "Changes": page_of("Summary", following),
        "IssuedCertificate": schema_of(certificates.ITEM),
        "Certificate": schema_of(certificates.WHOLE),
        "Certificates": page_of("IssuedCertificate", {"next": item}),
        "ChangedCertificates": page_of("IssuedCertificate", following),
        "Statistics": figures.schema(),
        "Problem": PROBLEM,
    }


def page_of(schema: str, others: dict[str, Schema]) -> Schema:
    members = {"items": applications.array({"$ref": f"#/components/schemas/{schema}"})} | others
    return {"type": "object", "properties": members, "required": [*members], "additionalProperties": False}
