"""N synthetic applications, fast, for measuring: the rows that the acts would have left, put in by Core in batches."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from models import clock, numbering, workflow
from models.accounts import CODE_SIGNS, NOBODY, Account, Organisation, valid_credit_code
from models.application import Application, Carrier, search_key
from models.certificate import APPLICATION_FIELDS, Certificate, frozen
from models.codes import District, authority_of, names_of
from models.customs import CustomsMessage
from models.db import db
from models.trail import NOTHING_BEFORE, TrailEntry
from models.vocabulary import Action, Category, Filing, Role, Status, Step, Trade

AT_ONCE = 2000
PAST = timedelta(days=3 * 365)
HISTORIES: dict[tuple[Any, ...], int] = {
    (): 40,
    (Action.SUBMIT,): 40,
    (Action.SUBMIT, Action.RETURN): 20,
    (Action.SUBMIT, Action.DECLINE): 10,
    (Action.SUBMIT, Action.REFUSE): 8,
    (Action.SUBMIT, Action.REFUSE, Action.DELETE): 2,
    (Action.SUBMIT, Action.GRANT): 60,
    (Action.SUBMIT, Action.GRANT, Step.CUSTOMS_ACCEPTED): 700,
    (Action.SUBMIT, Action.RETURN, Action.SUBMIT, Action.GRANT, Step.CUSTOMS_ACCEPTED): 90,
    (Action.SUBMIT, Action.GRANT, Step.CUSTOMS_REJECTED): 10,
    (Action.SUBMIT, Action.GRANT, Step.CUSTOMS_REJECTED, Action.RESEND, Step.CUSTOMS_ACCEPTED): 10,
    (Action.SUBMIT, Action.GRANT, Step.CUSTOMS_ACCEPTED, Action.REVOKE): 10,
}
RULES: dict[Any, workflow.Rule] = workflow.RULES | workflow.RECEIPTS  # type: ignore[operator]
BUSY = {"110000": 9, "310000": 7, "320000": 5, "330000": 4, "440000": 6}  # the other provinces: 1
WORKS = "交响乐 钢琴协奏曲 古琴名曲 二胡独奏 京剧唱段 昆曲选粹 越剧名家 民歌精选 少儿英语 唐诗朗诵 评书 相声集锦 合唱 爵士 舞曲".split()
WORDS = "黄河 长江 江南 春江花月 梅花 茉莉 丝路 敦煌 长城 月光 山水 四季 童年 故乡 龘 経典 英雄 凤凰 牡丹 节日".split()
FORMS = "黑胶唱片 SACD DVD 蓝光光盘 CD CD-ROM".split()
KINDS = ("黑胶唱片", "SACD", "DVD", "BD", "CD-DA", "CD-ROM")
PLANTS = (("DEU", "Optimal Media GmbH"), ("JPN", "東洋化成株式会社"), ("HKG", "香港影音光碟制作有限公司"))


class Scene:
    """A press, who files for it, and who decides."""

    def __init__(self, press: Organisation, filer: Account, reviewer: Account) -> None:
        self.press, self.filer, self.reviewer = press, filer, reviewer
        self.authority = authority_of(press.province)
        self.named = {
            filer: f"{filer.name}（{press.name}）",
            reviewer: reviewer.name,
            None: "海关",
        }


class Case:
    """One application: its own row, its carriers, and what was done to it when."""

    def __init__(self, chance: random.Random, scene: Scene, begun: datetime, now: datetime) -> None:
        self.scene = scene
        self.steps = _steps(chance, begun, now)
        self.when = {act: moment for act, moment, _before, _after in self.steps}
        self.row = _row(chance, self)
        self.carriers = [_carrier(chance, position) for position in range(1, _how_many(chance) + 1)]
        self.number = ""
        self.id = 0
