"""What programs write in the languages of members: that somebody is away, has left, has a full mailbox.

Phrases are matched in folded text: small letters, accents gone, one space between words. They are what the programs of
providers put there themselves and what people commonly write; headers come first, words only where there are none.
"""

from __future__ import annotations

import re
from functools import cache

from members.matching import folded

MAILBOX_FULL = (
    "mailbox full", "mailbox is full", "mail box is full", "mailbox for .{0,80} is full", "inbox is full",
    "over quota", "overquota", "quota exceeded", "exceeded storage allocation", "exceeded .{0,40}quota",
    "exceeds .{0,40}quota", "out of storage space", "storage quota", "mailbox quota", "insufficient system storage",
    "mailbox size limit", "not enough space", "disk full", "mailbox has exceeded", "too full to receive",
    "postfach ist voll", "postfach .{0,60} voll", "speicherplatz .{0,40} erschopft", "boite .{0,30}pleine",
    "quota depasse", "buzon .{0,30}lleno", "casella .{0,30}piena", "postvak .{0,30}vol", "skrzynka .{0,30}pelna",
    "caixa .{0,40}cheia", "schranka .{0,30}plna", "brevladan ar full",
)  # fmt: skip

AWAY = (
    # English, German
    "out of office",
    "out of the office",
    "automatic reply",
    "auto reply",
    "autoreply",
    "autoresponse",
    "auto response",
    "automated (?:response|reply|message)",
    "on (?:annual leave|vacation|holiday)",
    "(?:maternity|parental|sick) leave",
    "abwesenheit",
    "abwesend",
    "automatische antwort",
    "nicht im bu?e?ro",
    "im urlaub",
    "ausser haus",
    "eingangsbestatigung",
    # French, Spanish, Italian
    "reponse automatique",
    "message d ?absence",
    "absent du bureau",
    "en conges",
    "absence du bureau",
    "respuesta automatica",
    "fuera de (?:la )?oficina",
    "de vacaciones",
    "risposta automatica",
    "fuori ufficio",
    "fuori sede",
    "assente dall ?ufficio",
    "in ferie",
    # Dutch, Polish, Portuguese
    "automatisch antwoord",
    "afwezigheid",
    "afwezig",
    "niet (?:aanwezig|op kantoor)",
    "buiten kantoor",
    "automatyczna odpowiedz",
    "odpowiedz automatyczna",
    "poza biurem",
    "na urlopie",
    "nieobecnosc",
    "resposta automatica",
    "fora do escritorio",
    "ausencia temporaria",
    "de ferias",
    # Czech, Slovak, Swedish, Norwegian, Danish
    "automaticka odpoved",
    "mimo kancelar",
    "na dovolen",
    "nepritomn",
    "nepritomen",
    "autosvar",
    "automatiskt? svar",
    "franvaro",
    "inte pa kontoret",
    "ikke pa kontoret",
    "fravaer",
    "pa semester",
    # Finnish, Hungarian, Romanian, Estonian, Latvian, Lithuanian
    "poissaolo",
    "automaattinen vastaus",
    "automatikus valasz",
    "hazon kivul",
    "raspuns automat",
    "automaatvastus",
    "automatiska atbilde",
    "automatinis atsakymas",
)
"""In the subject of an automatic reply."""

_IS_AWAY = "out of|away (?:from|until|on|and)|on (?:annual|maternity|parental|sick|holiday|vacation|leave)"
AWAY_TEXT = (
    rf"i (?:am|will be|m) (?:currently |now |presently )?(?:{_IS_AWAY})",
    "thank you for your e ?mails? i (?:am|will)",
    "(?:this is|you have received) an? auto(?:mated|matic|matically)",
    "our offices? (?:is|are) closed",
    "limited access to (?:my )?e ?mails?",
    "ich bin .{0,60}(?:nicht im|im urlaub|abwesend|nicht erreichbar|ausser haus)",
    "diese nachricht wurde automatisch",
    "je suis (?:actuellement )?(?:absente?|en conges)",
    "ceci est un message automatique",
    "(?:estoy|estare) (?:fuera|de vacaciones|ausente)",
    "(?:sono|saro) (?:assente|in ferie|fuori)",
    "ik ben (?:afwezig|niet aanwezig|niet op kantoor|met vakantie|op vakantie)",
    "jestem (?:na urlopie|nieobecn|poza)",
    "przebywam na",
    "(?:estou|estarei) (?:de ferias|ausente|fora)",
    "(?:nejsem|nie som) (?:v kancelari|pritom)",
    "jsem na dovolene",
    "som na dovolenke",
    "jsem mimo kancelar",
    "jag ar (?:pa semester|inte pa|borta)",
    "jeg er (?:pa ferie|ikke|fravaerende)",
    "olen (?:lomalla|poissa)",
)
"""At the beginning of what an automatic reply says."""

LEFT = (
    "no longer (?:work|with|employed|at |part of)", "has left the (?:company|organi[sz]ation|business)",
    "have left the (?:company|organi[sz]ation|business)", "left our (?:company|organi[sz]ation)",
    "this (?:mailbox|address|e ?mail address|account) is no longer (?:monitored|in use|active|used)", "has retired",
    "i have retired", "nicht mehr (?:im unternehmen|bei uns|fur .{0,60} tatig|in unserem)", "ausgeschieden",
    "diese (?:adresse|mailadresse) ist nicht mehr", "ne fait plus partie", "ne travaille plus",
    "a quitte (?:la|l|notre)",
    "ya no trabaja", "ya no forma parte", "non lavora piu", "non fa piu parte", "niet (?:langer|meer) werkzaam",
    "werkt niet meer", "nie pracuje juz", "juz nie pracuje", "nao trabalha mais", "ja nao trabalha",
    "jiz (?:u nas )?nepracuje", "uz (?:u nas )?nepracuje", "arbetar inte langre", "har slutat", "jobber ikke lenger",
    "arbejder ikke laengere",
)  # fmt: skip

CHALLENGE = (
    "confirm (?:that )?you(?: are| re) (?:a )?(?:human|real|not a robot)", "spamarrest", "boxbe",
    "click (?:the link|here) (?:below )?to (?:verify|confirm) .{0,40}(?:sender|delivery|message)",
    "your message is (?:awaiting|waiting for) (?:approval|verification|confirmation)", "sender verification",
    "prove that you are (?:a )?(?:human|person)", "challenge response",
)  # fmt: skip

UNSUBSCRIBE = (
    "unsubscribe", "please unsubscribe", "remove me", "please remove me", "stop", "opt out", "opt me out",
    "take me off(?: (?:this|your) list)?", "abmelden", "abbestellen", "bitte abmelden", "desinscription",
    "desabonnement", "se desabonner", "darme de baja", "baja", "cancellami", "disiscrivimi", "uitschrijven",
    "afmelden", "wypisz mnie", "wypisz", "cancelar subscricao", "remover", "odhlasit", "avregistrera",
    "no more (?:e ?)?mails?(?: please)?", "do not (?:e ?mail|contact|write to) me(?: again)?",
)  # fmt: skip
"""The whole of what was written, or of the subject."""

FAILED_SUBJECTS = (
    "undeliver", "delivery status notification", "delivery failure", "delivery has failed", "delivery failed",
    "mail delivery failed", "returned mail", "failure notice", "mail delivery system", "message not delivered",
    "could not be delivered", "nondeliverable", "delivery notification", "mail system error", "nicht zustellbar",
    "unzustellbar", "zustellung .{0,30}fehlgeschlagen", "nachricht konnte nicht", "echec de (?:la )?remise",
    "non remis", "no se puede entregar", "no entregado", "mancata consegna", "impossibile recapitare",
    "niet bezorgd", "onbestelbaar", "nie mozna dostarczyc", "niedostarczon", "nao foi possivel entregar",
    "nedorucitel", "gick inte att leverera", "kunde inte levereras", "warning message .{0,40}delayed",
)  # fmt: skip
DELAYED = (
    "delivery (?:status notification )?delay", "delayed", "still being retried", "will (?:keep trying|be retried)",
    "not yet been delivered", "delivery attempts will continue", "this is a warning message only",
    "you do not need to resend", "no action is required on your part", "wird weiter versucht",
)  # fmt: skip
POLICY = (
    "spam", "blocklist", "blacklist", "black list", "denylist", "blocked using", "spamhaus", "policy reasons",
    "dmarc", "spf check", "spf fail", "dkim", "poor reputation", "sender reputation", "message rejected as",
    "rejected for policy", "content filter", "not authorized to send", "access denied",
)  # fmt: skip

MOST = 20_000
"""Of a text so much is looked through."""


def fold(text: str) -> str:
    """Return a text as phrases are matched in it."""
    return folded(text[:MOST])


def said_in(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether a text says one of these, whatever its capitals and accents."""
    return _any(phrases).search(fold(text)) is not None


def is_all(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether a text says one of these and nothing else."""
    return _any(phrases).fullmatch(fold(text)) is not None


@cache
def _any(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(phrases))
