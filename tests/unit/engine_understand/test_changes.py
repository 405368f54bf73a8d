"""Change requests: what is done, what is said about it, and what is refused and why."""

import pytest

from agenticai_core.models import ProjectType
from agenticai_core.plans import Entity, Plan
from agenticai_worker.llm.template.understand.changes import Change, change_plan
from agenticai_worker.llm.template.understand.plan import make_plan

BASE = make_plan(
    "Demo",
    ProjectType.API,
    "Boats have a name, length in metres and a daily price; skippers have a licence number and phone; customers "
    "book a boat from a start date to an end date, optionally with a skipper. A booking can be requested, confirmed, "
    "cancelled or completed. The same boat can't be booked twice at the same time.",
)


def changed(request: str, plan: Plan = BASE) -> Plan:
    change = change_plan(plan, request)
    assert change.understood, change.reason
    assert change.plan is not None
    return change.plan


def refused(request: str, plan: Plan = BASE) -> str:
    change = change_plan(plan, request)
    assert not change.understood, change.steps
    assert change.plan is None
    assert change.steps == ()
    return change.reason


def entity(plan: Plan, name: str) -> Entity:
    return next(e for e in plan.entities if e.name == name)


def types(plan: Plan, name: str) -> dict[str, str]:
    return {f.name: f.references or f.type for f in entity(plan, name).fields}


@pytest.mark.parametrize(
    "request_text",
    [
        "Add user authentication",
        "require login",
        "protect the API with JWT",
        "Users should have to log in",
    ],
)
def test_authentication(request_text: str) -> None:
    change = change_plan(BASE, request_text)
    assert change.understood
    assert change.plan is not None and change.plan.features == ("authentication",)
    assert change.risk == "high"
    assert change.plan.entities == BASE.entities


def test_authentication_that_is_there_already() -> None:
    assert "already has authentication" in refused("add login", changed("Add user authentication"))


def test_login_with_a_provider_is_not_pretended() -> None:
    assert "its own login" in refused("Add authentication with Google")


@pytest.mark.parametrize(
    "request_text", ["log all requests", "Add request logging", "Add logging of every request"]
)
def test_request_logging(request_text: str) -> None:
    assert changed(request_text).features == ("request_logging",)


def test_new_entity_with_fields_and_a_relation() -> None:
    change = change_plan(BASE, "Add suppliers with name and email; each boat has a supplier")
    assert change.plan is not None
    assert types(change.plan, "Supplier") == {"name": "string", "email": "email"}
    supplier = next(f for f in entity(change.plan, "Boat").fields if f.name == "supplier")
    assert supplier.references == "Supplier"
    assert not supplier.required
    assert any("existing rows have none" in step for step in change.steps)
    assert change.risk == "medium"


def test_entity_named_as_such() -> None:
    plan = changed(
        "add a Marina entity with name, city and number of berths; each boat belongs to a marina"
    )
    assert types(plan, "Marina") == {
        "name": "string",
        "city": "string",
        "number_of_berths": "integer",
    }
    assert types(plan, "Boat")["marina"] == "Marina"


@pytest.mark.parametrize(
    ("request_text", "name", "field", "type_"),
    [
        ("Add an optional note to bookings", "Booking", "note", "text"),
        ("add a deposit (decimal) to bookings", "Booking", "deposit", "decimal"),
        ("Add a home port field to boats", "Boat", "home_port", "string"),
        ("Customers should have a birthday", "Customer", "birthday", "date"),
        ("Each boat also has a fuel type (diesel, electric)", "Boat", "fuel_type", "enum"),
        ("add fields draught in metres to boats", "Boat", "draught", "float"),
    ],
)
def test_new_field_never_breaks_rows_that_exist(
    request_text: str, name: str, field: str, type_: str
) -> None:
    plan = changed(request_text)
    made = next(f for f in entity(plan, name).fields if f.name == field)
    assert made.type == type_
    assert not made.required or made.default is not None


def test_several_fields_at_once() -> None:
    plan = changed("Add colour and build year to boats")
    assert types(plan, "Boat")["colour"] == "string"
    assert types(plan, "Boat")["build_year"] == "integer"


def test_things_added_to_a_thing() -> None:
    assert types(changed("add comments to boats"), "Boat")["comments"] == "text"
    assert types(changed("add cabins to boats"), "Cabin")["boat"] == "Boat"
    assert types(changed("add photos to boats"), "Boat")["photos"] == "url"


def test_constraints() -> None:
    phone = next(
        f
        for f in entity(changed("make the phone of skippers optional"), "Skipper").fields
        if f.name == "phone"
    )
    assert not phone.required
    phone = next(
        f
        for f in entity(changed("The skipper's phone must be unique"), "Skipper").fields
        if f.name == "phone"
    )
    assert phone.unique
    length = next(
        f
        for f in entity(changed("make the length of boats at most 60"), "Boat").fields
        if f.name == "length"
    )
    assert length.maximum == 60


def test_rename_field_and_entity() -> None:
    change = change_plan(BASE, "rename daily price of boats to rate")
    assert change.plan is not None
    assert "rate" in types(change.plan, "Boat") and "daily_price" not in types(change.plan, "Boat")
    assert change.steps == ("Rename daily price of boats to rate, everywhere",)
    plan = changed("rename skippers to captains")
    assert types(plan, "Booking")["captain"] == "Captain"
    assert entity(plan, "Captain").plural == "captains"


def test_rename_keeps_rules_pointing_at_the_field() -> None:
    plan = changed("rename start date of bookings to pick-up date")
    fields = set(types(plan, "Booking"))
    assert all(set(rule.fields) <= fields for rule in entity(plan, "Booking").rules)


def test_remove_field_and_entity() -> None:
    plan = changed("remove phone from skippers")
    assert "phone" not in types(plan, "Skipper")
    change = change_plan(BASE, "remove skippers")
    assert change.plan is not None
    assert {e.name for e in change.plan.entities} == {"Boat", "Customer", "Booking"}
    assert "skipper" not in types(change.plan, "Booking")
    assert change.risk == "high"


def test_filter_and_search() -> None:
    assert "daily_price" in entity(changed("filter boats by price range"), "Boat").filters
    assert (
        "phone" in entity(changed("Add an endpoint to search skippers by phone"), "Skipper").search
    )
    assert (
        "length" in entity(changed("add an endpoint that filters boats by length"), "Boat").filters
    )
    assert "length" in entity(changed("Add an endpoint that filters by length"), "Boat").filters


def test_filter_that_is_there_already_is_named() -> None:
    assert "GET /bookings takes" in refused("Add an endpoint to list bookings by customer")


def test_transition() -> None:
    plan = changed("Allow archiving boats")
    assert [t.verb for t in entity(plan, "Boat").transitions] == ["archive"]
    plan = changed("bookings can be paused")
    assert "pause" in {t.verb for t in entity(plan, "Booking").transitions}


def test_new_choice() -> None:
    plan = changed("add the status no-show to bookings")
    status = next(f for f in entity(plan, "Booking").fields if f.name == "status")
    assert status.choices[-1] == "no_show"
    assert "mark_no_show" in {t.verb for t in entity(plan, "Booking").transitions}


def test_reports() -> None:
    made = {(r.kind, r.entity, r.group_by) for r in changed("how many bookings per boat").reports}
    assert made == {("count_by", "Booking", ("boat",))}
    made = {
        (r.kind, r.entity, r.group_by)
        for r in changed("Add a report of bookings per month").reports
    }
    assert made == {("count_by", "Booking", ("start_date.month",))}
    priced = changed("add a total price to bookings")
    report = changed("total revenue per customer", priced).reports[0]
    assert (report.kind, report.field, report.group_by) == ("sum_by", "total_price", ("customer",))


def test_act_and_rule() -> None:
    plan = changed("A customer can review a boat only once")
    assert {"customer", "boat", "rating"} <= set(types(plan, "Review"))
    assert ("customer", "boat") in {rule.fields for rule in entity(plan, "Review").rules}


@pytest.mark.parametrize(
    ("request_text", "why"),
    [
        ("make it faster", "how the code is made"),
        ("Rewrite in Go", "Rewrite in Go"),
        ("add payment via Stripe", "taking payments"),
        ("asdf qwer zxcv", "not clear what"),
        ("Add a price to rockets", "nothing called “rockets”"),
        ("add caching", "how the code is made"),
        ("Add phone to skippers", "already has a field phone"),
        ("Send an email when a booking is confirmed", "sending e-mails"),
        ("rename boats to customers", "cannot be the new name"),
        ("remove the wings from boats", "no field “wings”"),
        ("", "empty"),
        ("Füge eine Anmeldung für die Benutzer und den Kunden hinzu", "English"),
    ],
)
def test_refusals_say_why_and_what_works(request_text: str, why: str) -> None:
    reason = refused(request_text)
    assert why in reason
    assert "There are: Boat (name, length, daily_price)" in reason
    assert "Add user authentication" in reason


def test_all_or_nothing() -> None:
    reason = refused("Add a colour to boats and make it faster")
    assert "make it faster" in reason
    assert "Nothing was changed" in reason


def test_two_parts() -> None:
    change = change_plan(BASE, "Add authentication and log all requests. Add a colour to boats.")
    assert change.plan is not None
    assert change.plan.features == ("authentication", "request_logging")
    assert "colour" in types(change.plan, "Boat")
    assert isinstance(change, Change) and change.risk == "high"


def test_the_only_entity_stays() -> None:
    only = make_plan("Demo", ProjectType.API, "Boats have a name.")
    assert "at least one" in refused("remove boats", only)
    assert "only field" in refused("remove name from boats", only)
