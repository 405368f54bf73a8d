"""The type of an attribute from the words of its name: heads, suffixes, units."""

import re
from typing import Literal

from agenticai_worker.llm.template.understand import nouns, words
from agenticai_worker.llm.template.understand.lexicon import word_set

FieldType = Literal[
    "string", "text", "integer", "decimal", "float", "boolean", "date", "datetime", "time",
    "email", "url", "phone", "enum", "reference", "uuid",
]  # fmt: skip

TYPE_WORDS: dict[str, FieldType] = {
    "string": "string", "str": "string", "varchar": "string", "char": "string", "text": "text",
    "long text": "text", "integer": "integer", "int": "integer", "number": "float",
    "whole number": "integer", "decimal": "decimal", "money": "decimal", "currency": "decimal",
    "numeric": "decimal", "float": "float", "double": "float", "real": "float",
    "boolean": "boolean", "bool": "boolean", "yes/no": "boolean", "yes or no": "boolean",
    "true/false": "boolean", "true or false": "boolean", "y/n": "boolean", "flag": "boolean",
    "date": "date", "datetime": "datetime", "timestamp": "datetime", "date and time": "datetime",
    "time": "time", "email": "email", "e-mail": "email", "url": "url", "uri": "url",
    "link": "url", "phone": "phone", "telephone": "phone", "uuid": "uuid", "guid": "uuid",
    "free text": "text", "multiline": "text", "markdown": "text", "percentage": "float",
    "percent": "float",
}  # fmt: skip

_HEADS: dict[FieldType, frozenset[str]] = {
    "date": word_set("date birthday birthdate deadline expiry dob anniversary expiration day"),
    "datetime": word_set("datetime timestamp arrival departure"),
    "decimal": word_set(
        "price cost amount fee total salary wage budget balance revenue deposit discount tax fare "
        "charge premium rent payment bill subtotal tip refund income expense fine penalty pay "
        "commission msrp surcharge donation earnings turnover profit toll tariff"
    ),
    "float": word_set(
        "weight length width height depth temperature altitude elevation latitude longitude "
        "distance area volume speed pressure humidity ph percentage percent ratio moisture density "
        "concentration thickness diameter radius voltage power energy mileage yield brightness "
        "circumference wavelength frequency angle acidity salinity conductivity turbidity girth "
        "wingspan draught displacement beam"
    ),
    "integer": word_set(
        "count quantity qty capacity age year stock duration points rating score position rank "
        "headcount population floor seats attempts strength rounds limit threshold priority-number "
        "minutes hours days weeks months years guests quota"
    ),
    "boolean": word_set(
        "flag active enabled available public private visible featured fragile organic urgent "
        "mandatory"
    ),
    "text": word_set(
        "note notes description comment comments remark remarks instructions instruction bio "
        "biography summary result body content message details reason abstract feedback observation "
        "observations history symptoms diagnosis findings finding allergies allergy ingredients "
        "directions steps explanation text narrative conditions terms requirements transcript "
        "lyrics agenda purpose outcome wishes preferences recommendations objectives skills "
        "equipment-list restrictions needs contents goals interests info information"
    ),
    "email": word_set("email e-mail mail"),
    "phone": word_set("phone telephone mobile tel fax cell cellphone whatsapp"),
    "url": word_set(
        "url uri website homepage link photo picture image avatar logo thumbnail webpage"
    ),
    "uuid": word_set("uuid guid"),
    "string": word_set(
        "name title code sku isbn ean id identifier serial reference barcode tag label brand "
        "number make colour color city country street town state-name address location nickname "
        "surname slug symbol language currency gender sex vin imei plate postcode zip zipcode"
    ),
}
_UNIQUE = word_set(
    "sku isbn ean barcode vin imei serial_number registration_number microchip_number chip_number "
    "licence_number license_number membership_number passport_number policy_number invoice_number "
    "tracking_number accession_number order_number batch_number username slug uuid serial "
    "account_number registration plate_number license_plate licence_plate case_number "
    "reference_number microchip microchip_id tag_number contract_number permit_number hull_number "
    "ticket_number lot_number"
)
_CLOCK = word_set(
    "opening closing starting ending start end visiting departure arrival pickup drop_off"
)
# Plurals that are prose or keywords rather than a count.
_PROSE_PLURALS = word_set(
    "notes comments remarks instructions ingredients allergies symptoms details skills tags "
    "keywords requirements observations findings terms conditions directions preferences interests "
    "materials results contents features wishes restrictions needs goals lyrics steps objectives "
    "recommendations side_effects credentials measurements hobbies qualifications aliases initials "
    "coordinates specifications dimensions services languages techniques"
)

UNITS: dict[str, tuple[FieldType, str]] = {}
for _type, _unit, _names in (
    ("float", "kg", "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes"),
    ("float", "g", "g gram grams gramme grammes"),
    ("float", "mg", "mg milligram milligrams"),
    ("float", "t", "tonne tonnes ton tons"),
    ("float", "lb", "lb lbs pound pounds"),
    ("float", "oz", "oz ounce ounces"),
    ("float", "m", "m metre metres meter meters"),
    ("float", "cm", "cm centimetre centimetres centimeter centimeters"),
    ("float", "mm", "mm millimetre millimetres millimeter millimeters"),
    ("float", "km", "km kilometre kilometres kilometer kilometers"),
    ("float", "ft", "ft foot feet"),
    ("float", "in", "inch inches"),
    ("float", "mi", "mile miles"),
    ("float", "nmi", "nm"),
    ("float", "l", "l litre litres liter liters"),
    ("float", "ml", "ml millilitre millilitres milliliter milliliters"),
    ("float", "hl", "hl hectolitre hectolitres"),
    ("float", "gal", "gallon gallons"),
    ("float", "°C", "celsius °c c"),
    ("float", "°F", "fahrenheit °f"),
    ("float", "ha", "ha hectare hectares"),
    ("float", "acres", "acre acres"),
    ("float", "m²", "m2 m² sqm"),
    ("float", "m³", "m3 m³"),
    ("float", "kW", "kw kilowatt kilowatts"),
    ("float", "kWh", "kwh"),
    ("float", "W", "watt watts"),
    ("float", "V", "volt volts"),
    ("float", "bar", "bar"),
    ("float", "psi", "psi"),
    ("float", "mmHg", "mmhg"),
    ("float", "knots", "knot knots"),
    ("float", "km/h", "kmh km/h kph"),
    ("float", "%", "% percent percentage"),
    ("float", "hPa", "hpa"),
    ("float", "ppm", "ppm"),
    ("integer", "seconds", "second seconds sec secs"),
    ("integer", "minutes", "minute minutes min mins"),
    ("integer", "hours", "hour hours hrs"),
    ("integer", "days", "day days"),
    ("integer", "weeks", "week weeks"),
    ("integer", "months", "month months"),
    ("integer", "years", "year years"),
    ("decimal", "EUR", "eur euro euros €"),
    ("decimal", "USD", "usd dollar dollars $"),
    ("decimal", "GBP", "gbp sterling £"),
    ("decimal", "CHF", "chf"),
    ("decimal", "cents", "cent cents"),
):
    for _name in _names.split():
        UNITS[_name] = (_type, _unit)  # type: ignore[assignment]


UNIT_NAMES = "|".join(name for name in UNITS if len(name) > 1 and name.isalpha())


def head_type(word: str) -> FieldType | None:
    """The type that a head noun alone suggests."""
    for type_, heads in _HEADS.items():
        if word in heads or words.singular(word) in heads:
            return type_
    return None


def is_attribute_head(word: str) -> bool:
    """Whether a noun names an attribute in any trade ("price", "deadline")."""
    return head_type(word) is not None or word in (
        "status", "stage", "priority", "type", "category", "kind", "size", "level", "species",
        "gender", "rate", "time", "value", "number", "colour", "color", "state", "grade", "origin",
    )  # fmt: skip


def is_unique_by_nature(name: str) -> bool:
    return name in _UNIQUE or any(name.endswith("_" + tail) for tail in _UNIQUE if "_" in tail)


def _by_shape(name: str, parts: list[str]) -> FieldType | None:  # noqa: C901, PLR0911, PLR0912
    """Types that show in more than the head."""
    head = parts[-1]
    if parts[0] in ("is", "has", "was", "can", "needs", "whether"):
        return "boolean"
    if head == "until":
        return "date"
    if len(parts) > 1 and head in ("before", "after"):
        return guess_type("_".join(parts[:-1]), is_plural=False)
    if len(parts) > 2 and parts[-2] in ("at", "per") and head != "word":
        return guess_type("_".join(parts[:-2]), is_plural=False)
    if name in UNITS and len(name) > 2:
        return UNITS[name][0]
    if name.startswith(("number_of", "count_of", "quantity_of", "amount_of", "number_")):
        return "decimal" if name.startswith("amount") else "integer"
    if "date" in parts[:1] or head in ("date", "on") or name.startswith("date_"):
        return "date"
    if name.startswith(("price_", "cost_", "fee_", "rate_per", "rent_per", "charge_per")):
        return "decimal"
    if head == "due":
        return "date"
    if head == "at" and len(parts) > 1:
        return "datetime"
    if head == "time":
        if len(parts) > 1 and parts[-2].endswith("ing") and parts[-2] not in _CLOCK:
            return "integer"
        if "_".join(parts[:-1]) in ("lead", "waiting", "travel", "prep", "cook"):
            return "integer"
        return "time"
    if name in ("start", "end", "begin"):
        return "datetime"
    if name in ("until", "valid_from", "valid_to"):
        return "date"
    if len(parts) > 2 and parts[1] == "of":
        return "datetime" if parts[0] == "time" else head_type(parts[0])
    if parts[0] in ("name", "title") or head == "by":
        return "string"
    return None


def _by_head(parts: list[str]) -> FieldType | None:
    head = parts[-1]
    if head == "rate":
        if len(parts) == 1:
            return "decimal"
        money = {"daily", "hourly", "weekly", "monthly", "nightly", "day", "hour", "pay", "room"}
        return "decimal" if set(parts[:-1]) & money else "float"
    if head in ("number", "numbers") and len(parts) > 1:
        return "phone" if head_type(parts[-2]) == "phone" else "string"
    if head == "address" and len(parts) > 1 and parts[-2] in ("email", "e", "mail"):
        return "email"
    if head == "value" and len(parts) > 1:
        return "decimal"
    if head in ("year", "floor", "rank") or head.endswith("_count"):
        return "integer"
    return head_type(head)


def _is_state_word(parts: list[str]) -> bool:
    """ "paid", "queen seen", "insured", "waterproof", "refundable": true or false."""
    head = parts[-1]
    if words.base_of_participle(head) and head not in (
        "used",
        "feed",
        "seed",
        "breed",
        "bid",
        "set",
    ):
        return not (words.verb_base(head, "base") or head in ("read", "put", "cut"))
    return bool(re.search(r".{3,}(able|ible)$", head)) and head not in (
        "table", "vegetable", "timetable", "cable", "variable", "consumable", "valuable",
    )  # fmt: skip


def guess_type(name: str, is_plural: bool) -> FieldType:
    """The type of a field from its snake_case name.

    Plurals that are neither prose nor money count something ("brood frames" -> integer).
    """
    parts = name.split("_")
    if is_plural and (parts[-1] in _PROSE_PLURALS or name in _PROSE_PLURALS):
        return "text"
    found = _by_shape(name, parts) or _by_head(parts)
    if found == "date" and is_plural and parts[-1] == "days":
        return "integer"
    if found:
        return found
    counted = len(parts) > 1 and words.is_plural(parts[-2]) and _is_state_word(parts)
    if is_plural and len(parts) == 1 and nouns.is_person(words.singular(name)):
        return "string"  # "authors"
    if is_plural and re.search(r"(tion|ment|itie|ance|ence|ship|kind|logie)s$", parts[-1]):
        return "text"  # "certifications": what they are rather than how many
    if is_plural or counted:
        return "integer"
    return "boolean" if _is_state_word(parts) else "string"
