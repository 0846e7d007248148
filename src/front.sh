# The program's first lines are a shell's, and to Node a comment. Node resets at its start what a process inherits: the
# signals that are ignored or blocked, and the limit of open files. Afterwards nothing tells what they were, so they are
# noted here for the commands that hand them on. The shell itself changes the environment, which is noted for exec.
case $1 in exec | run | serve | -?*)
  if [ -r /proc/self/status ]; then
    MAV_START="$$ $(ulimit -Sn)"
    while read -r mav_key mav_value; do
      case $mav_key in SigBlk: | SigIgn:) MAV_START="$MAV_START $mav_value" ;; esac
    done </proc/self/status
    mav_value=
    case $1 in serve) ;; *) mav_value=$(base64 2>/dev/null </proc/$$/environ) ;; esac
    # One variable cannot be longer than 128 KiB.
    [ ${#mav_value} -lt 120000 ] && MAV_START="$MAV_START $mav_value"
    export MAV_START
  fi ;;
esac
# Node opens a closed standard output as /dev/null, which some programs give their children on purpose.
MAV_OUTPUT="$$ open"
[ -e /dev/fd ] && [ ! -e /dev/fd/1 ] && MAV_OUTPUT="$$ closed"
export MAV_OUTPUT
# The -- keeps Node from taking options of the program's for its own.
exec node -- "$0" "$@"
