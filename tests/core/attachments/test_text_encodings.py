"""Texts of 21 languages in old encodings, prose and tables of every length: they are read right, and a guess is told."""

# ruff: noqa: E501 - a language a line, in its own letters

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from babel import Locale

from chatdesk.core.attachments.file_kinds import kind_of
from chatdesk.core.attachments.text_encodings import (
    guessed,
    name_of,
    readings,
    sample_of,
    unmarked_unicode,
)
from chatdesk.core.attachments.text_extraction import extract
from chatdesk.core.hidden_characters import clean_line


class Language(NamedTuple):
    name: str
    encodings: tuple[str, ...]
    sentences: str
    words: str


LANGUAGES = (
    Language(
        "ja",
        ("cp932", "euc_jp"),
        "昨日の会議では、新しい製品の価格について話し合いました。|来週までに見積もりを送ってください。|山田太郎さんは営業部で働いています。|東京都の天気は晴れです。",
        "氏名 部署 金額 備考 山田太郎 鈴木花子 高橋健一 営業部 開発部 総務部 確認済み 未確認です 要連絡",
    ),
    Language(
        "zh",
        ("gb18030",),
        "昨天的会议讨论了新产品的价格。|请在下周之前把报价发给我们。|北京的天气很好，我们去公园散步。|他在公司的销售部门工作了三年。",
        "姓名 部门 金额 张三 李四 王五 销售部 研发部 已完成 北京市 上海市",
    ),
    Language(
        "zht",
        ("big5",),
        "昨天的會議討論了新產品的價格。|請在下週之前把報價寄給我們。|台北的天氣很好，我們去公園散步。",
        "姓名 部門 金額 張三 李四 陳美玲 業務部 研發部 已完成 台北市 高雄市",
    ),
    Language(
        "ko",
        ("cp949",),
        "어제 회의에서 새 제품의 가격에 대해 이야기했습니다.|다음 주까지 견적을 보내 주세요.|서울의 날씨가 좋습니다.",
        "이름 부서 김철수 이영희 박지민 영업부 개발부 총무부 서울특별시",
    ),
    Language(
        "ru",
        ("cp1251", "koi8_r"),
        "Вчера на встрече обсуждали цену нового продукта.|Пожалуйста, пришлите предложение до следующей недели.|Погода в Москве хорошая.",
        "Имя Отдел Иван Анна Петров Смирнова Продажи Разработка Склад оплачено",
    ),
    Language(
        "uk",
        ("cp1251", "koi8_u"),
        "Вчора на зустрічі обговорили ціну нового продукту.|Будь ласка, надішліть пропозицію до наступного тижня.",
        "Ім'я Відділ Іван Ганна Продажі Розробка Київ Львів сплачено",
    ),
    Language(
        "el",
        ("cp1253",),
        "Χθες στη συνάντηση συζητήσαμε την τιμή του νέου προϊόντος.|Παρακαλώ στείλτε την προσφορά ως την επόμενη εβδομάδα.",
        "Όνομα Τμήμα Γιώργος Ελένη Πωλήσεις Αθήνα πληρώθηκε",
    ),
    Language(
        "he",
        ("cp1255",),
        "אתמול בפגישה דנו במחיר המוצר החדש.|אנא שלחו את ההצעה עד השבוע הבא.",
        "שם מחלקה דוד שרה מכירות פיתוח ירושלים",
    ),
    Language(
        "ar",
        ("cp1256",),
        "ناقشنا أمس في الاجتماع سعر المنتج الجديد.|يرجى إرسال العرض قبل الأسبوع المقبل.",
        "الاسم القسم محمد فاطمة المبيعات التطوير القاهرة",
    ),
    Language(
        "th",
        ("cp874",),
        "เมื่อวานในที่ประชุมเราคุยเรื่องราคาสินค้าใหม่|กรุณาส่งใบเสนอราคาภายในสัปดาห์หน้า",
        "ชื่อ แผนก สมชาย มาลี ฝ่ายขาย กรุงเทพ",
    ),
    Language(
        "tr",
        ("cp1254",),
        "Dün yapılan toplantıda yeni ürünün fiyatı konuşuldu.|Lütfen teklifi gelecek haftaya kadar gönderin.",
        "İsim Bölüm Ayşe Çağlar Şükrü Satış Geliştirme İstanbul ödendi",
    ),
    Language(
        "pl",
        ("cp1250", "iso8859_2"),
        "Na wczorajszym spotkaniu omówiono cenę nowego produktu.|Proszę przesłać ofertę do przyszłego tygodnia, dziękuję.",
        "Imię Uwaga Łukasz Małgorzata zapłacono później Kraków Łódź Wrocław",
    ),
    Language(
        "cs",
        ("cp1250",),
        "Na včerejší schůzce jsme řešili cenu nového výrobku.|Prosím pošlete nabídku do příštího týdne, děkuji.",
        "Jméno Oddělení Jiří Kateřina Dvořák Plzeň zaplaceno účet",
    ),
    Language(
        "hu",
        ("cp1250",),
        "A tegnapi megbeszélésen az új termék áráról volt szó.|Kérem, küldjék el az ajánlatot jövő hétig.",
        "Név Osztály László Győző Értékesítés Fejlesztés Győr fizetve",
    ),
    Language(
        "lt",
        ("cp1257",),
        "Vakar susitikime aptarėme naujo gaminio kainą.|Prašome atsiųsti pasiūlymą iki kitos savaitės.",
        "Vardas Žydrūnas Šiauliai Klaipėda sumokėta vėliau ąžuolas",
    ),
    Language(
        "de",
        ("cp1252",),
        "Gestern ging es um den Preis für das neue Gerät – müssen wir prüfen?|Bitte das Angebot bis nächste Woche schicken, schöne Grüße.",
        "Kunde Straße Müller Schäfer Groß Mühlenweg Königsallee fällig „gelöscht“ geprüft",
    ),
    Language(
        "fr",
        ("cp1252",),
        "Hier, à la réunion, nous avons parlé du prix du nouveau modèle.|Merci d’envoyer l’offre d’ici la semaine prochaine, ça suffit.",
        "Nom Élodie François Zoé déjà vérifier reçu l’été payé Genève",
    ),
    Language(
        "es",
        ("cp1252",),
        "Ayer en la reunión hablamos del precio del próximo año.|¿Puede enviar la oferta mañana? ¡Gracias, señor Muñoz!",
        "Nombre Muñoz Pérez Ibáñez pagó próximo ¿revisar? España",
    ),
    Language(
        "pt",
        ("cp1252",),
        "A reunião de amanhã será às 10h. Não há informação sobre a situação.|Por favor envie a proposta até à próxima semana, João.",
        "Código João Conceição São Paulo não está avó pêssego",
    ),
    Language(
        "sv",
        ("cp1252",),
        "Mötet i går handlade om priset på den nya produkten.|Återkom på fredag. Hälsningar från Åsa i Malmö.",
        "Namn Åsa Björn Malmö Göteborg betald senare för",
    ),
    Language(
        "en",
        ("cp1252",),
        "It’s the customer’s “final” offer – £5,000 plus the café’s fee.|We don’t know yet; “later” is fine.",
        "Name Smith it’s naïve café £5 “ok” – later done",
    ),
)
_NAMES_IN = {
    "ja": "cp932 euc_jp",
    "zh": "gb18030",
    "zh_Hant": "big5",
    "ko": "cp949",
    "ru": "cp1251 koi8_r cp866",
    "uk": "cp1251 koi8_u",
    "bg": "cp1251",
    "sr": "cp1251",
    "el": "cp1253",
    "he": "cp1255",
    "ar": "cp1256",
    "th": "cp874",
    "tr": "cp1254",
    "pl": "cp1250 iso8859_2",
    "lt": "cp1257",
    "lv": "cp1257",
    "et": "cp1257",
    **dict.fromkeys(("cs", "sk", "hu", "hr", "sl"), "cp1250"),
    **dict.fromkeys(("de", "fr", "es", "pt", "sv", "da", "nb", "fi", "nl", "it", "is", "ca", "en"), "cp1252"),
}
SIZES = (60, 90, 120, 250, 600, 1_000, 4_000, 64_000)
MOST_WRONG = 0.01  # of the guesses
# Of texts that are read wrong without a question: each guess is told, but not all hold the message back.
MOST_UNASKED, MOST_ASKED = 0.01, 0.25


def _text(language: Language, kind: str, encoding: str, size: int) -> str:
    """Return sentences or the lines of a table, until they have that many bytes."""
    pick = random.Random(f"{language.name} {kind} {encoding} {size}")
    lines: list[str] = []
    separator, left = pick.choice(",;\t"), size
    while left > 0:
        cells = [*pick.choices(language.words.split(), k=3), str(pick.randrange(9999))]
        lines.append(pick.choice(language.sentences.split("|")) if kind == "prose" else separator.join(cells))
        left -= len(lines[-1].encode(encoding)) + 1
    return "\n".join(lines)


def _corpus(sizes: tuple[int, ...]) -> Iterator[tuple[str, str, str]]:
    for language in LANGUAGES:
        for encoding in language.encodings:
            for kind in ("prose", "table"):
                for size in sizes:
                    text = _text(language, kind, encoding, size)
                    yield f"{language.name} {encoding} {kind} {size}", encoding, text


def test_texts_in_old_encodings_are_read_right() -> None:
    found = [(name, text, text.encode(encoding)) for name, encoding, text in _corpus(SIZES)]
    wrong = [name for name, text, data in found if data.decode(guessed(data), "replace") != text]
    assert len(found) >= 300
    assert len(wrong) <= MOST_WRONG * len(found), wrong


def _of_names(size: int) -> Iterator[tuple[str, str]]:
    """Yield texts with their encodings that no alphabet was made for: names of countries, languages and sums, many of
    them foreign, with the years of currencies between dashes."""
    for language, encodings in _NAMES_IN.items():
        locale = Locale.parse(language)
        names = [*locale.territories.values(), *locale.languages.values(), *locale.currencies.values()]
        names += [*locale.months["format"]["wide"].values(), *locale.days["format"]["wide"].values()]
        for encoding in encodings.split():
            known = [name for name in names if name.encode(encoding, "ignore").decode(encoding) == name]
            for kind in ("prose", "table"):
                pick = random.Random(f"{language} {encoding} {kind} {size}")
                lines: list[str] = []
                while len("\n".join(lines).encode(encoding)) < size:
                    cells = pick.choices(known, k=3)
                    lines.append(
                        f"{', '.join(cells)}." if kind == "prose" else pick.choice(",;\t").join([*cells, str(size)])
                    )
                text = "\n".join(lines)
                if not text.isascii():
                    yield encoding, text


def test_few_texts_are_read_wrong_without_a_question() -> None:
    found = [(encoding, text) for _name, encoding, text in _corpus(SIZES)]
    found += [each for size in (60, 90, 250, 1_000) for each in _of_names(size)]
    assert len(found) >= 600
    asked = [readings(text.encode(encoding)).is_unsure for encoding, text in found]
    wrong = [
        text.encode(encoding).decode(guessed(text.encode(encoding)), "replace") != text for encoding, text in found
    ]
    unasked = [found[at] for at, is_wrong in enumerate(wrong) if is_wrong and not asked[at]]
    assert len(unasked) <= MOST_UNASKED * len(found), unasked
    assert sum(asked) <= MOST_ASKED * len(found)


@pytest.mark.parametrize("text", ["open 1990–1995", "from 9–17 o’clock", "yes – no", "it’s", "“so”", "25 °C", "3 × 5"])
def test_signs_of_windows_between_plain_words_are_no_letters(text: str) -> None:
    assert guessed(text.encode("cp1252")) == "cp1252"


@pytest.mark.parametrize("text", ["It’s the customer’s offer – £5,000 plus the café’s fee.", "costs £5, “ok”"])
def test_a_pound_before_its_number_is_not_asked_about(text: str) -> None:
    found = readings(text.encode("cp1252"))
    assert (found.found[0].encoding, found.is_unsure) == ("cp1252", False)


def test_unicode_and_plain_text_are_never_asked_about() -> None:
    for text in ("plain", "", "Größe – 5 €", "日本語"):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            assert not readings(text.encode(encoding)).is_unsure


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.name)
def test_the_right_reading_is_on_offer(language: Language) -> None:
    for encoding in language.encodings:
        text = _text(language, "table", encoding, 120)
        offered = readings(text.encode(encoding))
        line = next(line for line in text.splitlines() if not line.isascii())
        assert any(each.sample.startswith(clean_line(line)[:20]) for each in offered.found), (encoding, offered)
    assert readings(language.words.encode()).found == readings(language.words.encode("utf-16")).found == ()


@pytest.mark.parametrize("kind", ["prose", "table"])
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.name)
def test_a_guess_is_told_with_a_line_to_judge_it_by(language: Language, kind: str, tmp_path: Path) -> None:
    encoding = language.encodings[0]
    text = _text(language, kind, encoding, 300)
    (tmp_path / "a").write_bytes(text.encode(encoding))
    found = extract(tmp_path / "a", "text/csv")
    assert found.text == text
    assert name_of(encoding) in (found.problem or "")
    assert clean_line(next(line for line in text.splitlines() if not line.isascii()))[:20] in (found.problem or "")


def test_a_sample_cannot_look_like_another_text() -> None:
    assert sample_of("plain\na\tб\x1b[31mв\u202eг\x00") == "a б [31mвг"


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.name)
def test_unicode_is_no_guess(language: Language, tmp_path: Path) -> None:
    for encoding in ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]:
        for text in (language.words, language.words.replace(" ", ";"), language.sentences.replace("|", "\n") + "\n"):
            data = text.encode(encoding)
            (tmp_path / "a").write_bytes(data)
            found = extract(tmp_path / "a", "text/plain")
            assert (found.text, found.problem) == (text, None)
            assert kind_of(data, "a.txt") == "text/plain"
            assert readings(data).found == ()


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 64,
        struct.pack("<32h", *range(-16, 16)),
        struct.pack("<16I", *range(0, 3200, 200)),
        struct.pack("<8d", *range(8)),
        b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0",
        b"a\0b",
    ],
)
def test_zeros_alone_make_no_text(data: bytes) -> None:
    assert unmarked_unicode(data) == ""


@pytest.mark.parametrize(
    "data", [bytes(range(128, 256)), b"\xff", b"a\x81\n" * 50_000, b"\x80" * 100_000, b"\xe4" * 100_000]
)
def test_bytes_of_no_language_are_read_as_something(data: bytes) -> None:
    assert data.decode(guessed(data), "replace")


_TABLES = {
    "cp862": "שם;עיר\nדוד;ירושלים\nרחל;חיפה\n",
    "mac_cyrillic": "Имя;Город\nИван Петров;Москва\nМария Щукина;Санкт-Петербург\n",
    "cp866": "Име;Град\nГеорги Иванов;София\nЩеряна Янева;Пловдив\n",
    "big5hkscs": "姓名,部門,金額\n陳大文,銷售部,1200\n李小明,開發部,3400\n",
    "koi8_u": "Ім'я;Місто\nОлександр;Київ\nЄвгенія;Львів\n",
    "cp1251": "Име;Град\nЂорђе Њушић;Ниш\nЉубица Џамбас;Крушевац\n",
    "cp1257": "Nimi;Linn\nÜlo Õunapuu;Jõgeva\nŽanna Šmidt;Pärnu\n",
    "iso8859_2": "Jméno;Město\nJiří Dvořák;Plzeň\nŠárka Černá;Děčín\n",
}


@pytest.mark.parametrize("encoding", _TABLES)
def test_a_table_of_names_is_read_in_encodings_that_few_programs_write(encoding: str) -> None:
    data = _TABLES[encoding].encode(encoding)
    assert data.decode(guessed(data)) == _TABLES[encoding]


def test_escapes_of_japanese_mail_say_what_follows(tmp_path: Path) -> None:
    text = "氏名,部署\n山田太郎,営業\n"
    (tmp_path / "a.csv").write_bytes(text.encode("iso2022_jp"))
    assert extract(tmp_path / "a.csv", "text/csv").text == text
    colours = "\x1b[31mred\x1b[0m costs \x1b$5"
    (tmp_path / "log").write_text(colours, "utf-8")
    assert extract(tmp_path / "log", "text/plain").text == colours
