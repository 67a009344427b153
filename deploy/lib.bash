# shellcheck shell=bash
# What several scripts of deploy/ do: messages, scratch directories, peers, waiting, checks, measuring. A script sources it from its own place:
#
#   # shellcheck source=deploy/lib.bash
#   . "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
#
# It works under `set -e` and without. Processes are ended by their ids only: those that `start` gave, and what descends from them.
# shellcheck disable=SC2034 # the variables that functions set are for the scripts

# --- messages
complain() { echo "${0##*/}: $*" >&2; } # text...
fail() { # status text...
  complain "${@:2}"
  exit "$1"
}
# The comment at the head of the script, which says what it does and how it is called.
print_head() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }
require_root() { [ "$(id -u)" -eq 0 ] || fail 2 "needs root: $*"; } # what for
require_programs() { # program...
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || fail 2 "$program is missing; deploy/packages names the package"
  done
}

find_index_library() { # sets $library, by which deploy/checks/index_store.py reads what the compiler noted
  require_programs swiftc python3
  library=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')/../libIndexStore.so
  [ -e "$library" ] || fail 2 "this Swift toolchain has no $library"
}

# --- what happens at the end, however the script ends
exit_commands=()
at_exit() { # command: run at the end; the last one first
  if [ "${#exit_commands[@]}" -eq 0 ]; then
    trap run_exit_commands EXIT
    trap 'exit 130' INT TERM HUP
  fi
  exit_commands+=("$1")
}
run_exit_commands() {
  local index
  for ((index = ${#exit_commands[@]} - 1; index >= 0; index--)); do eval "${exit_commands[index]}" || true; done
}
make_scratch() { # [directory above it]: sets $scratch, a directory that goes at the end
  scratch=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/blockfarm-${0##*/}.XXXXXX")
  at_exit 'rm -rf "$scratch"'
}

# --- peers: programs that run beside the script
peers=()
start() { # log command...: starts a peer that ends with the script at the latest; sets $peer, its process id
  [ "${#peers[@]}" -gt 0 ] || at_exit stop_all
  "${@:2}" >"$1" 2>&1 &
  peer=$!
  peers+=("$peer")
}
is_ours() { [ "$(awk '$1 == "PPid:" { print $2 }' "/proc/$1/status" 2>/dev/null)" = "$$" ]; } # pid: a child of this script still has it
stop() { # pid: asks a peer to end, insists after 15 s, waits until it has ended
  local tries
  is_ours "$1" || return 0
  kill "$1" 2>/dev/null || true
  for ((tries = 0; tries < 300; tries++)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.05
  done
  [ "$tries" -lt 300 ] || kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
stop_all() {
  local pid
  for pid in "${peers[@]}"; do stop "$pid"; done
}
children() { # pid: those that it started itself
  # A process that ends meanwhile is none.
  awk -v parent="$1" '$1 == "Pid:" { pid = $2 } $1 == "PPid:" && $2 == parent { print pid }' /proc/[0-9]*/status 2>/dev/null || true
}
descendants() { # pid: those that it started, and theirs
  local child
  for child in $(children "$1"); do
    echo "$child"
    descendants "$child"
  done
}
processes_below() { # directory: those whose program or working directory lies in it
  local process
  for process in /proc/[0-9]*; do
    case $(readlink "$process/exe" "$process/cwd" 2>/dev/null || true)/ in "$1"/* | *$'\n'"$1"/*) echo "${process#/proc/}" ;; esac
  done
}

# --- waiting
await() { # seconds pid command...: until the command succeeds; fails when the process has ended (pid 0: none) or the time is over
  local deadline=$((SECONDS + $1)) pid=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$pid" -ne 0 ] && ! kill -0 "$pid" 2>/dev/null; then return 1; fi
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}
# Ports of this machine.
port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); } 2>/dev/null # port
sshd_answers() { # port
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  IFS= read -r -t 5 line <&3 || true
  exec 3>&-
  [[ $line == SSH-2.0-* ]]
} 2>/dev/null
# shellcheck disable=SC2120 # some scripts name a first one
free_port() { # [first]: the first port from there on that nobody listens on
  local port=${1:-$((20000 + RANDOM % 10000))}
  while port_answers "$port"; do port=$((port + 1)); done
  echo "$port"
}

# --- peers of several scripts
start_sshd() { # directory port [configuration line...]: with the directory's host_ed25519 and authorized_keys; sets $peer
  local directory=$1 port=$2 pam=yes
  # Without PAM an sshd that cannot read /etc/shadow takes every account for locked; with it, root's would need its session set-up.
  if [ "$(id -u)" -eq 0 ]; then
    pam=no
    mkdir -p /run/sshd
  fi
  cat >"$directory/sshd_config" <<TEXT
ListenAddress 127.0.0.1
Port $port
HostKey $directory/host_ed25519
AuthorizedKeysFile $directory/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM $pam
StrictModes no
PidFile none
TEXT
  printf '%s\n' "${@:3}" >>"$directory/sshd_config"
  start "$directory/sshd.log" "$(command -v sshd || echo /usr/sbin/sshd)" -f "$directory/sshd_config" -D -e
  await 30 "$peer" sshd_answers "$port" || { cat "$directory/sshd.log" >&2; fail 3 "no sshd answers on port $port"; }
}
stop_sshd() { # pid: the listener, and the connections that it has
  local pid connections
  connections=$(children "$1")
  stop "$1"
  for pid in $connections; do kill "$pid" 2>/dev/null || true; done
}
# Debian's client, where another one comes first in PATH.
docker_client=$(command -v /usr/bin/docker || command -v docker || true)
start_dockerd() { # directory data-root: its socket and logs are in the directory; sets $peer and $DOCKER_HOST; the result says whether it answers
  export DOCKER_HOST=unix://$1/socket
  # Ends with the script even when that is killed. `docker save` must not need room in the data root, which may be all but full.
  start "$1/dockerd.log" env DOCKER_TMPDIR="$1" setpriv --pdeathsig TERM dockerd --data-root "$2" --exec-root "$1/x" --host "$DOCKER_HOST" \
    --pidfile "$1/dockerd.pid" --iptables=false --ip6tables=false --bridge=none --log-level warn --storage-driver overlay2
  await 60 "$peer" "$docker_client" version || { tail -n 20 "$1/dockerd.log"; return 1; }
}
stop_dockerd() { # pid directory
  local pid
  stop "$1"
  # Its containerd goes with it unless it had to be killed.
  for pid in $(cat "$2/x/containerd/containerd.pid" 2>/dev/null); do
    if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$2"; then kill -KILL "$pid"; fi
  done
  rm -rf "$2/x"
}
start_registry() { # directory: an empty docker-registry; sets $peer and $registry_port
  registry_port=$(free_port)
  cat >"$1/registry.yml" <<TEXT
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $1/registry}}
http: {addr: "127.0.0.1:$registry_port", secret: scratch}
TEXT
  start "$1/registry.log" setpriv --pdeathsig TERM docker-registry serve "$1/registry.yml"
  await 30 "$peer" curl --silent --fail "http://127.0.0.1:$registry_port/v2/" || { tail "$1/registry.log"; return 1; }
}

# --- checks
passed=0 failed=0 show_passed=yes
note_passed() { # text
  passed=$((passed + 1))
  [ "$show_passed" = no ] || echo "ok: $1"
}
note_failed() { # text [file that says why]
  failed=$((failed + 1))
  echo "FAILED: $1"
  [ -z "${2:-}" ] || tail -n 50 "$2" | cut -c1-2000 | sed 's/^/  | /'
}
check() { # text command...: needs $scratch; the result is the command's
  if "${@:2}" >"$scratch/last" 2>&1; then
    note_passed "$1"
  else
    note_failed "$1" "$scratch/last"
    return 1
  fi
}
end_checks() { # the closing line; the result says whether all passed
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
# Commands for `check`, each of which says what it found instead.
equals() { # found wanted
  [ "$1" = "$2" ] && return
  echo "found '$1', not '$2'"
  return 1
}
says_nothing() { # command...
  local text
  text=$("$@") || return 1
  [ -z "$text" ] && return
  echo "$text"
  return 1
}

# --- measuring
measure() { # command...: sets $took, the seconds that it ran; the result is the command's
  local from=$EPOCHREALTIME status
  "$@"
  status=$?
  took=$(awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f", to - from }')
  return "$status"
}
median() { sort -n | awk '{ values[NR] = $1 } END { printf "%.6g\n", (NR % 2) ? values[(NR + 1) / 2] : (values[NR / 2] + values[NR / 2 + 1]) / 2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; } # a b: how many times b goes into a
release_binaries() { # [directory]: the directory with blockfarm and blockfarm-worker, which are built where none is given
  local directory=${1:-}
  if [ -z "$directory" ]; then
    complain "building release binaries (the first time takes several minutes)"
    directory=$("$(dirname "${BASH_SOURCE[0]}")/build" | tail -n 1) || return
  fi
  (cd "$directory" && pwd)
}
