#!/usr/bin/env bash
# The tutorial, as one script: every command of docs/tutorial.md, in its order. Needs `make setup`, and nothing else.
#
#   docs/tutorial/run.sh            in a folder that is thrown away
#   docs/tutorial/run.sh FOLDER     in a folder that you can look at afterwards
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH"

WORK="${1:-$(mktemp -d)}"
mkdir -p "$WORK"
export MUSTER_HOME="$WORK/muster" TUTORIAL="$WORK"
PORT="$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
export MUSTER_SMTP_URL="smtp://127.0.0.1:$PORT"
unset MUSTER_DATABASE_URL MUSTER_POLICY PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$WORK/compiled"    # commands start faster when they need not be compiled again

python -m workflows.mail_catcher "$PORT" "$WORK/mails" &
CATCHER=$!
finish() {
    kill "$CATCHER" 2>/dev/null || true
    muster stop >/dev/null 2>&1 || true
    [ -n "${KEEP:-}" ] || rm -rf "$WORK"
}
KEEP="${1:-}"
trap finish EXIT

said() { echo; echo "# $*"; }

expect() { # expect REF STATE: what the tutorial says about a case is what Muster says
    muster cases show "$1" --json | python -c '
import json, sys
ref, wanted = sys.argv[1:]
found = json.load(sys.stdin)["state"]
sys.exit(0 if found == wanted else f"{ref} is {found}, and should be {wanted}")' "$1" "$2"
}

refused() { # refused COMMAND...: it must be refused
    if "$@"; then echo "This should have been refused: $*"; exit 1; fi
}

mails() { # mails WORD COUNT: so many mails have the word in their subject
    python - "$TUTORIAL/mails" "$1" "$2" <<'PYTHON'
import sys
from email import message_from_bytes, policy
from pathlib import Path

folder, word, wanted = sys.argv[1:]
read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in Path(folder).glob("*.eml")]
found = sum(word.lower() in str(mail["Subject"]).lower() for mail in read)
sys.exit(0 if found == int(wanted) else f"{found} mails about {word!r}, and not {wanted}: "
         + "; ".join(str(mail["Subject"]) for mail in read))
PYTHON
}

said "1. A sandbox, its staff and its members"
muster init --sandbox
muster clock set 2026-03-02
muster staff add sol@association.example --name "Sol Ferreira" --role senior_manager
muster staff add mina@association.example --name "Mina Haddad" --role manager --manager sol@association.example
muster staff add amara@association.example --name "Amara Osei" --role coordinator --manager mina@association.example
muster members import docs/tutorial/members.csv --map name=Organisation --map tier=Level --map region=Region --map contact_name=Contact --map email=E-mail --map phone=Telephone --map contact_name_2="Second contact" --map email_2="Second e-mail"
muster members list

said "2. A plan, approved by somebody else"
muster campaigns plan docs/tutorial/plan.yaml --as amara@association.example
refused muster cases fire SC-2026-000001 approve_plan --as amara@association.example --set data_protection_checked=true
muster cases fire SC-2026-000001 approve_plan --as mina@association.example --set data_protection_checked=true
muster cases fire SC-2026-000001 skip_pilot --as mina@association.example --set reason="The same questions as last year"
muster cases show SC-2026-000001

said "3. The launch"
muster clock set 2026-03-09
muster sweep
muster deliver
mails "Please answer by" 6
muster campaigns status SC-2026-000001
muster cases show SR-2026-000005 --as amara@association.example

said "4. Answers, and a question back"
muster answers sample SR-2026-000002 > "$TUTORIAL/answers.json"
muster answers submit SR-2026-000002 "$TUTORIAL/answers.json"
muster cases fire SR-2026-000002 complete --as amara@association.example
muster answers sample SR-2026-000003 > "$TUTORIAL/answers.json"
muster answers submit SR-2026-000003 "$TUTORIAL/answers.json"
muster cases fire SR-2026-000003 query --as amara@association.example --set 'questions=[{"question": "staff", "text": "Is this for your whole group, or for Béziers alone?"}]'
muster deliver
mails "question" 1

said "5. Reminders"
muster clock set 2026-03-16
muster sweep
muster deliver
mails "reached the right person" 7
muster answers sample SR-2026-000003 --seed 1 > "$TUTORIAL/answers.json"
muster answers submit SR-2026-000003 "$TUTORIAL/answers.json"
muster cases fire SR-2026-000003 complete --as amara@association.example
muster answers sample SR-2026-000004 > "$TUTORIAL/answers.json"
muster answers submit SR-2026-000004 "$TUTORIAL/answers.json"
refused muster cases fire SR-2026-000004 complete --as amara@association.example
muster cases fire SR-2026-000004 second_check --as mina@association.example --set agreed=true
muster cases fire SR-2026-000004 complete --as amara@association.example

said "6. An exemption"
muster cases fire SR-2026-000006 request_exemption --as amara@association.example --set exemption=force_majeure --set details="A fire on 12 March; they told us by telephone"
refused muster cases fire SR-2026-000006 approve_exemption --as amara@association.example --set reason="Known from the press"
muster cases fire SR-2026-000006 approve_exemption --as mina@association.example --set reason="Confirmed by the fire brigade"
muster campaigns status SC-2026-000001

said "7. The deadline passes"
muster clock set 2026-03-30
muster sweep
muster deliver
muster clock set 2026-04-24
muster sweep
muster deliver
expect SC-2026-000001 overdue_chase
muster clock set 2026-04-28
muster sweep
muster deliver
expect SR-2026-000007 escalated
muster cases show SR-2026-000007 --as amara@association.example
muster cases fire SR-2026-000007 log_call --as amara@association.example --set outcome=promised --set promised_on=2026-04-30 --set note="Ece will send it on Thursday"
muster clock set 2026-04-30
muster answers sample SR-2026-000007 > "$TUTORIAL/answers.json"
muster answers submit SR-2026-000007 "$TUTORIAL/answers.json"
muster cases fire SR-2026-000007 complete --as amara@association.example

said "8. Letter, formal notice, decision"
muster clock set 2026-05-08
muster sweep
muster clock set 2026-05-20
muster sweep
muster deliver
muster clock set 2026-05-22
muster sweep
muster deliver
expect SR-2026-000005 formal_notice
muster messages list --case SR-2026-000005
muster clock set 2026-06-08
muster sweep
muster deliver
muster cases fire SR-2026-000005 fail --as mina@association.example --set reason="Two calls, a letter and a formal notice, and no answer"
muster cases show MC-2026-000008

said "9. The report, and the end"
muster clock set 2026-06-09
muster sweep
muster cases fire SC-2026-000001 submit_report --as amara@association.example --set report="Member pulse 2026, page 1 to 4"
muster cases fire SC-2026-000001 approve_report --as mina@association.example
refused muster cases fire SC-2026-000001 close_100 --as mina@association.example
muster cases fire SC-2026-000001 close_with_exceptions --as sol@association.example --set reason="Curlew Cotton has not answered" --set 'outstanding=[{"member": "M-000004", "action": "A monitoring case was opened"}]'
expect SC-2026-000001 closed_exception
muster campaigns status SC-2026-000001

said "10. Can it be trusted?"
muster audit verify
muster check
echo
echo "The tutorial works."
