"""Guessed encodings: each region's files read right, Western files never as another's, each guess with a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reading import cells, codes, read_bytes, rows_of
from valar_ui.readers import latin, plausible
from valar_ui.readers.encodings import NAMES, SINGLE_BYTE, chosen
from valar_ui.readers.plausible import likeliest

SENTENCES = {
    "Polish": "Jakość świetna, przesyłka dotarła na czas, żółty kolor się zgadza",
    "Czech": "Zboží přišlo včas, kvalita výborná, příště objednám znovu, děkuji",
    "Slovak": "Tovar prišiel načas, veľmi dobrá kvalita, ďakujem, určite odporúčam ďalej",
    "Hungarian": "Időben érkezett, a minőség kitűnő, legközelebb is innen rendelek, győri vevő",
    "Romanian": "Coletul a ajuns repede, calitatea este bună şi preţul mic, mulţumesc",
    "Croatian": "Narudžba je stigla na vrijeme, kvaliteta odlična, kuća oduševljena, sviđa mi se sve više",
    "Slovene": "Naročilo je prišlo pravočasno, kakovost odlična, še bom naročil, več kot všeč",
    "Turkish": "Sipariş zamanında geldi, kalitesi çok iyi, teşekkürler, yine alırım, kargo hızlıydı",
    "Lithuanian": "Užsakymas atvyko laiku, kokybė puiki, ačiū, kitą kartą užsisakysiu dar šį mėnesį",
    "Latvian": "Pasūtījums pienāca laikā, kvalitāte lieliska, nākamreiz pasūtīšu vēl, paldies jums",
    "Estonian": "Tellimus jõudis õigel ajal, kvaliteet suurepärane, žanr ja šokolaad täiesti võrratu",
    "German": "Die Lieferung kam pünktlich, schöne Qualität, große Auswahl, würde ich wieder kaufen",
    "French": "Livraison très rapide, qualité supérieure, ça marche bien, à recommander, hélas un peu cher",
    "Spanish": "El envío llegó rápido, muy buena relación calidad-precio, mañana compraré más, año tras año",
    "Portuguese": "A encomenda não chegou, é a terceira reclamação, três botões não funcionam, ótimo preço",
    "Swedish": "Leveransen kom i tid, mycket bra kvalitet, köper gärna här igen, på fredag får vi fler",
    "Danish": "Varen kom til tiden, god kvalitet, jeg køber gerne igen, på lørdag får vi flere æbler",
}


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        *((it, "cp1250") for it in ("Polish", "Czech", "Slovak", "Hungarian", "Romanian", "Croatian", "Slovene")),
        ("Turkish", "cp1254"),
        *((it, "cp1257") for it in ("Lithuanian", "Latvian", "Estonian")),
        *((it, "iso8859-2") for it in ("Polish", "Czech", "Slovak", "Croatian")),
        *((it, "mac_roman") for it in ("German", "French", "Portuguese", "Swedish")),
        *((it, "cp850") for it in ("German", "French", "Spanish", "Portuguese", "Danish")),
        *((it, "cp852") for it in ("Polish", "Czech")),
        *((it, "cp1252") for it in ("German", "French", "Spanish", "Portuguese", "Swedish", "Danish")),
    ],
)
def test_a_sentence_is_read_in_its_own_encoding(language: str, encoding: str, tmp_path: Path) -> None:
    text = SENTENCES[language]
    reading = read_bytes(f"id;text\n7;{text}\n8;plain\n".encode(encoding), tmp_path)
    assert (reading.encoding, cells(reading)[0]) == (encoding, ("7", text))
    assert reading.encoding_guessed
    assert "encoding-guessed" in codes(reading)
    assert rows_of(reading, "guessed-characters") == [2]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *(
            (text, "cp1250")
            for text in ("Wrocław", "Małgorzata", "Kraków, Łódź", "Jiří Dvořák", "příliš", "súčiastka došla neskôr")
        ),
        *((text, "cp1250") for text in ("minőségű termékről", "bună ziua, mulţumesc", "Kovačević, Žagar, više")),
        *(
            (text, "cp1254")
            for text in ("Yıldırım", "iş yeri değişikliği yapıldı", "Beşiktaş, Kadıköy", "ışıklar, gölge, yeşil")
        ),
        *((text, "cp1257") for text in ("mėnesių, ačiū už viską", "Bērziņš, Rēzekne, šī")),
        *((text, "iso8859-9") for text in ("Beşiktaş, Kadıköy", "Çağlayan, Şişli, Muğla")),
        *((text, "iso8859-13") for text in ("Mažeikių turgus, žiūrėti, ačiū",)),
    ],
)
def test_a_cell_or_two_tell_letters_that_the_west_lacks(text: str, encoding: str) -> None:
    content = f"id,text\n1,{text}\n".encode(encoding)
    assert content.decode(likeliest(content), "replace") == content.decode(encoding)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "perchè",
            "così, più, però",
            "Nicolò è già là",
            "São",
            "não é",
            "opiniões",
            "Coração, mãe, põe",
            "año",
            "niño, señor",
        ),
        *(
            "Søren",
            "fornøyd, køber, på",
            "Bjørn Ødegård",
            "læge, æble",
            "Århus",
            "Håkon",
            "Größe",
            "für",
            "Äpfel, Öl",
            "yö, hää",
        ),
        *(
            "það",
            "Guðrún, þú, ég",
            "Ýmir, Davíð, Þór",
            "við erum á Íslandi",
            "þýskalandi",
            "déjà",
            "où, là, très",
            "Noël",
            "ça",
        ),
        *(
            "goût, sûr, fête",
            "l’œuvre, cœur",
            "François, Nîmes, île",
            "òc, història, Òscar",
            "Curaçao, België, één",
            "è",
            "à",
            "é",
        ),
        *(
            "it’s, don’t, I’ve, we’re",
            "“a”, “b”, ‘c’",
            "more…, text…, so…",
            "m³, cm³, m²",
            "1º, 2ª, nº 5, Mª",
            "½ cup, 2¼, ¾",
        ),
        *(
            "£5, £6.50, £7",
            "¿qué?, ¿cómo?",
            "30 °C, 5 µm, ±2",
            "€, ™, ©, ®",
            "• one, • two",
            "†note, ‡note",
            "Škoda, Tomáš",
        ),
        *("Søren, Nicolò, Müller, José, João, Åsa", "Shqipëri, është, për", "a¹, b², c³", "5 €, §\u00a05, 20\u00a0000"),
    ],
)
def test_western_text_stays_western_however_little(text: str) -> None:
    assert likeliest(f"id;text\n1;{text}\n".encode("cp1252")) == "cp1252"


def test_rows_in_many_western_languages_stay_western() -> None:
    text = "\n".join(SENTENCES[it] for it in ("German", "French", "Spanish", "Portuguese", "Swedish", "Danish"))
    icelandic = "\nÞetta hætti að virka eftir tvo mánuði, því miður\nverðið er í lagi og stærðin góð"
    assert likeliest((text + icelandic).encode("cp1252")) == "cp1252"


def test_every_guess_has_a_name_and_is_read_as_it_is_called() -> None:
    for name in [*latin.CANDIDATES, *plausible.CANDIDATES]:
        assert name in NAMES
    for name in NAMES.keys() - {"utf-16"}:
        assert chosen(name, b"").name == name
    assert all(map(SINGLE_BYTE.fullmatch, latin.CANDIDATES))
