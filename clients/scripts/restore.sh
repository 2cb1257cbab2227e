#!/usr/bin/env bash
# Brings Claude Code's sessions back from a Teamlore server, byte for byte.
#
#   restore.sh --list                  what is there
#   restore.sh --all                   everything
#   restore.sh <session id> …          these sessions
#   restore.sh --here                  those of the repository that you are in, wherever it was cloned
#
#   --map /home/al=/Users/al           where folders are on this machine; may be given several times
#   --rewrite-cwd                      also change the folder in the records (they then differ from
#                                      the backup, and are backed up as a version of their own)
#
# A local file is replaced only when it is the beginning of what comes. Anything else stays as it is:
# a longer one, a different one, and every one when the server does not answer.
#
# Needs bash 3.2, curl and jq. TEAMLORE_URL and TEAMLORE_KEY may come from the environment;
# otherwise they are in the folder that setup.sh made (~/.config/teamlore).
set -u
export LC_ALL=C
umask 077

SERVED_BY=@TEAMLORE_URL@
FOLDER="${TEAMLORE_HOME:-${XDG_CONFIG_HOME:-$HOME/.config}/teamlore}"
case "$0" in */*) [ ! -f "${0%/*}/key" ] || FOLDER="${0%/*}" ;; esac
PROJECTS="${CLAUDE_CONFIG_DIR:-$HOME/.claude}/projects"
WORKERS="${TEAMLORE_WORKERS:-4}"
RETRIES="${TEAMLORE_RETRIES:-2}"
TAB="$(printf '\t')"

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "teamlore: $*"
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
  trap 'stop_workers; exit 130' INT TERM HUP
  # The key is in a file, so that the list of processes does not show it.
  printf 'header = "X-API-Key: %s"\n' "$KEY" >"$WORK/curl"
}

if command -v sha256sum >/dev/null; then
  sha256() { sha256sum | cut -c1-64; }
elif command -v shasum >/dev/null; then
  sha256() { shasum -a 256 | cut -c1-64; }
else
  sha256() { openssl dgst -sha256 | sed 's/.*= *//'; }
fi

# Background jobs of a script do not hear Ctrl-C.
stop_workers() {
  local jobs
  jobs="$(jobs -p)"
  # shellcheck disable=SC2086 # one word a job
  [ -z "$jobs" ] || kill $jobs 2>/dev/null
  wait
}

fetch_manifest() {
  local only=()
  [ -z "$REMOTE" ] || only=(-G --data-urlencode "git_remote=$REMOTE")
  curl -fsS --connect-timeout 10 --max-time 300 --retry "$RETRIES" -K "$WORK/curl" \
    ${only[@]+"${only[@]}"} "$URL/api/manifest" >"$WORK/manifest"
}

# The repository that this folder is in, and its folder here. A name and password stay here.
find_repository() {
  command -v git >/dev/null || fail "--here needs git"
  HERE="$(git rev-parse --show-toplevel 2>/dev/null)" || fail "--here: this is no repository"
  REMOTE="$(git remote get-url origin 2>/dev/null | sed 's|^\([A-Za-z+]*://\)[^/@]*@|\1|')"
  [ -n "$REMOTE" ] || fail "--here: this repository has no remote called origin"
}

# Claude Code's name of a project's folder: each UTF-16 unit but letters and digits becomes a dash,
# and of a long one only the beginning is certain.
# shellcheck disable=SC2016 # these are jq's variables
FUNCTIONS='
  def unit: if (. >= 48 and . <= 57) or (. >= 65 and . <= 90) or (. >= 97 and . <= 122) then [.]
    elif . > 65535 then [45, 45] else [45] end;
  def encoded: explode | map(unit) | add // [] | implode;
  def under($from): . == $from or startswith($from + "/");
  def moved($maps): . as $path | first(
    ($maps[] | . as $map | select($path | under($map.from)) | $map.to + $path[($map.from | length):]),
    $path);
  def moved_folder($maps): . as $name | first(
    ($maps[] | (.from | encoded) as $from | select($name == $from or ($name | startswith($from + "-")))
      | (.to | encoded) + $name[($from | length):]),
    $name);
  def printable: all(explode[]; . >= 32);
  def fit: . != "" and (contains("/") | not) and (startswith(".") | not) and printable;
  def folder($maps): (.project_name // "") as $name | (.working_directory // "") as $cwd |
    if ($cwd | startswith("/")) and ($name == "" or ($name | fit | not) or $name == ($cwd | encoded))
    then ($cwd | moved($maps)) as $there |
      if $there == $cwd and ($name | fit) then $name else $there | encoded end
    elif $name | fit then $name | moved_folder($maps)
    else "restored" end;
'

# session, path, address, size, sha256, place below the projects
plan() {
  jq -r --argjson maps "$MAPS" --argjson wanted "$WANTED" --arg here "$HERE" "$FUNCTIONS"'
    select($wanted == null or (.session_id as $id | $wanted | index([$id])))
    | select(.session_id | test("^[A-Za-z0-9_-][A-Za-z0-9._-]*$"))
    | select(.path | . == "" or ((split("/") | all(.[]; . != "" and . != "." and . != "..")) and printable))
    | (if $here == "" then folder($maps) else $here | encoded end) as $folder
    | [.session_id, .path, (.path | split("/") | map(@uri) | join("/")), .size, .sha256,
       ($folder | if length > 200 then .[:200] else . end) + "/" + .session_id
         + (if .path == "" then ".jsonl" else "/" + .path end)]
    | join("\t")' "$WORK/manifest"
}

list() {
  fetch_manifest || fail "$URL cannot be asked what it has"
  jq -r 'select(.path == "") | [.updated[:16], (.size | tostring), .session_id,
    (.working_directory // .project_name // "")] | join("  ")' "$WORK/manifest" | sort
}

# The fields of a line of the plan, an empty one included (which `read` would swallow).
split_line() {
  local rest="$1" index=0
  field=()
  while [ $index -lt 6 ]; do
    field[index]=${rest%%"$TAB"*}
    case $rest in *"$TAB"*) rest=${rest#*"$TAB"} ;; *) rest="" ;; esac
    index=$((index + 1))
  done
}

note() { printf '%s\t%s\t%s\n' "$1" "$place" "${2:-}" >>"$mine/done"; }

# Where a file goes: of a folder whose name was cut, the one that is there already.
settle_place() {
  place="${field[5]}"
  local folder="${place%%/*}" found
  [ ${#folder} -eq 200 ] || return 0
  for found in "$PROJECTS/$folder"*; do
    [ ! -d "$found" ] || { place="${found##*/}/${place#*/}"; return 0; }
  done
}

# Whether a local file may give way: it is the beginning of what comes.
gives_way() {
  local here="$1" size
  size=$(($(wc -c <"$here")))
  if [ "$size" -gt "${field[3]}" ]; then
    note kept "longer here"
  elif [ "$size" -eq "${field[3]}" ] && [ "$(sha256 <"$here")" = "${field[4]}" ]; then
    note same
  else
    return 0
  fi
  return 1
}

restore_file() {
  local target address temporary size
  settle_place
  target="$PROJECTS/$place"
  [ ! -e "$target" ] || gives_way "$target" || return 0
  address="$URL/api/sessions/conversation/${field[0]}"
  [ -z "${field[1]}" ] || address="$URL/api/sessions/${field[0]}/files/${field[2]}"
  if [ "$unanswered" -ge 3 ]; then
    note failed "the server does not answer: run this again later"
    return 0
  fi
  mkdir -p "${target%/*}" || { note failed "cannot make its folder"; return 0; }
  temporary="${target%/*}/.teamlore.$$.$1"
  if ! curl -fsS -g --connect-timeout 10 --speed-limit 1 --speed-time 120 --retry "$RETRIES" \
    -K "$WORK/curl" -o "$temporary" "$address" 2>"$mine/problem"; then
    unanswered=$((unanswered + 1))
    note failed "$(cat "$mine/problem")"
  else
    unanswered=0
    [ -e "$temporary" ] || : >"$temporary" # curl makes no file of an empty answer
    if [ "$(sha256 <"$temporary")" != "${field[4]}" ]; then
      note failed "it is not what was announced: it changed meanwhile, or was damaged; run this again"
    else
      put_in_place "$temporary" "$target"
    fi
  fi
  rm -f "$temporary" "$temporary.cwd"
}

put_in_place() {
  local temporary="$1" target="$2" size
  case "$target" in
    *.jsonl)
      if [ -n "$REWRITE" ]; then
        sed "$REWRITE" "$temporary" >"$temporary.cwd" && mv -f "$temporary.cwd" "$temporary"
      fi
      ;;
  esac
  # Looked at again at the last moment: a session may be running.
  if [ -e "$target" ]; then
    size=$(($(wc -c <"$target")))
    if ! head -c "$size" "$temporary" | cmp -s - "$target"; then
      note kept "different here"
      return 0
    fi
  fi
  if mv -f "$temporary" "$target"; then note restored; else note failed "cannot be written"; fi
}

work() {
  mine="$WORK/worker$1"
  mkdir -p "$mine"
  local line place unanswered=0
  while IFS= read -r line; do
    split_line "$line"
    restore_file "$1" </dev/null
  done < <(awk -v n="$WORKERS" -v i="$1" 'NR % n == i' "$WORK/plan")
}

restore() {
  fetch_manifest || fail "$URL cannot be asked what it has; nothing was changed"
  plan >"$WORK/plan" || fail "the answer of $URL cannot be read; nothing was changed"
  [ -s "$WORK/plan" ] || fail "there is no such session"
  mkdir -p "$PROJECTS" || fail "cannot write to $PROJECTS"
  local index=0
  while [ $index -lt "$WORKERS" ]; do
    work $index &
    index=$((index + 1))
  done
  wait
  report
}

count() { cat "$WORK"/worker*/done 2>/dev/null | grep -c "^$1$TAB" || true; }

report() {
  local bad
  cat "$WORK"/worker*/done | grep -e "^failed$TAB" -e "^kept$TAB" |
    sed "s/^\([a-z]*\)$TAB/  \1: /; s/$TAB/: /" >&2
  bad="$(count failed)"
  printf '%s\n' \
    "Restore: $(count restored) restored, $(count same) the same, $(count kept) kept, $bad failed."
  [ "$bad" -eq 0 ]
}

add_map() {
  local from="${1%%=*}" to="${1#*=}"
  from="${from%/}" to="${to%/}"
  case "$1" in /*=/*) ;; *) fail "--map takes two absolute folders: /home/al=/Users/al" ;; esac
  MAPS="$(jq -c --arg from "$from" --arg to "$to" '. + [{from: $from, to: $to}]' <<<"$MAPS")"
}

# For sed: only the unescaped key "cwd" is a key, inside of a text its quotes are escaped.
make_rewrite() {
  REWRITE="$(jq -r '
    def pattern: tojson[1:-1] | gsub("(?<c>[][\\\\.*^$|])"; "\\" + .c);
    def plain: tojson[1:-1] | gsub("(?<c>[\\\\&|])"; "\\" + .c);
    .[] | "s|\"cwd\"\\( *: *\\)\"\(.from | pattern)\\([\"/]\\)|\"cwd\"\\1\"\(.to | plain)\\2|g"' \
    <<<"$MAPS")"
}

main() {
  local all="" rewrite="" ids=() listing=""
  MAPS='[]' WANTED=null REWRITE="" REMOTE="" HERE=""
  while [ $# -gt 0 ]; do
    case "$1" in
      --list) listing=1 ;;
      --all) all=1 ;;
      --here) all=1 && find_repository ;;
      --map) [ $# -gt 1 ] || fail "--map needs a value" && shift && add_map "$1" ;;
      --map=*) add_map "${1#--map=}" ;;
      --rewrite-cwd) rewrite=1 ;;
      -*) fail "unknown option $1; there are --list, --all, --here, --map FROM=TO, --rewrite-cwd" ;;
      *) ids+=("$1") ;;
    esac
    shift
  done
  connect
  [ -z "$listing" ] || { list; return; }
  if [ -z "$all" ]; then
    [ ${#ids[@]} -gt 0 ] || fail "say --all, or which sessions (--list shows them)"
    WANTED="$(printf '%s\n' "${ids[@]}" | jq -R . | jq -cs .)"
  fi
  [ -z "$rewrite" ] || make_rewrite
  restore
}

main "$@"
