"""Private data in a message: what is found, what is left alone, and what its writer sees of it again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.private import masked, private_data

PHONES = [
    "+60 12-345 6789",  # Malaysia
    "012-345 6789",
    "0123456789",
    "03-2161 1234",
    "+65 9123 4567",  # Singapore
    "91234567",
    "+44 7911 123456",  # United Kingdom
    "07700 900123",
    "020 7946 0958",
    "+1 (415) 555-2671",  # United States
    "(415) 555-2671",
    "415.555.2671",
    "+61 412 345 678",  # Australia
    "0412 345 678",
    "+91 98765 43210",  # India
    "9876543210",
    "+852 9123 4567",  # Hong Kong
    "+86 138 1234 5678",  # China
    "13812345678",
    "0912 345 678",  # Taiwan
    "+62 812 3456 7890",  # Indonesia
    "0812-3456-7890",
    "081 234 5678",  # Thailand
    "0917 123 4567",  # the Philippines
    "087 123 4567",  # Ireland
    "021 123 4567",  # New Zealand
    "050 123 4567",  # United Arab Emirates
    "+49 151 23456789",  # Germany
    "030 123456",
    "+33 6 12 34 56 78",  # France
    "06 12 34 56 78",
    "01.42.68.53.00",
    "090-1234-5678",  # Japan
    "010-1234-5678",  # South Korea
]
IDENTITIES = [
    "900101-14-5678",  # Malaysia
    "900101145678",
    "S1234567D",  # Singapore
    "536-22-1234",  # United States
    "AB 12 34 56 C",  # United Kingdom
    "2345 6789 0124",  # India
    "ABCPE1234F",
    "11010519491231002X",  # China
    "A123456(3)",  # Hong Kong
    "A123456789",  # Taiwan
    "12345678Z",  # Spain
    "X1234567L",
    "RSSMRA85T10A562S",  # Italy
    "A12345678",  # a Malaysian passport
]
CARDS = ["4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "378282246310005", "3782 822463 10005"]
# A message, and the part of it that is private.
WORDED = [
    ("email", "write to jane.doe+laser@mail.example.co.uk please", "jane.doe+laser@mail.example.co.uk"),
    ("email", "邮箱是jane@example.com谢谢", "jane@example.com"),
    ("email", "it is jane at example dot com", "jane at example dot com"),
    ("phone", "call me at 5551234", "5551234"),
    ("phone", "whatsapp 60123456789", "60123456789"),
    ("phone", "hubungi saya di 012-345 6789", "012-345 6789"),
    ("phone", "我的电话是13812345678，请打给我", "13812345678"),
    ("phone", "https://wa.me/60123456789", "60123456789"),
    ("identity", "my passport is K1234567", "K1234567"),
    ("identity", "Passport no. 123456789", "123456789"),
    ("identity", "pasport saya A1234567", "A1234567"),
    ("identity", "护照号 E12345678", "E12345678"),
    ("identity", "my ic no is 900101-14-5678", "900101-14-5678"),
    ("identity", "身份证号11010519491231002X", "11010519491231002X"),
    ("identity", "NHS number 943 476 5919", "943 476 5919"),
    ("identity", "patient number 123456", "123456"),
    ("identity", "MRN: 1234567", "1234567"),
    ("birth", "born 3 May 1985", "3 May 1985"),
    ("birth", "I was born on the 3rd of May 1985", "3rd of May 1985"),
    ("birth", "born on May 3, 1985", "May 3, 1985"),
    ("birth", "DOB 3/5/85", "3/5/85"),
    ("birth", "date of birth: 1985-05-03", "1985-05-03"),
    ("birth", "12 Jan 1990 is my birthday", "12 Jan 1990"),
    ("birth", "tarikh lahir saya 3 Mei 1985", "3 Mei 1985"),
    ("birth", "出生日期1985年5月3日", "1985年5月3日"),
    ("birth", "我1985年5月3日出生", "1985年5月3日"),
    ("birth", "生日是1985/5/3", "1985/5/3"),
    ("birth", "1985年5月3日生まれです", "1985年5月3日"),
    ("birth", "née le 3 août 1985", "3 août 1985"),
    ("birth", "geboren am 03.05.1985", "03.05.1985"),
    ("birth", "geboren am 3. März 1985", "3. März 1985"),
    ("birth", "nací el 3 de mayo de 1985", "3 de mayo de 1985"),
    ("name", "my name is Jane", "Jane"),
    ("name", "My name is Jane Doe and I want a session", "Jane Doe"),
    ("name", "MY NAME IS JOHN SMITH", "JOHN SMITH"),
    ("name", "hi my name's bob, does it hurt", "bob"),
    ("name", "my full name is Mary-Jane O'Neil", "Mary-Jane O'Neil"),
    ("name", "Name: Jane Doe", "Jane Doe"),
    ("name", "nama saya Ahmad bin Ali, nak tanya", "Ahmad bin Ali"),
    ("name", "Nama penuh saya ialah Siti Nurhaliza", "Siti Nurhaliza"),
    ("name", "你好，我叫王小明", "王小明"),
    ("name", "我叫陳美玲，想問一下", "陳美玲"),
    ("name", "我的名字是李雷", "李雷"),
    ("name", "姓名：欧阳娜娜", "欧阳娜娜"),
    ("name", "je m'appelle Claire", "Claire"),
    ("name", "me llamo Ana", "Ana"),
    ("name", "ich heiße Jürgen", "Jürgen"),
    ("address", "I live at 12 Baker Street", "12 Baker Street"),
    ("address", "I stay in Blk 123 Ang Mo Kio", "Blk 123 Ang Mo Kio"),
    ("address", "my address is 5 Jalan Ampang, 50450 Kuala Lumpur", "5 Jalan Ampang, 50450 Kuala Lumpur"),
    ("address", "alamat saya No. 7, Jalan SS2", "No. 7, Jalan SS2"),
    ("address", "我住在北京路12号", "北京路12号"),
]
NOT_PRIVATE = """
2-4 weeks
24-48 hours, then 5-7 days
SPF 30 or SPF 50+
500-750 picoseconds
10^-12 seconds, 1/1000000000000 of one
1000000000 picoseconds in a millisecond
755 nm, 532 nm and 1064 nm
532/755/1064nm
is it 585-755-1064 nm
0.71 to 6.37 J/cm2
0.4-2.0 joules, 6 mm, 10 Hz, 50 mJ
20,000 pulses
2000000 pulses, 2000-3000 shots
text 10 000 000 times
RM 1,200
RM1200-1500
RM 3999 vs RM 4999 vs RM 5999
$1,250.00 or £1,500.00-£2,000.00
₹50,000-1,00,000
Rp 1.500.000
Rp 2.500.000 - 3.000.000
1500000 won, 500000 yen, 12,000,000 VND
5 sessions @ 299.90
open @ 9.30
contact @picosure.com
package of 10 sessions for 8888
10 sessions and 5 free
number of sessions 4-6
1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
day 1, 2, 3, 4, 5, 6, 7
my last session was on 12/03/2024
sessions on 2024-03-12, 2024-04-15 and 2024-05-20
1st 12.03.2024 2nd 12.04.2024 3rd 12.05.2024
appointment 12/03/2024 10:30
call me on 12-03-2024
open 09.00-17.30, closed 13:00 - 14:00
slots on 12/03 13/03 14/03
2019 2020 2021 2022 2023
1984-06-07
I am 35, 162 cm, 58 kg, bp 120/80
should I call 999 or 112
call me 24-48 hours before
born with a birthmark
my baby was born 3 weeks ago
my birthday is next week
i was born in 1985
my name is on the list
is my name not there
my name is spelt wrong
my name is already in your book
my name was called
product name: it is a serum
nama saya tiada dalam senarai
nama saya salah
我叫他休息他也不听
我叫了救护车
我叫医生看了
我叫不醒她
别人叫我做
passport photo 2 weeks after laser
passport photo is 35 x 45
ic
nhs wait is 18 weeks
the patient had 10-12 sessions
medicare rebate 2024-2025
i live at home with 2 kids and 3 dogs
i live at the beach 3 months a year
we live at 2000 m altitude
i stay at work until 6
i live in Kuala Lumpur, 2 hours drive
my address is wrong in your system
no 7 serum, 30 ml
FDA K143105, IEC 60601-2-22
PMID 30918264
https://pubmed.example/30918264/
doi 10.1007/s10103-020-03031-4
M22 2nd session
PicoSure Pro 755
4111 1111 1111 1112
""".strip().splitlines()


def questions() -> list[str]:
    folder = Path(__file__).resolve().parent.parent / "corpus" / "judged"
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]
    return [turn for line in lines for turn in json.loads(line)["turns"]]


@pytest.mark.parametrize("number", PHONES)
def test_a_phone_number_is_found_as_people_write_it(number: str) -> None:
    message = f"hi, {number} please"
    assert "phone" in private_data(message)
    assert masked(message) == "hi, ••• please"


@pytest.mark.parametrize("number", IDENTITIES)
def test_an_identity_number_is_found_by_its_form(number: str) -> None:
    message = f"hi, {number} please"
    assert "identity" in private_data(message)
    assert masked(message) == "hi, ••• please"


@pytest.mark.parametrize("number", CARDS)
def test_a_card_number_is_found_if_its_check_digit_is_right(number: str) -> None:
    assert "card" in private_data(f"pay with {number} ok")
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert "card" not in private_data(f"pay with {wrong} ok")


@pytest.mark.parametrize(("kind", "message", "private"), WORDED)
def test_what_its_words_make_private_is_found_and_blotted_out(kind: str, message: str, private: str) -> None:
    assert kind in private_data(message)
    assert private not in masked(message)
    assert private_data(masked(message)) == ()


@pytest.mark.parametrize("message", NOT_PRIVATE)
def test_what_only_looks_private_is_left_alone(message: str) -> None:
    assert private_data(message) == ()
    assert masked(message) == message


def test_no_judged_question_raises_an_alarm() -> None:
    assert [question for question in questions() if private_data(question)] == []


def test_each_kind_is_named_once_and_the_rest_of_the_message_stays() -> None:
    message = "My name is Jane Doe, a@b.com or c@d.com, does it hurt?"
    assert private_data(message) == ("email", "name")
    assert masked(message) == "My name is •••, ••• or •••, does it hurt?"


def test_what_is_found_twice_is_blotted_out_once() -> None:
    assert masked("HKID A123456(3).") == "HKID •••."


def test_the_libraries_are_loaded_only_for_many_digits() -> None:
    program = (
        "import sys; from retrieval.private import private_data as p\n"
        "loaded = lambda: any(name in sys.modules for name in ('phonenumbers', 'stdnum'))\n"
        "p('my name is Jane, SPF 30 for 2-4 weeks'); first = loaded(); p('0123456789'); print(first, loaded())"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("piece", ["12/3/", "1 2 3 ", "(415) 555-2671 "])
def test_a_flood_of_digits_is_blotted_out_without_trying_each_region_s_numbers(piece: str) -> None:
    program = (
        "import sys; from retrieval.private import masked\n"
        f"print(any(map(str.isdigit, masked({piece!r} * 400))), 'phonenumbers' in sys.modules)"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["False", "False"]


def test_a_number_that_a_library_stumbles_over_is_no_fault() -> None:
    number = "37406819810913344X"  # a Chinese identity number of a county that python-stdnum's table lacks: a KeyError there
    assert masked(f"no {number} ok").startswith("no ")


@given(st.text() | st.text(alphabet="0123456789 -+()./@aXné年月日٣²５我叫王:"))
def test_no_text_is_too_odd(text: str) -> None:
    assert (masked(text) == text) == (private_data(text) == () or "•••" in text)


@given(
    st.sampled_from(WORDED),
    st.lists(st.sampled_from(NOT_PRIVATE), max_size=3),
    st.lists(st.sampled_from(NOT_PRIVATE), max_size=3),
)
def test_what_was_found_is_never_shown_again(case: tuple[str, str, str], before: list[str], after: list[str]) -> None:
    kind, message, private = case
    text = "\n".join([*before, message, *after])
    assert kind in private_data(text)
    assert private not in masked(text)
    assert private_data(masked(text)) == ()


@given(st.lists(st.sampled_from(NOT_PRIVATE), max_size=5))
def test_a_message_without_private_data_stays_as_it_is(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert masked(text) == text
