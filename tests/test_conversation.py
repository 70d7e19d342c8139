"""What leans on the question before is made complete; complete questions are left alone; no sign of danger is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.conversation import to_search
from retrieval.lexical import stems
from retrieval.types import Turn

# How a message leans, the messages before it (divided by /), the message, and the complete question.
LEANING = """
thing | how many sessions do acne scars need / ok. and a tattoo? | how many sessions does a tattoo need
thing | Can the laser get rid of dark spots? / and melasma? | Can the laser get rid of melasma
thing | how long is the redness there after / and the swelling? | how long is the swelling there after
thing | is it safe for dark skin / what about very pale skin | is it safe for very pale skin
thing | does it hurt on the face / on the neck? | does it hurt on the neck
thing | does it hurt / on the neck? | does it hurt on the neck
thing | can i go swimming after laser / gym can? | can i go gym after laser
thing | is pico ok for acne scars / then pigmentation leh | is pico ok for pigmentation
thing | can laser treat pigmentaion / and wrinkels? | can laser treat wrinkels
thing | how many treatments to clear black ink / and green? | how many treatments to clear green ink
thing | what is the difference between pico and q switched / and co2? | what is the difference between pico and co2
thing | is it painful / a bit worried about the upper lip | is it painful the upper lip
thing | how long does redness last / and swelling? / and bruises? | how long do bruises last
thing | how long between sessions for scars / 4 weeks enough? | how long between sessions for scars 4 weeks enough
thing | will laser burn me / what if it does | will laser burn me if it does
time | can i wear makeup after the laser / what about before | can i wear makeup before the laser
time | What should I avoid before my session? / And afterwards? | What should I avoid after my session
time | what should i do the week before / and the day of? | what should i do the day of
number | can picosure get rid of wrinkles / how many sessions? | how many sessions for wrinkles
number | i have melasma / can i do pico / how many times ah | how many times for melasma
question | you should avoid sun / how long | how long you should avoid sun
question | does the laser hurt / how much | how much does the laser hurt
question | need to repeat after some time? / how often | how often need to repeat after some time
question | does it remove all kinds of ink / which colours | which colours does it remove all kinds of ink
aspect | tell me about tattoo removal / any risks | any risks for tattoo removal
aspect | can pico remove my eyebrow tattoo / does it hurt? | does it hurt for my eyebrow tattoo
pointer | what are the side effects / are they permanent? | are side effects permanent
pointer | does the skin go red afterwards / how long does that last? | how long does redness last
pointer | i have ice pick scars on my cheeks, can pico help / will they come back | will ice pick scars on my cheeks come back
pointer | do you give numbing cream / how long does it take to work | how long does numbing cream take to work
pointer | i have a birthmark / my mum used creams / can it be treated by laser? | can a birthmark be treated by laser
pointer | what is a test patch / do i have to have one | do i have to have a test patch
pointer | Do you do consultation first? / What do they ask in it? | What do they ask in consultation
pointer | will my face be swollen / is that normal? | is face swollen normal
pointer | my friend came back with a really red face / how long does that last? | how long does redness last
pointer | they used a q switched laser on my mum / how short are its pulses | how short are a q switched laser pulses
pointer | does it break up the ink into tiny bits / where do they go | where do tiny bits go
pointer | how soon do results come / do they stay for good? | do results stay for good
pointer | does laser help melasma / will it come back / how do i stop that | how do i stop melasma come back
pointer | how long does swelling last / what helps | what helps for swelling
why | do i need to stay out of the sun before laser / why? | why do i need to stay out of the sun before laser
why | can pregnant women do laser / y not | why can't pregnant women do laser
why | how many sessions does a tattoo need / how come | why does a tattoo need so many sessions
why | will it take months to see the results / really? why so long? | why will it take months to see the results so long
why | are yellow inks harder to remove / hm ok / why tho | why are yellow inks harder to remove
why | nurse said use sunblock all through the course / why | why use sunblock all through the course
why | do i need to check the clinic / why bother with all that | why do i need to check the clinic
why | my scars look better since the laser / why does that happen | why my scars look better since the laser
question | the skin keeps getting better slowly / over how long | over how long the skin keeps getting better slowly
correction | how long does it take / no i meant till you can see something | how long till you can see something
correction | what to look for in a doctor / is a nurse ok / sry not the doctor, the clinic | what to look for in the clinic
correction | how many sessions for melasma / no i meant the scars | how many sessions for the scars
correction | can i use retinol / no i mean before not after | can i use retinol before
correction | can i use retinol after / not retinol, vitamin c | can i use vitamin c after
correction | can laser remove acne / acne scars not acne | can laser remove acne scars
correction | can i exercise before laser / *after | can i exercise after laser
correction | how soon can i swim / no i meant until i can tan | how soon can i swim until i can tan
correction | how many weeks between sessions / no i asked how many sessions | how many sessions
comparison | do you treat freckles and moles / which is faster | which is faster freckles or moles
comparison | what is a picosecond / is it quicker than a nanosecond | is a picosecond quicker than a nanosecond
comparison | can i do chemical peel for pigmentation / or is laser better | is laser better than chemical peel for pigmentation
comparison | is a nanosecond laser old / and pico? / what's the difference | difference between a nanosecond laser and pico
comparison | old type laser burned my friend / is pico safer than that? | is pico safer than old type laser
same | no hot wax before / are peels the same? | no hot peels before
doubt | my friend was back at work the same day / really? | my friend was back at work the same day
clause | how many sessions for scars / great, that helps my plans. and for tattoos? | how many sessions for tattoos helps plans
same | can you do the face? and do you have parking / same goes for legs? | can you do legs
doubt | my friend stays out of the sun after it / must i? | my friend stays out of the sun after it
question | someone washes your face first / who does? | who washes your face first
comparison | i have melasma and my mum has a tattoo / whose is harder to shift | whose is harder to shift melasma or a tattoo
same | can i use retinol the night before / is it the same with face cream | can i use face cream the night before
same | will scars come back after laser / is that also true for melasma | will melasma come back after laser
same | do i have to avoid sun before laser / same after? | do i have to avoid sun after laser
chat | how many sessions for acne scars / thats a lot / and what about wrinkles | how many sessions for wrinkles
chat | can you treat moles / ok thanks / clever / and warts? | can you treat warts
"""
# Complete questions that follow others: nothing of these may get into them.
BEFORE = (
    "how many sessions do acne scars need",
    "does it leave redness",
    "what is melasma",
    "can picosure get rid of wrinkles",
)
COMPLETE = """
Does the laser hurt? / is it safe for dark skin / How long does a session take? / who performs the treatment / how do i book
is there any downtime / can men have pico laser / what is a picosecond / Will I need a consultation first?
do you use numbing cream / can it remove birthmarks / is pico better than ipl
what happens during the appointment / can i go in the sun after treatment
why do people need several sessions / is one session enough for sun spots / how should I look after my skin after laser
is it normal to have swelling after pico / so what does the doctor do at the consultation / is this the same laser as picoway
will it make my skin thinner / do i need to take time off work / is it usual to have pico laser just once?
how are people who do pico laser trained, are they doctors / does pico work on stretch marks
"""
# Short messages that tell of something: they may be made longer, never lighter.
DANGER = """
its not going away / no fever but there is pus / and a fever of 39 / what about yellow pus and fever / not breathing well
why pus / my eye went blurry / i cant see / no, i cant breathe / and its blistering with pus now / it wont stop bleeding
the swelling is not going down / i took 20 of them / my throat is tight now after it / not just redness, pus
is that normal, my lips are blue / and i want to die / no the swelling got worse / too many tablets already
"""


def rows(text: str) -> list[list[str]]:
    return [[part.strip() for part in row.split("|")] for row in text.strip().splitlines()]


def listed(text: str) -> list[str]:
    return [part.strip() for row in text.strip().splitlines() for part in row.split(" / ")]


def chat(*questions: str) -> list[Turn]:
    return [Turn(question) for question in questions]


@pytest.mark.parametrize(("way", "turns", "complete"), rows(LEANING), ids=[row[1] for row in rows(LEANING)])
def test_what_leans_is_made_complete(way: str, turns: str, complete: str) -> None:
    *before, question = turns.split(" / ")
    assert to_search(question, chat(*before)) == complete


@pytest.mark.parametrize("question", listed(COMPLETE))
def test_a_complete_question_is_not_coloured_by_the_one_before(question: str) -> None:
    for before in BEFORE:
        assert to_search(question, chat(before)) == question


@pytest.mark.parametrize("question", [row[1].split(" / ")[-1] for row in rows(LEANING)])
def test_without_earlier_turns_there_is_nothing_to_lean_on(question: str) -> None:
    assert to_search(question, []) == question


@pytest.mark.parametrize("question", ["ok thanks", "wow", "thats fine then", "为什么", "?", "", "👍"])
def test_a_message_that_asks_nothing_or_is_in_other_letters_stays_as_it_is(question: str) -> None:
    assert to_search(question, chat("how many sessions do acne scars need")) == question


@pytest.mark.parametrize("question", listed(DANGER))
@pytest.mark.parametrize("before", ["is redness normal", "when does swelling go down", "can i take ibuprofen for the pain"])
def test_a_danger_sign_of_the_last_message_is_never_lost(question: str, before: str) -> None:
    searched = to_search(question, chat(before))
    said = {"no", "now", "about", "not", "them", "it"}  # words that a message opens with, and pointers
    assert set(stems(question)) - said <= set(stems(searched))


def test_what_a_correction_denies_is_not_searched() -> None:
    searched = to_search("not creams, food i mean", chat("which creams help after laser"))
    assert "cream" not in stems(searched)
    assert "food" in stems(searched)


def test_a_subject_is_found_some_questions_back_but_not_for_ever() -> None:
    near = chat("can pico treat melasma", "does it hurt")
    far = chat("can pico treat melasma", *["who performs the treatment"] * 4)
    assert to_search("how many sessions?", near) == "how many sessions for melasma"
    assert to_search("how many sessions?", far) == "how many sessions?"


def test_a_long_message_is_leaned_on_by_the_question_in_it() -> None:
    told = "Hi, my mum has had dark patches on her face for years, after all that gardening, and no cream has ever "
    assert (
        to_search("and wrinkles?", chat(f"{told} shifted them. Can pico get rid of dark patches?"))
        == "Can pico get rid of wrinkles"
    )


WORDS = st.sampled_from(
    (
        "and what about ok no not i meant mean why how many long which is it that they same for with the a before after "
        "laser pico tattoo acne scars melasma redness sessions hurt does can my face pus fever blister cream, cream tattoos? "
        "if than better or wow zzz 39 - . ? *"
    ).split()
)
MESSAGES = st.lists(WORDS, max_size=18).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(MESSAGES, st.lists(MESSAGES | st.text(max_size=40), max_size=4))
def test_whatever_is_said_the_result_is_bounded_repeatable_and_keeps_the_signs(question: str, before: list[str]) -> None:
    history = chat(*before)
    searched = to_search(question, history)
    assert searched == to_search(question, history)
    assert len(searched.split()) <= len(question.split()) + 40
    signs = {"pus", "fever", "blister", "39"} & set(stems(question))
    if "not" not in question.split():
        assert signs <= set(stems(searched))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=3))
def test_any_text_at_all_is_taken(question: str, before: list[str]) -> None:
    assert isinstance(to_search(question, chat(*before)), str)
