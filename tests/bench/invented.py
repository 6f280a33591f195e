"""Invented publishers, people and works for `bulk`."""

import json
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application
from models.application.carriers import Carrier
from models.certificate import frozen
from models.codes import authority_of, names_of
from models.people.accounts import CODE_SIGNS, Account, Organisation, valid_credit_code
from models.people.sessions import dummy_hash
from models.vocabulary import Category, Filing, Role, Trade

BUSY = {"110000": 9, "310000": 7, "320000": 5, "330000": 4, "440000": 6}  # the other provinces: 1
MAINLAND = "710000"  # the codes below this one
WORDS = ("黄河", "长江", "江南", "梅花", "茉莉", "丝路", "敦煌", "长城", "月光", "山水", "四季", "童年", "龘", "𠮷祥")
WORKS = ("交响乐", "钢琴协奏曲", "古琴名曲", "二胡独奏", "京剧唱段", "昆曲选粹", "民歌精选", "少儿英语", "评书")
KINDS = ("黑胶唱片", "SACD", "DVD", "BD", "CD-DA", "CD-ROM")
PLANTS = (("DEU", "Optimal Media GmbH"), ("JPN", "東洋化成株式会社"), ("HKG", "香港影音光碟制作有限公司"))
PORTS = ("2201", "2233", "2248", "5301", "5304")

JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

Row = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """The fields of an account that the trail stores; an ORM row would be loaded again after each commit."""

    id: int
    name: str
    role: Role


@dataclass(frozen=True)
class Scene:
    """A publisher: its columns of an application's row, its filing account, and its reviewer."""

    row: Row
    filer: Person
    reviewer: Person


@dataclass(frozen=True)
class Work:
    """One consignment: its share of an application's row, and its carriers."""

    row: Row
    carriers: list[Row]
    texts: dict[str, str]  # field of a certificate → its JSON

    def frozen_with(self, own: dict[str, str]) -> str:
        """The content of a certificate as json.dumps with sorted keys would write it; `own`: its other fields."""
        whole = self.texts | {name: JSON(text) for name, text in own.items()}
        return "{" + ", ".join(f'"{name}": {whole[name]}' for name in sorted(whole)) + "}"


def scenes(session: Session, wanted: int) -> list[Scene]:
    """The existing publishers, then invented ones: some six hundred for a million applications."""
    provinces = [code for code in names_of("province") if code < MAINLAND]
    spread = random.Random(0).choices(provinces, [BUSY.get(code, 1) for code in provinces], k=600)
    for place, province in enumerate(spread[: max(12, wanted // 1500)], start=1):
        _add_publisher(session, place, province)
    session.flush()
    publishers = select(Organisation).where(Organisation.trade == Trade.PUBLISHER).order_by(Organisation.id)
    return [_scene(session, publisher) for publisher in session.scalars(publishers).all()]


def _add_publisher(session: Session, place: int, province: str) -> None:
    body = f"91{province}{place:09d}"
    code = next(body + sign for sign in CODE_SIGNS if valid_credit_code(body + sign))
    if session.scalar(select(Organisation.id).where(Organisation.credit_code == code)) is None:
        name = f"{names_of('province')[province]}第{place}音像出版社（模拟）"
        session.add(Organisation(credit_code=code, name=name, trade=Trade.PUBLISHER, province=province))


def _scene(session: Session, publisher: Organisation) -> Scene:
    filers = select(Account).where(Account.organisation_id == publisher.id)
    desk = select(Account).where(Account.role == Role.REVIEWER, Account.province == publisher.province)
    shut: Row = {"password_hash": dummy_hash(), "active": False}  # for the trail; can never sign in
    filer = session.scalar(filers.limit(1)) or Account(
        username=f"bulk-{publisher.credit_code}", name="模拟经办", role=Role.PUBLISHER, organisation=publisher, **shut
    )
    reviewer = session.scalar(desk.limit(1)) or Account(
        username=f"bulk-{publisher.province}", name="模拟审核", role=Role.REVIEWER, province=publisher.province, **shut
    )
    session.add_all((filer, reviewer))
    session.flush()
    people = [Person(account.id, account.name, account.role) for account in (filer, reviewer)]
    row = {f"{who}_{what}": value for who in ("applicant", "publisher") for what, value in _named(publisher).items()}
    row |= {"province": publisher.province, "authority": authority_of(publisher.province), "filing": Filing.OWN}
    return Scene(row | {"contact": filer.name, "phone": "010-65120000"}, *people)


def _named(publisher: Organisation) -> Row:
    return {"id": publisher.id, "name": publisher.name, "code": publisher.credit_code}


def title(chance: random.Random) -> str:
    """One of some ten thousand titles."""
    return f"{chance.choice(KINDS)}《{chance.choice(WORDS)}{chance.choice(WORDS)}·{chance.choice(WORKS)}》"


def works(session: Session, chance: random.Random, count: int) -> list[Work]:
    """This many consignments; their JSON for certificates is computed once, because that is slow."""
    with session.no_autoflush:
        return [_work(session, chance) for _place in range(count)]


def _work(session: Session, chance: random.Random) -> Work:
    country, plant = chance.choice(PLANTS)
    row: Row = {
        "category": chance.choice(list(Category)), "copyright_owner": "中国音像著作权集体管理协会",
        "catalogue_number": f"ISRC CN-E{chance.randint(10, 99)}-26-{chance.randint(1, 9999):04d}-0/A·J6",
        "summary": f"收录作品 {chance.randint(6, 30)} 首，附说明书。", "manufacturer": plant, "country": country,
        "contract_number": f"HT-{chance.randint(100000, 999999)}", "consignee": "中国图书进出口有限公司",
        "port": chance.choice(PORTS), "hs_code": "8523499030", "trade_mode": "一般贸易",
    }  # fmt: skip
    carriers = [_carrier(chance, place) for place in range(1, 2 + min(39, int(chance.expovariate(0.7))))]
    application = Application(**row, carriers=[Carrier(**carrier) for carrier in carriers])
    session.add(application)  # to read the name of the customs district; never stored
    texts = frozen(application)
    for each in (*application.carriers, application):
        session.expunge(each)
    return Work(row, carriers, {name: JSON(text) for name, text in texts.items()})


def _carrier(chance: random.Random, position: int) -> Row:
    price, quantity = Decimal(chance.randint(80, 900)) / 100, Decimal(chance.randint(1, 80) * 100)
    return {
        "position": position, "kind": chance.choice(KINDS), "specification": "120 mm 单面双层", "quantity": quantity,
        "unit": "010", "name": f"第 {position} 张", "unit_price": price, "currency": "EUR",
    }  # fmt: skip
