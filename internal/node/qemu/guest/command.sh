# Does a command once, and says how far it is.
# $1 what to do, $2 the directory of all commands, $3 its UID, $4 the boot that
# it was to start in. begin reads what to run from its input.
umask 077
PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
export PATH
now=$(cat /proc/sys/kernel/random/boot_id)
all=$2 dir=$2/$3 boot=$4

cannot() { echo "$1" >&2; exit 10; }

# alive says whether it runs. Where nobody collects them, the dead have a number
# still.
alive() {
	[ -s "$dir/pid" ] || return 0
	pid=$(cat "$dir/pid")
	kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null
}

end() {
	[ "$now" = "$boot" ] && [ -s "$dir/pid" ] && [ ! -f "$dir/exit" ] || return 0
	pid=$(cat "$dir/pid")
	kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null
}

tell() { # $1 the state, $2 the exit code
	echo "$1 $2"
	[ ! -f "$dir/stdout" ] || tail -c 4096 "$dir/stdout"
	[ ! -f "$dir/stderr" ] || tail -c 4096 "$dir/stderr" >&2
}

case $1 in
boot)
	echo "$now"
	;;
begin)
	[ "$now" = "$boot" ] || exit 0
	mkdir -p "$all" || cannot "the guest cannot keep commands in $all"
	mkdir "$dir" 2>/dev/null || {
		[ -d "$dir" ] || cannot "the guest cannot keep a command in $dir"
		exit 0
	}
	cd "$dir" && cat >run || {
		rm -rf "$dir"
		cannot "the guest cannot keep a command in $dir"
	}
	leader=$(command -v setsid)
	HOME=${HOME:-/root} $leader sh -c '
		echo $$ >pid
		sh ./run >stdout 2>stderr
		echo $? >exit.new
		rm -f run script
		mv exit.new exit
	' </dev/null >/dev/null 2>&1 &
	;;
look)
	if [ -s "$dir/exit" ]; then
		tell ended "$(cat "$dir/exit")"
	elif [ "$now" != "$boot" ]; then
		tell broken 0
	elif [ ! -d "$dir" ]; then
		echo "unknown 0"
	elif alive; then
		tell running 0
	elif [ -s "$dir/exit" ]; then
		tell ended "$(cat "$dir/exit")"
	else
		tell broken 0
	fi
	;;
kill)
	end
	;;
forget)
	end
	rm -rf "$dir"
	;;
esac
