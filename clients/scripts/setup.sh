#!/usr/bin/env bash
# Sets this machine up to back up Claude Code's sessions to a Teamlore server after every turn.
#
#   curl -fsS <server>/setup.sh | TEAMLORE_KEY=<key> bash
#   curl -fsS <server>/setup.sh | bash -s -- --remove      undoes it; sessions and backups stay
#
# What it does: puts its scripts, the address and the key into ~/.config/teamlore, adds two
# hooks to Claude Code's settings.json, and backs up everything once. Run again, it changes nothing
# but what is out of date.
#
# Needs bash 3.2, curl and jq.
set -u
umask 077

SERVED_BY=@TEAMLORE_URL@

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "teamlore: $*"
  exit 1
}

prepare() {
  command -v jq >/dev/null || fail "jq is missing: install it first (brew install jq, apt install jq)"
  command -v curl >/dev/null || fail "curl is missing"
  [ -n "${HOME:-}" ] || fail "HOME is not set"
  FOLDER="${TEAMLORE_HOME:-${XDG_CONFIG_HOME:-$HOME/.config}/teamlore}"
  SETTINGS="${CLAUDE_CONFIG_DIR:-$HOME/.claude}/settings.json"
  # A link, as people have who keep their settings in a repository: what it leads to is changed.
  local hops=0 target
  while [ -L "$SETTINGS" ] && [ $hops -lt 20 ]; do
    target="$(readlink "$SETTINGS")"
    case "$target" in /*) SETTINGS="$target" ;; *) SETTINGS="$(dirname "$SETTINGS")/$target" ;; esac
    hops=$((hops + 1))
  done
  WORK="$(mktemp -d "${TMPDIR:-/tmp}/teamlore.XXXXXX")" || fail "cannot make a temporary folder"
  trap 'rm -rf "$WORK"' EXIT
}

connect() {
  URL="${TEAMLORE_URL:-$SERVED_BY}"
  URL="${URL%/}"
  KEY="${TEAMLORE_KEY:-}"
  [ -n "$KEY" ] || { [ -f "$FOLDER/key" ] && KEY="$(cat "$FOLDER/key")"; }
  [ -n "$KEY" ] || fail "no key. Say: curl -fsS $URL/setup.sh | TEAMLORE_KEY=<your key> bash"
  case "$KEY" in *[!A-Za-z0-9._-]*) fail "the key has characters that no key has" ;; esac
  printf 'header = "X-API-Key: %s"\n' "$KEY" >"$WORK/curl"
  local status
  status="$(curl -sS --connect-timeout 10 --max-time 60 -K "$WORK/curl" -o /dev/null \
    -w '%{http_code}' "$URL/api/auth/me")"
  case "$status" in
    200) ;;
    401 | 403) fail "$URL does not know this key; nothing was changed" ;;
    *) fail "$URL does not answer as it should (HTTP $status); nothing was changed" ;;
  esac
}

# All of a script, or none of it.
download() {
  curl -fsS --connect-timeout 10 --max-time 60 -o "$WORK/$1" "$URL/$1" &&
    bash -n "$WORK/$1" && [ -s "$WORK/$1" ] || fail "cannot get $URL/$1; nothing was changed"
}

install_files() {
  { mkdir -p "$FOLDER" && chmod 700 "$FOLDER"; } || fail "cannot write to $FOLDER"
  local name
  for name in sync.sh restore.sh obsidian.sh; do put "$name" <"$WORK/$name" && chmod 700 "$FOLDER/$name"; done
  printf '%s\n' "$URL" | put url
  printf '%s\n' "$KEY" | put key
}

put() {
  { cat >"$FOLDER/.$1.new" && mv -f "$FOLDER/.$1.new" "$FOLDER/$1"; } ||
    fail "cannot write $FOLDER/$1"
}

# Settings that cannot be understood are left alone: Claude Code drops a file with one bad hook.
CHECK='
  def hooks_fit: type == "object" and all(.[]; type == "array" and all(.[];
    type == "object" and ((.hooks // []) | type == "array" and all(.[]; type == "object"))));
  if length != 1 then error("must be one object")
  elif .[0] | type != "object" then error("must be an object")
  elif .[0] | has("hooks") and (.hooks | hooks_fit | not) then error("its hooks have an odd shape")
  else .[0] end'
# Without our hooks, wherever they are; a group that had nothing else goes too.
# shellcheck disable=SC2016 # these are jq's variables
WITHOUT='
  def ours: (.command? // "") | type == "string" and contains($script);
  def without: map(if ((.hooks // []) | any(.[]; ours))
      then .hooks |= map(select(ours | not)) | select(.hooks != []) else . end);
  if has("hooks") then
    (.hooks | to_entries | map(select(.value | any(.[]; (.hooks // []) | any(.[]; ours))) | .key)) as $touched
    | reduce $touched[] as $event (.; .hooks[$event] |= without
        | if .hooks[$event] == [] then del(.hooks[$event]) else . end)
    | if .hooks == {} and $touched != [] then del(.hooks) else . end
  else . end'
# shellcheck disable=SC2016 # these are jq's variables
WITH='
  def add($event; $hook): .hooks[$event] = (.hooks[$event] // []) + [{hooks: [$hook]}];
  def has_ours($event; $hook): (.hooks[$event] // []) | any(.[]; (.hooks // []) | any(.[]; . == $hook));
  {type: "command", command: $command, timeout: 30} as $hook
  | if has_ours("Stop"; $hook) and has_ours("SessionEnd"; $hook) then .
    else '"($WITHOUT)"' | add("Stop"; $hook) | add("SessionEnd"; $hook) end'

# Reads the settings, or {} where there are none, into $WORK/settings.
read_settings() {
  if [ -s "$SETTINGS" ]; then
    jq -s "$CHECK" "$SETTINGS" >"$WORK/settings" 2>"$WORK/problem"
  else
    printf '{}\n' >"$WORK/settings"
  fi
}

# Writes what the jq program $1 makes of the settings, if that differs from what they are.
change_settings() {
  local command script="$FOLDER/sync.sh"
  command="bash $(printf '%q' "$script") --hook"
  jq --arg command "$command" --arg script "$(printf '%q' "$script") --hook" "$1" \
    "$WORK/settings" >"$WORK/changed" || return 1
  ! cmp -s "$WORK/settings" "$WORK/changed" || return 0
  mkdir -p "$(dirname "$SETTINGS")" || return 1
  if [ -e "$SETTINGS" ]; then
    [ -e "$SETTINGS.before-teamlore" ] || cp -p "$SETTINGS" "$SETTINGS.before-teamlore" || return 1
    cp -p "$SETTINGS" "$SETTINGS.teamlore-new" || return 1
  fi
  cat "$WORK/changed" >"$SETTINGS.teamlore-new" && mv -f "$SETTINGS.teamlore-new" "$SETTINGS"
}

set_up() {
  prepare
  connect
  download sync.sh
  download restore.sh
  download obsidian.sh
  install_files
  if ! read_settings; then
    say "$SETTINGS is left as it is, because it cannot be understood:"
    say "  $(head -c 300 "$WORK/problem")"
    fail "mend it and run this again; until then sessions are backed up by: bash $FOLDER/sync.sh"
  fi
  change_settings "$WITH" || fail "cannot write $SETTINGS; it is as it was"
  say "Sessions are backed up to $URL after every turn from now on."
  TEAMLORE_URL='' TEAMLORE_KEY='' bash "$FOLDER/sync.sh" </dev/null
}

remove() {
  prepare
  if ! read_settings; then
    fail "$SETTINGS cannot be understood: take the hooks with $FOLDER/sync.sh out by hand first"
  fi
  [ ! -s "$SETTINGS" ] || change_settings "$WITHOUT" || fail "cannot write $SETTINGS; it is as it was"
  local name
  for name in sync.sh restore.sh obsidian.sh url key sync.log; do rm -f "$FOLDER/$name"; done
  rm -rf "$FOLDER/state"
  rmdir "$FOLDER" 2>/dev/null
  say "Removed. Your sessions and their backups stay as they are."
}

main() {
  case "${1:-}" in
    "") set_up ;;
    --remove) remove ;;
    *) fail "setup.sh takes no arguments, or --remove" ;;
  esac
}

main "$@"
