"""What people type in a cancellation. No field but the channel is ever needed to leave."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from state_machines.end_date import ContractType, EarlyExit
from state_machines.forms import Yes


class Channel(StrEnum):
    """How the statement reached us."""

    WEB = "web"
    EMAIL = "email"
    PHONE = "phone"
    LETTER = "letter"
    SITE = "site"
    EXECUTOR = "executor"
    BANK = "bank"


class Reason(StrEnum):
    """Why members leave; several may apply, none must be given."""

    LACK_OF_USE = "lack_of_use"
    LACK_OF_TIME = "lack_of_time"
    LOST_INTEREST = "lost_interest"
    COST = "cost"
    MONEY_TROUBLE = "money_trouble"
    RELOCATION = "relocation"
    DIRTY_FACILITIES = "dirty_facilities"
    CROWDED = "crowded"
    EQUIPMENT = "equipment"
    CLASSES = "classes"
    OPENING_HOURS = "opening_hours"
    STAFF_SERVICE = "staff_service"
    BILLING_PROBLEM = "billing_problem"
    INJURY_ILLNESS = "injury_illness"
    PREGNANCY = "pregnancy"
    REDUNDANCY = "redundancy"
    BEREAVEMENT = "bereavement"
    COMPETITOR = "competitor"
    CENTRE_CLOSURE = "centre_closure"
    PRICE_RISE = "price_rise"
    MINIMUM_AGE = "minimum_age"
    OTHER = "other"
    NOT_SAID = "not_said"


class HardshipCategory(StrEnum):
    """The only thing kept about money trouble."""

    INCOME_LOSS = "income_loss"
    COST_OF_LIVING = "cost_of_living"
    DEBT = "debt"
    ILLNESS = "illness"
    CARING = "caring"
    SELF_DECLARED = "self_declared"


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Name = Annotated[str, Field(max_length=200), "personal"]
Email = Annotated[str, Field(max_length=254), "personal"]
Money = Annotated[Decimal, Field(ge=0, le=10_000, decimal_places=2)]


class CancellationRequest(_Form):
    """A clear statement that a membership shall end, wherever it was made."""

    channel: Annotated[Channel, Field(description="How the statement reached us")]
    stated_at: Annotated[datetime | None, Field(description="When the member said so; the notice counts from then")] = (
        None
    )
    reasons: Annotated[
        list[Reason], Field(max_length=10, description="Why, if the member said; several may apply")
    ] = []
    verbatim: Annotated[
        str, Field(max_length=4000, title="In their words", description="What the member said"), "personal"
    ] = ""
    contract_type: Annotated[ContractType, Field(description="How long the member is bound")] = ContractType.ROLLING
    contract_start: Annotated[date | None, Field(description="The day of the contract")] = None
    contract_months: Annotated[int | None, Field(ge=1, le=60, description="Minimum term in months")] = None
    renewed_on: Annotated[date | None, Field(description="First day of the latest renewal")] = None
    renewal_after_free: Annotated[
        bool, Field(title="Renewed after free time", description="It was renewed after free or discounted time")
    ] = False
    billing_day: Annotated[int | None, Field(ge=1, le=31, description="Day of the month payments are due")] = None
    monthly_price: Annotated[Money | None, Field(description="Price of a month")] = None
    frozen_until: Annotated[date | None, Field(description="Last day of a freeze that runs now")] = None
    frozen_months: Annotated[int, Field(ge=0, le=24, description="Whole months frozen in this term")] = 0
    wants_no_offers: Annotated[bool, Field(description="The member wants to hear no offers")] = False
    early_exit_reason: Annotated[EarlyExit | None, Field(description="A reason to leave at once")] = None
    early_exit_evidence: Annotated[bool, Field(description="The reason has been shown; no copy is kept")] = False
    identity_doubtful: Annotated[bool, Field(description="It is not clear that the member wrote this")] = False
    hardship: Annotated[bool, Field(description="The member says that money is short")] = False
    hardship_category: Annotated[HardshipCategory | None, Field(description="Its category; nothing else is kept")] = (
        None
    )
    deceased: Annotated[bool, Field(description="The member has died")] = False
    executor_name: Annotated[Name, Field(description="Who writes for the member who has died")] = ""
    executor_email: Annotated[Email, Field(description="Their e-mail address")] = ""
    payer_name: Annotated[Name, Field(description="Who pays, if it is somebody else")] = ""
    payer_email: Annotated[Email, Field(description="Their e-mail address")] = ""


class Exit(_Form):
    """Leaving at once. Nothing need be filled in."""

    reasons: Annotated[list[Reason], Field(max_length=10, description="Why, if you like to say")] = []


class Statement(_Form):
    """That the membership shall end, after the bank reported a cancelled payment."""

    channel: Annotated[Channel, Field(description="How the statement reached us")] = Channel.WEB
    stated_at: Annotated[datetime | None, Field(description="When the member said so")] = None


class MadeOffer(_Form):
    """An offer from the catalogue."""

    code: Annotated[str, Field(min_length=1, max_length=60, description="Which offer")]
    months: Annotated[int | None, Field(ge=1, le=12, description="For how many months")] = None
    percent: Annotated[int | None, Field(ge=1, le=100, description="Discount in per cent")] = None
    credit: Annotated[Money, Field(description="Credit given once")] = Decimal(0)
    new_monthly_price: Annotated[Money | None, Field(description="The price of a month from then on")] = None
    terms: Annotated[
        str, Field(min_length=3, max_length=2000, description="The new terms, as the member will read them")
    ]
    script: Annotated[str, Field(max_length=2000, description="What was said, if it was said aloud"), "personal"] = ""


class Acceptance(_Form):
    """The member's own yes."""

    agreed: Annotated[Yes, Field(description="I accept this offer and stay a member on these terms")]


class RecordedAcceptance(Acceptance):
    """A yes the member gave to somebody."""

    evidence: Annotated[str, Field(min_length=3, max_length=500, description="Call, e-mail or signature that shows it")]


class Stay(_Form):
    """Taking the notice back."""

    agreed: Annotated[Yes, Field(description="I take my notice back and stay a member")]


class RecordedStay(Stay):
    """Taking the notice back, as told to somebody."""

    evidence: Annotated[str, Field(min_length=3, max_length=500, description="Call, e-mail or signature that shows it")]


class Hardship(_Form):
    """That money is short; no proof is asked for."""

    category: Annotated[HardshipCategory, Field(description="What comes nearest")] = HardshipCategory.SELF_DECLARED


class HardshipHelp(_Form):
    """What we offer to somebody in hardship."""

    help: Annotated[Literal["reduced_rate", "freeze_without_fee", "payment_plan"], Field(description="What we offer")]
    months: Annotated[int, Field(ge=1, le=6, description="For how many months")] = 3
    percent: Annotated[int | None, Field(ge=50, le=100, description="Discount of a reduced rate, in per cent")] = None
    new_monthly_price: Annotated[Money | None, Field(description="The price of a month for that time")] = None
    terms: Annotated[str, Field(min_length=3, max_length=2000, description="The terms, as the member will read them")]


class Evidence(_Form):
    """That a reason to leave early was shown."""

    early_exit_reason: Annotated[EarlyExit, Field(description="The reason")]
    seen: Annotated[str, Field(min_length=3, max_length=200, description="What kind of evidence was seen; no details")]


class Death(_Form):
    """That the member has died."""

    executor_name: Annotated[Name, Field(description="Who writes for them")] = ""
    executor_email: Annotated[Email, Field(description="Their e-mail address")] = ""


class IdentityNote(_Form):
    """How it became clear who wrote."""

    how: Annotated[str, Field(min_length=3, max_length=500, description="What showed it")]


class Refund(_Form):
    """Money given back."""

    amount: Annotated[Money, Field(description="What was paid back; 0 when nothing had been paid")]
    refunded_on: Annotated[date | None, Field(description="When")] = None


class Settlement(_Form):
    """The account after the last day."""

    balance: Annotated[Decimal, Field(ge=-10_000, le=10_000, description="What is still owed to us; 0 when settled")]
    refunded: Annotated[Money, Field(description="What was paid back")] = Decimal(0)


class Rejoin(_Form):
    """The new membership of somebody who came back."""

    membership: Annotated[str, Field(min_length=1, max_length=60, description="Number of the new membership")]
    arrears_agreed: Annotated[bool, Field(description="What was still owed is paid, or a plan is agreed")] = False
