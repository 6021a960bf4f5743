#!/bin/sh
# Installs, upgrades or removes the Tagplane agent. `install.sh --help` tells how.
#
# Nothing is touched before the release is there and its SHA-256 is the one that was asked for. A run that
# finds everything as it is to be changes nothing and says so.
set -eu
umask 022
PATH=${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}
export PATH
LC_ALL=C
export LC_ALL

NAME=tagplane-agent
MARK='# Written by install.sh of tagplane-agent; a file without this line is left alone.'

usage() {
  cat <<'USAGE'
Usage: install.sh --tarball URL|FILE --sha256 HEX --auth HOST:PORT[,…] --ca-pin sha256:HEX[,…] JOIN [OPTIONS]
       install.sh --rollback | --uninstall [--purge]  [--root DIR]

  --tarball URL|FILE   the release: https://, http:// or a path; {arch} becomes x64 or arm64
  --sha256 HEX         what the release must hash to
  --sha256-x64 HEX, --sha256-arm64 HEX
                       the same for one kind of machine
  --auth LIST          addresses of the auth service
  --ca-pin LIST        pins of the cluster's authority
  --join token|iam|ec2 how the agent joins; default token
  --token-file FILE    the join token (with --join token); - reads it from standard input
  --root DIR           install into this root file system; nothing is started
  --no-start           enable, but do not start
  --rollback           go back to the release before
  --uninstall          remove the agent; --purge also its configuration, identity and user
USAGE
}

say() { printf '%s\n' "$NAME: $*"; }
fail() {
  printf '%s\n' "$NAME: $*" >&2
  exit 1
}
misused() {
  printf '%s\n' "install.sh: $*" >&2
  exit 2
}

mode=install
tarball=
sha256=
sha256_x64=
sha256_arm64=
auth=
pins=
join=token
token_file=
root=
start=yes
purge=no

while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage && exit 0 ;;
    --rollback) mode=rollback ;;
    --uninstall) mode=uninstall ;;
    --purge) purge=yes ;;
    --no-start) start=no ;;
    --tarball | --sha256 | --sha256-x64 | --sha256-arm64 | --auth | --ca-pin | --join | --token-file | --root)
      [ $# -ge 2 ] || misused "$1 needs a value"
      case $1 in
        --tarball) tarball=$2 ;;
        --sha256) sha256=$2 ;;
        --sha256-x64) sha256_x64=$2 ;;
        --sha256-arm64) sha256_arm64=$2 ;;
        --auth) auth=$2 ;;
        --ca-pin) pins=$2 ;;
        --join) join=$2 ;;
        --token-file) token_file=$2 ;;
        --root) root=${2%/} ;;
      esac
      shift
      ;;
    *) misused "unknown option: $1 (see --help)" ;;
  esac
  shift
done

lib=$root/usr/local/lib/$NAME
bin=$root/usr/local/bin/$NAME
etc=$root/etc/tagplane
config=$etc/agent.yaml
token=$etc/agent-token
state=$root/var/lib/$NAME
unit=$root/etc/systemd/system/$NAME.service
wants=$root/etc/systemd/system/multi-user.target.wants/$NAME.service

changes=
changed() { changes="$changes${changes:+, }$*"; }

work=
fetched=no
cleanup() {
  if [ -n "$work" ]; then rm -rf "$work"; fi
  rm -rf "$lib/.new"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Systemd runs here and this is its root: units can be started.
live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
has() { command -v "$1" >/dev/null 2>&1; }
in_root() { if [ -z "$root" ]; then "$@"; else chroot "$root" "$@"; fi; }

machine() {
  case $(uname -m) in
    x86_64 | amd64) echo x64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) fail "there is no release for $(uname -m): only for x86_64 and aarch64" ;;
  esac
}

# One run at a time; two would unpack into the same place.
lock() {
  has flock || return 0
  mkdir -p "$root/run"
  exec 9>"$root/run/$NAME-install.lock"
  flock -n 9 || fail 'another installation is under way'
}

is_sha256() { printf '%s' "$1" | grep -Eq '^[0-9a-f]{64}$'; }

check_options() {
  [ -n "$tarball" ] || misused '--tarball is missing'
  arch=$(machine)
  tarball=$(printf '%s' "$tarball" | sed "s/{arch}/$arch/g")
  case $arch in
    x64) sha256=${sha256:-$sha256_x64} ;;
    arm64) sha256=${sha256:-$sha256_arm64} ;;
  esac
  [ -n "$sha256" ] || misused "--sha256 (or --sha256-$arch) is missing: a release is not installed unverified"
  sha256=$(printf '%s' "$sha256" | tr 'A-F' 'a-f')
  is_sha256 "$sha256" || misused '--sha256 takes 64 hexadecimal digits'
  check_list --auth "$auth" '[A-Za-z0-9._-]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}'
  check_list --ca-pin "$pins" 'sha256:[0-9a-f]{64}'
  case $join in
    token | iam | ec2) ;;
    *) misused '--join is token, iam or ec2' ;;
  esac
  if [ "$join" != token ] && [ -n "$token_file" ]; then misused "--token-file goes with --join token only"; fi
}

# Everything in a list is written into YAML: only what cannot mean anything else there is let in.
check_list() {
  [ -n "$2" ] || misused "$1 is missing"
  printf '%s' "$2" | grep -Eq "^($3)(,($3))*\$" || misused "$1: not understood: $2"
}

check_tools() {
  [ "$(id -u)" = 0 ] || fail 'root is needed'
  for tool in cmp gzip mktemp readlink sed sha256sum tar; do
    has "$tool" || fail "$tool is needed and not installed"
  done
  # Its owner's alone: a token may pass through it.
  work=$(mktemp -d "${TMPDIR:-/tmp}/$NAME.XXXXXX")
}

fetch() {
  case $1 in
    https://* | http://*)
      if has curl; then
        curl -fsSL --retry 3 --connect-timeout 20 --max-time 300 -o "$2" "$1" || fail "$1 could not be fetched"
      elif has wget; then
        wget -q -T 60 -t 3 -O "$2" "$1" || fail "$1 could not be fetched"
      else
        fail 'curl or wget is needed and neither is installed'
      fi
      ;;
    *) cp "$1" "$2" || fail "$1 could not be read" ;;
  esac
}

installed_sha256() { cat "$lib/current/.sha256" 2>/dev/null || :; }

# Leaves a verified release in $work/release.tar.gz, unless it is installed already.
get_release() {
  if [ "$(installed_sha256)" = "$sha256" ]; then return 0; fi
  fetch "$tarball" "$work/release.tar.gz"
  actual=$(sha256sum "$work/release.tar.gz" | cut -d' ' -f1)
  if [ "$actual" != "$sha256" ]; then
    fail "$tarball is not what it should be: its SHA-256 is $actual, expected $sha256; nothing was changed"
  fi
  fetched=yes
}

# Replaces a link in one step: there is no moment without it.
point() {
  ln -s "$1" "$2.new.$$"
  mv -T "$2.new.$$" "$2"
}

unpack_release() {
  [ "$fetched" = yes ] || return 0
  mkdir -p "$lib"
  rm -rf "$lib/.new"
  mkdir "$lib/.new"
  tar -xzf "$work/release.tar.gz" -C "$lib/.new" --strip-components=1 --no-same-owner ||
    fail 'the release could not be unpacked; nothing was changed'
  version=$(in_root "${lib#"$root"}/.new/bin/$NAME" --version) ||
    fail 'the release does not run on this machine; nothing was changed'
  version=${version##* }
  printf '%s' "$version" | grep -Eq '^[0-9A-Za-z.+-]{1,64}$' || fail 'the release does not tell its version'
  printf '%s\n' "$sha256" >"$lib/.new/.sha256"
  release=$version-$(printf '%s' "$sha256" | cut -c1-12)
  rm -rf "${lib:?}/$release"
  mv "$lib/.new" "$lib/$release"
  before=$(readlink "$lib/current" 2>/dev/null || :)
  if [ -n "$before" ]; then point "$before" "$lib/previous"; fi
  point "$release" "$lib/current"
  drop_older
  changed "version $version${before:+ (before: ${before%-*})}"
}

# Of the releases there, the current and the one before stay.
drop_older() {
  keep_current=$(readlink "$lib/current")
  keep_previous=$(readlink "$lib/previous" 2>/dev/null || :)
  for each in "$lib"/*; do
    name=${each##*/}
    case $name in current | previous | "$keep_current" | "$keep_previous") continue ;; esac
    rm -rf "$each"
  done
}

link_program() {
  [ "$(readlink "$bin" 2>/dev/null || :)" = "../lib/$NAME/current/bin/$NAME" ] && return 0
  mkdir -p "${bin%/*}"
  point "../lib/$NAME/current/bin/$NAME" "$bin"
  changed 'link'
}

add_user() {
  grep -q "^$NAME:" "$root/etc/passwd" 2>/dev/null && return 0
  shell=/usr/sbin/nologin
  [ -x "$root$shell" ] || shell=/sbin/nologin
  if [ -n "$root" ]; then set -- --root "$root"; else set --; fi
  useradd "$@" --system --user-group --no-create-home --home-dir "/var/lib/$NAME" --shell "$shell" "$NAME" ||
    fail "the user $NAME could not be made"
  changed 'user'
}

owner_ids() { grep "^$NAME:" "$root/etc/passwd" | cut -d: -f3,4; }

# put FILE MODE OWNER: writes standard input there at once and whole, if it differs.
put() {
  cat >"$work/next"
  if [ -f "$1" ] && cmp -s "$1" "$work/next"; then return 1; fi
  mkdir -p "${1%/*}"
  (umask 077 && cat "$work/next" >"$1.new.$$")
  chown "$3" "$1.new.$$"
  chmod "$2" "$1.new.$$"
  mv "$1.new.$$" "$1"
}

yaml_list() { printf '%s' "$1" | sed "s/,/', '/g; s/^/['/; s/\$/']/"; }

write_config() {
  if [ -f "$config" ] && ! grep -qF "$MARK" "$config"; then
    say "$config is somebody's own: left as it is"
    return 0
  fi
  if config_text | put "$config" 0644 0:0; then changed 'configuration'; fi
}

config_text() {
  printf '%s\n' "$MARK"
  printf 'auth:\n  addresses: %s\n' "$(yaml_list "$auth")"
  printf 'data_dir: /var/lib/%s\n' "$NAME"
  printf 'join:\n  method: %s\n  ca_pins: %s\n' "$join" "$(yaml_list "$pins")"
  if [ "$join" = token ]; then printf '  token_file: /etc/tagplane/agent-token\n'; fi
}

# An agent that has its identity needs no token, and keeps it whatever token comes.
write_token() {
  if [ "$join" != token ] || [ -s "$state/credentials.json" ]; then return 0; fi
  if [ -z "$token_file" ]; then
    [ -f "$token" ] || fail 'this agent has not joined yet: --token-file is missing'
    return 0
  fi
  if [ "$token_file" = - ]; then text=$(cat); else text=$(cat "$token_file"); fi
  printf '%s' "$text" | grep -Eq '^[!-~]{1,256}$' || fail "there is no join token in $token_file"
  if printf '%s\n' "$text" | put "$token" 0600 "$(owner_ids)"; then changed 'token'; fi
}

make_state() {
  [ -d "$state" ] && return 0
  mkdir -p "$state"
  chmod 0700 "$state"
  chown "$(owner_ids)" "$state"
  changed 'state directory'
}

write_unit() {
  [ -d "$root/etc/systemd" ] || [ -d "$root/usr/lib/systemd" ] || [ -d "$root/lib/systemd" ] || {
    say 'there is no systemd here: start the agent by other means'
    return 0
  }
  if put "$unit" 0644 0:0 <"$lib/current/$NAME.service"; then
    changed 'unit'
    if live; then systemctl daemon-reload; fi
  fi
  [ -L "$wants" ] && return 0
  if has systemctl; then
    if live; then systemctl -q enable "$NAME"; else systemctl -q --root="${root:-/}" enable "$NAME"; fi
  else
    mkdir -p "${wants%/*}"
    ln -s "../$NAME.service" "$wants"
  fi
  changed 'enabled'
}

start_agent() {
  live || return 0
  if [ "$start" = no ]; then return 0; fi
  if [ -n "$changes" ]; then
    systemctl restart "$NAME"
  elif systemctl -q is-active "$NAME"; then
    return 0
  else
    systemctl start "$NAME"
    changed 'started'
  fi
  # One that cannot start ends within a moment; more than that is the agent's and the auth service's.
  sleep 3
  systemctl -q is-active "$NAME" && return 0
  journalctl -q -n 20 --no-pager -u "$NAME" 2>/dev/null || :
  fail 'it was installed and does not stay up: see the lines above'
}

install_agent() {
  check_options
  check_tools
  lock
  get_release
  unpack_release
  link_program
  add_user
  make_state
  write_config
  write_token
  write_unit
  start_agent
  current=$(readlink "$lib/current")
  if [ -n "$changes" ]; then say "${current%-*} is installed ($changes)"; else say "${current%-*} is installed already: nothing was changed"; fi
}

rollback() {
  check_tools
  lock
  [ -L "$lib/previous" ] || fail 'there is no release before this one'
  before=$(readlink "$lib/previous")
  [ -d "$lib/$before" ] || fail "the release $before is gone"
  point "$(readlink "$lib/current")" "$lib/previous"
  point "$before" "$lib/current"
  changed rollback
  write_unit
  start_agent
  say "went back to ${before%-*}"
}

uninstall() {
  check_tools
  lock
  if live; then systemctl -q disable --now "$NAME" 2>/dev/null || :; fi
  rm -f "$wants" "$unit" "$bin"
  rm -rf "$lib"
  if live; then systemctl daemon-reload; fi
  if [ "$purge" = no ]; then
    say "removed; $etc and $state are still there (--purge removes them too)"
    return 0
  fi
  rm -rf "$state" "$token" "$config"
  rmdir "$etc" 2>/dev/null || :
  if grep -q "^$NAME:" "$root/etc/passwd" 2>/dev/null; then
    if [ -n "$root" ]; then set -- --root "$root"; else set --; fi
    userdel "$@" "$NAME" || say "the user $NAME could not be removed"
  fi
  say 'removed, with its configuration and identity'
}

case $mode in
  install) install_agent ;;
  rollback) rollback ;;
  uninstall) uninstall ;;
esac
