"""The choices on the forms of a complaint."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """Whose rules the complaint follows; the numbers are in the policy."""

    UK_OMBUDSMAN = "UK_OMBUDSMAN"
    BETTER_COTTON = "BETTER_COTTON"
    FCA_DISP = "FCA_DISP"
    FCA_SRC = "FCA_SRC"
    RSPO_2013 = "RSPO_2013"
    FCSA = "FCSA"
    UK_DATA_PROTECTION = "UK_DATA_PROTECTION"


class Channel(StrEnum):
    """How the complaint came in."""

    WEB = "web"
    EMAIL = "email"
    LETTER = "letter"
    PHONE = "phone"
    IN_PERSON = "in_person"
    SOCIAL_MEDIA = "social_media"
    IMPORT = "import"
    OTHER = "other"


class ComplainantType(StrEnum):
    """What the complainant is to the organisation."""

    MEMBER = "member"
    PUBLIC = "public"
    WORKER = "worker"
    STAFF = "staff"
    THIRD_PARTY = "third_party"
    ANONYMOUS = "anonymous"


class Severity(StrEnum):
    """How grave it is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Decision(StrEnum):
    """What was found on one point."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    NOT_UPHELD = "not_upheld"
    NO_FINDING = "no_finding"


class Redress(StrEnum):
    """How something is put right."""

    APOLOGY = "apology"
    SERVICE_CREDIT = "service_credit"
    REFUND = "refund"
    MONEY = "money"
    POLICY_CHANGE = "policy_change"
    STAFF_TRAINING = "staff_training"


class Destination(StrEnum):
    """Where a matter goes that is no complaint of ours."""

    SAFEGUARDING = "safeguarding"
    WHISTLEBLOWING = "whistleblowing"
    DATA_PROTECTION = "data_protection"
    LICENSING_APPEAL = "licensing_appeal"
    MONITORING = "monitoring"
    OTHER_BODY = "other_body"


class Ground(StrEnum):
    """Why a complaint is not accepted."""

    NOT_ABOUT_US = "not_about_us"
    OVER_12_MONTHS = "over_12_months"
    ALREADY_ANSWERED = "already_answered"
    LEGAL_ACTION = "legal_action"


class Cause(StrEnum):
    """Why a closed complaint is taken up again."""

    EXTERNAL_REMIT = "external_remit"
    NEW_FACTS = "new_facts"


class Criterion(StrEnum):
    """The criteria of the code of practice; a monitoring case is opened under one of them."""

    COMMITMENT_CONDUCT = "commitment_conduct"
    BUSINESS_INTEGRITY = "business_integrity"
    DECENT_WORK = "decent_work"
    COMMUNICATION = "communication"
    SOURCING = "sourcing"
    ENVIRONMENTAL = "environmental"
