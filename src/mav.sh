#!/bin/sh
# shellcheck disable=SC2086,SC3045 # The words that are split need no quotes; all shells in use know ulimit -S.
{ set +aeuvx; } 2>/dev/null # A shell that was told to show what it does (SHELLOPTS) would show the token.

# `mav get` without Node: curl asks the daemon, and this exits. Where anything is out of the ordinary it returns, and the
# program does what is to be done, or says what is wrong. "The short way of mav get" in docs/security.md says why it is safe.
mav_get() {
  [ ! -t 1 ] && [ -e /dev/fd/1 ] && [ -z "${MAV_TOKEN+set}$MAV_SOCKET$MAV_PURPOSE" ] && [ -n "$MAV_HOME$HOME" ] || return
  unset -f [ read printf && unset -v IFS && mav_name='' mav_env='' mav_field='' mav_home=${MAV_HOME:-$HOME/.maestrovault${MAV_VAULT:+s/$MAV_VAULT}}
  while shift && [ $# -gt 0 ]; do case $1 in
    -e | --env) [ "${2:+new}$mav_env" = new ] && mav_env=$2 && shift || return ;;
    --field) [ "${2:+new}$mav_field" = new ] && mav_field=$2 && shift || return ;;
    -*) return ;;
    *) [ "${1:+new}$mav_name" = new ] && mav_name=$1 || return ;;
  esac done; case $MAV_VAULT:$MAV_HOME in :*) ;; default: | */*: | *:?*) return ;; esac
  mav_socket=$mav_home/maestrovault.sock mav_told=$mav_home/maestrovault.sock.session-path mav_env=${mav_env:-$MAV_ENV}
  if [ -e "$mav_home/config.json" ] || [ -h "$mav_home/config.json" ] || [ -k "$mav_home" ] || [ ! -f "$mav_told" ]; then return; fi
  { read -r mav_session && read -r mav_listener; } <"$mav_told" && [ -f "$mav_session" ] && [ ! -k "${mav_session%/*}" ] || return
  read -r mav_token <"$mav_session"
  case ${mav_name:-?}$mav_env$mav_field$mav_home$mav_session$mav_token in
    *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-]*) return ;;
  esac
  case $mav_field:$mav_home/:$mav_session/ in */*:*:* | *:[!/]* | *//* | */./* | */../*) return ;; esac
  # So far all of it only says where to look. Nobody but this user and root may be able to change what lies there, from / on.
  mav_all="$mav_socket $mav_told $mav_session"
  for mav_at in "${mav_session%/*}" "$mav_home"; do
    while [ -n "$mav_at" ]; do mav_all="$mav_at $mav_all" mav_at=${mav_at%/*}; done
  done
  mav_stats=$(exec stat -c '%A %u %i %Z' / $mav_all) && set -- $mav_stats || return
  for mav_at in / $mav_all; do
    case $mav_at:$1:$3:$4 in
      "$mav_socket:s"?????????:"$mav_listener" | *:d????-??-?:* | *:d????????[tT]:* | *:-???------:*) ;;
      *) return ;;
    esac
    [ "$2" = 0 ] || [ -O "$mav_at" ] || return
    shift 4
  done
  while case $mav_name in */*) ;; *) false ;; esac; do mav_name=${mav_name%%/*}%2F${mav_name#*/}; done
  printf 'header = "Authorization: Bearer %s"\n' "$mav_token" |
    exec curl -q -K - -sf --max-time 2 --max-filesize 4096 --path-as-is --noproxy '*' -H 'X-Approval: never' --unix-socket "$mav_socket" \
      "http://localhost/v1/secrets/$mav_name${mav_field:+/fields/$mav_field}/value${mav_env:+?env=$mav_env}" && exit
}

# Node resets signals and limits that it inherits, and the shell changes the environment: noted for what hands them on.
case $1 in
  get) mav_get "$@" 2>/dev/null || [ $? -ne 18 ] || { echo 'mav: the daemon closed the connection' >&2 && exit 1; } ;;
  exec | run | serve | -?*)
    export MAV_START && MAV_START="$$ $(ulimit -Sn)"
    while read -r mav_key mav_value; do
      case $mav_key in SigBlk: | SigIgn:) MAV_START="$MAV_START $mav_value" ;; esac
    done 2>/dev/null </proc/self/status
    case $1 in serve) mav_value='' ;; *) mav_value=$(base64 2>/dev/null </proc/$$/environ) ;; esac
    [ ${#mav_value} -ge 120000 ] || MAV_START="$MAV_START $mav_value" ;; # One variable holds 128 KiB at most.
esac
# Node opens a closed standard output as /dev/null, which some programs give their children on purpose.
export MAV_OUTPUT="$$ open"
[ ! -e /dev/fd ] || [ -e /dev/fd/1 ] || MAV_OUTPUT="$$ closed"
mav_self=$0 && if [ -h "$0" ] || [ "$0" = "${0%/*}" ]; then mav_self=$(readlink -f -- "$0"); fi
exec node -- "${mav_self%/*}/src/bin.js" "$@" # The -- keeps Node from taking options of the program's for its own.
