"""Private data in a message: what should not be written into a public chat, found without keeping any of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

__all__ = ["masked", "private_data"]

_MASK = "•••"
_REGIONS = ("MY", "SG", "GB", "US", "AU", "IN", "HK", "CN", "TW", "ID", "TH", "PH", "IE", "NZ", "AE", "DE", "FR", "JP", "KR")
"""The regions whose way of writing phone numbers is known without a country code."""
_IDENTITY_NUMBERS = (
    "my.nric", "in_.aadhaar", "cn.ric", "es.dni", "es.nie", "fr.nir", "it.codicefiscale", "th.pin", "za.idnr", "kr.rrn",
    "id.nik",
)  # fmt: skip
"""Identity numbers that can be checked (python-stdnum) and do not look like phone numbers."""

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mac|mei|ogos|okt|dis)[a-z]*"
_DATE = (
    r"(?:\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}|\d{4}\s?[年년]\s?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日号號일]?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\.?,? \d{{2,4}}|{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{2,4}}"
    r"|\d{1,2}(?:er|\.)? (?:de )?[^\W\d_]{3,10}\.?(?: de)? (?:19|20)\d\d)"
)
_TELLS = r"(?:[^\S\n]*(?:(?:is|no|num|number|id|card|saya|ialah|adalah)\b|号码|號碼|号|號|是|[:：.#]))*[^\S\n]*"
"""What may stand between the word for a number and the number."""
_STREET = (
    r"(?:\d+[a-z]?,? (?:[\w'’-]+ ){0,3}?(?:road|rd|street|avenue|ave|lane|crescent|terrace|jalan|jln|lorong)\b"
    r"|\b(?:jalan|jln|lorong|blk|block|apt|apartment|flat|unit)\.? #?\d)"
)
_WORDED: tuple[tuple[str, str], ...] = (
    ("email", r"(?<![a-z\d._%+-])([a-z\d._%+-]+(?:@| @ )[a-z\d](?:[a-z\d-]*\.)+[a-z]{2,})"),
    (
        "email",
        r"(?<![a-z\d._+-])([a-z\d._+-]+ ?[\[(]?\bat\b[\])]? ?[a-z\d-]+ ?[\[(]?\bdot\b[\])]? ?"
        r"(?:com|net|org|edu|co|my|sg|uk))\b",
    ),
    ("identity", r"(?<![a-z\d])([stfgm]\d{7}[a-z])(?![a-z\d])"),
    ("identity", r"(?<![a-z\d])([a-ceghj-pr-tw-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d])(?![a-z\d])"),
    (
        "identity",
        r"(?<![a-z\d])([ahk]\d{8}|[a-z][1289]\d{8}|[a-z]{1,2}\d{6}\s?[(（][\da][)）]|[a-z]{3}p[a-z]\d{4}[a-z])(?![a-z\d])",
    ),
    ("identity", r"(?<![\w-])((?!000|666|9)\d{3}-\d{2}-\d{4})(?![\w-])"),
    (
        "identity",
        r"(?:\b(?:passport|pasport|paspot|identity card|id card|ic|i/c|nric|mykad|kad pengenalan|ssn|social security|nhs|"
        r"medicare|mrn|hkid|(?:patient|record) (?:no|number|id)|driving licen[cs]e|driver'?s licen[cs]e)\b"
        rf"|护照|護照|身份证|身份證){_TELLS}(?<![a-z\d])([a-z]{{0,3}}-?(?:\d[ -]?){{4,18}}\d[a-z]?)(?![a-z\d])",
    ),
    (
        "phone",
        r"\b(?:whatsapp|call|ring|text (?:me|us)|phone|mobile|tel|telefon|number|hp|handphone|hubungi)\b"
        r"(?:\s*(?:(?:me|us|my|at|on|is|no|number|saya|di)\b|[:.#-]))*\s*"
        r"(?!\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{1,2}-)(\+?\d(?:[ ()-]{0,2}\d){6,14})(?!\d)",
    ),
    (
        "birth",
        r"(?:\b(?:born|dob|d\.o\.b\.?|date of birth|birth ?date|birthday|bday|tarikh lahir|tanggal lahir|lahir|née? le|"
        r"geboren|geburtsdatum|nac[ií]|nacid[oa]|nat[oa] il|nasci|nascid[oa]|ngày sinh|ipinanganak)(?!\w)|生日|出生|생년월일|"
        r"родил(?:ся|ась))"
        rf"[^\d\n]{{0,20}}?({_DATE})",
    ),
    ("birth", rf"({_DATE})\s?(?:\(?\bis my (?:birthday|date of birth|dob)\b|(?:出生|生日|生まれ))"),
    (
        "address",
        r"\b(?:(?:i|we) (?:live|stay) (?:at|in|on)|my (?:home )?address is|my address:|alamat (?:rumah )?saya|saya tinggal di)"
        rf"[\s:]+(?=[^;\n]{{0,40}}?{_STREET})((?:[^.;?!\n]|(?<=\bno)\.){{4,80}})",
    ),
    ("address", r"我?(?:住在|家住|住址是?|地址是?)[:：]?\s?([\u4e00-\u9fff]{2,20}\d+\s?[号號弄室][\u4e00-\u9fff\d]{0,12})"),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WORDED)
_SURNAMES = (
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林高罗羅郑鄭梁谢謝宋唐许許韩韓邓鄧冯馮曹彭曾肖萧蕭田董潘袁蔡蒋蔣余于杜"
    "叶葉程魏苏蘇吕呂丁沈任姚卢盧傅钟鍾姜崔谭譚廖范汪陆陸金石戴贾賈韦韋夏邱方侯邹鄒熊孟秦白江阎薛尹段雷黎史龙龍陶贺賀顾顧毛郝龚龔"
    "邵万萬钱錢严嚴洪莫孔颜顏"
)
# A name's further parts are only those that are written with a capital letter, so this one minds the case. In Chinese,
# "my name is" also means "I told": only a surname makes it a name.
_NAME = re.compile(
    r"(?i:\b(?:my (?:full )?name(?:['’]?s| is)|nama (?:penuh )?saya(?: ialah| adalah)?|je m['’]appelle|me llamo|mi chiamo|"
    r"ich hei(?:ß|ss)e)[\s:,]+|(?:^|\n)(?:my |full )?name ?: ?)"
    r"([^\W\d_][\w'’-]*(?: (?:(?:bin|binti|a/l|a/p|van|de|al)\b|[A-Z][\w'’-]*))*)"
    rf"|我叫做?\s?([{_SURNAMES}小阿][\u4e00-\u9fff]{{1,2}}|[A-Za-z]+)(?![\u4e00-\u9fff]|\w)"
    r"|(?:我的名字(?:是|叫做?)|姓名(?:是|[:：]))\s?([\u4e00-\u9fff]{2,4}|[A-Za-z]+)"
)
_NO_NAME = frozenset(
    "on in not under down wrong already spelled spelt misspelled misspelt mispelled mud written registered missing still "
    "the a an never no called important unimportant irrelevant private secret confidential none nobody also now going "
    "at by for from to with as or and is being been just only very too so really what why there here that this my his her "
    "correct incorrect listed booked changed changing different same common hard difficult blank showing shown "
    "ialah adalah tiada ada tak takde tidak salah tersalah dalam dlm di belum dah sudah pun juga apa kenapa mana ni tu "
    "bukan hilang".split()
)
# Quantities, prices, dates and web addresses: long numbers that are no one's.
_NOT_PRIVATE = re.compile(
    r"https?://(?!wa\.me/)\S+"
    r"|(?<![\d./-])(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2})(?![\d./-])"
    r"|(?<![\d+])[1-9]\d{0,3}(?:[ ,.]?000)+(?!\d)"
    r"|(?:\b(?:rm|rp|usd|sgd|myr|idr|inr|vnd|hk|nt|rs|pmid|doi|isbn|fda|iso|iec)|[$£€₹¥₩฿₱])[ .:]?\d[\d ,.-]*"
    r"|(?<![\d+])[1-9][\d .,/-]*(?=\s?(?:nm|ps|ns|ms|mj|hz|mg|ml|mm|cm|pulses|shots|times|picoseconds?|nanoseconds?|ringgit|"
    r"rupiah|rupees?|won|yen|baht|pesos?|dong|vnd|dollars?|euros?|pounds?|kr|[元円원])(?![a-z]))",
    re.IGNORECASE,
)
_LONG_NUMBER = re.compile(r"(?<![a-z\d.,+])[a-z]{0,6}\d[a-z\d]*(?:[ -]\d[a-z\d]*)*(?![a-z\d])", re.IGNORECASE | re.ASCII)
_DIGITS = re.compile(r"\d(?:[ ().+/-]{0,3}\d){6,}")
_CARD = re.compile(r"[2-6](?:\d{12,18}|\d{3}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{3}([ -])\d{6}\2\d{4,5})")
_PHONE_DIGITS = 7
_MOST_DIGITS = 150
"""From here on a message is a table of numbers, and each long one is taken for private: to look at all takes seconds."""


def private_data(message: str) -> tuple[str, ...]:
    """Which kinds of private data stand in a message: email, phone, card, identity, birth, name, address."""
    return tuple(dict.fromkeys(kind for kind, _, _ in _spans(message)))


def masked(message: str) -> str:
    """The message with its private data blotted out, as it may be shown to its writer again."""
    text, begin = "", 0
    for start, end in sorted((start, end) for _, start, end in _spans(message)):
        if start >= begin:
            text += message[begin:start] + _MASK
        begin = max(begin, end)
    return text + message[begin:]


def _spans(message: str) -> Iterator[tuple[str, int, int]]:
    """Each piece of private data: its kind, where it begins and where it ends."""
    for kind, pattern in _PATTERNS:
        for found in pattern.finditer(message):
            yield kind, *found.span(1)
    for found in _NAME.finditer(message):
        group = found.lastindex or 0
        if found[group].split()[0].lower() not in _NO_NAME:
            yield "name", *found.span(group)
    digits = sum(character.isdigit() for character in message)
    if digits > _MOST_DIGITS:
        yield from (("phone", *found.span()) for found in _DIGITS.finditer(message))
    elif digits >= _PHONE_DIGITS:
        yield from _numbers(message)


def _numbers(message: str) -> Iterator[tuple[str, int, int]]:
    """Numbers that are private by their form alone. The libraries are loaded only for messages with that many digits."""
    text = _NOT_PRIVATE.sub(lambda found: "|" * len(found[0]), message)
    for found in _LONG_NUMBER.finditer(text):
        digits = "".join(character for character in found[0] if character.isdigit())
        if _CARD.fullmatch(found[0]) and _luhn(digits):
            yield "card", *found.span()
        elif len(digits) >= _PHONE_DIGITS and _is_identity_number(found[0]):
            yield "identity", *found.span()
    from phonenumbers import Leniency, PhoneNumberMatcher

    for region in _REGIONS:
        for number in PhoneNumberMatcher(text, region, leniency=Leniency.STRICT_GROUPING):
            yield "phone", number.start, number.end


def _is_identity_number(text: str) -> bool:
    return any(_is_valid(name, text) for name in _IDENTITY_NUMBERS)


def _is_valid(name: str, text: str) -> bool:
    try:
        return bool(import_module(f"stdnum.{name}").is_valid(text))
    except (LookupError, ValueError):  # python-stdnum's tables of places have gaps that its own check does not expect
        return False


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
