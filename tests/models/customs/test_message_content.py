"""The content of a message: the granted text, within the limits and the schema of customs."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import Date, select, update

from models import clock
from models.acts import filing
from models.acts.completeness import Incomplete
from models.application import Application
from models.application.carriers import Carrier
from models.certificate import Certificate, frozen
from models.codes import names_of
from models.columns import granted, written
from models.customs import CustomsMessage, envelope
from models.customs.envelope import Parties
from models.customs.schema import message_xsd
from models.database import Exact, db
from models.text import without_useless
from models.vocabulary import Action, Filing
from tests.apps import PreparedApp, engine_of_owner, without_triggers
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.models.conftest import SystemSession

XS = "{http://www.w3.org/2001/XMLSchema}"


def sent(message: CustomsMessage) -> Any:
    """The root element of the message as sent."""
    return envelope.parsed(envelope.business_xml(message))


class TestLimits:
    @pytest.mark.slow
    def test_an_application_too_long_for_a_customs_message_is_refused_at_submission(
        self, make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
    ) -> None:
        """CU9: the size limit is checked at submission, when the applicant can still correct it."""
        key = make_application(status="draft", carriers=1200, title="长" * 300)
        with act_as("publisher") as by:
            application = db.session.get_one(Application, key)
            for carrier in application.carriers:
                carrier.specification, carrier.note = "规" * 255, "备" * 200
            db.session.commit()
            with pytest.raises(envelope.Unsendable, match="1 MB"):
                filing.perform(db.session(), Action.SUBMIT, application, by)
            db.session.rollback()
        assert stored_rows(key)["application"][0]["status"] == "draft"

    def test_characters_that_xml_cannot_contain_are_refused_at_submission(
        self, make_application: MakeApplication
    ) -> None:
        """CU10: never silently changed. Characters that cannot be printed are reported by field, and first."""
        with pytest.raises(Incomplete) as refused:
            make_application(status="pending", title="坏\ufffe")
        assert "无法打印" in refused.value.missing["title"]
        with pytest.raises(envelope.Unsendable, match="无法写入海关报文"):
            envelope.check_sendable(Application(title="坏\ufffe", carriers=[]))


class TestMessage:
    @pytest.mark.slow
    def test_a_message_contains_the_text_as_granted(
        self, app: Flask, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """CU10: Chinese, XML markup, characters beyond the BMP arrive as granted, also after later changes."""
        title = "《𠮷祥 & <盘>》“\"'”ＤＶＤ㈱ é ]]> &amp;"
        key = make_application(status="filed", carriers=2, title=title, isbn=None)
        with system_session() as session:
            with engine_of_owner(app).begin() as connection, without_triggers(connection):
                connection.execute(update(Application).where(Application.id == key).values(title="后来改过的名称"))
            message = session.scalars(select(CustomsMessage)).one()
            xml, root, snapshot = envelope.business_xml(message), sent(message), message.certificate.snapshot
            assert envelope.business_xml(message) == xml
        assert xml.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
        assert "𠮷祥".encode() in xml
        assert root.findtext("{*}application/{*}title") == title == snapshot["title"]
        assert root.find("{*}application/{*}isbn") is None
        assert [child.text for child in root.find("{*}carriers")[1]] == [
            snapshot["carriers"][1][name] for name in granted(Carrier) if name in snapshot["carriers"][1]
        ]
        assert root.findtext("{*}message_id").startswith(root.findtext("{*}certificate/{*}number"))

    @pytest.mark.slow
    def test_entities_in_received_xml_are_not_expanded(
        self, make_application: MakeApplication, system_session: SystemSession
    ) -> None:
        """A message must not make its reader open a file (XXE)."""
        make_application(status="filed", title="商品名称")
        with system_session() as session:
            xml = envelope.business_xml(session.scalars(select(CustomsMessage)).one()).decode()
        bad = xml.replace("\n", '\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', 1)
        with pytest.raises(etree.LxmlError):
            envelope.parsed(bad.replace("商品名称", "&e;").encode())

    def test_the_schema_of_each_field_follows_from_its_column(self) -> None:
        """CU9: no field is missing, none is cut."""
        schema = etree.fromstring(message_xsd())
        for kind, some, last in (
            ("application", {"title text300 1", "isbn text20 0", "port named 1"}, "expected_on"),
            ("carrier", {"position xs:positiveInteger 1", "kind named 0", "quantity amount 1"}, "note"),
        ):
            elements = schema.findall(f"{XS}complexType[@name='{kind}']//{XS}element")
            types = [" ".join((e.get("name"), e.get("type"), e.get("minOccurs", "1"))) for e in elements]
            assert some <= set(types)
            assert types[-1].startswith(last)
        assert not {"summary", "contact", "phone"} & {element.get("name") for element in schema.iter(f"{XS}element")}


def free(column: Any) -> bool:
    """Whether the column holds free text: no code, status word, number or date."""
    return type(column.type).__name__ == "String" and "codes" not in column.info


TEXT = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff", include_characters="\n\t")


def value_of(column: Any) -> st.SearchStrategy[Any]:
    """Any valid value of this column."""
    if column.info.get("codes") == "district":  # which the operator keeps
        return st.sampled_from(["2201", "2248", "5141"])
    if "codes" in column.info:
        return st.sampled_from(sorted(names_of(column.info["codes"])))
    if isinstance(column.type, Exact):
        return st.decimals(Decimal("0.00001"), Decimal(10) ** 13, places=5)
    if isinstance(column.type, Date):
        return st.dates(date(2000, 1, 1), date(2099, 12, 31))
    if not free(column):
        return st.sampled_from([*column.type.words])
    return st.text(TEXT, min_size=1, max_size=column.type.length)


def filled(model: Any, names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Values of a row: all required columns, and any of the others."""
    columns = {name: model.__table__.columns[name] for name in names}
    values = {name: value_of(column) for name, column in columns.items()}
    rest = {name: values.pop(name) for name, column in columns.items() if not column.info.get("required")}
    return st.fixed_dictionaries(values, optional=rest)


GRANTED = tuple(name for name in written(Application) if name in granted(Application))


NAMES = st.text(TEXT, min_size=1, max_size=50)


OWN = st.fixed_dictionaries(
    {
        "number": st.from_regex(r"\ASQ2026[0-9]{8}\Z"),
        "applied_on": st.dates(date(2000, 1, 1), date(2099, 12, 31)),
        "applicant_name": st.text(TEXT, min_size=1, max_size=100),
        "publisher_name": st.text(TEXT, min_size=1, max_size=100),
        "applicant_code": st.just("12320000466000101W"),
        "publisher_code": st.just("91320000134700202X"),
        "authority": NAMES,
        "filing": st.sampled_from([*Filing]),
    }
)


CARRIERS = st.lists(filled(Carrier, granted(Carrier)[1:]), min_size=1, max_size=3)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    OWN,
    filled(Application, GRANTED),
    CARRIERS,
    NAMES,
    st.none() | st.dates(date(2026, 1, 1), date(2099, 12, 31)),
    st.none() | st.just("Z3220250000017"),
    st.sampled_from([Action.GRANT, Action.RESEND, Action.REVOKE]),
)
def test_every_application_that_can_be_granted_makes_a_valid_message(
    on_sqlite: PreparedApp,
    own: dict[str, Any],
    written: dict[str, Any],
    carriers: list[dict[str, Any]],
    signer: str,
    until: date | None,
    replaced: str | None,
    act: Action,
) -> None:
    """CU9, CU10: submitted, granted, frozen, sent, valid by the schema, and read back exactly."""
    replaces = Certificate(number=replaced) if replaced else None
    application = Application(**own, **written, replaces=replaces)
    application.carriers = [Carrier(position=n, **row) for n, row in enumerate(carriers, start=1)]
    with on_sqlite.app.app_context(), db.session.no_autoflush:
        db.session.add(application)  # the name of its customs district is read with its session; never stored
        envelope.check_sendable(application)
        snapshot = frozen(application)
        db.session.expunge_all()
        db.session.remove()
        db.engine.dispose()  # the next test has another file of this name
    certificate = Certificate(
        number="Z3220260000017",
        issued_on=date(2026, 11, 23),
        valid_until=until,
        authority=own["authority"],
        signer=signer,
        content=json.dumps(snapshot),
        digest="0" * 64,
    )
    message = CustomsMessage(certificate=certificate, message_id="Z3220260000017-3", act=act, queued_at=clock.now())
    data = envelope.business_xml(message)
    parties = Parties("A", "B")
    wrapped = envelope.enveloped(message.message_id, envelope.CERTIFICATE, clock.now(), data, parties, b"\x30" * 9)
    assert envelope.opened(wrapped).data == data
    root = sent(message)
    head, body = children(root.find("{*}certificate")), children(root.find("{*}application"))
    assert (head["signer"], head.get("valid_until"), head.get("replaces")) == (signer, until and str(until), replaced)
    rows = snapshot.pop("carriers")
    snapshot.pop("replaces", None)
    assert body == snapshot
    assert [children(row) for row in root.find("{*}carriers")] == rows
    for name in (name for name, value in written.items() if isinstance(value, str)):
        text = str(getattr(written[name], "label", written[name]))
        assert body[name].startswith(without_useless(text) or text), "a code with its name"


def children(element: Any) -> dict[str, str]:
    """Name → text."""
    return {etree.QName(child).localname: child.text for child in element}
