"""Features that the engine knows how to build, and wishes that it knows it cannot."""

import re

from agenticai_worker.llm.template.understand.facts import Facts

_AUTHENTICATION = re.compile(
    r"\bauthenticat\w*|\blog[- ]?in\b|\bsign[- ]?in\b(?! sheet)|\bsign[- ]?up\b(?! (?:for|to|at|twice|only|more|once)\b)|\bpasswords?\b|\bjwt\b|\bauthoris?z?ation\b|\boauth\b|\bbearer\b|"
    r"\baccess tokens?\b|\buser accounts?\b|\bapi[- ]keys?\b|\blogged[- ]in\b|\bprotect(?:ed)? (?:the )?(?:api|endpoints?|routes?)\b|\bsecure the api\b|\bregister(?:ed)? users?\b",
    re.I,
)  # fmt: skip
_REQUEST_LOG = re.compile(
    r"\brequest[- ]log\w*|\blog(?:s|ging|ged)?\s+(?:of\s+)?(?:all\s+|every\s+|each\s+|incoming\s+|the\s+|http\s+|api\s+)*(?:requests?|calls?|traffic)\b|\brequests? (?:should |must |are |is |be |get )+log\w*|\baccess log\w*|\bhttp logging\b|\blogging (?:of|for) (?:all |every )?requests?",
    re.I,
)  # fmt: skip
_GAPS: tuple[tuple[str, str], ...] = (
    (r"\b(?:stripe|paypal|credit cards?|payment (?:gateway|provider|processing|integration)|online payments?|pay online|card payments?|(?:accept|process|take|handle|collect)\w* payments?|checkout page|pay (?:by|with) card|charge (?:the )?(?:card|customer)s?)\b",
     "taking payments"),
    (r"\b(?:(?:send|sends|sending|sent|receive|get|gets|via|by|through|deliver)\b[\w\s]{0,30}\b(?:e-?mails?|sms|text messages?|whatsapp|push notifications?|notifications?|reminders?|newsletters?|alerts?)|notif(?:y|ies|ied|ication)s?|email(?:ed|ing) (?:the|to|a)|(?:email|sms|push) (?:notification|reminder|alert)s?|remind(?:s|ed)?|reminders?|(?:alert|warn)(?:s|ed)? (?:me|us|them|staff|users|the)|(?:be|is|are) (?:alerted|notified|emailed|informed)|mailing)\b",
     "sending e-mails, messages or notifications"),
    (r"\b(?:pdfs?|print(?:s|ing)?\s+(?:an?|the|out|labels?|receipts?|tickets?|invoices?|reports?|badges?)\b|printable|word documents?|docx|excel|xlsx|spreadsheets?|csv)\b", "producing or reading documents (PDF, spreadsheets, print)"),
    (r"\b(?:machine learning|ml models?|artificial intelligence|\bai\b|predict(?:s|ed|ing|ion|ions|ive)?|forecast(?:s|ed|ing)?|recommend(?:s|ed|ing|ation|ations)? (?:\w+ )?(?:engine|system|based|to users|products|items|similar)|recommendation engine|neural|chatbot|nlp|image recognition|sentiment)\b",
     "prediction, recommendation or other machine learning"),
    (r"\b(?:real[- ]?time|websockets?|live (?:updates?|tracking|chat|map|dashboard|feed|view)|push updates?|streaming|instant messag\w+)\b", "real-time updates"),
    (r"\b(?:mobile apps?|android|ios app|iphone|native app|smartphone app|tablet app|offline mode)\b", "a mobile app"),
    (r"\b(?:web (?:ui|interface|page|frontend)|front-?end|user interface|html pages?|landing page|react|vue|angular|drag[- ]and[- ]drop|dark mode|responsive|graphical|charts?|graphs?|calendar view|kanban|visuali[sz]\w+)\b",
     "a user interface, charts or pages"),
    (r"\b(?:upload(?:s|ed|ing)?|attach(?:ment|ments|ing) (?:files?|photos?|documents?)?|file storage|store (?:photos|images|files|documents))\b", "uploading files"),
    (r"\b(?:google maps?|gps|geolocation|geocod\w+|route optimi[sz]ation|optimi[sz]e[sd]? routes?|shortest route|on a map|map view|navigation)\b", "maps, positions or routing"),
    (r"\b(?:integrat(?:e|es|ed|ion|ions) (?:with|to|into)|sync(?:s|hroni[sz]\w*)?(?:ed|ing)? (?:with|to|from)|third[- ]party|external (?:api|service|system)s?|connect to (?:\w+ )?(?:api|service)|webhooks?|import(?:s|ed|ing)? (?:from|data)|quickbooks|salesforce|shopify|google calendar|outlook|slack|zapier|xero)\b",
     "connections to other systems"),
    (r"\b(?:multi-?lingual|multi-?language|translations?|locali[sz]ation|i18n|several languages)\b", "several languages"),
    (r"\b(?:scan(?:s|ned|ning)?\s+(?:[\w-]+\s+){0,3}(?:codes?|barcodes?|labels?|documents?|badges?|receipts?)|(?:codes?|barcodes?|labels?|badges?)\s+(?:are|is|be|get)\s+scanned|qr[- ]codes?|barcode scan\w*|nfc|rfid)\b", "scanning or making codes"),
    (r"\b(?:chat|video calls?|messaging between|live stream\w*|forum)\b", "chat or video"),
    (r"\b(?:role[- ]based|roles and permissions|permissions?|access control|only (?:admins?|administrators?|managers?|staff|owners?|the \w+) (?:can|may|should|must|are allowed)|(?:admins?|administrators?|managers?) only|admin panel|rbac)\b",
     "different rights for different roles"),
    (r"\b(?:automatically|nightly|every (?:night|hour|morning|monday)|scheduled jobs?|cron|background jobs?|recurring|repeat(?:s|ing)? (?:every|weekly|daily|monthly))\b", "work that runs by itself on a schedule or on an event"),
    (r"\b(?:blockchain|nft|crypto\w*|smart contracts?|iot|sensors? (?:send|push|report)\w*|bluetooth|kubernetes|graphql|grpc|microfrontend)\b", "this technology"),
    (r"\b(?:calculat(?:e|es|ed|ing|ion)|comput(?:e|es|ed|ing)|convert(?:s|ed|ing)?|optimi[sz]\w+|auto-?assign\w*|match(?:es|ed|ing)? (?:\w+ )?(?:with|to)|generat(?:e|es|ed|ing) (?:an? |the )?(?:invoice|schedule|plan|rota|roster|timetable|report)s?)\b",
     "calculating or deciding things by itself"),
    (r"\b(?:audit (?:log|trail)s?|version history|undo|history of (?:all )?changes|change history)\b", "a history of changes"),
    (r"\b(?:waiting lists?|waitlists?)\b(?! entry)", "a waiting list that moves up by itself"),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), label) for pattern, label in _GAPS)


def asks_for_feature(text: str) -> bool:
    return bool(_AUTHENTICATION.search(text) or _REQUEST_LOG.search(text))


def read_feature(text: str, facts: Facts) -> bool:
    """Authentication or request logging, if the text asks for it."""
    found = False
    if _AUTHENTICATION.search(text):
        facts.add_feature("authentication")
        found = True
    if _REQUEST_LOG.search(text):
        facts.add_feature("request_logging")
        found = True
    return found


def find_gap(text: str) -> str:
    """What the text asks for that the engine cannot build, or ""."""
    return next((label for pattern, label in _COMPILED if pattern.search(text)), "")


def read_gap(text: str, facts: Facts, label: str = "") -> bool:
    """Note what cannot be built; ``label`` says what it is when the text alone does not."""
    label = label or find_gap(text)
    if label:
        facts.add_gap(f"{label[0].upper()}{label[1:]}: “{shorten(text)}”")
    return bool(label)


def shorten(text: str, limit: int = 140) -> str:
    text = re.sub(r"\s+", " ", text).strip(" .,;:")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
