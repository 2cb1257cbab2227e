#!/usr/bin/env bash
# Writes your sessions as notes into a folder of an Obsidian vault, and brings them up to date.
#
#   obsidian.sh ~/vault/Claude
#
# A note is found by its session_id, so you may rename it. Only notes that have changed are written.
# What you write below the line "%% yours %%" stays; notes of deleted sessions stay too.
#
# Needs bash 3.2, curl and jq. TEAMLORE_URL and TEAMLORE_KEY may come from the environment;
# otherwise they are in the folder that setup.sh made (~/.config/teamlore).
set -u
export LC_ALL=C

SERVED_BY=@TEAMLORE_URL@
FOLDER="${TEAMLORE_HOME:-${XDG_CONFIG_HOME:-$HOME/.config}/teamlore}"
case "$0" in */*) [ ! -f "${0%/*}/key" ] || FOLDER="${0%/*}" ;; esac
TAB="$(printf '\t')"
MARK='%% yours %%'

fail() {
  printf 'teamlore: %s\n' "$*" >&2
  exit 1
}

connect() {
  command -v jq >/dev/null || fail "jq is missing: install it first (brew install jq, apt install jq)"
  command -v curl >/dev/null || fail "curl is missing"
  URL="${TEAMLORE_URL:-}"
  [ -n "$URL" ] || { [ -f "$FOLDER/url" ] && URL="$(cat "$FOLDER/url")"; }
  URL="${URL:-$SERVED_BY}"
  URL="${URL%/}"
  KEY="${TEAMLORE_KEY:-}"
  [ -n "$KEY" ] || { [ -f "$FOLDER/key" ] && KEY="$(cat "$FOLDER/key")"; }
  [ -n "$KEY" ] || fail "no key: set TEAMLORE_KEY, or run setup.sh first"
  case "$KEY" in *[!A-Za-z0-9._-]*) fail "the key has characters that no key has" ;; esac
  WORK="$(mktemp -d "${TMPDIR:-/tmp}/teamlore.XXXXXX")" || fail "cannot make a temporary folder"
  trap 'rm -rf "$WORK"' EXIT
  trap 'exit 130' INT TERM HUP
  (umask 077 && printf 'header = "X-API-Key: %s"\n' "$KEY" >"$WORK/curl")
}

# All notes, each in a file of its own (note.1, note.2, …), and a list: number, session, file name.
fetch_notes() {
  curl -fsS --connect-timeout 10 --max-time 3600 --retry 2 -K "$WORK/curl" \
    -o "$WORK/notes.json" "$URL/api/sessions/export/obsidian" ||
    fail "$URL cannot be asked for notes; nothing was changed"
  # The marks cannot be in a note: control characters are taken out of it.
  jq -j '.[] | select(.filename | test("^[^./\u0001-\u001f][^/\u0001-\u001f]*[.]md$"))
    | "\u0001\(.session_id)\t\(.filename)\n\(.content)"
      + (if .content | endswith("\n") then "" else "\n" end)' \
    "$WORK/notes.json" >"$WORK/notes" || fail "the answer of $URL cannot be read; nothing was changed"
  : >"$WORK/list"
  awk -v work="$WORK" '
    /^\001/ {
      if (file) close(file)
      file = work "/note." ++count
      print count "\t" substr($0, 2) > (work "/list")
      next
    }
    { print > file }
  ' "$WORK/notes"
}

# Which note of the vault is about which session: session, file name.
find_notes() {
  local note id
  for note in "$VAULT"/*.md; do
    [ -f "$note" ] || continue
    id="$(sed -n '1,5s/^session_id: "\(.*\)"$/\1/p' "$note")"
    [ -z "$id" ] || printf '%s\t%s\n' "$id" "${note##*/}"
  done >"$WORK/known"
  # number, file name to write
  awk -v FS="$TAB" -v OFS="$TAB" '
    FILENAME ~ /known$/ { known[$1] = $2; next }
    { print $1, ($2 in known) ? known[$2] : $3 }
  ' "$WORK/known" "$WORK/list" >"$WORK/plan"
}

write_notes() {
  local number name fresh old changed=0 same=0 failed=0
  while IFS="$TAB" read -r number name; do
    fresh="$WORK/note.$number" old="$VAULT/$name"
    if [ -f "$old" ]; then
      sed -n "/^$MARK\$/,\$p" "$old" >>"$fresh"
      if cmp -s "$fresh" "$old"; then
        same=$((same + 1))
        continue
      fi
    fi
    # In one step: a note is the old one or the new one.
    if cp "$fresh" "$VAULT/.teamlore.$number" && mv -f "$VAULT/.teamlore.$number" "$old"; then
      changed=$((changed + 1))
    else
      failed=$((failed + 1))
    fi
  done <"$WORK/plan"
  printf '%s\n' "Notes: $changed written, $same the same, $failed failed."
  [ "$failed" -eq 0 ]
}

main() {
  [ $# -eq 1 ] && [ -n "$1" ] || fail "say where the notes go: obsidian.sh ~/vault/Claude"
  VAULT="$1"
  connect
  fetch_notes
  mkdir -p "$VAULT" || fail "cannot write to $VAULT"
  find_notes
  write_notes
}

main "$@"
