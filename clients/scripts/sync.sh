#!/usr/bin/env bash
# Backs up Claude Code's sessions to a Teamlore server: transcripts, subagents, results of tools.
#
#   sync.sh           everything below ~/.claude/projects that the server does not have yet
#   sync.sh --hook    the one session that a Claude Code hook names on stdin; returns at once
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
BATCH=100
# Up to so many bytes of a file go together with others' in one request; larger ones go by themselves.
SMALL=1048576
TAB="$(printf '\t')"
NEWLINE='
'

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
  mkdir -p "$FOLDER/state" || fail "cannot write to $FOLDER"
  WORK="$(mktemp -d "$FOLDER/state/run.XXXXXX")" || fail "cannot write to $FOLDER/state"
  # The key is in a file, so that the list of processes does not show it.
  printf 'header = "X-API-Key: %s"\n' "$KEY" >"$WORK/curl"
}

# --- small tools that differ between systems -------------------------------------------------------

# Size, time and name; the time with a fraction where it can be had.
case "$(stat -c %.9Y / 2>/dev/null)" in
  [0-9]*.[0-9]*) DESCRIBE=(stat -c '%s %.9Y %n') ;;
  *)
    DESCRIBE=(stat -c '%s %Y %n')
    stat -c %s / >/dev/null 2>&1 || DESCRIBE=(stat -f '%z %Fm %N')
    ;;
esac

if command -v sha256sum >/dev/null; then
  DIGEST=(sha256sum)
elif command -v shasum >/dev/null; then
  DIGEST=(shasum -a 256)
else
  DIGEST=(openssl dgst -sha256 -r)
fi

# The digests of a stream, or of files named on stdin with a NUL behind each: a line for each.
sha256() { "${DIGEST[@]}" | cut -c1-64; }
sha256_of_files() { xargs -0 "${DIGEST[@]}" 2>/dev/null | sed 's/^\\//' | cut -c1-64; }

# A digest header's value from a SHA-256 in hex: base64 in the shell itself, for want of a tool
# that is the same everywhere.
digest_header() {
  local hex="${1}0000" out="" i=0 n
  local set64="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  while [ $i -lt 66 ]; do
    n=$((16#${hex:$i:3}))
    out="$out${set64:$((n >> 6)):1}${set64:$((n & 63)):1}"
    i=$((i + 3))
  done
  printf 'sha-256=:%s=:' "${out:0:43}"
}

# --- what is here, what is there ----------------------------------------------------------------

# session, path, size, sha256, repository of each stored file, and nothing when the server cannot be asked.
fetch_manifest() {
  curl -fsS --connect-timeout 10 --max-time 300 --retry "$RETRIES" -K "$WORK/curl" \
    "$URL/api/manifest${1:+?session_id=$1}" >"$WORK/manifest.json" || return 1
  read_manifest 2>/dev/null ||
    jq -r '[.session_id, .path, .size, .sha256, .git_remote // ""] | join("\t")' \
      "$WORK/manifest.json" >"$WORK/manifest"
}

# The same without starting jq, which takes longer than all the rest; fails where a line is not as our
# server writes it. Of a repository it tells only that there is one.
read_manifest() {
  awk -v FS='"' -v OFS="$TAB" '
    $2 != "session_id" || $6 != "path" || $10 != "size" || $12 != "sha256" || $4 $8 ~ /\\/ { exit 1 }
    { print $4, $8, substr($11, 2) + 0, $14, /"git_remote":null\}$/ ? "" : "known" }
  ' "$WORK/manifest.json" >"$WORK/manifest"
}

# size, time and path of each local file, of one session where one is named.
list_local() {
  cd "$PROJECTS" || return 1
  find . -type f -exec "${DESCRIBE[@]}" {} + >"$WORK/listed" || say "Some folders cannot be read."
}

# Splits what is here into what is settled (the new state's beginning) and what is to be done.
# A file is settled when it is as it was at its last sync, and the server answers as it did then;
# so neither is an unchanged file read, nor an older copy of a longer one sent again and again.
compare() {
  awk -v FS="$TAB" -v OFS="$TAB" -v only="${1:-}" \
    -v settled="$WORK/settled" -v todo="$WORK/todo" -v odd="$WORK/odd" '
    FILENAME ~ /manifest$/ { there[$1 FS $2] = $4; size[$1 FS $2] = $3; next }
    FILENAME ~ /state.tsv$/ { bytes_then[$1] = $2; time_then[$1] = $3; digest[$1] = $4; answer[$1] = $5; next }
    {
      line = $0
      if (line !~ /^[0-9]+ [0-9.]+ \.\//) { odd_line(line); next }
      bytes = line; sub(/ .*/, "", bytes)
      sub(/^[0-9]+ /, "", line)
      time = line; sub(/ .*/, "", time)
      sub(/^[0-9.]+ \.\//, "", line)
      parts = split(line, part, "/")
      if (parts < 2) next
      session = part[2]
      if (parts == 2) { if (!sub(/\.jsonl$/, "", session)) next; path = "" }
      else { path = substr(line, length(part[1]) + length(part[2]) + 3) }
      if (length(session) != 36 || session !~ /^[0-9a-fA-F]+-[0-9a-fA-F-]+$/) next
      if (only != "" && session != only) next
      if (line ~ /(^|\/)\.teamlore/) next
      if (index(line, FS)) { odd_line(line); next }
      key = session FS path
      if (bytes_then[line] == bytes && same_time(time_then[line], time) && key in there &&
          (there[key] == digest[line] || there[key] == answer[line]))
        print line, bytes, time, digest[line], there[key] > settled
      else
        print line, session, path, bytes, time, (key in there ? size[key] : -1), there[key] > todo
    }
    function odd_line(text) { print text > odd }
    # As text: numbers are not that exact. Notes of earlier versions had whole seconds.
    function same_time(noted, time) {
      if (noted "" == time "") return 1
      sub(/\..*/, "", time)
      return noted "" == time "" && noted != 0
    }
  ' "$WORK/manifest" "$STATE" "$WORK/listed"
}

# --- repositories -------------------------------------------------------------------------------

# The repository of each project that has something to send: folder, address of its `origin`. A
# name and password in it stay here.
find_remotes() {
  local folder cwd remote
  command -v git >/dev/null || return 0
  find_folders | while IFS="$TAB" read -r folder cwd; do
    [ -n "$cwd" ] || cwd="$(folder_of "$folder")"
    [ -n "$cwd" ] && [ -d "$cwd" ] || continue
    remote="$(git -C "$cwd" remote get-url origin 2>/dev/null </dev/null |
      sed 's|^\([A-Za-z+]*://\)[^/@]*@|\1|')"
    case "$remote" in "" | *[[:cntrl:]]*) ;; *) printf '%s\t%s\n' "$folder" "$remote" ;; esac
  done >"$WORK/remotes"
}

# The same as folder_of for all of these projects at once, as far as that is plainly said in the first
# transcript of each.
find_folders() {
  local folder
  awk -v FS="$TAB" '{ sub(/\/.*/, "", $1); if (!seen[$1]++) print $1 }' "$WORK/todo" |
    while IFS= read -r folder; do
      set -- "./$folder"/*.jsonl
      printf '%s\t%s\n' "$folder" "$1"
    done | awk -v FS="$TAB" -v OFS="$TAB" '{
      cwd = ""
      while ((getline line < $2) > 0)
        if (match(line, /"cwd" *: *"[^"]*"/)) {
          cwd = substr(line, RSTART, RLENGTH - 1)
          sub(/^"cwd" *: *"/, "", cwd)
          break
        }
      close($2)
      print $1, cwd ~ /[\\\t]/ ? "" : cwd
    }'
}

# The folder on this machine whose sessions are in the project folder $1, as one of them says.
folder_of() {
  local transcript cwd
  for transcript in "./$1"/*.jsonl; do
    [ -f "$transcript" ] || return 0
    cwd="$(grep -aom 1 '"cwd" *: *"[^"]*"' "$transcript")"
    cwd="${cwd%%"$NEWLINE"*}"
    case "$cwd" in
      "") continue ;;
      *\\*) printf '{%s}' "$cwd" | jq -r '.cwd' 2>/dev/null ;;
      *) cwd="${cwd%\"}" && printf '%s' "${cwd##*\"}" ;;
    esac
    return 0
  done
}

remote_of() { awk -v FS="$TAB" -v folder="$1" '$1 == folder { print $2; exit }' "$WORK/remotes"; }

# Sessions of these projects that were kept before anybody said where their repository is.
tell_remotes() {
  [ -s "$WORK/remotes" ] || return 0
  awk -v FS="$TAB" -v OFS="$TAB" '
    FILENAME ~ /remotes$/ { remote[$1] = $2; next }
    FILENAME ~ /manifest$/ { if ($2 == "" && $5 == "") nameless[$1] = 1; next }
    {
      split($1, part, "/")
      session = part[2]
      if (sub(/\.jsonl$/, "", session) && session in nameless && part[1] in remote)
        print session, remote[part[1]]
    }
  ' "$WORK/remotes" "$WORK/manifest" "$WORK/settled" | head -n 5000 >"$WORK/nameless"
  [ -s "$WORK/nameless" ] || return 0
  jq -cRn '{sessions: [inputs | split("\t") | {session_id: .[0], git_remote: .[1]}]}' \
    "$WORK/nameless" >"$WORK/told"
  curl -fsS --connect-timeout 10 --max-time 300 --retry "$RETRIES" -K "$WORK/curl" -o /dev/null \
    -H 'Content-Type: application/json' --data-binary "@$WORK/told" "$URL/api/sessions/sync"
}

# --- many files ---------------------------------------------------------------------------------

# Sends lines $1 to $2 of the worker's list: what is little all in one request, the rest with one call
# of curl; files that are new whole, longer ones from where the stored one ends. Each goes with its
# digest, so the server refuses what does not fit: a file that changes meanwhile, or does not begin
# like the stored one. What comes to nothing here is left in $mine/slow, to be looked at by itself.
send_batch() {
  rm -f "$mine"/head.*
  : >"$mine/slow"
  sed -n "$1,$2p" "$mine/todo" >"$mine/batch"
  look_at_clock
  cut -f 2 "$mine/batch" | sed 's|^|./|' | tr '\n' '\0' | sha256_of_files >"$mine/digests"
  paste "$mine/digests" "$mine/batch" >"$mine/listed"
  if [ "$unanswered" -ge 3 ] || ! describes_all "$mine/digests"; then
    cat "$mine/batch" >"$mine/slow"
    return
  fi
  plan_batch "$together"
  if [ -s "$mine/small" ] && ! send_small; then
    plan_batch again
  fi
  [ ! -s "$mine/config" ] || curl --fail-early -K "$mine/config" >/dev/null 2>&1 </dev/null
  judge
}

# What time it is for those who change files here.
look_at_clock() {
  echo >"$mine/now"
  NOW="$("${DESCRIBE[@]}" "$mine/now")"
  NOW="${NOW#* }"
  NOW="${NOW%% *}"
}

# Whether there is a digest of every file of the batch.
describes_all() { awk 'FNR == NR { n++; next } { n-- } END { exit n != 0 }' "$1" "$mine/batch"; }

# Shares the batch out: what is the same already goes straight to the notes, what is little to one
# request, the rest to curl, in its own language. $1 is 1, 0 where the server has no such request, or
# "again" where it came to nothing.
plan_batch() {
  : >"$mine/config" && : >"$mine/sent" && : >"$mine/small" && : >"$mine/pieces"
  awk -v FS="$TAB" -v OFS="$TAB" -v url="$URL" -v key="$KEY" -v retries="$RETRIES" -v mine="$mine" \
    -v now="$NOW" -v together="$1" -v small="$SMALL" '
    function quoted(text) { gsub(/["\\]/, "\\\\&", text); return "\"" text "\"" }
    function says(name, value) { print name " = " quoted(value) > config }
    function header(digest,   set64, i, n, out) {
      set64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
      digest = digest "0000"
      for (i = 1; i < 66; i += 3) {
        n = hex(digest, i) * 256 + hex(digest, i + 1) * 16 + hex(digest, i + 2)
        out = out substr(set64, int(n / 64) + 1, 1) substr(set64, n % 64 + 1, 1)
      }
      return "sha-256=:" substr(out, 1, 43) "=:"
    }
    function hex(text, at) { return index("0123456789abcdef", substr(text, at, 1)) - 1 }
    # A file that may change again without its time changing is looked at once more next time.
    function settled(time) {
      if (now - time > 2 || (time ~ /\.[0-9]*[1-9]/ && now - time > 0.1)) return time
      return 0
    }
    # Plain letters only: what would have to be escaped in JSON goes the other way.
    function is_small() {
      if ($6 - offset > small || $8 >= $6) return 0
      return $3 (folder in remote ? remote[folder] : "") !~ /[^ -~]|["\\]/
    }
    function send_alone(line) {
      $0 = line
      offset = $8 > 0 && $8 < $6 ? $8 : 0
      folder = $3; sub(/\/.*/, "", folder)
      if (count++) print "next" > config
      says("url", url "/api/sessions/" ($5 == "" ? "conversation/" $4 : $4 "/files/" $2))
      says("upload-file", "./" $3)
      says("request", offset ? "PATCH" : "PUT")
      if (offset) {
        says("continue-at", offset)
        says("header", "Content-Range:")
        says("header", "Upload-Offset: " offset)
        says("header", "Repr-Digest: " header($1))
      } else says("header", "Content-Digest: " header($1))
      says("header", "X-API-Key: " key)
      says("header", "Expect:")
      says("header", "X-Project-Name: " folder)
      if (folder in remote) says("header", "X-Git-Remote: " remote[folder])
      says("dump-header", mine "/head." count)
      says("output", mine "/answer")
      print "silent\ngloboff\nconnect-timeout = 10\nspeed-limit = 1\nspeed-time = 120" > config
      print "retry = " retries > config
      print count, offset ? "tail" : "whole", $3, $6, settled($7), $1, at[line] > (mine "/sent")
    }
    # An address of a file: curl can give the ends of many, where tail would run once for each.
    function address(path,   i, c, out) {
      for (i = 1; i <= length(path); i++) {
        c = substr(path, i, 1)
        out = out (c ~ /[A-Za-z0-9._\/-]/ ? c : sprintf("%%%02X", code[c]))
      }
      return "file://" out
    }
    function send_together(   i, said) {
      for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
      here = address(ENVIRON["PWD"])
      for (i = 1; i <= chosen; i++) {
        $0 = lines[i]
        offset = $8 > 0 ? $8 : 0
        folder = $3; sub(/\/.*/, "", folder)
        said = "\"session_id\":" quoted($4) ",\"path\":" quoted($5) ",\"offset\":" offset
        said = said ",\"length\":" ($6 - offset) ",\"sha256\":" quoted($1)
        said = said ",\"project_name\":" quoted(folder)
        if (folder in remote) said = said ",\"git_remote\":" quoted(remote[folder])
        first = first (first == "" ? "{\"tails\":[" : ",") "{" said "}"
        total += $6 - offset
        if (asked) print "next" > (mine "/pieces")
        print "silent\ngloboff\nurl = \"" here substr(address("/" $3), 8) "\"" > (mine "/pieces")
        if (offset) print "range = \"" offset "-\"" > (mine "/pieces")
        print ++asked, offset ? "tail" : "whole", $3, $6, settled($7), $1, at[lines[i]] > (mine "/small")
      }
    }
    BEGIN { config = mine "/config" }
    FILENAME ~ /remotes$/ { remote[$1] = $2; next }
    {
      if ($1 == $9) {
        if (together != "again") print $3, $6, settled($7), $1, $9, "same" > (mine "/done.more")
        next
      }
      at[$0] = FNR
      offset = $8 > 0 && $8 < $6 ? $8 : 0
      folder = $3; sub(/\/.*/, "", folder)
      if (together == "1" && bytes + $6 - offset <= 16 * small && is_small()) {
        bytes += $6 - offset
        lines[++chosen] = $0
      } else alone[++others] = $0
    }
    END {
      if (chosen == 1) { alone[++others] = lines[1]; chosen = 0 }
      send_together()
      for (i = 1; i <= others; i++) send_alone(alone[i])
      if (!chosen) exit
      first = first "]}"
      print first > (mine "/first")
      print length(first) + 1 + total > (mine "/expected")
    }
  ' "$WORK/remotes" "$mine/listed"
  note_done
}

# Sends what is little. Fails when a file has another length than a moment ago, or there is no answer
# for each: then all of them go one by one.
send_small() {
  local expected code
  { cat "$mine/first" && curl --fail-early -K "$mine/pieces" </dev/null; } >"$mine/body" 2>/dev/null
  read -r expected <"$mine/expected"
  [ "$(($(wc -c <"$mine/body")))" -eq "$expected" ] || return 1
  code="$(curl -s -g --connect-timeout 10 --speed-limit 1 --speed-time 120 --retry "$RETRIES" \
    -K "$WORK/curl" -X POST -T "$mine/body" -H 'Expect:' -o "$mine/answers" -w '%{http_code}' \
    "$URL/api/tails" </dev/null 2>/dev/null)"
  case "$code" in 404 | 405) together=0 ;; esac
  [ "$code" = 200 ]
}

# Notes what was kept; the rest is to be looked at by itself.
judge() {
  local heads=("$mine"/head.*)
  [ -s "$mine/sent" ] || [ -s "$mine/small" ] || return 0
  [ -e "${heads[0]}" ] || heads=(/dev/null)
  [ -s "$mine/small" ] || : >"$mine/answers"
  awk -v FS="$TAB" -v OFS="$TAB" -v mine="$mine" '
    FILENAME ~ /\/answers$/ {
      line = $0
      if (match(line, /^\{"status":[0-9]+/)) said[FNR] = substr(line, 11, RLENGTH - 10)
      if (match(line, /"sha256":"[0-9a-f]+"/)) now[FNR] = substr(line, RSTART + 10, RLENGTH - 11)
      next
    }
    FILENAME ~ /\/head\.[0-9]+$/ {
      number = FILENAME; sub(/.*\./, "", number)
      line = $0; sub(/\r$/, "", line)
      if (line ~ /^HTTP\//) { split(line, word, " "); status[number] = word[2] }
      if (tolower(line) ~ /^etag: *"[0-9a-f]+"$/) { gsub(/^[^"]*"|"$/, "", line); etag[number] = line }
      next
    }
    FILENAME ~ /\/small$/ { sort_out(said[$1], now[$1]); next }
    FILENAME ~ /\/sent$/ { sort_out(status[$1], etag[$1]); next }
    FNR in slow { sub(/^[^\t]*\t/, ""); print > (mine "/slow") }
    function sort_out(code, digest) {
      if (code ~ /^2/) print $3, $4, $5, $6, digest == "" ? $6 : digest, $2 > (mine "/done.more")
      else slow[$7] = 1
    }
  ' "$mine/answers" "${heads[@]}" "$mine/small" "$mine/sent" "$mine/listed"
  note_done
}

note_done() {
  [ ! -f "$mine/done.more" ] || { cat "$mine/done.more" >>"$mine/done" && rm "$mine/done.more"; }
}

# --- one file -----------------------------------------------------------------------------------

# Sends a body to $address; sets $status, and leaves the answer in $mine/answer.
send() {
  local method="$1" body="$2" folder="$3"
  shift 3
  how=whole
  : >"$mine/answer"
  status="$(curl -sS -g --connect-timeout 10 --speed-limit 1 --speed-time 120 --retry "$RETRIES" \
    -K "$WORK/curl" -X "$method" -T "$body" -H 'Expect:' -H "X-Project-Name: $folder" \
    -H "X-Git-Remote: $(remote_of "$folder")" "$@" \
    -D "$mine/headers" -o "$mine/answer" -w '%{http_code}' "$address" 2>"$mine/problem")"
}

# The fields of a line of the list, an empty one included (which `read` would swallow).
split_line() {
  local rest="$1" index=0
  field=()
  while [ $index -lt 7 ]; do
    field[index]=${rest%%"$TAB"*}
    case $rest in *"$TAB"*) rest=${rest#*"$TAB"} ;; *) rest="" ;; esac
    index=$((index + 1))
  done
}

# Sends what the server lacks of one file ($1: its path as in an address), and notes how it went.
keep_file() {
  local relative="${field[0]}" stored="${field[6]}" status digest size answer
  # A copy: a running session goes on writing.
  if ! cp -- "$relative" "$mine/copy" 2>"$mine/problem"; then
    [ ! -e "$relative" ] || failed "$relative" "$(cat "$mine/problem")"
    return 0
  fi
  size=$(($(wc -c <"$mine/copy")))
  digest="$(sha256 <"$mine/copy")"
  how=same
  if [ "$digest" = "$stored" ]; then
    record "$relative" "$size" "${field[4]}" "$digest" "$stored"
    return 0
  fi
  address="$URL/api/sessions/conversation/${field[1]}"
  [ -z "${field[2]}" ] || address="$URL/api/sessions/${field[1]}/files/$1"
  send_tail "${relative%%/*}" "$digest" "$size" ||
    send PUT "$mine/copy" "${relative%%/*}" -H "Content-Digest: $(digest_header "$digest")"
  case "$status" in
    2??)
      unanswered=0
      answer="$(sed -n 's/^[Ee][Tt][Aa][Gg]: *"\([0-9a-f]*\)".*/\1/p' "$mine/headers" | tail -n 1)"
      record "$relative" "$size" "${field[4]}" "$digest" "${answer:-$digest}"
      ;;
    000 | 50[234]) unanswered=$((unanswered + 1)) && explain "$relative" ;;
    *) unanswered=0 && explain "$relative" ;;
  esac
}

# Sends only what follows on the stored bytes, where those are the beginning of ours.
send_tail() {
  local there="${field[5]}"
  [ "$there" -gt 0 ] && [ "$there" -lt "$3" ] || return 1
  [ "$(head -c "$there" "$mine/copy" | sha256)" = "${field[6]}" ] || return 1
  tail -c "+$((there + 1))" "$mine/copy" >"$mine/tail"
  send PATCH "$mine/tail" "$1" -H "Upload-Offset: $there" \
    -H "Repr-Digest: $(digest_header "$2")" \
    -H "Content-Digest: $(digest_header "$(sha256 <"$mine/tail")")"
  case "$status" in 2??) how="tail" ;; *) return 1 ;; esac
}

explain() {
  local why
  why="$(jq -r '.error // .message // empty' "$mine/answer" 2>/dev/null)"
  [ "$status" != 000 ] || why="$(cat "$mine/problem")"
  failed "$1" "HTTP $status $why"
}

failed() { printf '%s\t%s\n' "$1" "$2" >>"$mine/failed"; }

# Times are whole seconds, so what changed a moment ago might change again within the same one:
# it is looked at once more next time.
record() {
  local time="$3"
  [ $((${NOW%%.*} - ${time%%.*})) -gt 2 ] || time=0
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$time" "$4" "$5" "$how" >>"$mine/done"
}

# One worker: what of the list is its own.
work() {
  mine="$WORK/worker$1"
  local line unanswered=0 address how first=1 total together=1
  total="$(count "$mine/todo")"
  while [ "$first" -le "$total" ]; do
    send_batch "$first" $((first + BATCH - 1))
    while IFS= read -r line; do
      split_line "${line#*"$TAB"}"
      if [ "$unanswered" -ge 3 ]; then
        failed "${field[0]}" "the server does not answer: run this again later"
      else
        keep_file "${line%%"$TAB"*}" </dev/null
      fi
    done <"$mine/slow"
    first=$((first + BATCH))
  done
}

# Shares the list out among as many workers as what is to be read is worth, paths as they are in
# addresses in front. Says how many.
share_out() {
  local index=0
  while [ $index -lt "$WORKERS" ]; do
    mkdir -p "$WORK/worker$index" && : >"$WORK/worker$index/todo"
    index=$((index + 1))
  done
  addresses | paste - "$WORK/todo" | awk -v FS="$TAB" -v most="$WORKERS" -v work="$WORK" '
    { line[NR] = $0; bytes += $5 }
    END {
      n = 1 + int(bytes / 16777216)
      if (n > most) n = most
      for (i = 1; i <= NR; i++) print line[i] > (work "/worker" i % n "/todo")
      print n
    }
  '
}

# The path of each file as in an address. Most are plain, which is told without starting jq.
addresses() {
  cut -f 3 "$WORK/todo" >"$WORK/paths"
  if LC_ALL=C grep -q '[^A-Za-z0-9._/-]' "$WORK/paths"; then
    jq -rR 'split("/") | map(@uri) | join("/")' "$WORK/paths"
  else
    cat "$WORK/paths"
  fi
}

# Background jobs of a script do not hear Ctrl-C.
stop_workers() {
  local jobs
  jobs="$(jobs -p)"
  # shellcheck disable=SC2086 # one word a job
  [ -z "$jobs" ] || kill $jobs 2>/dev/null
  wait
}

run_workers() {
  local index=0 workers
  : >"$WORK/remotes"
  [ -s "$WORK/todo" ] || return 0
  find_remotes
  workers="$(share_out)"
  while [ $index -lt "$workers" ]; do
    work $index &
    index=$((index + 1))
  done
  wait
}

# --- everything ---------------------------------------------------------------------------------

save_state() {
  trap - EXIT
  [ -f "$WORK/settled" ] || { clean_up; return; }
  {
    cat "$WORK/settled"
    cat "$WORK"/worker*/done 2>/dev/null | cut -f 1-5
  } >"$WORK/state" && mv -f "$WORK/state" "$STATE"
  clean_up
}

clean_up() {
  [ -z "${LOCK:-}" ] || rm -f "$LOCK"
  rm -rf "$WORK"
}

count() { echo $(($(cat "$@" 2>/dev/null | wc -l))); }

sync_all() {
  STATE="$FOLDER/state/state.tsv"
  LOCK=""
  trap clean_up EXIT
  trap 'stop_workers; exit 130' INT TERM HUP
  [ -d "$PROJECTS" ] || { say "No sessions yet: $PROJECTS does not exist."; return 0; }
  take_lock "$FOLDER/state/sync.lock" || fail "another sync is running"
  LOCK="$FOLDER/state/sync.lock"
  [ -f "$STATE" ] || : >"$STATE"
  fetch_manifest || fail "$URL cannot be asked what it has; nothing was sent"
  list_local || fail "cannot read $PROJECTS"
  : >"$WORK/settled" && : >"$WORK/todo" && : >"$WORK/odd"
  compare
  trap save_state EXIT
  [ ! -s "$WORK/todo" ] || say "Looking at $(count "$WORK/todo") new or changed files …"
  run_workers
  tell_remotes
  report
}

report() {
  cat "$WORK"/worker*/failed >"$WORK/failures" 2>/dev/null
  sed "s/\$/${TAB}a name that cannot be kept/" "$WORK/odd" >>"$WORK/failures"
  sed "s/^/  failed: /; s/${TAB}/: /" "$WORK/failures" >&2
  cat "$WORK"/worker*/done 2>/dev/null | awk -v FS="$TAB" '
    FILENAME ~ /\/failures$/ { bad++; next }
    FILENAME ~ /\/settled$/ { how["same"]++; next }
    { how[$6]++ }
    END {
      printf "Sync: %d uploaded, %d grown, %d unchanged, %d failed.\n",
        how["whole"], how["tail"], how["same"], bad
      exit bad > 0
    }
  ' "$WORK/failures" "$WORK/settled" -
}

# --- locks --------------------------------------------------------------------------------------

# A link whose target is the owner's process id: made in one step, or not at all. One whose owner
# is gone, or that is older than an hour, counts no more.
take_lock() {
  local owner me
  # `$$` is the parent's id in the background part, and bash 3.2 has no other name for its own.
  sh -c 'echo "$PPID"' >"$WORK/pid"
  read -r me <"$WORK/pid"
  ln -s "$me" "$1" 2>/dev/null && return 0
  owner="$(readlink "$1" 2>/dev/null)" || return 1
  if kill -0 "$owner" 2>/dev/null && [ -z "$(find "$1" -prune -mmin +60 2>/dev/null)" ]; then
    return 1
  fi
  mv -f "$1" "$WORK/stale" 2>/dev/null
  ln -s "$me" "$1" 2>/dev/null
}

# --- the hook -----------------------------------------------------------------------------------

# Reads what Claude Code says and leaves at once; the upload goes on in a process group of its own,
# with nothing of ours open, so that nobody waits for it or ends it.
hook() {
  local said session
  said="$(cat)"
  session="$(printf '%s' "$said" | jq -r '.session_id // empty' 2>/dev/null)"
  case "$session" in *[!0-9a-fA-F-]* | "") exit 0 ;; esac
  mkdir -p "$FOLDER/state" 2>/dev/null || exit 0
  set -m
  (hook_upload "$session") </dev/null >/dev/null 2>&1 &
  exit 0
}

# One upload at a time for a session. Who comes while one runs leaves a mark and goes; who runs
# looks for marks once more after its work, so that the last state is always sent.
hook_upload() {
  local session="$1" mark="$FOLDER/state/$1.wanted"
  trap '' HUP
  exec 2>>"$FOLDER/sync.log"
  : >"$mark"
  sleep "${TEAMLORE_SETTLE:-1}" # the last message may not be on disk yet
  connect
  trap clean_up EXIT
  while [ -e "$mark" ]; do
    take_lock "$FOLDER/state/$session.lock" || { LOCK=""; return 0; }
    LOCK="$FOLDER/state/$session.lock"
    rm -f "$mark"
    hook_once "$session" || say "$(date) $session: not everything could be backed up"
    rm -f "$LOCK"
    LOCK=""
  done
  shorten_log
}

hook_once() {
  STATE="$WORK/state.tsv"
  rm -rf "$WORK"/worker*
  : >"$STATE" && : >"$WORK/settled" && : >"$WORK/todo" && : >"$WORK/odd"
  fetch_manifest "$1" && list_session "$1" && compare "$1" && run_workers && report >/dev/null
}

# The files of one session only, in whichever project.
list_session() {
  cd "$PROJECTS" || return 1
  local place
  for place in */"$1".jsonl */"$1"; do
    [ ! -e "$place" ] || find "./$place" -type f -exec "${DESCRIBE[@]}" {} +
  done >"$WORK/listed"
}

shorten_log() {
  [ "$(($(wc -c <"$FOLDER/sync.log")))" -gt 200000 ] || return 0
  tail -n 200 "$FOLDER/sync.log" >"$WORK/log" && cat "$WORK/log" >"$FOLDER/sync.log"
}

main() {
  case "${1:-}" in
    --hook) hook ;;
    "") connect && sync_all ;;
    *) fail "sync.sh takes no arguments, or --hook" ;;
  esac
}

main "$@"
